//! The Raspberry Pi card in QEMU's Raspberry Pi 3: QEMU takes kernel, initrd and device tree from the card, as the
//! firmware does, which it has not; all that follows is the card's own. Cards are read and written as SD cards, the
//! network is a USB adapter and the camera hangs on the same controller.
//!
//! QEMU's model of that controller loses large frames on their way to the network, so not what arrives is judged but
//! what the service says that it has sent.

use std::fmt;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use crate::bench::Bench;
use crate::card::Card;
use crate::cuts;
use crate::live::Live;
use crate::receiver::Receiver;
use crate::tool::Failure;
use crate::{check, edit, free_port, no_error_file, show};

/// The name that the firmware composes for a Pi 3 when config.txt says `upstream_kernel=1`.
const DEVICE_TREE: &str = "bcm2837-rpi-3-b.dtb";
/// For the emulator: a console that the test can read, with the log of the services on it; its watchdog resets
/// the machine as soon as it is armed.
const ARGUMENTS: &str = "console=ttyAMA0 module_blacklist=bcm2835_wdt \
    systemd.journald.forward_to_console=1 systemd.journald.max_level_console=debug";
/// With a vendor's address, as a Pi's own adapter has one: the driver takes a made-up one for that of a cable to one
/// other machine.
const NETWORK: [&str; 4] = [
    "-netdev",
    "user,id=network",
    "-device",
    "usb-net,netdev=network,mac=b8:27:eb:44:55:66",
];
const SD_CARD: u64 = 128 << 20; // octets: QEMU takes powers of two
const EDITS: [(&str, &str); 6] = [
    ("#[[camera.rtp]]", "[[camera.rtp]]"),
    ("width = 1280", "width = 640"),
    ("height = 720", "height = 480"),
    ("fps = 30", "fps = 15"),
    ("level = \"info\"", "level = \"debug\""), // all counters
    ("#summary-interval = 600", "summary-interval = 5"),
];
const FEWEST: usize = 20; // frames
const STATE: usize = 1; // the second partition
const SECTOR: u64 = 512; // octets

#[test]
fn the_raspberry_pi_card_boots_and_streams() {
    show(raspberry_pi());
}

fn raspberry_pi() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let films = bench.camera_films()?;
    let image = bench.raspberry_pi()?;
    let card = Card::copy(image, "card")?;
    let port = free_port()?;
    // This machine, to a guest of QEMU's user network.
    let to_here = (
        "#destination = \"127.0.0.1:5004\"",
        &*format!("destination = \"10.0.2.2:{port}\""),
    );
    let config = edit(&bench.config, &[&EDITS[..], &[to_here]].concat())?;
    card.write("config.toml", config.as_bytes())?;
    let place = place(&card.image, STATE)?;
    File::options()
        .write(true)
        .open(&card.image)?
        .set_len(SD_CARD)?;

    let receiver = Receiver::count(port)?;
    let mut machine = Live::start(power_on(bench, &card)?, &bench.folder.join("pi"))?;
    let camera = machine.plug(&films)?;
    let address = machine.wait_for("an address by DHCP", |log| {
        let line = log.lines().find(|line| line.contains("DHCPv4 address"))?;
        Some(line.split_once("]: ")?.1.to_owned())
    })?;
    let leased = address.contains("DHCPv4 address 10.0.2.15/24");
    check(leased, || address.clone())?;
    let counters = machine.wait_for("the stream", |log| {
        let mut all = log.lines().filter_map(Counters::of);
        all.find(|counters| counters.sent >= FEWEST)
    })?;
    // The camera after the machine: a transfer that is taken back ends QEMU 7.2 with an assertion of its own.
    drop(machine);
    let shown = camera.unplug();
    let received = receiver.tally()?.received;
    let report = format!(
        "Raspberry Pi 3: {address}; of {shown} frames {counters}; {received} packets arrived"
    );
    let right = counters.captured <= shown && counters.are_whole();
    check(right, || report.clone())?;

    no_error_file(&card)?;
    let state = card.image.with_extension("state");
    cuts::extract(&card.image, &place, &state)?;
    let kept = cuts::last_good(&state)?;
    check(kept.as_deref() == Some(config.as_str()), || {
        format!("the last good configuration is {kept:?}")
    })?;
    Ok(vec![report])
}

/// What the firmware does: config.txt names kernel and initrd.
fn power_on(bench: &Bench, card: &Card) -> Result<Command, Failure> {
    let settings = card
        .read("config.txt")?
        .ok_or("the card has no config.txt")?;
    let setting = |key: &str| {
        let found = settings.lines().find_map(|line| line.strip_prefix(key));
        found.ok_or_else(|| format!("config.txt has no {key}"))
    };
    let initrd = setting("initramfs ")?
        .strip_suffix(" followkernel")
        .ok_or("the initrd does not follow the kernel")?;
    let arguments = card
        .read("cmdline.txt")?
        .ok_or("the card has no cmdline.txt")?;

    let mut command = Command::new("qemu-system-aarch64");
    command.args(["-M", "raspi3b"]);
    for (option, name) in [
        ("-kernel", setting("kernel=")?),
        ("-initrd", initrd),
        ("-dtb", DEVICE_TREE),
    ] {
        let file = bench
            .folder
            .join(format!("pi-{}", option.trim_start_matches('-')));
        fs::write(&file, card.octets(name)?)?;
        command.arg(option).arg(file);
    }
    command.args(["-append", &format!("{} {ARGUMENTS}", arguments.trim_end())]);
    let sd_card = format!("if=sd,format=raw,file={}", card.image.display());
    command.args(["-drive", &sd_card]).args(NETWORK);
    Ok(command)
}

/// A partition's place, by its number in an MBR.
fn place(card: &Path, partition: usize) -> Result<Range<u64>, Failure> {
    let mut entry = [0; 16];
    let at = 446 + partition * entry.len();
    File::open(card)?.read_exact_at(&mut entry, at as u64)?;
    let [.., s0, s1, s2, s3, n0, n1, n2, n3] = entry;
    let [start, count] = [[s0, s1, s2, s3], [n0, n1, n2, n3]];
    let [start, count] =
        [start, count].map(|octets| u64::from(u32::from_le_bytes(octets)) * SECTOR);
    Ok(start..start + count)
}

/// Of the line that has all of them.
struct Counters {
    captured: usize,
    sent: usize,
    /// Reasons and numbers.
    dropped: String,
}

impl Counters {
    fn of(line: &str) -> Option<Self> {
        let (_, line) = line.split_once("front: streaming, ")?;
        let (captured, line) = line.split_once(" frames captured, ")?;
        let (sent, line) = line.split_once(" sent, ")?;
        let (dropped, _) = line.split_once(" lost in the driver")?;
        let reasons = dropped.split_once('(').map_or("", |(_, reasons)| reasons);
        let (reasons, _) = reasons.split_once(')').unwrap_or_default();
        Some(Self {
            captured: captured.parse().ok()?,
            sent: sent.parse().ok()?,
            dropped: reasons.to_owned(),
        })
    }

    /// Whether no frame was dropped for what it was, but for want of a network or of time.
    fn are_whole(&self) -> bool {
        let mut reasons = self.dropped.split(", ").filter(|reason| !reason.is_empty());
        reasons.all(|reason| {
            reason.starts_with("no-destination ") || reason.starts_with("superseded ")
        })
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            captured,
            sent,
            dropped,
        } = self;
        write!(
            f,
            "{captured} were captured, {sent} sent, dropped: {dropped:?}"
        )
    }
}
