//! A USB video class function: descriptors, negotiation and picture controls, as little as `uvcvideo` accepts.
//! USB Device Class Definition for Video Devices 1.1; the bulk endpoint sits in alternate setting 0.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crate::descriptors;
use crate::pipe::{Answer, Pipe, Reply, Run, Setup};

/// What a camera is: its identity and what it offers.
#[derive(Clone)]
pub struct Description {
    pub vendor: u16,
    pub product: u16,
    /// Empty: it has none.
    pub serial: &'static str,
    pub name: &'static str,
    pub formats: Vec<Format>,
    /// Some cameras fall back to their defaults when the stream starts.
    pub forgets_controls: bool,
    /// The stream needs reserved bandwidth, of which the bus has none left: it never starts.
    pub no_bandwidth: bool,
}

#[derive(Clone)]
pub struct Format {
    pub coding: Coding,
    pub sizes: Vec<Size>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Coding {
    Mjpeg,
    Yuy2,
}

#[derive(Clone)]
pub struct Size {
    pub width: u16,
    pub height: u16,
    /// Frames a second, the default first.
    pub rates: Vec<u32>,
}

impl Size {
    /// dwFrameInterval: units of 100 ns.
    pub fn intervals(&self) -> impl Iterator<Item = u32> {
        self.rates.iter().map(|rate| 10_000_000 / rate)
    }

    /// dwMaxVideoFrameBufferSize: octets.
    pub fn frame_size(&self) -> u32 {
        u32::from(self.width) * u32::from(self.height) * 2
    }
}

/// The host committed a mode: indices into the description, the interval, and the run it opened.
#[derive(Clone, Copy, Debug)]
pub struct Commit {
    pub format: usize,
    pub size: usize,
    pub interval: Duration,
    pub run: Run,
}

/// A control of the processing unit; all of them are 16 bits wide (UVC 1.1, 4.2.2.3).
#[derive(Clone, Copy)]
pub struct Control {
    pub name: &'static str,
    selector: u8,
    pub bit: u16, // of bmControls
    min: i16,
    max: i16,
    default: i16,
}

pub const CONTROLS: [Control; 5] = [
    Control {
        name: "brightness",
        selector: 2,
        bit: 1 << 0,
        min: 0,
        max: 255,
        default: 128,
    },
    Control {
        name: "contrast",
        selector: 3,
        bit: 1 << 1,
        min: 0,
        max: 255,
        default: 32,
    },
    Control {
        name: "saturation",
        selector: 7,
        bit: 1 << 3,
        min: 0,
        max: 255,
        default: 64,
    },
    Control {
        name: "sharpness",
        selector: 8,
        bit: 1 << 4,
        min: 0,
        max: 255,
        default: 24,
    },
    Control {
        name: "hue",
        selector: 6,
        bit: 1 << 2,
        min: -180,
        max: 180,
        default: 0,
    },
];

/// A SET_CUR that arrived at a control.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub name: &'static str,
    pub value: i16,
    pub at: Instant,
}

const VIDEO_CONTROL: u16 = 0;
const VIDEO_STREAMING: u16 = 1;
const BULK_IN: u16 = 0x81;

const SET_CUR: u8 = 0x01;
const GET_CUR: u8 = 0x81;
const GET_MIN: u8 = 0x82;
const GET_MAX: u8 = 0x83;
const GET_RES: u8 = 0x84;
const GET_LEN: u8 = 0x85;
const GET_INFO: u8 = 0x86;
const GET_DEF: u8 = 0x87;
const INFO_GET_SET: u8 = 0x03; // supports GET and SET

const VS_PROBE: u8 = 1;
const VS_COMMIT: u8 = 2;
const VC_REQUEST_ERROR_CODE: u8 = 2;
const PROBE_LENGTH: usize = 34; // octets, UVC 1.1

/// The state of the function behind endpoint 0.
pub struct Function {
    pub description: Description,
    pub changes: Vec<Change>,
    /// When the host last started the stream.
    pub committed: Option<Instant>,
    /// How often the host has started the stream.
    pub starts: usize,
    /// So many attempts to start the stream are refused with a stall.
    pub refusals: usize,
    values: [i16; CONTROLS.len()],
    probe: Probe,
    commits: Sender<Commit>,
}

/// bFormatIndex and bFrameIndex count from 1 on the wire, from 0 here.
#[derive(Clone, Copy)]
struct Probe {
    format: usize,
    size: usize,
    interval: u32,
}

impl Function {
    /// With the streams that the host will start.
    pub fn new(description: Description) -> (Self, Receiver<Commit>) {
        let (commits, committed) = mpsc::channel();
        let interval = description.formats[0].sizes[0]
            .intervals()
            .next()
            .unwrap_or(333_333);
        let function = Self {
            description,
            changes: Vec::new(),
            committed: None,
            starts: 0,
            refusals: 0,
            values: CONTROLS.map(|control| control.default),
            probe: Probe {
                format: 0,
                size: 0,
                interval,
            },
            commits,
        };
        (function, committed)
    }

    /// The value a control has inside the camera.
    pub fn value(&self, name: &str) -> Option<i16> {
        CONTROLS
            .iter()
            .position(|control| control.name == name)
            .map(|i| self.values[i])
    }

    pub fn request(&mut self, pipe: &Pipe, setup: Setup, data: &[u8]) -> Reply {
        match (setup.request_type, setup.request) {
            // SET_INTERFACE: alternate setting 1 of the streaming interface reserves bandwidth.
            (0x01, 0x0B) if setup.value == 1 => Reply::NoBandwidth,
            _ => self.answer(pipe, setup, data).into(),
        }
    }

