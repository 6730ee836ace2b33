//! Why a command failed, and the exit code for it.

use std::fmt;
use std::io;

use crate::config::ConfigError;

/// Exit code for a configuration that was read and is wrong, and for a wrong usage (EX_CONFIG of sysexits.h), so
/// that systemd does not restart.
pub const EXIT_CONFIG: u8 = 78;
/// Exit code for all other failures: also for a configuration that is missing or cannot be read, so that systemd
/// tries again.
pub const EXIT_FAILURE: u8 = 1;

/// Why a command failed: the exit code and what to tell the user.
#[derive(Debug)]
pub struct Failure {
    /// The process' exit code.
    pub code: u8,
    /// Empty when all has been said in the log, or nobody wants to know.
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
        if error.is_wrong() {
            Self::config(error)
        } else {
            Self::other(error)
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever read our output has seen enough.
            io::ErrorKind::BrokenPipe => Self {
                code: 0,
                message: String::new(),
            },
            _ => Self::other(error),
        }
    }
}
