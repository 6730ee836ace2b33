//! ustreamer of the host's Debian, which the bench of that name carries into the machine with its libraries.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cpio::Archive;
use crate::tool::{Failure, output};

const PROGRAM: &str = "/usr/bin/ustreamer";
/// Named in `LAB_SCENARIOS`.
const BENCH: &str = "ustreamer";

/// Packs it when its bench is asked for.
pub fn pack(archive: &mut Archive) -> Result<(), Failure> {
    let chosen = env::var("LAB_SCENARIOS").unwrap_or_default();
    if !chosen.split(',').any(|name| name == BENCH) {
        return Ok(());
    }
    if !Path::new(PROGRAM).exists() {
        return Err(format!("{PROGRAM} is missing: apt-get install ustreamer").into());
    }
    let listed = output(Command::new("ldd").arg(PROGRAM), "libc-bin")?;
    let listed = String::from_utf8(listed)?;
    // `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`; the loader itself has no arrow, and the kernel's has no path.
    let libraries = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    let files: BTreeSet<&Path> = libraries.chain([PROGRAM]).map(Path::new).collect();
    let folders: BTreeSet<&Path> = files
        .iter()
        .flat_map(|file| file.ancestors().skip(1))
        .collect();
    let name = |path: &Path| path.to_string_lossy().trim_start_matches('/').to_owned();
    for folder in folders
        .into_iter()
        .map(name)
        .filter(|name| !name.is_empty())
    {
        archive.directory(&folder);
    }
    for file in files {
        archive.file(&name(file), true, &fs::read(file)?)?;
    }
    Ok(())
}
