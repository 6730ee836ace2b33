//! `run`: streams every camera of the configuration, and prints what became of their frames.

use std::io;
use std::path::Path;

use serde::Serialize;
use tracing::warn;

use super::failure::Failure;
use crate::cli::Streaming;
use crate::config::Config;
use crate::line_queue::{Lines, line_queue};
use crate::service::{Options, Service};
use crate::stats::Summary;

/// Streams every camera of the configuration.
pub fn run(
    config: Option<&Path>,
    streaming: Streaming,
    out: &mut dyn io::Write,
) -> Result<(), Failure> {
    let path = Config::locate(config)?;
    let (_, config) = Config::read(&path)?;
    stream(Some(&path), config, streaming, out)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    cameras: Vec<Summary>,
}

/// Streams the cameras of `config`, which came from `path`, until their end, a signal or a limit.
pub fn stream(
    path: Option<&Path>,
    config: Config,
    streaming: Streaming,
    out: &mut dyn io::Write,
) -> Result<(), Failure> {
    let options = Options {
        frames: streaming.frames,
        timeout: streaming.timeout,
        interval: streaming.interval,
    };
    let service = Service::start(path, config, options)?;
    let (well, printed) = if streaming.json && streaming.interval.is_some() {
        (stream_reports(service)?, Ok(()))
    } else {
        let (cameras, well) = service.run(|_| ())?;
        (well, print(&Report { cameras }, streaming.json, out))
    };
    if well {
        Ok(printed?)
    } else {
        Err(Failure::other(""))
    }
}

/// Prints a JSON object for each interval and one at the end. A reader that is slow or gone costs itself only.
fn stream_reports(service: Service) -> Result<bool, Failure> {
    let (queue, backlog) = line_queue();
    backlog.write_to(io::stdout(), "stdout", |lost| {
        warn!("{} of stdout lost: nobody read it", Lines(lost));
        String::new()
    })?;
    let push = |cameras| -> io::Result<()> {
        let mut line = serde_json::to_vec(&Report { cameras })?;
        line.push(b'\n');
        queue.push(line);
        Ok(())
    };
    let (cameras, well) = service.run(|cameras| {
        if let Err(error) = push(cameras) {
            warn!("no report: {error}");
        }
    })?;
    push(cameras)?;
    let finished = queue.flush();
    finished.map_err(|error| Failure::other(format!("stdout: {error}")))?;
    Ok(well)
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
