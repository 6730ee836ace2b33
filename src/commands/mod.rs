//! What each command of the command line does.

mod address;
mod check;
mod devices;
mod doctor;
mod failure;
mod one;
mod password;
mod players;
mod prepare;
mod run;
mod sdp;
mod terminal;

use std::io;

use crate::cli::{Command, HELP};

pub use failure::{EXIT_CONFIG, EXIT_FAILURE, Failure};

/// Does what `command` says; text for the user goes to `out`, all of it.
pub fn execute(command: Command, out: &mut dyn io::Write) -> Result<(), Failure> {
    match command {
        // Nothing that it does depends on who reads what it says.
        Command::Prepare {
            config,
            state,
            root,
        } => return prepare::prepare(config, state, root, out),
        Command::Run { config, streaming } => run::run(config.as_deref(), streaming),
        Command::One { camera, streaming } => one::one(&camera, streaming, out),
        Command::Check { config } => check::check(config.as_deref(), out),
        Command::Devices { json } => devices::devices(json, out),
        // It has its own end: what it says may be a failure.
        Command::Doctor(wanted) => return doctor::doctor(wanted, out),
        Command::Sdp { config, stream } => sdp::sdp(config.as_deref(), stream, out),
        Command::Password { user } => password::password(&user, out),
        Command::Help => Ok(out.write_all(HELP.as_bytes())?),
        Command::Version => Ok(writeln!(out, "framewire {}", env!("CARGO_PKG_VERSION"))?),
    }?;
    Ok(out.flush()?)
}