    fn answer(&mut self, pipe: &Pipe, setup: Setup, data: &[u8]) -> Answer {
        match (setup.request_type, setup.request) {
            (0x80, 0x06) => descriptors::get(&self.description, setup.value),
            (0x80..=0x82, 0x00) => Some(vec![0, 0]), // GET_STATUS
            (0x00, 0x09) | (0x01, 0x0B) => Some(vec![]), // SET_CONFIGURATION, SET_INTERFACE
            (0x02, 0x01) if setup.index == BULK_IN => {
                pipe.stop(); // CLEAR_FEATURE(ENDPOINT_HALT): how a bulk stream is stopped
                Some(vec![])
            }
            (0x21 | 0xA1, _) => self.class_request(pipe, setup, data),
            _ => None,
        }
    }

    fn class_request(&mut self, pipe: &Pipe, setup: Setup, data: &[u8]) -> Answer {
        let [entity, interface] = setup.index.to_be_bytes();
        let [selector, _] = setup.value.to_be_bytes();
        match (u16::from(interface), entity, selector) {
            (VIDEO_STREAMING, 0, VS_PROBE) => self.negotiate(setup.request, data),
            (VIDEO_STREAMING, 0, VS_COMMIT) if self.refusals > 0 && setup.request == SET_CUR => {
                self.refusals -= 1;
                None
            }
            (VIDEO_STREAMING, 0, VS_COMMIT) => {
                let answer = self.negotiate(setup.request, data)?;
                if setup.request == SET_CUR {
                    self.commit(pipe);
                }
                Some(answer)
            }
            (VIDEO_CONTROL, 0, VC_REQUEST_ERROR_CODE) => Some(vec![0]),
            (VIDEO_CONTROL, descriptors::PROCESSING_UNIT, _) => {
                let index = CONTROLS
                    .iter()
                    .position(|control| control.selector == selector)?;
                self.adjust(index, setup.request, data)
            }
            _ => None,
        }
    }

    fn negotiate(&mut self, request: u8, data: &[u8]) -> Answer {
        match request {
            SET_CUR => {
                self.probe = self.nearest(data)?;
                Some(vec![])
            }
            GET_CUR | GET_MIN | GET_MAX | GET_DEF => Some(self.offer()),
            GET_LEN => Some(PROBE_LENGTH.to_le_bytes()[..2].to_vec()),
            GET_INFO => Some(vec![INFO_GET_SET]),
            _ => None,
        }
    }

    /// What the camera makes of a proposal: the indices if they exist, the next interval it has.
    fn nearest(&self, data: &[u8]) -> Option<Probe> {
        let &[format, size] = data.get(2..4)?.as_array()?;
        let interval = u32::from_le_bytes(*data.get(4..8)?.as_array()?);
        let format = usize::from(format.saturating_sub(1)).min(self.description.formats.len() - 1);
        let sizes = &self.description.formats[format].sizes;
        let size = usize::from(size.saturating_sub(1)).min(sizes.len() - 1);
        let interval = sizes[size]
            .intervals()
            .min_by_key(|offer| offer.abs_diff(interval))?;
        Some(Probe {
            format,
            size,
            interval,
        })
    }

    fn offer(&self) -> Vec<u8> {
        let Probe {
            format,
            size,
            interval,
        } = self.probe;
        let frame_size = self.description.formats[format].sizes[size].frame_size();
        let mut offer = vec![0; PROBE_LENGTH];
        offer[0] = 1; // bmHint: dwFrameInterval is kept
        offer[2] = u8::try_from(format + 1).expect("few formats");
        offer[3] = u8::try_from(size + 1).expect("few sizes");
        offer[4..8].copy_from_slice(&interval.to_le_bytes());
        offer[18..22].copy_from_slice(&frame_size.to_le_bytes());
        // A whole frame and its header fit in one payload, so that only a short URB ends one.
        offer[22..26].copy_from_slice(&(frame_size + 4096).to_le_bytes());
        offer
    }

    fn commit(&mut self, pipe: &Pipe) {
        if self.description.forgets_controls {
            self.values = CONTROLS.map(|control| control.default);
        }
        self.committed = Some(Instant::now());
        self.starts += 1;
        let Probe {
            format,
            size,
            interval,
        } = self.probe;
        let interval = Duration::from_nanos(u64::from(interval) * 100);
        // Without a receiver the camera is being unplugged.
        let _ = self.commits.send(Commit {
            format,
            size,
            interval,
            run: pipe.start(),
        });
    }

    fn adjust(&mut self, index: usize, request: u8, data: &[u8]) -> Answer {
        let control = CONTROLS[index];
        let word = |value: i16| Some(value.to_le_bytes().to_vec());
        match request {
            SET_CUR => {
                let value = i16::from_le_bytes(*data.as_array()?);
                if !(control.min..=control.max).contains(&value) {
                    return None;
                }
                self.values[index] = value;
                self.changes.push(Change {
                    name: control.name,
                    value,
                    at: Instant::now(),
                });
                Some(vec![])
            }
            GET_CUR => word(self.values[index]),
            GET_MIN => word(control.min),
            GET_MAX => word(control.max),
            GET_RES => word(1),
            GET_DEF => word(control.default),
            GET_LEN => word(2),
            GET_INFO => Some(vec![INFO_GET_SET]),
            _ => None,
        }
    }
}
