//! `run`: streams every camera of the configuration, and prints what became of their frames.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use crate::cli::Streaming;
use crate::config::Config;
use crate::service::{Limits, Service};
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
    let limits = Limits {
        frames: streaming.frames,
        time: streaming.timeout,
    };
    let service = Service::start(path, config, limits)?;
    let (cameras, well) = service.run()?;
    let printed = print(&Report { cameras }, streaming.json, out);
    if well {
        Ok(printed?)
    } else {
        Err(Failure::other(""))
    }
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
