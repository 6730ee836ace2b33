//! `run` and `demo`: starts every camera, waits for their end or a signal, prints what became of their frames.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use serde::Serialize;
use tracing::level_filters::LevelFilter;
use tracing::{error, info};

use super::Failure;
use crate::cli::Streaming;
use crate::config::{Config, Destination, Fps, Level, Log, Rtcp, Ttl};
use crate::sdp::{self, Stream};
use crate::stats::Summary;
use crate::stop::{Stop, readable, wait_readable};
use crate::supervisor::{Running, Supervisor};

/// Longest wait when no summary is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Streams every camera of the configuration.
pub fn run(
    config: Option<&Path>,
    streaming: Streaming,
    out: &mut dyn io::Write,
) -> Result<(), Failure> {
    stream(&Config::load(config)?, streaming, out)
}

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
    let destination = super::resolve(to)?;
    // With --json stdout is for one JSON object only.
    if streaming.json {
        io::Write::write_all(&mut io::stderr(), instructions(destination).as_bytes())?;
    } else {
        out.write_all(instructions(destination).as_bytes())?;
        out.flush()?;
    }
    stream(&config, streaming, out)
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

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    cameras: Vec<Summary>,
}

fn stream(config: &Config, streaming: Streaming, out: &mut dyn io::Write) -> Result<(), Failure> {
    start_log(config.log.level);
    let signals = block_signals()?;
    let all_ended = Arc::new(Stop::new()?);
    let running = Arc::new(Running(all_ended.clone()));
    let mut cameras = Vec::new();
    let mut ok = true;
    for camera in &config.cameras {
        match Supervisor::start(camera, streaming.frames, &running) {
            Ok(supervisor) => cameras.push(supervisor),
            Err(problem) => {
                error!("{}: {problem}", camera.name());
                ok = false;
            }
        }
    }
    drop(running);
    wait(&cameras, &signals, &all_ended, config.log)?;
    cameras.iter().for_each(Supervisor::stop);
    let mut report = Report {
        cameras: Vec::new(),
    };
    for (summary, ended_well) in cameras.into_iter().map(Supervisor::join) {
        ok &= ended_well;
        report.cameras.push(summary);
    }
    print(&report, streaming.json, out)?;
    if ok { Ok(()) } else { Err(Failure::other("")) }
}

/// Until a signal comes or all cameras have ended; logs a summary from time to time.
fn wait(cameras: &[Supervisor], signals: &SignalFd, all_ended: &Stop, log: Log) -> io::Result<()> {
    let interval = match log.summary_interval.get() {
        0 => IDLE,
        seconds => Duration::from_secs(seconds.into()),
    };
    let mut due = Instant::now() + interval;
    loop {
        let mut events = [readable(signals.as_fd()), readable(all_ended.as_fd())];
        let ready = wait_readable(&mut events, due.saturating_duration_since(Instant::now()))?;
        if ready > 0 {
            return Ok(());
        }
        if Instant::now() >= due {
            due += interval;
            if log.summary_interval.get() > 0 {
                cameras
                    .iter()
                    .for_each(|camera| info!("{}", camera.summary()));
            }
        }
    }
}

/// SIGINT and SIGTERM become readable; call before any thread is started, so that all inherit the mask.
fn block_signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC)?)
}

fn print(report: &Report, json: bool, out: &mut dyn io::Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, report)?;
        return writeln!(out);
    }
    for summary in &report.cameras {
        writeln!(out, "{summary}")?;
    }
    Ok(())
}

fn start_log(level: Level) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_max_level(level)
        .init();
}
