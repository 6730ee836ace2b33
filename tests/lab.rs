//! The hardware lab: framewire streams from a real V4L2 driver inside a throw-away virtual machine.
//!
//! `cargo test --test lab` boots a stock Debian kernel in qemu; the programs of `tests/lab/src` run there as PID 1,
//! with an emulated camera, and print one result line for each scenario, which are judged here.
//!
//! It needs, for the machine it runs (`host/machine.rs`), the rust target and the Debian package of the emulator:
//! x86_64-unknown-linux-musl and qemu-system-x86, or with `LAB_ARCH=aarch64` aarch64-unknown-linux-musl and
//! qemu-system-arm; and xz-utils. The kernel's package is downloaded once, for either machine, without touching the
//! host's apt (`host/apt.rs`): of Debian 12 (6.1) on x86-64 and of Debian 13 (6.12) on 64-bit ARM, or of the release
//! that `LAB_RELEASE=trixie` names. `LAB_SCENARIOS=stream,quirks` runs some scenarios only, `LAB_CYCLES=1000` unplugs the
//! camera of the scenario `cycles` so many times, `LAB_CHAOS_SECONDS=1800` and `LAB_CHAOS_SEED=7` are how long the
//! scenario `chaos` lasts and what its faults are drawn by, `LAB_WALL_LIMIT` is the time limit in seconds.
//! `LAB_SCENARIOS=ustreamer` is a bench, which runs only when it is named: `benches/http` does.
#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and prints what it measured; its numbers are small"
)]

#[path = "lab/host/apt.rs"]
mod apt;
#[path = "lab/host/build.rs"]
mod build;
#[path = "lab/host/cpio.rs"]
mod cpio;
#[path = "lab/host/frames.rs"]
mod frames;
#[path = "lab/host/kernel.rs"]
mod kernel;
#[path = "lab/host/machine.rs"]
mod machine;
#[path = "lab/host/peer.rs"]
mod peer;
#[path = "lab/host/tool.rs"]
mod tool;
#[path = "lab/host/verdict.rs"]
mod verdict;

use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use machine::Machine;
use tool::Failure;

const WALL_LIMIT: u64 = 400; // seconds
/// Environment variables that are handed to the guest, and what they are called there.
const ARGUMENTS: [(&str, &str); 4] = [
    ("LAB_SCENARIOS", "lab"),
    ("LAB_CYCLES", "cycles"),
    ("LAB_CHAOS_SECONDS", "chaos"),
    ("LAB_CHAOS_SEED", "seed"),
];

#[test]
fn every_scenario_passes() {
    match lab() {
        Ok(report) => println!("{report}"),
        Err(failure) => panic!("\n{failure}"),
    }
}

fn lab() -> Result<String, Failure> {
    let machine = Machine::chosen(env::var("LAB_ARCH").ok().as_deref())?;
    let release = env::var("LAB_RELEASE").unwrap_or_else(|_| machine.release.to_owned());
    // target/, wherever cargo was told to have it
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .ok_or("no target directory")?;
    let lab = target.join("lab");
    fs::create_dir_all(&lab)?;
    let start = Instant::now();
    let kernel = kernel::prepare(machine, &release, &lab)?;
    let binaries = build::static_binaries(machine, target)?;
    let frames = frames::prepare(&lab)?;
    let name = format!("{}-{release}", machine.architecture);
    let initramfs = lab.join(format!("initramfs-{name}.cpio"));
    fs::write(&initramfs, archive(&kernel, &binaries, &frames)?)?;
    let prepared = start.elapsed();

    // What the guest reads on its kernel's command line.
    let arguments = ARGUMENTS.map(|(variable, argument)| {
        format!("{argument}={}", env::var(variable).unwrap_or_default())
    });
    let arguments = arguments.join(" ");
    let limit = env::var("LAB_WALL_LIMIT")
        .ok()
        .and_then(|text| text.parse().ok());
    let limit = Duration::from_secs(limit.unwrap_or(WALL_LIMIT));
    let console = lab.join(format!("console-{name}.log"));
    let start = Instant::now();
    let end = machine.run(&kernel.image, &initramfs, &arguments, &console, limit)?;
    let took = start.elapsed();
    let log = fs::read(&console)?;
    let report = verdict::judge(&String::from_utf8_lossy(&log), &end)
        .map_err(|failure| format!("{failure}\nconsole: {}", console.display()))?;
    Ok(format!(
        "{report}\nprepared in {prepared:.1?}, ran for {took:.1?}; console: {}",
        console.display()
    ))
}

fn archive(
    kernel: &kernel::Kernel,
    binaries: &build::Binaries,
    frames: &[frames::Film],
) -> Result<Vec<u8>, Failure> {
    let mut archive = cpio::Archive::default();
    for directory in ["bin", "dev", "proc", "sys", "tmp", "modules", "frames"] {
        archive.directory(directory);
    }
    archive.file("init", true, &fs::read(&binaries.init)?)?;
    archive.file("bin/framewire", true, &fs::read(&binaries.framewire)?)?;
    for (list, modules) in [("order", &kernel.modules), ("odd", &kernel.odd_driver)] {
        let mut order = String::new();
        for module in modules {
            let file = format!("{}.ko", module.name);
            archive.file(&format!("modules/{file}"), false, &module.object)?;
            order += &format!("{file}\n");
        }
        archive.file(&format!("modules/{list}"), false, order.as_bytes())?;
    }
    for film in frames {
        archive.directory(&format!("frames/{}", film.name));
        for (i, picture) in film.pictures.iter().enumerate() {
            archive.file(&format!("frames/{}/{i:03}.jpg", film.name), false, picture)?;
        }
    }
    peer::pack(&mut archive)?;
    Ok(archive.finish())
}
