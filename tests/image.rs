//! The flashable image, from its making to the picture: it is built, booted by UEFI firmware, edited like a card.
//!
//! `cargo test --test image` makes the arm64 package, has `image/build` install it into its images, and boots these in
//! an emulated arm64 machine. The emulated USB camera of `tests/lab` and a receiver come in as a second initrd beside
//! the image's own.
//!
//! It needs the rust target aarch64-unknown-linux-musl and the Debian packages qemu-system-arm, qemu-efi-aarch64
//! and those that image/build names. The packages in the image are downloaded once.
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

#[path = "image/bench.rs"]
mod bench;
#[path = "image/boards.rs"]
mod boards;
#[path = "lab/host/build.rs"]
mod build;
#[path = "image/card.rs"]
mod card;
#[path = "image/controller.rs"]
mod controller;
#[path = "lab/host/cpio.rs"]
mod cpio;
#[path = "image/cuts.rs"]
mod cuts;
#[path = "lab/src/descriptors.rs"]
mod descriptors;
#[path = "image/device_tree.rs"]
mod device_tree;
#[path = "image/door.rs"]
#[expect(dead_code, reason = "the guest uses all of it")]
mod door;
#[path = "image/drivers.rs"]
mod drivers;
#[path = "lab/src/fault.rs"]
#[expect(dead_code, reason = "the lab uses all of it")]
mod fault;
#[path = "image/firmware.rs"]
mod firmware;
#[path = "lab/host/frames.rs"]
mod frames;
#[path = "lab/src/jpeg.rs"]
mod jpeg;
#[path = "image/live.rs"]
mod live;
#[path = "lab/host/machine.rs"]
#[expect(
    dead_code,
    reason = "its machines have no firmware: only what they are built for is of use"
)]
mod machine;
#[path = "image/model.rs"]
mod model;
#[path = "network/namespace.rs"]
#[expect(dead_code, reason = "the network's tests use all of it")]
mod namespace;
#[path = "image/neighbour.rs"]
mod neighbour;
#[path = "image/overlay.rs"]
mod overlay;
#[path = "lab/src/pipe.rs"]
mod pipe;
#[path = "interop/process.rs"]
#[expect(dead_code, reason = "only the namespaces wait by it")]
mod process;
#[path = "image/raspberry_pi.rs"]
mod raspberry_pi;
#[path = "lab/src/receiver.rs"]
#[expect(dead_code, reason = "the lab uses all of it")]
mod receiver;
#[path = "image/remote.rs"]
mod remote;
#[path = "image/ribbon.rs"]
mod ribbon;
#[path = "image/server.rs"]
mod server;
#[path = "lab/src/studio.rs"]
#[expect(dead_code, reason = "the lab uses all of it")]
mod studio;
#[path = "lab/src/tables.rs"]
mod tables;
#[path = "lab/host/tool.rs"]
mod tool;
#[path = "image/usbredir.rs"]
mod usbredir;
#[path = "lab/src/uvc.rs"]
#[expect(dead_code, reason = "the lab uses all of it")]
mod uvc;

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};

use bench::Bench;
use card::Card;
use cuts::{Cuts, Look};
use server::{Boot, boot};
use tool::Failure;

const ERROR_FILE: &str = "framewire-error.txt";
const FEWEST: usize = 20; // pictures: some of those the camera sent may be on their way at the end
const LARGEST: u64 = 100_000_000; // octets of the image
const LARGEST_MINIMAL_INITRD: usize = 6_000_000; // octets

/// What a boot must lead to: the page at the door, and there the camera's pictures, of this size and identical; a stream
/// of them, whole and identical, to this port, or none; this address on an interface whose name begins like this; and
/// this name.
struct Expected {
    port: Option<&'static str>,
    size: &'static str,
    interface: &'static str,
    address: &'static str,
    hostname: &'static str,
}

