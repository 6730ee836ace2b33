//! `check`: what is wrong with the configuration, and what may not work though it is right.

use std::io;
use std::path::Path;

use super::failure::Failure;
use crate::config::Config;
use crate::kept::Shelf;
use crate::notes;

/// Says `ok`, then a line for each note; or fails with what is wrong.
pub fn check(config: Option<&Path>, out: &mut dyn io::Write) -> Result<(), Failure> {
    let config = Config::load(config)?;
    writeln!(out, "ok")?;
    out.flush()?;
    // The last takes longest.
    let of_kept = |config: &Config| notes::of_kept(config, &Shelf::find());
    for find in [notes::of_file, of_kept, notes::of_machine, notes::of_names] {
        for note in find(&config) {
            writeln!(out, "note: {note}")?;
        }
    }
    Ok(())
}
