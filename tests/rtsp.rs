//! The door for players, as they see it: requests, streams, and what goes wrong.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "rtsp/datagrams.rs"]
mod datagrams;
#[path = "rtsp/hostile.rs"]
mod hostile;
#[path = "rtsp/load.rs"]
mod load;
#[path = "rtsp/requests.rs"]
mod requests;
#[path = "rtsp/streams.rs"]
mod streams;
mod support;
#[path = "rtsp/users.rs"]
mod users;

/// The test pattern to nobody but those who come.
const DEMO: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n";
