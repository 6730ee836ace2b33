//! The wire between an emulated USB device and the kernel's virtual host controller, `vhci_hcd`.
//! USB/IP protocol 1.1.1: Documentation/usb/usbip_protocol.rst of the Linux kernel.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::pipe::{BusError, Pipe, Reply, Setup, Urb, Wire};

const VHCI: &str = "/sys/devices/platform/vhci_hcd.0";
const HIGH_SPEED: u8 = 3; // enum usb_device_speed
const PORT_FREE: &str = "004"; // VDEV_ST_NULL in the status file
const PORT_RELEASE: Duration = Duration::from_secs(10);

const HEADER: usize = 48; // octets of every USB/IP header
const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;
const DIRECTION_IN: u32 = 1;

const STALL: i32 = -32; // -EPIPE
const PROTOCOL_ERROR: i32 = -71; // -EPROTO
const NO_SPACE: i32 = -28; // -ENOSPC: the host controller has no bandwidth left
const UNLINKED: i32 = -104; // -ECONNRESET: the URB was still queued

/// The device's end of the cable.
struct Cable(Mutex<UnixStream>);

impl Wire for Cable {
    fn end(&self, urb: &Urb, data: Result<&[u8], BusError>) -> io::Result<()> {
        let sequence = u32::try_from(urb.number).map_err(io::Error::other)?;
        match data {
            // A RET_SUBMIT after this URB's RET_UNLINK would make vhci drop the device.
            Ok(data) => self.reply(RET_SUBMIT, sequence, 0, data),
            Err(BusError) => self.reply(RET_SUBMIT, sequence, PROTOCOL_ERROR, &[]),
        }
    }
}

impl Cable {
    fn reply(&self, command: u32, sequence: u32, status: i32, data: &[u8]) -> io::Result<()> {
        self.reply_counted(command, sequence, status, data.len(), data)
    }

    /// `count` differs from the data's length for OUT transfers only, which return none.
    fn reply_counted(
        &self,
        command: u32,
        sequence: u32,
        status: i32,
        count: usize,
        data: &[u8],
    ) -> io::Result<()> {
        let count = u32::try_from(count).map_err(io::Error::other)?;
        let mut header = [0; HEADER];
        header[0..4].copy_from_slice(&command.to_be_bytes());
        header[4..8].copy_from_slice(&sequence.to_be_bytes());
        header[20..24].copy_from_slice(&status.to_be_bytes());
        header[24..28].copy_from_slice(&count.to_be_bytes());
        let mut wire = self.0.lock().expect("cable lock");
        wire.write_all(&header)?;
        wire.write_all(data)
    }
}

/// A device plugged into a port of the virtual host controller; dropping it unplugs it.
pub struct Port {
    number: u8,
    pub pipe: Arc<Pipe>,
    reader: Option<JoinHandle<()>>,
}

impl Port {
    /// `control` answers the requests on endpoint 0; it runs in the port's reader thread.
    pub fn attach<C>(number: u8, mut control: C) -> io::Result<Self>
    where
        C: FnMut(&Pipe, Setup, &[u8]) -> Reply + Send + 'static,
    {
        let (ours, theirs) = UnixStream::pair()?;
        let cable = Arc::new(Cable(Mutex::new(ours.try_clone()?)));
        let pipe = Arc::new(Pipe::new(cable.clone()));
        let device = (1 << 16) | (u32::from(number) + 1); // busnum, devnum: any non-zero pair
        let line = format!("{number} {} {device} {HIGH_SPEED}", theirs.as_raw_fd());
        fs::write(format!("{VHCI}/attach"), line)?;
        drop(theirs); // the kernel has its own reference
        let served = Arc::clone(&pipe);
        let reader = thread::spawn(move || {
            // The end of the stream is how an unplugged device learns of it: not an error.
            let _ = serve(ours, &cable, &served, &mut control);
            served.stop();
        });
        Ok(Self {
            number,
            pipe,
            reader: Some(reader),
        })
    }

    fn is_free(&self) -> bool {
        let status = fs::read_to_string(format!("{VHCI}/status")).unwrap_or_default();
        // hub port sta spd dev sockfd local_busid
        status
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .any(|line| {
                line.first() == Some(&"hs")
                    && line.get(1).and_then(|port| port.parse().ok()) == Some(self.number)
                    && line.get(2) == Some(&PORT_FREE)
            })
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let _ = fs::write(format!("{VHCI}/detach"), self.number.to_string());
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        // A port that is used again too early dead-locks the guest's kernel.
        let deadline = Instant::now() + PORT_RELEASE;
        while !self.is_free() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn serve<C>(mut wire: UnixStream, cable: &Cable, pipe: &Pipe, control: &mut C) -> io::Result<()>
where
    C: FnMut(&Pipe, Setup, &[u8]) -> Reply,
{
    loop {
        let mut header = [0; HEADER];
        wire.read_exact(&mut header)?;
        let [
            command,
            sequence,
            _device,
            direction,
            endpoint,
            flags_or_victim,
            length,
        ] = words(&header);
        match command {
            CMD_SUBMIT => {
                let length = usize::try_from(length).map_err(io::Error::other)?;
                let mut sent = vec![0; if direction == DIRECTION_IN { 0 } else { length }];
                wire.read_exact(&mut sent)?;
                match (endpoint, direction) {
                    (0, _) => {
                        let answer = control(pipe, setup(&header), &sent);
                        answer_control(cable, sequence, direction, length, answer)?;
                    }
                    (_, DIRECTION_IN) => pipe.queue(Urb {
                        number: sequence.into(),
                        length,
                    }),
                    _ => cable.reply(RET_SUBMIT, sequence, STALL, &[])?,
                }
            }
            CMD_UNLINK => pipe.unlink(flags_or_victim.into(), |was_waiting| {
                let status = if was_waiting { UNLINKED } else { 0 };
                cable.reply(RET_UNLINK, sequence, status, &[])
            })?,
            other => return Err(io::Error::other(format!("USB/IP command {other}"))),
        }
    }
}

fn answer_control(
    cable: &Cable,
    sequence: u32,
    direction: u32,
    length: usize,
    reply: Reply,
) -> io::Result<()> {
    let answer = match reply {
        Reply::Answer(answer) => answer,
        Reply::NoBandwidth => return cable.reply(RET_SUBMIT, sequence, NO_SPACE, &[]),
    };
    match answer {
        None => cable.reply(RET_SUBMIT, sequence, STALL, &[]),
        Some(data) if direction == DIRECTION_IN => {
            cable.reply(RET_SUBMIT, sequence, 0, &data[..data.len().min(length)])
        }
        Some(_) => cable.reply_counted(RET_SUBMIT, sequence, 0, length, &[]),
    }
}

fn words(header: &[u8; HEADER]) -> [u32; 7] {
    std::array::from_fn(|i| {
        u32::from_be_bytes([
            header[4 * i],
            header[4 * i + 1],
            header[4 * i + 2],
            header[4 * i + 3],
        ])
    })
}

/// The setup packet travels as on a USB cable: little endian.
fn setup(header: &[u8; HEADER]) -> Setup {
    let octets = &header[40..];
    Setup {
        request_type: octets[0],
        request: octets[1],
        value: u16::from_le_bytes([octets[2], octets[3]]),
        index: u16::from_le_bytes([octets[4], octets[5]]),
    }
}
