//! Words that the command line does not have, and what was meant by them.

use lexopt::prelude::*;

use crate::nearest::nearest;

/// What is wrong with an argument that is none of the long `options`.
pub fn unexpected(argument: lexopt::Arg, options: &[&'static str]) -> String {
    let meant = match &argument {
        Long(name) => nearest(name, options.iter().copied()),
        _ => None,
    };
    let hint = meant.map_or_else(String::new, |name| format!(" (did you mean '--{name}'?)"));
    format!("{}{hint}", argument.unexpected())
}

/// What is wrong with a command that is none of `commands`.
pub fn unknown_command(name: &str, commands: &[&'static str]) -> String {
    let hint = match nearest(name, commands.iter().copied()) {
        Some(command) => format!(" (did you mean {command:?}?)"),
        None => String::new(),
    };
    format!("unknown command {name:?}{hint}")
}
