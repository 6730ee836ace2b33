//! What each command of the command line does.

mod demo;
mod devices;
mod prepare;
mod run;
mod sdp;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::cli::{Command, HELP};
use crate::config::{Config, ConfigError, Destination};
use crate::transmit;

/// Exit code for a wrong configuration or usage (EX_CONFIG of sysexits.h), so that systemd does not restart.
pub const EXIT_CONFIG: u8 = 78;
/// Exit code for all other failures.
pub const EXIT_FAILURE: u8 = 1;

/// Why a command failed: the exit code and what to tell the user.
#[derive(Debug)]
pub struct Failure {
    /// The process' exit code.
    pub code: u8,
    /// Empty when all has been said in the log.
    pub message: String,
}

impl Failure {
    /// A wrong configuration or usage.
    pub fn config(message: impl fmt::Display) -> Self {
        Self {
            code: EXIT_CONFIG,
            message: message.to_string(),
        }
    }

    /// Any other failure.
    pub fn other(message: impl fmt::Display) -> Self {
        Self {
            code: EXIT_FAILURE,
            message: message.to_string(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::config(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::other(error)
    }
}

/// Does what `command` says; text for the user goes to `out`.
pub fn execute(command: Command, out: &mut dyn io::Write) -> Result<(), Failure> {
    match command {
        Command::Run { config, streaming } => run::run(config.as_deref(), streaming, out),
        Command::Demo { to, streaming } => demo::demo(&to, streaming, out),
        Command::Check { config } => check(config.as_deref(), out),
        Command::Devices { json } => devices::devices(json, out),
        Command::Sdp { config, stream } => sdp::sdp(config.as_deref(), stream, out),
        Command::Prepare {
            config,
            state,
            root,
        } => prepare::prepare(config, state, root, out),
        Command::Help => Ok(out.write_all(HELP.as_bytes())?),
        Command::Version => Ok(writeln!(out, "framewire {}", env!("CARGO_PKG_VERSION"))?),
    }
}

/// The address that frames for `destination` go to first.
fn resolve(destination: &Destination) -> Result<SocketAddr, Failure> {
    let addresses = transmit::resolve(destination);
    addresses
        .and_then(|addresses| {
            addresses
                .into_iter()
                .next()
                .ok_or(io::ErrorKind::NotFound.into())
        })
        .map_err(|error| Failure::other(format!("{destination}: {error}")))
}

fn check(config: Option<&Path>, out: &mut dyn io::Write) -> Result<(), Failure> {
    Config::load(config)?;
    Ok(writeln!(out, "ok")?)
}