/// qemu's DHCP server leases this address.
const AS_FLASHED: Expected = Expected {
    port: None,
    size: "1280x720",
    interface: "e",
    address: "10.0.2.15",
    hostname: "framewire",
};
const EDITED: Expected = Expected {
    port: Some("5006"),
    size: "640x480",
    interface: "vlan10",
    address: "192.0.2.77",
    hostname: "gate",
};
const EDITS: [(&str, &str); 7] = [
    ("width = 1280", "width = 640"),
    ("height = 720", "height = 480"),
    ("#[[camera.rtp]]", "[[camera.rtp]]"),
    (
        "#destination = \"127.0.0.1:5004\"",
        "destination = \"127.0.0.1:5006\"",
    ),
    ("#hostname = \"camera-1\"", "hostname = \"gate\""),
    (
        "#address = \"192.168.1.30/24\"",
        "address = \"192.0.2.77/24\"",
    ),
    ("#vlan = 10", "vlan = 10"),
];

#[test]
fn a_card_is_flashed_edited_broken_and_mended() {
    show(life_of_a_card());
}

fn life_of_a_card() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let size = fs::metadata(&bench.image)?.len();
    check(size <= LARGEST, || format!("the image has {size} octets"))?;
    let mut report = vec![format!("image: {:.1} MB", size as f64 / 1e6)];
    let card = bench.card(&bench.image, "", &[])?;
    let flashed = bench.config.as_str();
    let edited = edit(flashed, &EDITS)?;
    let broken = edit(flashed, &[("width = 1280", "width = wide")])?;

    let (first, cuts) = boot_and_cut(&card, "1-as-flashed", &[None, Some(flashed)])?;
    report.extend([expect("as flashed", &first, &AS_FLASHED)?, cuts.to_string()]);
    expect_sandbox(&first)?;
    expect_wireless(&first, "inactive", "")?;
    report.extend(first.all("BOOT").into_iter().map(str::to_owned));
    no_error_file(&card)?;

    card.write("config.toml", edited.as_bytes())?;
    let (second, cuts) = boot_and_cut(&card, "2-edited", &[Some(flashed), Some(&edited)])?;
    report.extend([expect("edited", &second, &EDITED)?, cuts.to_string()]);
    no_error_file(&card)?;

    card.write("config.toml", broken.as_bytes())?;
    let (third, cuts) = boot_and_cut(&card, "3-broken", &[Some(&edited)])?;
    report.extend([expect("broken", &third, &EDITED)?, cuts.to_string()]);
    let complaint = card
        .read(ERROR_FILE)?
        .ok_or("the card has no framewire-error.txt")?;
    check(complaint.contains("wide"), || {
        format!("it does not say what is wrong: {complaint}")
    })?;
    report.push(complaint.trim_end().replace('\r', ""));

    // The card as the power left it while that was written.
    cuts.put_half_written(&card)?;
    card.write("config.toml", flashed.as_bytes())?;
    let (fourth, cuts) = boot_and_cut(&card, "4-mended", &[Some(&edited), Some(flashed)])?;
    report.extend([expect("mended", &fourth, &AS_FLASHED)?, cuts.to_string()]);
    no_error_file(&card)?;
    Ok(report)
}

/// Boots the card, and looks at what each power cut would have left: config.toml as it was, and one of these as the
/// last good configuration.
fn boot_and_cut(card: &Card, name: &str, kept: &[Option<&str>]) -> Result<(Boot, Cuts), Failure> {
    let name = card.image.with_file_name(name);
    let before = card.image.with_extension("before");
    fs::copy(&card.image, &before)?;
    let config = card
        .read("config.toml")?
        .ok_or("the card has no config.toml")?;
    let boot = boot(&card.image, &name)?;
    let look = Look {
        config: &config,
        kept,
    };
    let cuts = Cuts::of(&before, &boot.writes, &look)?;
    Ok((boot, cuts))
}

/// RFC 8032, 7.1: secret and public keys of the tests 1 and 2.
const OWNER: [&str; 2] = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
];
const STRANGER: [&str; 2] = [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
];

