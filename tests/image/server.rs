//! The machine the image is booted on: an arm64 server as qemu makes it, with UEFI firmware and nothing preset.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::tool::{self, Failure};

/// Without its disk and network.
pub const MACHINE: &str = "-M virt -cpu cortex-a72 -smp 1 -m 1024 -nodefaults \
    -drive if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd \
    -drive if=pflash,format=raw,snapshot=on,file=/usr/share/AAVMF/AAVMF_VARS.fd";
/// A network that nothing else is in.
const NETWORK: &str = "-nic user,model=virtio-net-pci";
/// The serial console, and power off instead of a restart.
pub const CONSOLE: &str = "-no-reboot -display none -serial stdio";
/// Its clock counts instructions and skips idle time.
const CLOCK: &str =
    "-accel tcg,thread=single -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm";
const LIMIT: Duration = Duration::from_secs(600);

/// What the service in the image said: lines of a name and `key=value` words.
pub struct Boot {
    lines: Vec<String>,
    pub took: Duration,
    /// Every write to the card, as qemu's driver blklogwrites logs them.
    pub writes: PathBuf,
}

/// Boots the card until it powers off; console and writes go to files of this name.
pub fn boot(card: &Path, name: &Path) -> Result<Boot, Failure> {
    let start = Instant::now();
    let (console, writes) = (name.with_extension("log"), name.with_extension("writes"));
    fs::write(&writes, "")?;
    let mut command = Command::new("qemu-system-aarch64");
    for arguments in [MACHINE, NETWORK, CONSOLE, CLOCK] {
        command.args(arguments.split_whitespace());
    }
    for file in [
        format!("driver=file,node-name=card,filename={}", card.display()),
        format!("driver=file,node-name=log,filename={}", writes.display()),
        "driver=blklogwrites,node-name=logged,file=card,log=log".to_owned(),
    ] {
        command.arg("-blockdev").arg(file);
    }
    command.args(["-device", "virtio-blk-pci,drive=logged"]);
    tool::run(&mut command, "qemu-system-arm", &console, LIMIT)?;
    let log = fs::read(&console)?;
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<String> = log
        .lines()
        .filter_map(|line| Some(line.split_once("LAB ")?.1.trim_end().to_owned()))
        .collect();
    let boot = Boot {
        lines,
        took: start.elapsed(),
        writes,
    };
    let failed = boot.lines.iter().any(|line| line.starts_with("FAIL"));
    if failed || boot.lines.last().map(String::as_str) != Some("END") {
        let tail: Vec<&str> = log.lines().rev().take(15).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(format!("the boot failed; {}:\n{tail}", console.display()).into());
    }
    Ok(boot)
}

impl Boot {
    /// The words of the only line of this name.
    pub fn facts(&self, name: &str) -> Result<HashMap<&str, &str>, Failure> {
        let lines = self.all(name);
        match lines[..] {
            [line] => Ok(line
                .split(' ')
                .filter_map(|word| word.split_once('='))
                .collect()),
            _ => Err(format!("{} lines of {name}: {:?}", lines.len(), self.lines).into()),
        }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.lines.iter();
        lines
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .collect()
    }
}
