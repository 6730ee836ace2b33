//! What the running service may do, seen from outside, and that nobody can write to the system.
//! proc_pid_status(5), proc_pid_mountinfo(5), cgroups(7).

use std::error::Error;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;

use crate::{has_systemd, run};

/// Of the system: the root folder, what is below it on the same file system, and the boot partition.
const READ_ONLY: [&str; 4] = ["/", "/etc", "/usr/bin", "/boot"];
/// The whole card, which a service without a device policy could open as root.
const CARD: &str = "/dev/vda";

pub fn report(camera: &str) -> Result<(), Box<dyn Error>> {
    let writable: Vec<&str> = READ_ONLY
        .into_iter()
        .filter(|folder| created(folder) != Err(Errno::EROFS))
        .collect();
    println!("LAB ROOT writable={}", writable.join(","));

    let pid = match has_systemd() {
        true => run(&["systemctl", "show", "-P", "MainPID", "framewire.service"])?,
        false => run(&["busybox", "pidof", "framewire"])?,
    };
    let process = Path::new("/proc").join(pid.trim());
    let status = fs::read_to_string(process.join("status"))?;
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|text| text.split_whitespace().next())
    };
    let mounts = fs::read_to_string(process.join("mountinfo"))?;
    let root = mounts.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words.get(4) == Some(&"/")).then_some(*words.get(5)?)
    });
    let group = fs::read_to_string(process.join("cgroup"))?;
    let group = group.trim().strip_prefix("0::").unwrap_or_default();
    let devices = Command::new("/lab/program")
        .args([group, camera, CARD])
        .output()?;
    println!(
        "LAB SANDBOX user={} capabilities={} no-new-privileges={} system-calls={} root={} {}",
        field("Uid:").unwrap_or_default(),
        field("CapBnd:").unwrap_or_default(),
        field("NoNewPrivs:").unwrap_or_default(),
        field("Seccomp:").unwrap_or_default(),
        root.unwrap_or_default(),
        String::from_utf8(devices.stdout)?.replace('\n', " ").trim()
    );
    Ok(())
}

fn created(folder: &str) -> Result<(), Errno> {
    match File::create(Path::new(folder).join("created")) {
        Ok(_) => Ok(()),
        Err(error) => Err(Errno::from_raw(error.raw_os_error().unwrap_or_default())),
    }
}

/// Joins the service's control group, in which the kernel enforces its device policy, and tries to open devices: as
/// root and without the rest of the sandbox, so that nothing but the policy can forbid it.
pub fn probe(group: &OsStr, devices: impl Iterator<Item = OsString>) {
    let group = group.to_string_lossy();
    let joined = fs::write(format!("/sys/fs/cgroup{group}/cgroup.procs"), "0");
    println!("joined={}", joined.is_ok());
    for device in devices {
        let answer = match File::open(&device) {
            Ok(_) => "opens".to_owned(),
            Err(error) => Errno::from_raw(error.raw_os_error().unwrap_or_default()).to_string(),
        };
        // One word: the error's name stands before its text.
        let answer = answer.split(':').next().unwrap_or_default();
        println!("{}={answer}", device.to_string_lossy());
    }
}
