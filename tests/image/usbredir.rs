//! The device's end of QEMU's `usb-redir`: a program that connects to its socket is the USB device.
//! USB network redirection protocol 0.7: docs/usb-redirection-protocol.md of usbredir.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::descriptors::{self, CONFIGURATION, DEVICE, ENDPOINT, INTERFACE};
use crate::pipe::{BusError, Pipe, Reply, Setup, Urb, Wire};
use crate::uvc::Description;

const NAME: &[u8] = b"framewire lab";
const NAME_FIELD: usize = 64; // octets
/// The version of the device, endpoints with their packet sizes, ids of 64 and lengths of 32 bits.
const CAPABILITIES: u32 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6;
const SLOTS: usize = 32; // endpoints, and interfaces, of a device

const HELLO: u32 = 0;
const DEVICE_CONNECT: u32 = 1;
const RESET: u32 = 3;
const INTERFACE_INFO: u32 = 4;
const EP_INFO: u32 = 5;
const SET_CONFIGURATION: u32 = 6;
const GET_CONFIGURATION: u32 = 7;
const CONFIGURATION_STATUS: u32 = 8;
const SET_ALT_SETTING: u32 = 9;
const GET_ALT_SETTING: u32 = 10;
const ALT_SETTING_STATUS: u32 = 11;
const CANCEL_DATA_PACKET: u32 = 21;
const CONTROL_PACKET: u32 = 100;
const BULK_PACKET: u32 = 101;

const SUCCESS: u8 = 0;
const CANCELLED: u8 = 1;
const IO_ERROR: u8 = 3;
const STALL: u8 = 4;

const CONTROL: u8 = 0; // kind of an endpoint
const NO_ENDPOINT: u8 = 255;
const HIGH_SPEED: u8 = 2;
const IN: u8 = 0x80; // of an endpoint's address
const BULK_IN: u8 = 0x81;
const CONFIGURED: u8 = 1; // the only configuration

/// A camera's plug in the machine's socket; dropping it pulls it out.
pub struct Plug {
    socket: UnixStream,
    pub pipe: Arc<Pipe>,
    reader: Option<JoinHandle<()>>,
}

