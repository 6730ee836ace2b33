//! The framewire program: arguments, one command, an exit code.

use std::io;
use std::process::ExitCode;

use framewire::cli::Command;
use framewire::commands::{self, Failure};
use framewire::log;

fn main() -> ExitCode {
    let mut out = io::stdout();
    let done = Command::parse(std::env::args_os().skip(1))
        .map_err(|problem| Failure::config(format!("{problem}; try 'framewire --help'")))
        .and_then(|command| commands::execute(command, &mut out));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            if !message.is_empty() {
                log::last_words(&message);
            }
            ExitCode::from(code)
        }
    }
}
