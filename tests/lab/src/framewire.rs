//! Starts the framewire binary and keeps what it says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::holdings::Holdings;

const BINARY: &str = "/bin/framewire";
/// The configuration of a run without a tag.
pub const CONFIG: &str = "/tmp/config.toml";
/// Where values of controls are kept, if a scenario has made the folder.
pub const STATE: &str = "/tmp/state";
const POLL: Duration = Duration::from_millis(20);
const START_UP: Duration = Duration::from_secs(15);
const SLOWEST_FRAME: Duration = Duration::from_millis(100); // no camera of the lab is slower than 15 frames a second

/// A run that has ended.
pub struct Ended {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A run that goes on; dropping it kills it.
pub struct Running {
    child: Child,
    stdout: String,
    stderr: String,
}

impl Running {
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        Self::start_beside("", arguments)
    }

    /// With files of its own, so that it can run beside another.
    fn start_beside(tag: &str, arguments: &[&str]) -> io::Result<Self> {
        let (stdout, stderr) = (format!("/tmp/stdout{tag}"), format!("/tmp/stderr{tag}"));
        let child = Command::new(BINARY)
            .args(arguments)
            .env("STATE_DIRECTORY", STATE)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?)
            .spawn()?;
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// Streams every camera of the configuration until it is told to end; runs at the same time need different tags.
    pub fn stream(tag: &str, config: &str) -> io::Result<Self> {
        let path = format!("/tmp/config{tag}.toml");
        fs::write(&path, config)?;
        Self::start_beside(tag, &["run", "--config", &path, "--json"])
    }

    /// What the process holds just now.
    pub fn holdings(&self) -> io::Result<Holdings> {
        Holdings::of(self.child.id())
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        text(&self.stderr)
    }

    /// Has it read its configuration again.
    pub fn reload(&self) -> Result<(), String> {
        self.signal(Signal::SIGHUP)
    }

    /// Ends it as a service manager does.
    pub fn terminate(self) -> Result<Ended, String> {
        self.signal(Signal::SIGTERM)?;
        self.wait(START_UP)
    }

    /// Keeps it from running for so long, as a machine that is too busy would.
    pub fn hold_up(&self, time: Duration) -> Result<(), String> {
        self.signal(Signal::SIGSTOP)?;
        thread::sleep(time);
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(pid), signal).map_err(|errno| errno.to_string())
    }

    /// Waits for the end; one that does not come within `limit` is an error that shows the log.
    pub fn wait(mut self, limit: Duration) -> Result<Ended, String> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Ok(Ended {
                    code: status.code(),
                    stdout: text(&self.stdout),
                    stderr: text(&self.stderr),
                });
            }
            thread::sleep(POLL);
        }
        Err(format!(
            "framewire did not end within {limit:?}: {}",
            tail(&self.log())
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of framewire that ends by itself.
pub fn command(arguments: &[&str]) -> Result<Ended, String> {
    Running::start(arguments)
        .map_err(|error| format!("{BINARY}: {error}"))?
        .wait(START_UP)
}

/// The same beside a run.
pub fn command_beside(tag: &str, arguments: &[&str]) -> Result<Ended, String> {
    Running::start_beside(tag, arguments)
        .map_err(|error| format!("{BINARY}: {error}"))?
        .wait(START_UP)
}

/// Streams `frames` frames of every camera of the configuration.
pub fn stream(config: &str, frames: usize) -> Result<Ended, String> {
    fs::write(CONFIG, config).map_err(|error| format!("{CONFIG}: {error}"))?;
    let limit = START_UP + SLOWEST_FRAME * u32::try_from(frames).unwrap_or(u32::MAX);
    let frames = frames.to_string();
    let arguments = ["run", "--config", CONFIG, "--json", "--frames", &frames];
    Running::start(&arguments)
        .map_err(|error| format!("{BINARY}: {error}"))?
        .wait(limit)
}

impl Ended {
    pub fn expect_code(self, code: i32) -> Result<Self, String> {
        match self.code == Some(code) {
            true => Ok(self),
            false => Err(format!(
                "exit code {:?} instead of {code}: {}",
                self.code,
                tail(&self.stderr)
            )),
        }
    }

    /// Where nothing is wrong, nothing may be logged as wrong.
    pub fn expect_no_complaint(&self) -> Result<(), String> {
        let complaint = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
        match self.stderr.lines().find(complaint) {
            None => Ok(()),
            Some(line) => Err(format!("complains: {line}")),
        }
    }

    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.stdout)
            .map_err(|error| format!("stdout is not JSON ({error}): {}", tail(&self.stdout)))
    }

    /// The only camera of the `--json` summary.
    pub fn camera(&self) -> Result<Summary, String> {
        self.camera_number(0)
    }

    /// A camera of the `--json` summary, in the order of the configuration.
    pub fn camera_number(&self, index: usize) -> Result<Summary, String> {
        let summary = self.json()?;
        let camera = summary["cameras"]
            .get(index)
            .ok_or("no such camera in the summary")?;
        Ok(Summary(camera.clone()))
    }

    /// The first line of the log that contains `text`.
    pub fn log_line(&self, text: &str) -> Result<&str, String> {
        self.stderr
            .lines()
            .find(|line| line.contains(text))
            .ok_or_else(|| format!("no line with '{text}' in the log: {}", tail(&self.stderr)))
    }
}

