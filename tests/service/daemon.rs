//! The binary as a service manager runs it: its notifications, its log, its signals.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader};
use std::os::fd::AsFd;
use std::os::linux::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Longest wait for anything.
pub const LONG: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A folder of its own that is removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("framewire-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, octets).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Replaces a file as editors do: another file takes its name.
pub fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("a file");
    fs::rename(&new, path).expect("a new file");
}

/// A running framewire; killed when the test ends before it.
pub struct Daemon {
    child: Child,
    notifications: UnixDatagram,
    log: Arc<Mutex<String>>,
}

impl Daemon {
    /// `framewire run --config CONFIG` under a manager of the test's, with what `set_up` adds.
    /// Its stderr is what `$JOURNAL_STREAM` says when `journal` says so.
    pub fn start(
        folder: &Folder,
        config: &Path,
        journal: bool,
        set_up: impl FnOnce(&mut Command),
    ) -> Self {
        let framewire = Command::new(env!("CARGO_BIN_EXE_framewire"));
        Self::spawn(folder, config, journal, framewire, set_up)
    }

    /// The same by a program that has framewire take its place.
    pub fn start_by(folder: &Folder, config: &Path, mut launcher: Command) -> Self {
        launcher.arg(env!("CARGO_BIN_EXE_framewire"));
        Self::spawn(folder, config, false, launcher, |_| ())
    }

    fn spawn(
        folder: &Folder,
        config: &Path,
        journal: bool,
        mut command: Command,
        set_up: impl FnOnce(&mut Command),
    ) -> Self {
        let socket = folder.path("notify");
        let notifications = UnixDatagram::bind(&socket).expect("a socket");
        notifications
            .set_read_timeout(Some(LOOK))
            .expect("a time-out");
        let (stderr, writer) = std::io::pipe().expect("a pipe");
        let pipe = fs::File::from(writer.as_fd().try_clone_to_owned().expect("a descriptor"));
        let pipe = pipe.metadata().expect("an inode");
        // Another number is what a program sees whose service has sent its stderr elsewhere.
        let inode = pipe.st_ino() + u64::from(!journal);
        command
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(writer)
            .env("NOTIFY_SOCKET", &socket)
            .env("JOURNAL_STREAM", format!("{}:{inode}", pipe.st_dev()));
        set_up(&mut command);
        Self {
            child: command.spawn().expect("framewire starts"),
            notifications,
            log: collect(stderr),
        }
    }

    pub fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a process id"))
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.id(), signal).expect("a signal");
    }

    /// The next notification within `time`, all its lines.
    pub fn notification(&self, time: Duration) -> Option<String> {
        let deadline = Instant::now() + time;
        let mut octets = [0; 4096];
        while Instant::now() < deadline {
            if let Ok(length) = self.notifications.recv(&mut octets) {
                return Some(String::from_utf8_lossy(&octets[..length]).into_owned());
            }
        }
        None
    }

    /// The first notification with `text` in it within `time`; those before it are left out.
    pub fn hears(&self, text: &str, time: Duration) -> String {
        let deadline = Instant::now() + time;
        let mut others = Vec::new();
        while let Some(news) = self.notification(deadline.saturating_duration_since(Instant::now()))
        {
            if news.contains(text) {
                return news;
            }
            others.push(news);
        }
        panic!("no {text:?} but {others:?}; log:\n{}", self.log());
    }

    /// All that was logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic in between").clone()
    }

    /// Waits until the log holds `text`.
    pub fn logs(&self, text: &str) {
        let deadline = Instant::now() + LONG;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?} in\n{}", self.log());
            thread::sleep(LOOK);
        }
    }

    /// Ends it as systemd does.
    pub fn end(self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ends()
    }

    /// Waits for its end, which it announces.
    pub fn ends(mut self) -> ExitStatus {
        self.hears("STOPPING=1", LONG);
        self.child.wait().expect("framewire ends")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log as it comes.
fn collect(stderr: PipeReader) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let collected = log.clone();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut log = collected.lock().expect("no panic in between");
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}
