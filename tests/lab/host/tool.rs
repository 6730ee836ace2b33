//! Programs of the host that the lab needs; a missing one is named with its Debian package.

use std::error::Error;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(50);

pub type Failure = Box<dyn Error>;

/// Runs a program to its end and returns what it printed.
pub fn output(command: &mut Command, package: &str) -> Result<Vec<u8>, Failure> {
    let output = command
        .output()
        .map_err(|error| missing(command, package, &error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {stderr}", output.status).into());
    }
    Ok(output.stdout)
}

/// Runs a program, with what it prints in a file, until it ends; `None` when it was stopped at the limit.
pub fn run(
    command: &mut Command,
    package: &str,
    log: &Path,
    limit: Duration,
) -> Result<Option<ExitStatus>, Failure> {
    let log = File::create(log)?;
    command.stdin(Stdio::null()).stderr(log.try_clone()?);
    let mut process = command
        .stdout(log)
        .spawn()
        .map_err(|error| missing(command, package, &error))?;
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(POLL);
    }
    process.kill()?;
    process.wait()?;
    Ok(None)
}

fn missing(command: &Command, package: &str, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => format!("{program} is missing: apt-get install {package}").into(),
        _ => format!("{program}: {error}").into(),
    }
}
