//! The virtual machines: all that depends on the architecture is in one table.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::tool::{self, Failure};

pub struct Machine {
    pub architecture: &'static str,
    pub rust_target: &'static str,
    /// Debian's name, which its kernel's package bears as well.
    pub debian_architecture: &'static str,
    /// The release of Debian whose kernel runs, unless another is asked for: each machine has another, so that a run
    /// of both sees both kernels (bookworm: 6.1, trixie: 6.12).
    pub release: &'static str,
    /// A bzImage is unpacked to the ELF file in it: qemu then skips its slow real-mode loader (PVH boot). Debian's
    /// kernels for other architectures are started as they are.
    pub kernel_is_bzimage: bool,
    emulator: &'static str,
    emulator_package: &'static str,
    arguments: &'static [&'static str],
    console: &'static str,
}

const MACHINES: [Machine; 2] = [
    Machine {
        architecture: "x86_64",
        rust_target: "x86_64-unknown-linux-musl",
        debian_architecture: "amd64",
        release: "bookworm",
        kernel_is_bzimage: true,
        emulator: "qemu-system-x86_64",
        emulator_package: "qemu-system-x86",
        arguments: &["-M", "pc", "-cpu", "qemu64"],
        console: "console=ttyS0 tsc=reliable",
    },
    Machine {
        architecture: "aarch64",
        rust_target: "aarch64-unknown-linux-musl",
        debian_architecture: "arm64",
        release: "trixie",
        kernel_is_bzimage: false,
        emulator: "qemu-system-aarch64",
        emulator_package: "qemu-system-arm",
        arguments: &["-M", "virt,dtb-randomness=off", "-cpu", "cortex-a53"],
        console: "console=ttyAMA0",
    },
];

/// One virtual CPU whose clock counts instructions and skips idle time: runs repeat, however busy the host is.
const DETERMINISTIC: [&str; 8] = [
    "-accel",
    "tcg,thread=single",
    "-smp",
    "1",
    "-icount",
    "shift=0,sleep=off",
    "-rtc",
    "base=2026-01-01,clock=vm",
];

const PLAIN: [&str; 8] = [
    "-m",
    "1024",
    "-nodefaults",
    "-no-reboot",
    "-display",
    "none",
    "-serial",
    "stdio",
];

const KERNEL_ARGUMENTS: &str =
    "quiet loglevel=4 panic=-1 mitigations=off nokaslr nowatchdog cryptomgr.notests";

impl Machine {
    pub fn chosen(architecture: Option<&str>) -> Result<&'static Self, Failure> {
        static TABLE: [Machine; 2] = MACHINES;
        let wanted = architecture.unwrap_or("x86_64");
        let known = TABLE.iter().find(|machine| machine.architecture == wanted);
        known.ok_or_else(|| format!("LAB_ARCH={wanted}: no such machine").into())
    }

    /// Runs the machine until it powers off, with its console in a file; says how it ended.
    pub fn run(
        &self,
        kernel: &Path,
        initramfs: &Path,
        arguments: &str,
        console: &Path,
        limit: Duration,
    ) -> Result<String, Failure> {
        let mut command = Command::new(self.emulator);
        command.args(self.arguments).args(DETERMINISTIC).args(PLAIN);
        command
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initramfs);
        command.arg("-append");
        command.arg(format!("{} {KERNEL_ARGUMENTS} {arguments}", self.console));
        let status = tool::run(&mut command, self.emulator_package, console, limit)?;
        Ok(match status {
            Some(status) => format!("the machine ended: {status}"),
            None => format!("the machine was stopped after {limit:?}"),
        })
    }
}