const WIRELESS: [(&str, &str); 5] = [
    ("#[network.wifi]", "[network.wifi]"),
    ("#ssid", "ssid"),
    ("#passphrase", "passphrase"),
    ("#country", "country"),
    (
        "#address = \"192.168.1.30/24\"",
        "address = \"192.0.2.78/24\"",
    ),
];

#[test]
fn keys_open_ssh_and_a_wireless_network() {
    show(keys());
}

fn keys() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let keys = bench.folder.join("authorized_keys");
    // The first key of RFC 8032 in the format of RFC 8709.
    fs::write(&keys, format!("{OWNER_LINE} owner\n"))?;
    let option = keys.to_str().ok_or("a path that is no text")?;
    let image = bench.make("ssh", &["--ssh", option])?;
    let more = [
        ("dbclient", bench.program("usr/bin/dbclient")?),
        ("owner", private_key(OWNER)?),
        ("stranger", private_key(STRANGER)?),
    ];
    let card = bench.card(&image, "", &more)?;
    card.write("config.toml", edit(&bench.config, &WIRELESS)?.as_bytes())?;
    let boot = boot(&card.image, &bench.folder.join("ssh"))?;
    // Ethernet has DHCP then.
    let stream = expect("with --ssh and Wi-Fi", &boot, &AS_FLASHED)?;
    expect_wireless(&boot, "active", "192.0.2.78")?;
    let login = boot.facts("SSH")?;
    let found = (login["answer"], login["stranger-refused"]);
    check(found == ("ok-0", "true"), || format!("{login:?}"))?;
    Ok(vec![stream, format!("SSH: {login:?}")])
}

const OWNER_LINE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

/// In the format of dropbear's client: the name, then the secret and the public key as one string.
fn private_key(halves: [&str; 2]) -> Result<Vec<u8>, Failure> {
    let name = b"ssh-ed25519";
    let digits = halves.concat();
    let mut octets = vec![0, 0, 0, name.len() as u8];
    octets.extend_from_slice(name);
    octets.extend([0, 0, 0, 64]);
    for at in (0..digits.len()).step_by(2) {
        octets.push(u8::from_str_radix(&digits[at..at + 2], 16)?);
    }
    Ok(octets)
}

#[test]
fn the_minimal_system_streams_too() {
    show(minimal());
}

fn minimal() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let image = bench.make("minimal", &["--minimal"])?;
    let size = fs::metadata(&image)?.len();
    let card = bench.card(&image, "rdinit=/lab/start", &[])?;
    let initrd = card.octets("framewire/initrd.img")?.len();
    check(initrd <= LARGEST_MINIMAL_INITRD, || {
        format!("the initrd has {initrd} octets")
    })?;
    let mut report = vec![format!(
        "minimal image: {:.1} MB, initrd {:.2} MB",
        size as f64 / 1e6,
        initrd as f64 / 1e6
    )];
    for (name, config, expected) in [
        ("minimal-as-flashed", bench.config.clone(), AS_FLASHED),
        ("minimal-edited", edit(&bench.config, &EDITS)?, EDITED),
    ] {
        card.write("config.toml", config.as_bytes())?;
        let boot = boot(&card.image, &bench.folder.join(name))?;
        report.push(expect(name, &boot, &expected)?);
        let user = boot.facts("SANDBOX")?["user"];
        check(user == "65534", || format!("{name}: runs as user {user}"))?;
        no_error_file(&card)?;
    }
    Ok(report)
}

/// `config`, which is that of an image, as a user edits it.
fn edit(config: &str, changes: &[(&str, &str)]) -> Result<String, Failure> {
    let mut text = config.to_owned();
    for (from, to) in changes {
        check(text.contains(from), || {
            format!("config.toml has no {from:?}")
        })?;
        text = text.replacen(from, to, 1);
    }
    Ok(text)
}

