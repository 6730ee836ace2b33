//! framewire: hardware-compressed MJPEG from V4L2 cameras to RTP/JPEG (RFC 2435), not decoded, not copied.
//!
//! The path of a frame, module by module:
//!
//! 1. [`capture`]: the camera's thread takes a filled buffer from a source (a camera's mmap ring, files, or
//!    the demo pattern) as a [`frame::Frame`] whose octets stay where the driver wrote them.
//!    Of several that are ready the newest counts.
//! 2. [`jpeg`]: the frame is parsed in place into an [`jpeg::Image`].
//! 3. [`rtp`]: the image is cut into [`rtp::Packet`]s: headers, and slices of the scan.
//! 4. [`transmit`]: packets become a [`transmit::batch::Batch`], sent by one system call per destination.
//! 5. The last reference to the frame is dropped, and its buffer goes back to the driver by itself.
//!
//! Around it: [`config`] (config.toml), [`stats`] (every frame counted), [`supervisor`] and [`pulse`] (the thread of a camera),
//! [`service`] (the main thread: signals, reload, systemd), [`sandbox`] and [`log`], [`commands`] (the command line),
//! [`sdp`] (what a player needs to know), [`appliance`] (the boot of a flashed image), [`excerpt`] (what others wrote,
//! quoted in errors).
//!
//! `capture` and `transmit` use the vocabulary (`frame`, `jpeg`, `rtp`, `config`, `stats`) and never
//! each other; `jpeg` and `rtp` see no file descriptor, no thread and no clock.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod appliance;
pub mod backoff;
pub mod capture;
pub mod cli;
pub mod clocks;
pub mod commands;
pub mod config;
pub mod excerpt;
pub mod frame;
pub mod jpeg;
pub mod log;
pub mod pulse;
pub mod rtp;
pub mod sandbox;
pub mod sdp;
pub mod service;
pub mod stats;
pub mod stop;
pub mod supervisor;
pub mod throttle;
pub mod transmit;
