//! The real framewire in network namespaces of its own: behind a bottleneck, to every kind of destination, and with
//! destinations that go away and come back.
//! Run by `cargo test --test network`; needs root, and the Debian packages iproute2 and those that [`tools`] names.
#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and prints what it measured; its numbers are small"
)]

#[path = "network/destinations.rs"]
mod destinations;
#[path = "network/discovery.rs"]
mod discovery;
#[path = "network/local_names.rs"]
mod local_names;
#[path = "network/moves.rs"]
mod moves;
#[path = "network/names.rs"]
mod names;
#[path = "network/namespace.rs"]
mod namespace;
#[path = "network/pacing.rs"]
mod pacing;
#[path = "network/path_mtu.rs"]
mod path_mtu;
#[expect(
    dead_code,
    reason = "looks for free ports too, which namespaces have in plenty"
)]
#[path = "interop/process.rs"]
mod process;
#[path = "network/receiver.rs"]
mod receiver;
#[path = "network/sender.rs"]
mod sender;
#[path = "network/stray_errors.rs"]
mod stray_errors;
mod support;
#[path = "network/tap.rs"]
mod tap;
#[expect(dead_code, reason = "looks for FFmpeg too")]
#[path = "interop/tools.rs"]
mod tools;