/// One camera of framewire's `--json` summary.
pub struct Summary(Value);

impl Summary {
    pub fn count(&self, key: &str) -> Result<usize, String> {
        let count = self.0[key]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| format!("no count '{key}' in {}", self.0))
    }

    /// Frames dropped for all reasons together; one that was on its way when the run ended does not count.
    pub fn dropped(&self) -> Result<u64, String> {
        let reasons = self.0["frames_dropped"].as_object();
        let reasons = reasons.ok_or_else(|| format!("no 'frames_dropped' in {}", self.0))?;
        let faults = reasons.iter().filter(|(reason, _)| *reason != "stopped");
        Ok(faults.filter_map(|(_, count)| count.as_u64()).sum())
    }

    /// Frames dropped, by reason.
    pub fn drops(&self) -> Result<BTreeMap<String, usize>, String> {
        let reasons = self.0["frames_dropped"].clone();
        serde_json::from_value(reasons).map_err(|error| format!("{error} in {}", self.0))
    }

    /// The camera must have been `reopened` so often, and have lost no frame, neither in the driver nor here.
    pub fn expect_no_loss(&self, reopened: usize) -> Result<(), String> {
        let counts = (
            self.count("reopened")?,
            self.count("sequence_gaps")?,
            self.dropped()?,
        );
        if counts == (reopened, 0, 0) {
            return Ok(());
        }
        Err(format!(
            "(reopened, gaps, dropped) = {counts:?} in {}",
            self.0
        ))
    }

    /// Every frame that the driver delivered must have ended in exactly one counter.
    pub fn expect_adds_up(&self) -> Result<(), String> {
        let dropped = self.drops()?.values().sum::<usize>();
        let [captured, sent] = [self.count("frames_captured")?, self.count("frames_sent")?];
        if captured - sent == dropped {
            return Ok(());
        }
        Err(format!("the counters do not add up: {}", self.0))
    }

    /// `quantile` of the part of frames' way that is called so, in microseconds.
    pub fn latency(&self, part: &str, quantile: &str) -> Result<u64, String> {
        let micros = self.0["latency_us"][part][quantile].as_u64();
        micros.ok_or_else(|| format!("no latency '{part}' in {}", self.0))
    }

    /// Frames dropped for one reason.
    pub fn dropped_as(&self, reason: &str) -> u64 {
        self.0["frames_dropped"][reason].as_u64().unwrap_or(0)
    }

    /// What was dropped why, for the result line: without spaces.
    pub fn reasons(&self) -> String {
        self.0["frames_dropped"].to_string()
    }
}

fn text(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The last lines of a log, on one.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(12).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
