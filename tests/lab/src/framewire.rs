//! Starts the framewire binary and keeps what it says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const BINARY: &str = "/bin/framewire";
/// The configuration of a run without a tag.
pub const CONFIG: &str = "/tmp/config.toml";
const POLL: Duration = Duration::from_millis(20);
const START_UP: Duration = Duration::from_secs(15);
/// Memory may differ by so much, however long a run lasts: the allocator may need one more group of blocks of some
/// size when two moments are not quite the same.
const SLACK: usize = 64; // kilobytes
const SLACK_MAPPINGS: usize = 3;
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

    /// Kilobytes in memory now: of the camera's buffers, all pages of which are there from mmap on, and of all else.
    /// Page by page (smaps) and not VmRSS or VmHWM: Linux 6.1 adds pages that a driver maps to a count of the thread,
    /// which reaches those of the process a number of page faults later, if ever.
    pub fn buffers_and_memory(&self) -> io::Result<(usize, usize)> {
        let maps = fs::read_to_string(format!("/proc/{}/smaps", self.child.id()))?;
        let (mut buffers, mut memory, mut is_buffer) = (0, 0, false);
        for line in maps.lines() {
            match field(line, "Rss:") {
                Some(pages) if is_buffer => buffers += pages,
                Some(pages) => memory += pages,
                // A line that does not end in a unit begins a mapping and ends in what is mapped.
                None if !line.ends_with("kB") && !line.starts_with("VmFlags") => {
                    is_buffer = line.contains("/dev/video");
                }
                None => {}
            }
        }
        Ok((buffers, memory))
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

/// Threads, open files, mappings and memory of a process (proc(5)).
#[derive(Debug)]
pub struct Holdings {
    pub threads: usize,
    pub files: usize,
    pub mappings: Vec<String>,
    /// RssAnon: the process's own memory. VmRSS has the camera's buffers too, as far as they were looked at.
    pub kilobytes: usize,
}

impl Holdings {
    fn of(pid: u32) -> io::Result<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let entries = |name| Ok::<_, io::Error>(fs::read_dir(folder.join(name))?.count());
        let status = fs::read_to_string(folder.join("status"))?;
        Ok(Self {
            threads: entries("task")?,
            files: entries("fd")?,
            mappings: fs::read_to_string(folder.join("maps"))?
                .lines()
                .map(String::from)
                .collect(),
            kilobytes: field(&status, "RssAnon:").ok_or_else(|| io::Error::other("no RssAnon"))?,
        })
    }
}

/// The number of a line `name  number kB`.
fn field(lines: &str, name: &str) -> Option<usize> {
    let mut lines = lines.lines();
    let text = lines.find_map(|line| line.strip_prefix(name)?.split_whitespace().next())?;
    text.parse().ok()
}

impl Holdings {
    /// At a later moment of the same kind it must not hold more.
    pub fn must_not_grow(&self, after: &Self) -> Result<(), String> {
        let same = (after.threads, after.files) == (self.threads, self.files)
            && after.mappings.len() <= self.mappings.len() + SLACK_MAPPINGS
            && after.kilobytes <= self.kilobytes + SLACK;
        match same {
            true => Ok(()),
            false => Err(format!("it holds {after:?}, before {self:?}")),
        }
    }
}

impl std::fmt::Display for Holdings {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "threads={} files={} mappings={} memory={}kB",
            self.threads,
            self.files,
            self.mappings.len(),
            self.kilobytes
        )
    }
}

/// Runs a command of framewire that ends by itself.
pub fn command(arguments: &[&str]) -> Result<Ended, String> {
    Running::start(arguments)
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

    /// Every frame that the driver delivered must have ended in exactly one counter.
    pub fn expect_adds_up(&self) -> Result<(), String> {
        let reasons = self.0["frames_dropped"].as_object();
        let dropped: u64 = reasons
            .iter()
            .flat_map(|reasons| reasons.values())
            .filter_map(Value::as_u64)
            .sum();
        let [captured, sent] = [self.count("frames_captured")?, self.count("frames_sent")?];
        if u64::try_from(captured - sent) == Ok(dropped) {
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
