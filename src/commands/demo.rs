//! `demo`: streams the test pattern and says how to look at it.

use std::io;
use std::path::Path;

use super::address::address_of;
use super::failure::Failure;
use super::players::instructions;
use super::run::stream;
use crate::cli::Streaming;
use crate::config::{Config, Destination, Fps, Rtcp, Ttl};
use crate::sdp::Stream;

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
        let text = instructions(
            "a test pattern, 1280x720 at 30 fps,",
            &Stream {
                name: "demo",
                destination: address_of(output)?,
                fps: Fps::default(),
                ttl: Ttl::default(),
                rtcp: Rtcp::default(),
                absolute_time: false,
            },
        );
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
