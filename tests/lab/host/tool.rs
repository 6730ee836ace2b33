//! Programs of the host that the lab needs; a missing one is named with its Debian package.

use std::error::Error;
use std::io::ErrorKind;
use std::process::Command;

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

pub fn missing(command: &Command, package: &str, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => format!("{program} is missing: apt-get install {package}").into(),
        _ => format!("{program}: {error}").into(),
    }
}
