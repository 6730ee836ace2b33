//! What `image/build --csi` adds to a Raspberry Pi's card: settings of the firmware and the camera's driver. No
//! emulator has that firmware, so no camera appears here.

use crate::bench::Bench;
use crate::boards::Tree;
use crate::card::Card;
use crate::drivers::Drivers;
use crate::tool::Failure;
use crate::{check, device_tree, firmware};

const BOARD: &str = "raspberry-pi";
/// The firmware with the camera in it, and the memory that it needs: config.txt of the firmware's documentation.
const SETTINGS: [&str; 2] = ["start_x=1", "gpu_mem=128"];
/// The way to the firmware: the device tree has it, and the camera's driver hangs on it.
const WAY: &str = "drivers/staging/vc04_services/vchiq";
const CAMERA: &str = "bcm2835-v4l2";

/// Compares it with the drivers on the card without `--csi`.
pub fn check_card(bench: &Bench, plain: &Drivers) -> Result<String, Failure> {
    let card = Card::whole(&bench.make("ribbon", &["--board", BOARD, "--csi"])?);
    let trees = firmware::check_card(&card, BOARD)?;
    let drivers = bench.kernel(BOARD)?.drivers(&card)?;
    let settings = settings(&card)?;
    check(settings == SETTINGS, || {
        format!("config.txt of --csi has {settings:?}")
    })?;
    for (card, drivers, wanted) in [("plain", plain, false), ("--csi", &drivers, true)] {
        check(drivers.has(CAMERA) == wanted, || {
            format!("{CAMERA} on the card {card}: not {wanted}")
        })?;
    }
    for tree in &trees {
        check_way(tree, plain, &drivers)?;
    }
    Ok(format!(
        "--csi: {} boards have the way to the firmware's camera",
        trees.len()
    ))
}

/// Those of the camera, which a card without it must not have: they take memory.
pub fn settings(card: &Card) -> Result<Vec<String>, Failure> {
    let all = card
        .read("config.txt")?
        .ok_or("the card has no config.txt")?;
    let lines = all.lines().map(str::to_owned);
    Ok(lines
        .filter(|line| line.starts_with("start_x") || line.starts_with("gpu_mem"))
        .collect())
}

fn check_way((board, tree): &Tree, plain: &Drivers, drivers: &Drivers) -> Result<(), Failure> {
    let lacks = |drivers: &Drivers| -> Result<bool, Failure> {
        let devices = device_tree::devices(tree)?;
        let mut missing = devices.iter().flat_map(|names| drivers.missing(names));
        Ok(missing.any(|driver| driver.starts_with(WAY)))
    };
    // It shows that this board has such a device, and that the kernel knows it.
    check(lacks(plain)?, || format!("{board} has nothing for {WAY}"))?;
    check(!lacks(drivers)?, || {
        format!("{WAY} is not on the card for {board}")
    })
}