impl Plug {
    /// `control` answers the requests on endpoint 0; it runs in the plug's reader thread.
    pub fn insert<C>(path: &Path, device: &Description, control: C) -> io::Result<Self>
    where
        C: FnMut(&Pipe, Setup, &[u8]) -> Reply + Send + 'static,
    {
        let mut socket = UnixStream::connect(path)?;
        let cable = Arc::new(Cable(Mutex::new(socket.try_clone()?)));
        greet(&mut socket)?;
        let tables = Tables::of(device)?;
        cable.send(EP_INFO, 0, &tables.endpoints)?;
        cable.send(INTERFACE_INFO, 0, &tables.interfaces)?;
        cable.send(DEVICE_CONNECT, 0, &tables.device)?;
        let pipe = Arc::new(Pipe::new(cable.clone()));
        let mut port = Port {
            cable,
            pipe: Arc::clone(&pipe),
            endpoints: tables.endpoints,
            control,
        };
        let mut wire = socket.try_clone()?;
        let reader = thread::spawn(move || {
            // The end of the stream is how a plug that is pulled out learns of it: not an error.
            if let Err(error) = port.serve(&mut wire)
                && error.kind() == io::ErrorKind::InvalidData
            {
                eprintln!("usb-redir: {error}");
            }
            port.pipe.stop();
        });
        Ok(Self {
            socket,
            pipe,
            reader: Some(reader),
        })
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Both sides say what they can do; until then ids have 32 bits.
fn greet(socket: &mut UnixStream) -> io::Result<()> {
    let mut body = NAME.to_vec();
    body.resize(NAME_FIELD, 0);
    body.extend(CAPABILITIES.to_le_bytes());
    let head = [HELLO, body.len() as u32, 0].map(u32::to_le_bytes).concat();
    socket.write_all(&[head, body].concat())?;
    let [kind, length, _] = words(socket)?;
    let theirs = octets(socket, length)?;
    let capabilities = theirs.get(NAME_FIELD..).and_then(<[u8]>::first_chunk);
    match capabilities.map(|word| u32::from_le_bytes(*word)) {
        Some(theirs) if kind == HELLO && theirs & CAPABILITIES == CAPABILITIES => Ok(()),
        theirs => Err(wrong(format!("hello {kind} with capabilities {theirs:?}"))),
    }
}

/// What the host is told of the device before it asks anything, all out of the device's own descriptors.
struct Tables {
    device: Vec<u8>,
    interfaces: Vec<u8>,
    endpoints: Vec<u8>,
}

impl Tables {
    fn of(camera: &Description) -> io::Result<Self> {
        let descriptor = |kind| {
            let found = descriptors::get(camera, u16::from_be_bytes([kind, 0]));
            found.ok_or_else(|| wrong(format!("the camera has no descriptor {kind}")))
        };
        let (device, configuration) = (descriptor(DEVICE)?, descriptor(CONFIGURATION)?);
        // Class, subclass and protocol; vendor and product; bcdDevice.
        let identity = [&device[4..7], &device[8..14]].concat();
        let [mut kinds, mut of_interface] = [[NO_ENDPOINT; SLOTS], [0; SLOTS]];
        let mut sizes = [[0; 2]; SLOTS];
        kinds[slot(0)] = CONTROL;
        kinds[slot(IN)] = CONTROL;
        // Number, class, subclass, protocol.
        let mut interfaces = [[0_u8; SLOTS]; 4];
        let mut count = 0;
        let mut rest = &configuration[..];
        while let [length, kind, ..] = *rest {
            let (body, after) = rest.split_at(usize::from(length));
            if kind == INTERFACE {
                for (column, field) in interfaces.iter_mut().zip([2, 5, 6, 7]) {
                    column[count] = body[field];
                }
                count += 1;
            }
            if kind == ENDPOINT {
                let slot = slot(body[2]);
                kinds[slot] = body[3] & 3;
                sizes[slot] = [body[4], body[5]];
                of_interface[slot] = interfaces[0][count - 1];
            }
            rest = after;
        }
        Ok(Self {
            device: [&[HIGH_SPEED], &identity[..]].concat(),
            interfaces: [&(count as u32).to_le_bytes()[..], &interfaces.concat()].concat(),
            endpoints: [&kinds[..], &[0; SLOTS], &of_interface, &sizes.concat()].concat(),
        })
    }
}

/// Where an endpoint is in the tables, by its address.
fn slot(address: u8) -> usize {
    usize::from((address & IN) >> 3 | address & 15)
}

/// What the plug writes to the machine.
struct Cable(Mutex<UnixStream>);

impl Wire for Cable {
    fn end(&self, urb: &Urb, data: Result<&[u8], BusError>) -> io::Result<()> {
        match data {
            Ok(data) => self.bulk(urb.number, SUCCESS, data),
            Err(BusError) => self.bulk(urb.number, IO_ERROR, &[]),
        }
    }
}

impl Cable {
    fn send(&self, kind: u32, id: u64, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let head = [kind, length].map(u32::to_le_bytes).concat();
        let packet = [&head, &id.to_le_bytes()[..], body].concat();
        self.0.lock().expect("cable lock").write_all(&packet)
    }

    fn bulk(&self, id: u64, status: u8, data: &[u8]) -> io::Result<()> {
        let [l0, l1, l2, l3] = u32::try_from(data.len())
            .map_err(io::Error::other)?
            .to_le_bytes();
        let head = [BULK_IN, status, l0, l1, 0, 0, 0, 0, l2, l3]; // no stream within the endpoint
        self.send(BULK_PACKET, id, &[&head, data].concat())
    }
}

/// Answers the machine.
struct Port<C> {
    cable: Arc<Cable>,
    pipe: Arc<Pipe>,
    endpoints: Vec<u8>,
    control: C,
}

impl<C> Port<C>
where
    C: FnMut(&Pipe, Setup, &[u8]) -> Reply,
{
    fn serve(&mut self, wire: &mut UnixStream) -> io::Result<()> {
        loop {
            let [kind, length, low, high] = words(wire)?;
            let id = u64::from(high) << 32 | u64::from(low);
            let body = octets(wire, length)?;
            match (kind, &body[..]) {
                (RESET, []) => self.pipe.stop(),
                (SET_CONFIGURATION, &[value]) => {
                    let status = self.set(0x00, 0x09, value, 0)?;
                    self.send(CONFIGURATION_STATUS, id, &[status, value])?;
                }
                (GET_CONFIGURATION, []) => {
                    self.send(CONFIGURATION_STATUS, id, &[SUCCESS, CONFIGURED])?;
                }
                (SET_ALT_SETTING, &[interface, setting]) => {
                    let status = self.set(0x01, 0x0B, setting, interface)?;
                    self.send(ALT_SETTING_STATUS, id, &[status, interface, setting])?;
                }
                (GET_ALT_SETTING, &[interface]) => {
                    self.send(ALT_SETTING_STATUS, id, &[SUCCESS, interface, 0])?;
                }
                (CANCEL_DATA_PACKET, []) => self.cancel(id)?,
                (CONTROL_PACKET, body) => self.request(id, body)?,
                (BULK_PACKET, &[BULK_IN, _, l0, l1, _, _, _, _, l2, l3]) => {
                    self.pipe.queue(Urb {
                        number: id,
                        length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
                    });
                }
                (kind, body) => return Err(wrong(format!("packet {kind}: {body:02x?}"))),
            }
        }
    }

    /// SET_CONFIGURATION or SET_INTERFACE, which come as packets of their own. The host wants to hear of the endpoints
    /// before it hears that it was done.
    fn set(&mut self, request_type: u8, request: u8, value: u8, index: u8) -> io::Result<u8> {
        let setup = Setup {
            request_type,
            request,
            value: value.into(),
            index: index.into(),
        };
        let reply = (self.control)(&self.pipe, setup, &[]);
        self.send(EP_INFO, 0, &self.endpoints)?;
        Ok(status(&reply))
    }

    fn request(&mut self, id: u64, packet: &[u8]) -> io::Result<()> {
        let Some((head, sent)) = packet.split_first_chunk() else {
            return Err(wrong(format!(
                "a control packet of {} octets",
                packet.len()
            )));
        };
        let &[endpoint, request, request_type, _, v0, v1, i0, i1, l0, l1] = head;
        let setup = Setup {
            request_type,
            request,
            value: u16::from_le_bytes([v0, v1]),
            index: u16::from_le_bytes([i0, i1]),
        };
        let reply = (self.control)(&self.pipe, setup, sent);
        let status = status(&reply);
        let asked = usize::from(u16::from_le_bytes([l0, l1]));
        let mut data = match reply {
            Reply::Answer(Some(data)) => data,
            _ => vec![],
        };
        data.truncate(asked);
        // Of data that the host sent it is told how much has arrived.
        let count = match (endpoint & IN, status) {
            (0, SUCCESS) => sent.len(),
            _ => data.len(),
        };
        let [l0, l1, ..] = count.to_le_bytes();
        let head = [
            endpoint,
            request,
            request_type,
            status,
            v0,
            v1,
            i0,
            i1,
            l0,
            l1,
        ];
        self.send(CONTROL_PACKET, id, &[&head, &data[..]].concat())
    }

    /// The host takes a transfer back. Of one that has ended it has been told.
    fn cancel(&self, id: u64) -> io::Result<()> {
        self.pipe.unlink(id, |was_waiting| match was_waiting {
            true => self.cable.bulk(id, CANCELLED, &[]),
            false => Ok(()),
        })
    }

    fn send(&self, kind: u32, id: u64, body: &[u8]) -> io::Result<()> {
        self.cable.send(kind, id, body)
    }
}

fn status(reply: &Reply) -> u8 {
    match reply {
        Reply::Answer(Some(_)) => SUCCESS,
        Reply::Answer(None) => STALL,
        Reply::NoBandwidth => IO_ERROR,
    }
}

fn words<const N: usize>(wire: &mut UnixStream) -> io::Result<[u32; N]> {
    let mut words = [0; N];
    for word in &mut words {
        let mut octets = [0; 4];
        wire.read_exact(&mut octets)?;
        *word = u32::from_le_bytes(octets);
    }
    Ok(words)
}

fn octets(wire: &mut UnixStream, length: u32) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; length as usize];
    wire.read_exact(&mut octets)?;
    Ok(octets)
}

/// What no usb-redir of QEMU's says to a camera.
fn wrong(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