fn expect(what: &str, boot: &Boot, expected: &Expected) -> Result<String, Failure> {
    let door = expect_pictures(what, boot, "DOOR", expected.size, &[("page", "true")])?;
    let still = door["changes"] == "0";
    check(!still, || format!("{what}: nothing moves: {door:?}"))?;
    let whole = [("lost", "0"), ("incomplete", "0"), ("violations", "0")];
    let sent = match expected.port {
        Some(port) => {
            let wanted = [&[("port", port)], &whole[..]].concat();
            let stream = expect_pictures(what, boot, "STREAM", expected.size, &wanted)?;
            format!(", {} sent to port {port}", stream["pictures"])
        }
        None => {
            let streams = boot.all("STREAM");
            check(streams.is_empty(), || format!("{what}: {streams:?}"))?;
            String::new()
        }
    };
    let network = boot.facts("NETWORK")?;
    let found = (network["address"], network["hostname"]);
    let right = found == (expected.address, expected.hostname)
        && network["interface"].starts_with(expected.interface);
    check(right, || format!("{what}: {network:?}"))?;
    let writable = boot.facts("ROOT")?["writable"];
    check(writable.is_empty(), || {
        format!("{what}: can be written: {writable}")
    })?;
    Ok(format!(
        "{what}: {} pictures {} identical at the door, the first {} s after the kernel's start{sent}; \
         {}, {}; ran for {:.0?}",
        door["pictures"],
        expected.size,
        door["first"],
        expected.address,
        expected.hostname,
        boot.took
    ))
}

/// Enough pictures of this size, all identical, and these facts besides.
fn expect_pictures<'a>(
    what: &str,
    boot: &'a Boot,
    name: &str,
    size: &str,
    more: &[(&str, &str)],
) -> Result<HashMap<&'a str, &'a str>, Failure> {
    let facts = boot.facts(name)?;
    let of_pictures = [("size", size), ("identical", facts["pictures"])];
    for (key, value) in of_pictures.iter().chain(more) {
        check(facts[key] == *value, || {
            format!("{what}: {key} is not {value}: {name} {facts:?}")
        })?;
    }
    let pictures: usize = facts["pictures"].parse()?;
    check(pictures >= FEWEST, || {
        format!("{what}: {pictures} pictures only: {name}")
    })?;
    Ok(facts)
}

/// The service runs as systemd/framewire.service says: nothing in the image takes from its sandbox.
fn expect_sandbox(boot: &Boot) -> Result<(), Failure> {
    let found = boot.facts("SANDBOX")?;
    let wanted = [
        ("capabilities", "0000000000000000"),
        ("no-new-privileges", "1"),
        ("system-calls", "2"), // seccomp's mode, proc_pid_status(5): a filter
        ("joined", "true"),
        ("/dev/video0", "opens"),
        ("/dev/vda", "EPERM"),
    ];
    let right = wanted.iter().all(|(key, value)| found[key] == *value);
    let right = right && found["user"] != "0" && found["root"].starts_with("ro");
    check(right, || format!("the sandbox has holes: {found:?}"))
}

/// Whether it has joined the network that is on the air, and its address there.
fn expect_wireless(boot: &Boot, service: &str, address: &str) -> Result<(), Failure> {
    let found = boot.facts("WIRELESS")?;
    let right =
        (found["access-point"], found["service"], found["address"]) == ("active", service, address);
    check(right, || format!("Wi-Fi: {found:?}"))
}

fn no_error_file(card: &Card) -> Result<(), Failure> {
    for name in [ERROR_FILE, "framewire-error.txt.new"] {
        let text = card.read(name)?;
        check(text.is_none(), || {
            format!("{name} is on the card: {text:?}")
        })?;
    }
    Ok(())
}

/// A port for a receiver on this machine.
fn free_port() -> Result<u16, Failure> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn check(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(reason().into()) }
}

fn show(result: Result<Vec<String>, Failure>) {
    match result {
        Ok(report) => println!("{}", report.join("\n")),
        Err(failure) => panic!("\n{failure}"),
    }
}
