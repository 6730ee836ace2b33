//! The flashable image, from its making to the picture: it is built, booted by UEFI firmware, edited like a card.
//!
//! `cargo test --test image` builds `image/build`'s generic image and boots it four times in an emulated arm64
//! machine. The emulated USB camera of `tests/lab` and a receiver come in as a second initrd beside the image's own.
//!
//! It needs the rust target aarch64-unknown-linux-musl and the Debian packages qemu-system-arm, qemu-efi-aarch64
//! and those that image/build names. The packages in the image are downloaded once.

#[path = "lab/host/build.rs"]
mod build;
#[path = "image/card.rs"]
mod card;
#[path = "lab/host/cpio.rs"]
mod cpio;
#[path = "lab/host/frames.rs"]
mod frames;
#[path = "lab/host/machine.rs"]
#[allow(dead_code)] // its machines have no firmware: only what they are built for is of use
mod machine;
#[path = "image/overlay.rs"]
mod overlay;
#[path = "image/server.rs"]
mod server;
#[path = "lab/host/tool.rs"]
mod tool;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use card::Card;
use machine::Machine;
use server::{Boot, boot};
use tool::Failure;

const CONFIG: &str = include_str!("../config.toml");
const ERROR_FILE: &str = "framewire-error.txt";
const FEWEST: usize = 20; // pictures: some of those the camera sent may be on their way at the end
const LARGEST: u64 = 100_000_000; // octets

#[test]
fn a_card_is_flashed_edited_broken_and_mended() {
    match run() {
        Ok(report) => println!("{report}"),
        Err(failure) => panic!("\n{failure}"),
    }
}

fn run() -> Result<String, Failure> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .ok_or("no target directory")?;
    let folder = target.join("image");
    fs::create_dir_all(&folder)?;
    let start = Instant::now();
    let binaries = build::static_binaries(Machine::chosen(Some("aarch64"))?, target)?;
    let built = start.elapsed();
    let product = make(&binaries.framewire, &folder)?;
    let size = fs::metadata(&product)?.len();
    check(size <= LARGEST, || format!("the image has {size} octets"))?;
    let mut report = vec![format!(
        "programs built in {built:.0?}, image in {:.0?}: {:.1} MB",
        start.elapsed() - built,
        size as f64 / 1e6
    )];

    let films = frames::prepare(&target.join("lab"))?;
    let program = binaries.init.with_file_name("framewire-lab-image");
    let second_initrd = overlay::pack(&program, &kernel_modules(&folder)?, &films)?;
    let card = Card::new(&product, &second_initrd, &folder)?;

    let first = boot(&card.image, &folder.join("1-as-flashed.log"))?;
    report.push(expect(
        "as flashed",
        &first,
        "5004",
        "1280x720",
        "10.0.2.15",
        "framewire",
    )?);
    report.extend(first.all("BOOT").into_iter().map(str::to_owned));
    no_error_file(&card)?;

    let edited = edit(&[
        ("width = 1280", "width = 640"),
        ("height = 720", "height = 480"),
        ("127.0.0.1:5004", "127.0.0.1:5006"),
        ("#hostname = \"camera-1\"", "hostname = \"gate\""),
        (
            "#address = \"192.168.1.30/24\"",
            "address = \"192.0.2.77/24\"",
        ),
    ])?;
    card.write("config.toml", edited.as_bytes())?;
    let second = boot(&card.image, &folder.join("2-edited.log"))?;
    report.push(expect(
        "edited",
        &second,
        "5006",
        "640x480",
        "192.0.2.77",
        "gate",
    )?);
    no_error_file(&card)?;

    card.write(
        "config.toml",
        edit(&[("width = 1280", "width = wide")])?.as_bytes(),
    )?;
    let third = boot(&card.image, &folder.join("3-broken.log"))?;
    report.push(expect(
        "broken",
        &third,
        "5006",
        "640x480",
        "192.0.2.77",
        "gate",
    )?);
    let complaint = card
        .read(ERROR_FILE)?
        .ok_or("the card has no framewire-error.txt")?;
    check(complaint.contains("wide"), || {
        format!("it does not say what is wrong: {complaint}")
    })?;
    report.push(complaint.trim_end().replace('\r', ""));

    card.write("config.toml", CONFIG.as_bytes())?;
    let fourth = boot(&card.image, &folder.join("4-mended.log"))?;
    report.push(expect(
        "mended",
        &fourth,
        "5004",
        "1280x720",
        "10.0.2.15",
        "framewire",
    )?);
    no_error_file(&card)?;
    Ok(report.join("\n"))
}

/// Runs image/build; its downloads are kept.
fn make(framewire: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let image = folder.join("framewire.img");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("image/build");
    let mut command = Command::new(script);
    command.arg("--work").arg(folder.join("packages"));
    let status = command.arg(framewire).arg(&image).status()?;
    // Its messages went to the terminal.
    check(status.success(), || {
        format!("image/build ended with {status}")
    })?;
    Ok(image)
}

/// Where image/build has unpacked the drivers of its kernel.
fn kernel_modules(folder: &Path) -> Result<PathBuf, Failure> {
    let versions = fs::read_dir(folder.join("packages/kernel/lib/modules"))?;
    let version = versions
        .into_iter()
        .next()
        .ok_or("no kernel was unpacked")??;
    Ok(version.path().join("kernel"))
}

fn edit(changes: &[(&str, &str)]) -> Result<String, Failure> {
    let mut text = CONFIG.to_owned();
    for (from, to) in changes {
        check(text.contains(from), || {
            format!("config.toml has no {from:?}")
        })?;
        text = text.replacen(from, to, 1);
    }
    Ok(text)
}

/// One stream, whole and identical, of this size to this port; this address and this name.
fn expect(
    what: &str,
    boot: &Boot,
    port: &str,
    size: &str,
    address: &str,
    hostname: &str,
) -> Result<String, Failure> {
    let stream = boot.facts("STREAM")?;
    let wanted = [
        ("port", port),
        ("size", size),
        ("identical", stream["pictures"]),
        ("lost", "0"),
        ("incomplete", "0"),
        ("violations", "0"),
    ];
    for (key, value) in wanted {
        check(stream[key] == value, || {
            format!("{what}: {key} is not {value}: {stream:?}")
        })?;
    }
    let pictures: usize = stream["pictures"].parse()?;
    check(pictures >= FEWEST, || {
        format!("{what}: {pictures} pictures only")
    })?;
    let network = boot.facts("NETWORK")?;
    let found = (network["addresses"], network["hostname"]);
    check(found == (address, hostname), || {
        format!("{what}: {found:?}")
    })?;
    Ok(format!(
        "{what}: {pictures} pictures {size} to port {port} identical, first packet {} s after the kernel's start; \
         {address}, {hostname}; ran for {:.0?}",
        stream["first"], boot.took
    ))
}

fn no_error_file(card: &Card) -> Result<(), Failure> {
    match card.read(ERROR_FILE)? {
        None => Ok(()),
        Some(text) => Err(format!("{ERROR_FILE} is on the card: {text}").into()),
    }
}

fn check(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(reason().into()) }
}
