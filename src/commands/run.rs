//! `run`: streams every camera of the configuration, and prints what became of their frames.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use tracing::warn;

use super::failure::Failure;
use crate::cli::Streaming;
use crate::config::Config;
use crate::door::Bound;
use crate::line_queue::{Backlog, Lines, line_queue};
use crate::service::{Options, Service};
use crate::stats::Summary;

/// Streams every camera of the configuration.
pub fn run(config: Option<&Path>, streaming: Streaming) -> Result<(), Failure> {
    let path = Config::locate(config)?;
    let (_, config) = Config::read(&path)?;
    stream(Some(&path), config, Bound::default(), streaming)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    cameras: Vec<Summary>,
}

/// Streams the cameras of `config`, which came from `path`, also at the doors on what is `bound`, until their end, a signal or a limit; prints their
/// counters at the end, and with `--json --interval` after each interval too. A reader that is slow or gone costs
/// itself only.
pub fn stream(
    path: Option<&Path>,
    config: Config,
    bound: Bound,
    streaming: Streaming,
) -> Result<(), Failure> {
    let options = Options {
        frames: streaming.frames,
        timeout: streaming.timeout,
        interval: streaming.interval,
    };
    let json = streaming.json;
    let service = Service::start(path, config, bound, options)?;
    let reports_meanwhile = json && streaming.interval.is_some();
    let (queue, backlog) = line_queue();
    let mut backlog = Some(backlog);
    // A thread less as long as there is nothing to write.
    let mut write = || backlog.take().map_or(Ok(()), write_to_stdout);
    if reports_meanwhile {
        write()?;
    }
    let (cameras, well) = service.run(|cameras| {
        if reports_meanwhile {
            match report(cameras, json) {
                Ok(line) => queue.push(line),
                Err(error) => warn!("no report: {error}"),
            }
        }
    })?;
    queue.push(report(cameras, json)?);
    write()?;
    let printed = queue.flush();
    if !well {
        return Err(Failure::other(""));
    }
    let said = |error: io::Error| io::Error::new(error.kind(), format!("stdout: {error}"));
    Ok(printed.map_err(said)?)
}

fn write_to_stdout(backlog: Backlog) -> io::Result<()> {
    backlog.write_to(io::stdout(), "stdout", |lost| {
        warn!("{} of stdout lost: nobody read it", Lines(lost));
        String::new()
    })
}

/// The counters as `--json` or people want them.
fn report(cameras: Vec<Summary>, json: bool) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    if json {
        serde_json::to_writer(&mut octets, &Report { cameras })?;
        octets.push(b'\n');
    } else {
        for summary in cameras {
            writeln!(octets, "{summary}")?;
        }
    }
    Ok(octets)
}
