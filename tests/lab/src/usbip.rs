//! The wire between an emulated USB device and the kernel's virtual host controller, `vhci_hcd`.
//! USB/IP protocol 1.1.1: Documentation/usb/usbip_protocol.rst of the Linux kernel.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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

/// The eight octets that open a control transfer (USB 2.0, 9.3).
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub request_type: u8,
    pub request: u8,
    pub value: u16,
    pub index: u16,
}

/// A control request was answered with data (IN), with an empty success (OUT), or with a stall (`None`).
pub type Answer = Option<Vec<u8>>;

/// What endpoint 0 does with a request.
pub enum Reply {
    Answer(Answer),
    /// The host controller, not the device, refuses: there is no bandwidth left on the bus.
    NoBandwidth,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// The stream was stopped by the host, or the device was unplugged.
#[derive(Debug, PartialEq)]
pub struct Stopped;

/// One stream from start to stop; a pace-maker that still holds an old one learns that it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run(u64);

/// The only bulk IN endpoint: URBs that wait for data, and the socket that answers them.
pub struct Pipe {
    state: Mutex<PipeState>,
    changed: Condvar,
}

struct PipeState {
    wire: UnixStream,
    waiting: VecDeque<Urb>,
    run: Option<Run>,
    runs: u64,
}

struct Urb {
    sequence: u32,
    length: usize,
}

impl Pipe {
    fn new(wire: UnixStream) -> Self {
        let state = PipeState {
            wire,
            waiting: VecDeque::new(),
            run: None,
            runs: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub fn start(&self) -> Run {
        let mut state = self.lock();
        state.runs += 1;
        let run = Run(state.runs);
        state.run = Some(run);
        self.changed.notify_all();
        run
    }

    pub fn stop(&self) {
        self.lock().run = None;
        self.changed.notify_all();
    }

    /// Sleeps until `deadline`, or less when the run ends.
    pub fn wait_until(&self, run: Run, deadline: Instant) -> Result<(), Stopped> {
        let mut state = self.lock();
        loop {
            if state.run != Some(run) {
                return Err(Stopped);
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            state = self.changed.wait_timeout(state, rest).expect("pipe lock").0;
        }
    }

    /// Sends one payload over as many URBs as it takes; a short (maybe empty) URB ends it.
    pub fn send(&self, run: Run, payload: &[u8]) -> Result<(), Stopped> {
        let mut rest = payload;
        while self.fill(run, &mut rest)? {}
        Ok(())
    }

    /// Sends what fits into one URB of the beginning of a payload, which [`Pipe::send`] is to go on with.
    pub fn begin<'a>(&self, run: Run, payload: &'a [u8]) -> Result<&'a [u8], Stopped> {
        let mut rest = payload;
        self.fill(run, &mut rest)?;
        Ok(rest)
    }

    /// Fills one URB; false when it was a short one.
    fn fill(&self, run: Run, rest: &mut &[u8]) -> Result<bool, Stopped> {
        let mut state = self.lock();
        while state.run == Some(run) && state.waiting.is_empty() {
            state = self.changed.wait(state).expect("pipe lock");
        }
        if state.run != Some(run) {
            return Err(Stopped);
        }
        let urb = state.waiting.pop_front().ok_or(Stopped)?;
        let (now, later) = rest.split_at(rest.len().min(urb.length));
        // Still under the lock: a RET_SUBMIT after this URB's RET_UNLINK makes vhci drop the device.
        state
            .reply(RET_SUBMIT, urb.sequence, 0, now)
            .map_err(|_| Stopped)?;
        *rest = later;
        Ok(now.len() == urb.length)
    }

    /// Fails up to `count` of the URBs that wait, as a bus error does (USB transfers end with -EPROTO). Returns how many.
    pub fn fail(&self, count: usize) -> usize {
        let mut state = self.lock();
        let mut failed = 0;
        while failed < count
            && let Some(urb) = state.waiting.pop_front()
            && state
                .reply(RET_SUBMIT, urb.sequence, PROTOCOL_ERROR, &[])
                .is_ok()
        {
            failed += 1;
        }
        failed
    }

    fn queue(&self, urb: Urb) {
        self.lock().waiting.push_back(urb);
        self.changed.notify_all();
    }

    fn unlink(&self, sequence: u32, victim: u32) -> io::Result<()> {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|urb| urb.sequence != victim);
        let status = if state.waiting.len() < before {
            UNLINKED
        } else {
            0
        };
        state.reply(RET_UNLINK, sequence, status, &[])
    }

    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().expect("pipe lock")
    }
}

impl PipeState {
    fn reply(&mut self, command: u32, sequence: u32, status: i32, data: &[u8]) -> io::Result<()> {
        self.reply_counted(command, sequence, status, data.len(), data)
    }

    /// `count` differs from the data's length for OUT transfers only, which return none.
    fn reply_counted(
        &mut self,
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
        self.wire.write_all(&header)?;
        self.wire.write_all(data)
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
        let pipe = Arc::new(Pipe::new(ours.try_clone()?));
        let device = (1 << 16) | (u32::from(number) + 1); // busnum, devnum: any non-zero pair
        let line = format!("{number} {} {device} {HIGH_SPEED}", theirs.as_raw_fd());
        fs::write(format!("{VHCI}/attach"), line)?;
        drop(theirs); // the kernel has its own reference
        let served = Arc::clone(&pipe);
        let reader = thread::spawn(move || {
            // The end of the stream is how an unplugged device learns of it: not an error.
            let _ = serve(ours, &served, &mut control);
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

fn serve<C>(mut wire: UnixStream, pipe: &Pipe, control: &mut C) -> io::Result<()>
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
                        answer_control(pipe, sequence, direction, length, answer)?;
                    }
                    (_, DIRECTION_IN) => pipe.queue(Urb { sequence, length }),
                    _ => pipe.lock().reply(RET_SUBMIT, sequence, STALL, &[])?,
                }
            }
            CMD_UNLINK => pipe.unlink(sequence, flags_or_victim)?,
            other => return Err(io::Error::other(format!("USB/IP command {other}"))),
        }
    }
}

fn answer_control(
    pipe: &Pipe,
    sequence: u32,
    direction: u32,
    length: usize,
    reply: Reply,
) -> io::Result<()> {
    let mut state = pipe.lock();
    let answer = match reply {
        Reply::Answer(answer) => answer,
        Reply::NoBandwidth => return state.reply(RET_SUBMIT, sequence, NO_SPACE, &[]),
    };
    match answer {
        None => state.reply(RET_SUBMIT, sequence, STALL, &[]),
        Some(data) if direction == DIRECTION_IN => {
            state.reply(RET_SUBMIT, sequence, 0, &data[..data.len().min(length)])
        }
        Some(_) => state.reply_counted(RET_SUBMIT, sequence, 0, length, &[]),
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
