//! A machine that runs in real time, with a socket for a USB camera and its log in a file, until the test has seen
//! enough: idle time is not skipped, because the camera and the receiver are programs beside it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::remote::Camera;
use crate::server::CONSOLE;
use crate::studio::Film;
use crate::tool::Failure;

/// What a test waits for comes within 50 s of the power on an idle machine.
const LIMIT: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(100);

pub struct Live {
    process: Child,
    console: PathBuf,
    socket: PathBuf,
}

impl Live {
    /// Switches it on, with a socket for a camera at the USB controller that it has.
    pub fn start(mut command: Command, name: &Path) -> Result<Self, Failure> {
        let console = name.with_extension("log");
        let log = File::create(&console)?;
        // A socket's name is short.
        let file = name.file_name().unwrap_or_default().display();
        let socket = env::temp_dir().join(format!("framewire-{}-{file}", process::id()));
        let chardev = format!(
            "socket,id=camera,path={},server=on,wait=off",
            socket.display()
        );
        command.args(["-chardev", &chardev]);
        command.args(["-device", "usb-redir,chardev=camera"]);
        command.args(CONSOLE.split(' '));
        command.stdin(Stdio::null()).stderr(log.try_clone()?);
        let process = command.stdout(log).spawn()?;
        Ok(Self {
            process,
            console,
            socket,
        })
    }

    pub fn plug(&mut self, films: &[Film]) -> Result<Camera, Failure> {
        let socket = self.socket.clone();
        self.wait_for("the camera's socket", |_| socket.exists().then_some(()))?;
        Ok(Camera::plug(&self.socket, films)?)
    }

    /// `look` is given all that the machine has said so far.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + LIMIT;
        let mut end = None;
        while Instant::now() < deadline && end.is_none() {
            // First, so that its last words are read.
            end = self.process.try_wait()?;
            let log = fs::read(&self.console)?;
            if let Some(found) = look(&String::from_utf8_lossy(&log)) {
                return Ok(found);
            }
            thread::sleep(POLL);
        }
        let end = end.map_or("still runs".into(), |status| status.to_string());
        let (console, said) = (self.console.display(), tail(&self.console)?);
        Err(format!("{what} did not come: the machine {end}; {console}:\n{said}").into())
    }
}

impl Drop for Live {
    /// Power off.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

fn tail(console: &Path) -> Result<String, Failure> {
    let log = fs::read(console)?;
    let log = String::from_utf8_lossy(&log);
    let last: Vec<&str> = log.lines().rev().take(15).collect();
    Ok(last.into_iter().rev().collect::<Vec<_>>().join("\n"))
}
