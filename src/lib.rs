//! framewire: hardware-compressed MJPEG from V4L2 cameras to RTP/JPEG (RFC 2435), not decoded, not copied.
//!
//! The path of a frame, step by step and file by file:
//!
//! ```text
//!  V4L2 driver                                                         capture/v4l2/ring.rs
//!    │ VIDIOC_DQBUF                                                    Ring::dequeue
//!    ▼
//!  Frame      a lease on the mmap buffer, and when it was captured     frame.rs
//!    │ counted; the damaged dropped, the newest kept                   capture/stream.rs, capture/mod.rs
//!    ▼
//!  Image      what the picture is, parsed in place                     jpeg/header.rs
//!    ▼
//!  Carried    what RTP/JPEG carries of it, or why it cannot            rtp/carry.rs
//!    ▼
//!  Flight     the frame on its way to all outputs                      transmit/flight.rs
//!    ▼
//!  Delivery   … to one of them, batch by batch, each when it is due    transmit/delivery.rs, pace.rs
//!    ▼
//!  Packet     headers, and a slice of the scan                         rtp/packetizer.rs
//!    ▼
//!  Batch      headers side by side, scan slices where they lie         transmit/batch.rs
//!    │ sendmmsg of UDP GSO messages                                    transmit/socket.rs, sendmmsg.rs
//!    ▼
//!  kernel, network
//!
//!  the last reference to the frame is dropped: VIDIOC_QBUF             capture/v4l2/ring.rs
//! ```
//!
//! One loop goes this way, in the camera's own thread: [`camera`], camera/film.rs. It waits on [`capture::Capture`] for what is due in
//! [`transmit::Flight`], so that buffers go back to the driver between two batches.
//!
//! Around it: [`config`] (config.toml), [`stats`] (every frame counted), [`heartbeat`] (whether a camera's thread turns),
//! [`ledger`] (what receivers know streams by, over a restart),
//! [`service`] (the main thread: signals, reload, systemd), [`sandbox`] and [`log`] (by [`line_queue`]), [`commands`] (the command line),
//! [`doctor`] (what a camera's pictures are like),
//! [`notes`] (what may not work though it is right),
//! [`sdp`] (what a player needs to know), [`appliance`] (the boot of a flashed image), [`quote`] (what others wrote,
//! quoted in errors), [`nearest`] (what was meant by a word that does not exist), [`neighbours`] and [`dns`] (multicast
//! DNS, asked and answered).
//!
//! The stages `capture` and `transmit` use the vocabulary (`frame`, `jpeg`, `rtp`, `config`, `stats`) and never
//! each other; `jpeg` and `rtp` see no file descriptor, no thread and no clock. tests/directions.rs holds it.

pub mod appliance;
pub mod backoff;
pub mod bell;
pub mod camera;
pub mod capture;
pub mod cli;
pub mod clocks;
pub mod cname;
pub mod commands;
pub mod config;
pub mod directory;
pub mod dns;
pub mod doctor;
pub mod door;
pub mod files;
pub mod frame;
pub mod heartbeat;
pub mod jpeg;
pub mod kept;
pub mod ledger;
pub mod line_queue;
pub mod log;
pub mod log_limit;
pub mod nearest;
pub mod neighbours;
pub mod notes;
pub mod panel;
pub mod process;
pub mod quote;
pub mod random;
pub mod rtp;
pub mod sandbox;
pub mod sdp;
pub mod service;
pub mod sessions;
pub mod stats;
pub mod stop;
pub mod transmit;
pub mod viewers;
