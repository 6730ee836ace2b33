//! What the options of the command line take: values, or one sentence that says what is allowed.

use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::*;

use crate::config::{self, Destination, Device, Fps, Height, Width};

/// The forms of a device.
pub const DEVICES: &str =
    "auto, /dev/…, usb:VVVV:PPPP, usb:VVVV:PPPP:SERIAL, bus:BUS, replay:PATH or demo";

/// `--to`.
pub fn destination(parser: &mut lexopt::Parser) -> Result<Destination, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let destination = Destination::parse(text)
            .ok_or("--to takes HOST:PORT or [IPV6]:PORT, port 1..=65535")?;
        match destination.dead_end(None) {
            Some(problem) => Err(problem),
            None => Ok(destination),
        }
    })
}

/// `--device`.
pub fn device(parser: &mut lexopt::Parser) -> Result<Device, lexopt::Error> {
    parser
        .value()?
        .parse_with(|text| Device::parse(text).ok_or(format!("--device takes {DEVICES}")))
}

/// `--size`.
pub fn size(parser: &mut lexopt::Parser) -> Result<(Width, Height), lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let parse = || {
            let (width, height) = text.split_once('x')?;
            let (width, height): (i64, i64) = (width.parse().ok()?, height.parse().ok()?);
            Some((width.try_into().ok()?, height.try_into().ok()?))
        };
        parse().ok_or("--size takes WIDTHxHEIGHT, both 16..=65535")
    })
}

/// `--fps`.
pub fn fps(parser: &mut lexopt::Parser) -> Result<Fps, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        Fps::parse(text).ok_or("--fps takes 0.1..=1000; for replay and demo also 0")
    })
}

/// `--http` and `--rtsp`.
pub fn listen(parser: &mut lexopt::Parser) -> Result<SocketAddr, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let address = config::address(&text.replacen("localhost", "127.0.0.1", 1));
        address.ok_or("--http and --rtsp take ADDRESS:PORT or [IPV6]:PORT, port 1..=65535")
    })
}

/// `--frames`.
pub fn frames(parser: &mut lexopt::Parser) -> Result<u64, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let frames = text.parse().ok().filter(|&frames: &u64| frames > 0);
        frames.ok_or("--frames takes a number from 1")
    })
}

/// `--timeout` and `--interval`.
pub fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let seconds = text.parse().ok().filter(|&seconds: &u32| seconds > 0);
        let duration = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        duration.ok_or("a number of seconds from 1 is needed")
    })
}

/// `--to` where it is not given.
pub fn default_destination() -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port: 5004,
    }
}

/// `CAMERA` or `CAMERA:OUTPUT`.
pub fn stream(text: String) -> Result<(String, Option<usize>), String> {
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((camera, output)) => match output.parse() {
            Ok(output) if output > 0 => Ok((camera.to_owned(), Some(output))),
            _ => Err(format!("{text:?}: OUTPUT is a number from 1")),
        },
    }
}
