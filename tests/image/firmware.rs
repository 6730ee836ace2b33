//! What the firmware of a Raspberry Pi looks for on its card. No emulator has that firmware, so the card is read as
//! its documentation says that it reads: partitions, settings and files.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::boards::Tree;
use crate::card::Card;
use crate::check;
use crate::tool::Failure;

const MEBIBYTE: u64 = 1 << 20; // octets: where the first partition starts
const FAT32: u8 = 0x0c; // a partition's type
const ACTIVE: u8 = 0x80;
/// Settings whose first word is the name of a file.
const FILES: [&str; 6] = [
    "kernel=",
    "initramfs ",
    "device_tree=",
    "cmdline=",
    "start_file=",
    "fixup_file=",
];
/// The names that the firmware composes when config.txt says `upstream_kernel=1`: of each board.
const DEVICE_TREES: [(&str, &[&str]); 2] = [
    (
        "raspberry-pi",
        &[
            "bcm2837-rpi-3-b.dtb",
            "bcm2837-rpi-3-b-plus.dtb",
            "bcm2837-rpi-3-a-plus.dtb",
            "bcm2837-rpi-zero-2-w.dtb",
            "bcm2711-rpi-4-b.dtb",
            "bcm2711-rpi-400.dtb",
        ],
    ),
    (
        PI_5,
        &[
            "bcm2712-rpi-5-b.dtb",
            "bcm2712-d-rpi-5-b.dtb",
            "bcm2712d0-rpi-5-b.dtb", // the name in Raspberry Pi's own kernel
        ],
    ),
];
const PI_5: &str = "raspberry-pi-5";

/// Checks a card for a board, and gives back its device trees.
pub fn check_card(card: &Card, board: &str) -> Result<Vec<Tree>, Failure> {
    check_partition(card)?;
    let names = card.names()?;
    check_settings(card)?;
    check_kernel(card)?;
    check_start_files(&names, board)?;
    let composed = DEVICE_TREES.iter().find(|(name, _)| *name == board);
    let (_, composed) = composed.ok_or_else(|| format!("which device trees has a {board}?"))?;
    for name in *composed {
        check(names.contains(*name), || format!("the card has no {name}"))?;
    }
    let trees = names.iter().filter(|name| name.ends_with(".dtb"));
    trees
        .map(|name| Ok((name.clone(), card.octets(name)?)))
        .collect()
}

/// The start-up code in a Pi 3 reads no GPT.
fn check_partition(card: &Card) -> Result<(), Failure> {
    let file = File::open(&card.image)?;
    let (mut mbr, mut boot_sector) = ([0; 512], [0; 512]);
    file.read_exact_at(&mut mbr, 0)?;
    file.read_exact_at(&mut boot_sector, MEBIBYTE)?;
    let first = &mbr[446..462];
    check(mbr.ends_with(&[0x55, 0xaa]), || {
        "the card has no MBR".into()
    })?;
    check((first[0], first[4]) == (ACTIVE, FAT32), || {
        format!(
            "the first partition is {:#x} of type {:#x}",
            first[0], first[4]
        )
    })?;
    let start = u32::from_le_bytes(first[8..12].try_into()?);
    check(u64::from(start) * 512 == MEBIBYTE, || {
        format!("the first partition starts at sector {start}")
    })?;
    check(&boot_sector[82..90] == b"FAT32   ", || {
        "the first partition is not FAT32".into()
    })
}

fn check_settings(card: &Card) -> Result<(), Failure> {
    let settings = card
        .read("config.txt")?
        .ok_or("the card has no config.txt")?;
    let lines: Vec<&str> = settings.lines().collect();
    for needed in ["upstream_kernel=1", "arm_64bit=1"] {
        check(lines.contains(&needed), || {
            format!("config.txt has no {needed}")
        })?;
    }
    for wanted in ["kernel=", "initramfs "] {
        let count = lines.iter().filter(|line| line.starts_with(wanted)).count();
        check(count == 1, || {
            format!("config.txt has {wanted:?} {count} times")
        })?;
    }
    for line in lines {
        for value in FILES
            .iter()
            .filter_map(|setting| line.strip_prefix(setting))
        {
            let name = value.split(' ').next().unwrap_or_default();
            let size = card.octets(name).map_or(0, |octets| octets.len());
            check(size > 0, || {
                format!("{name}, which config.txt names, is not on the card")
            })?;
        }
    }
    let arguments = card
        .read("cmdline.txt")?
        .ok_or("the card has no cmdline.txt")?;
    check(
        arguments.trim_end_matches('\n').lines().count() == 1,
        || format!("cmdline.txt has not one line: {arguments:?}"),
    )
}

/// Not packed in a way that only UEFI firmware unpacks (CONFIG_EFI_ZBOOT).
/// Documentation/arch/arm64/booting.rst of the Linux kernel, section 4.
fn check_kernel(card: &Card) -> Result<(), Failure> {
    let kernel = card.octets("framewire/linux")?;
    check(kernel.get(56..60) == Some(b"ARM\x64"), || {
        "framewire/linux is no Image of an arm64 kernel".into()
    })
}

/// Each start*.elf with the fixup*.dat that belongs to it.
fn check_start_files(names: &BTreeSet<String>, board: &str) -> Result<(), Failure> {
    let kinds = |before: &str, after: &str| -> BTreeSet<String> {
        let kinds = names.iter().filter_map(|name| {
            let kind = name.strip_prefix(before)?.strip_suffix(after)?;
            Some(kind.to_owned())
        });
        kinds.collect()
    };
    let (start, fixup) = (kinds("start", ".elf"), kinds("fixup", ".dat"));
    check(start == fixup, || {
        format!("start{start:?}.elf, but fixup{fixup:?}.dat")
    })?;
    if board == PI_5 {
        // It has its firmware in itself.
        return check(start.is_empty(), || "a Pi 5 reads no start.elf".into());
    }
    // Of a Pi 3 and of a Pi 4; and both again for the camera on the ribbon.
    let needed = ["", "4", "_x", "4x"];
    let complete =
        needed.iter().all(|kind| start.contains(*kind)) && names.contains("bootcode.bin");
    check(complete, || {
        format!("{board}: the firmware is not whole: start{start:?}.elf")
    })
}
