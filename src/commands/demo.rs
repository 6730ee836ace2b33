//! `demo`: streams the test pattern and says how to look at it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use super::address::address_of;
use super::failure::Failure;
use super::run::stream;
use crate::cli::Streaming;
use crate::config::{Config, Destination, Fps, Rtcp, Ttl};
use crate::sdp::{self, Stream};

/// Streams the test pattern and says how to look at it.
pub fn demo(
    to: &Destination,
    streaming: Streaming,
    out: &mut dyn io::Write,
) -> Result<(), Failure> {
    let text = format!(
        "[[camera]]\nname = \"demo\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"{to}\"\n"
    );
    let config = Config::parse(Path::new("demo"), text.as_bytes())?;
    for output in config.cameras.iter().flat_map(|camera| &camera.outputs) {
        let text = instructions(address_of(output)?);
        // With --json stdout is for one JSON object only.
        if streaming.json {
            io::Write::write_all(&mut io::stderr(), text.as_bytes())?;
        } else {
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
    }
    stream(None, config, streaming, out)
}

/// Commands to paste on the receiving side.
fn instructions(destination: SocketAddr) -> String {
    let port = destination.port();
    let multicast = destination.ip().is_multicast();
    let (ffplay, group) = if multicast {
        (
            destination.to_string(),
            format!(" address={}", destination.ip()),
        )
    } else {
        (
            SocketAddr::new(any_like(destination), port).to_string(),
            String::new(),
        )
    };
    let description = sdp::describe(&[Stream {
        name: "demo",
        destination,
        fps: Fps::default(),
        ttl: Ttl::default(),
        rtcp: Rtcp::default(),
        absolute_time: false,
    }]);
    format!(
        "Streaming a test pattern, 1280x720 at 30 fps, as RTP/JPEG to {destination}. Look at it there with one of\n\n  \
         ffplay -fflags nobuffer rtp://{ffplay}\n  \
         gst-launch-1.0 udpsrc port={port}{group} caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=JPEG,payload=26 ! \
         rtpjitterbuffer ! rtpjpegdepay ! jpegdec ! videoconvert ! autovideosink\n\n\
         or save this session description as demo.sdp and open it with a player (VLC; ffplay -protocol_whitelist file,udp,rtp demo.sdp):\n\n\
         {}\nCtrl-C ends it.\n",
        description.replace("\r\n", "\n")
    )
}

/// The address that a receiver listens on.
fn any_like(destination: SocketAddr) -> std::net::IpAddr {
    if destination.ip().is_loopback() {
        destination.ip()
    } else if destination.is_ipv4() {
        [0, 0, 0, 0].into()
    } else {
        [0u16; 8].into()
    }
}
