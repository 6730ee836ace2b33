//! Real receivers receive from the real framewire, and what they show is exactly the pixels of the source.
//! Run by `cargo test --test interop`; needs the Debian packages that [`tools`] names.
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

#[path = "interop/absolute_time.rs"]
mod absolute_time;
#[path = "interop/cases.rs"]
mod cases;
#[path = "interop/compare.rs"]
mod compare;
#[path = "interop/demo.rs"]
mod demo;
#[path = "interop/drawn_clock.rs"]
mod drawn_clock;
#[path = "interop/exchange.rs"]
mod exchange;
#[path = "interop/http.rs"]
mod http;
#[path = "interop/matrix.rs"]
mod matrix;
#[path = "interop/metrics.rs"]
mod metrics;
#[path = "interop/players.rs"]
mod players;
#[path = "interop/process.rs"]
mod process;
#[path = "interop/receiver.rs"]
mod receiver;
#[path = "interop/recoded_cases.rs"]
mod recoded_cases;
#[path = "interop/reports.rs"]
mod reports;
#[path = "interop/restart.rs"]
mod restart;
#[path = "interop/retina.rs"]
mod retina_receiver;
#[path = "interop/rtcp_peer.rs"]
mod rtcp_peer;
#[path = "interop/rtsp.rs"]
mod rtsp;
#[path = "interop/sender.rs"]
mod sender;
mod support;
#[path = "interop/tools.rs"]
mod tools;
#[path = "interop/users.rs"]
mod users;

use exchange::Seen;
use receiver::Receiver;

/// One test for each case: what the receiver decodes is what the source decodes to.
macro_rules! receives {
    ($module:ident, $receiver:expr, $($case:ident),+ $(,)?) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $case() {
                    assert_eq!(exchange::run($receiver, &cases::$case()), Seen::Identical);
                }
            )+
        }
    };
}

receives!(gstreamer_by_caps, Receiver::GStreamer, changing_parameters);

// Above 2040 pixels the size comes by the session description alone.
receives!(
    gstreamer_by_sdp,
    Receiver::GStreamerSdp,
    sampling_422,
    beyond_2040_wide,
);

// Without an SDP FFmpeg learns the payload type from the first packet and joins in the middle of a frame.
receives!(
    ffmpeg_by_url,
    Receiver::FfmpegUrl,
    sampling_422,
    restart_420,
    full_hd
);

receives!(ffmpeg_copy, Receiver::FfmpegCopy, changing_parameters);

#[test]
fn demo_into_gstreamer() {
    demo::run(Receiver::GStreamer);
}

#[test]
fn demo_into_ffmpeg() {
    demo::run(Receiver::FfmpegUrl);
}
