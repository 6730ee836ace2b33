//! What boards need of a card, checked without a board: for every device that a board's device tree enables, the
//! driver is built into the kernel or in the initrd. Without it, what depends on that device never appears, and it
//! may be the card with config.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::Bench;
use crate::card::Card;
use crate::drivers::Drivers;
use crate::tool::Failure;
use crate::{check, device_tree, firmware, ribbon, show};

/// Drivers that nothing here needs: why, and how their places in the kernel's tree begin.
const NOT_WANTED: [(&str, &[&str]); 16] = [
    (
        "r8152 serves the same adapters",
        &["drivers/net/usb/r8153_ecm"],
    ),
    (
        "no display",
        &[
            "drivers/gpu/",
            "drivers/video/",
            "drivers/soc/amlogic/meson-canvas",
            "drivers/phy/allwinner/phy-sun6i-mipi-dphy",
            "drivers/phy/rockchip/phy-rockchip-inno-dsidphy",
            "drivers/phy/rockchip/phy-rockchip-inno-hdmi",
        ],
    ),
    (
        "no sound",
        &[
            "sound/",
            "drivers/clk/meson/axg-audio",
            "drivers/reset/reset-meson-audio-arb",
        ],
    ),
    (
        "no cameras on a ribbon (of a Raspberry Pi with --csi alone), no decoders",
        &[
            "drivers/media/",
            "drivers/staging/",
            "drivers/phy/rockchip/phy-rockchip-dphy-rx0",
            "drivers/phy/rockchip/phy-rockchip-inno-csidphy",
        ],
    ),
    (
        "no keys, no touchscreens, no lamps",
        &["drivers/input/", "drivers/hid/", "drivers/leds/"],
    ),
    (
        "no sensors; of the temperatures only those that slow the CPU down or start a fan",
        &[
            "drivers/iio/",
            "drivers/w1/",
            "drivers/hwmon/amc6821",
            "drivers/hwmon/lm75",
            "drivers/hwmon/ntc_thermistor",
            "drivers/hwmon/scpi-hwmon",
        ],
    ),
    (
        "its firmware is not free software",
        &["drivers/net/wireless/marvell/"],
    ),
    ("no Bluetooth", &["drivers/bluetooth/"]),
    (
        "no batteries",
        &[
            "drivers/power/supply/axp20x_ac_power",
            "drivers/power/supply/axp20x_battery",
            "drivers/power/supply/cw2015_battery",
            "drivers/power/supply/gpio-charger",
            "drivers/power/supply/sbs-battery",
        ],
    ),
    (
        "a Chromebook's own controller",
        &[
            "drivers/platform/chrome/",
            "drivers/extcon/extcon-usbc-cros-ec",
            "drivers/i2c/busses/i2c-cros-ec-tunnel",
            "drivers/pwm/pwm-cros-ec",
        ],
    ),
    (
        "nobody asks for the time of day",
        &["drivers/rtc/", "drivers/pps/"],
    ),
    (
        "the CPU enciphers what Wi-Fi asks for; no keys are kept",
        &["drivers/crypto/", "drivers/char/tpm/", "drivers/tee/"],
    ),
    (
        "the flash memory is the firmware's",
        &[
            "drivers/mtd/",
            "drivers/spi/spi-gpio",
            "drivers/spi/spi-meson-",
            "drivers/spi/spi-rockchip-sfc",
            "drivers/spi/spi-sun6i",
        ],
    ),
    (
        "the memory keeps the speed that the firmware gave it",
        &["drivers/devfreq/"],
    ),
    (
        "the traces of a crash and the mode of the next start: nobody reads them",
        &["fs/pstore/", "drivers/power/reset/syscon-reboot-mode"],
    ),
    (
        "what hangs on a Pi's header and ribbons, and a switch whose ports would have to be configured",
        &[
            "drivers/i2c/busses/i2c-bcm2835",
            "drivers/i2c/muxes/i2c-mux-pinctrl",
            "drivers/pwm/pwm-bcm2835",
            "drivers/net/dsa/mt7530-mdio",
        ],
    ),
];

/// Makers in the kernel's tree, on whose boards the generic image starts with U-Boot's UEFI.
const MAKERS: [&str; 3] = ["allwinner", "amlogic", "rockchip"];
/// A PHY says by itself what it is, so that few device trees name it: on boards of the generic image, ...
const PHYS: [&str; 8] = [
    "at803x",
    "icplus",
    "marvell",
    "meson-gxl",
    "micrel",
    "motorcomm",
    "realtek",
    "rockchip",
];
/// ... and on a Pi 4, 3 B and 3 B+.
const PI_PHYS: [&str; 3] = ["broadcom", "smsc", "microchip"];
const PI_5_PHYS: [&str; 1] = ["broadcom"];
/// No board has fewer devices with a name than this.
const FEWEST_DEVICES: usize = 10;

#[test]
fn boards_find_their_drivers_and_firmware_its_files() {
    show(boards());
}

fn boards() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let mut wanted = Wanted::default();
    let mut report = Vec::new();

    let kernel = bench.kernel("generic")?;
    let mut trees = Vec::new();
    for maker in MAKERS {
        trees.extend(kernel.device_trees(maker)?);
    }
    let drivers = kernel.drivers(&Card::whole(&bench.image))?;
    report.push(wanted.check("generic", &drivers, &trees, &PHYS)?);

    let pi_5 = bench.make("raspberry-pi-5", &["--board", "raspberry-pi-5"])?;
    for (board, card, phys) in [
        ("raspberry-pi", bench.raspberry_pi()?, &PI_PHYS[..]),
        ("raspberry-pi-5", &pi_5, &PI_5_PHYS),
    ] {
        let card = Card::whole(card);
        let trees = firmware::check_card(&card, board)?;
        let drivers = bench.kernel(board)?.drivers(&card)?;
        report.push(wanted.check(board, &drivers, &trees, phys)?);
        let settings = ribbon::settings(&card)?;
        check(settings.is_empty(), || format!("{board}: {settings:?}"))?;
        if board == "raspberry-pi" {
            report.push(ribbon::check_card(bench, &drivers)?);
        }
    }
    wanted.finish()?;
    Ok(report)
}

/// A board's name and its device tree.
pub type Tree = (String, Vec<u8>);

/// Where image/build has unpacked a kernel.
pub struct Kernel {
    pub modules: PathBuf,
    pub device_trees: PathBuf,
}

impl Kernel {
    fn device_trees(&self, maker: &str) -> Result<Vec<Tree>, Failure> {
        let mut trees = Vec::new();
        for entry in fs::read_dir(self.device_trees.join(maker))? {
            let path = entry?.path();
            // Not the overlays (.dtbo), which are parts of trees.
            if path.extension().is_some_and(|extension| extension == "dtb") {
                let name = path.file_name().unwrap_or_default();
                trees.push((name.to_string_lossy().into_owned(), fs::read(&path)?));
            }
        }
        Ok(trees)
    }

    pub fn drivers(&self, card: &Card) -> Result<Drivers, Failure> {
        let initrd = card.image.with_extension("initrd");
        fs::write(&initrd, card.octets("framewire/initrd.img")?)?;
        Drivers::new(&self.modules, &initrd)
    }
}

/// Which of the exceptions were of use.
#[derive(Default)]
struct Wanted {
    used: BTreeSet<&'static str>,
}

impl Wanted {
    fn check(
        &mut self,
        what: &str,
        drivers: &Drivers,
        trees: &[Tree],
        phys: &[&str],
    ) -> Result<String, Failure> {
        let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut total = 0;
        for (board, tree) in trees {
            let devices = device_tree::devices(tree)?;
            check(devices.len() >= FEWEST_DEVICES, || {
                format!("{board} has {} devices only", devices.len())
            })?;
            total += devices.len();
            for driver in devices.iter().flat_map(|names| drivers.missing(names)) {
                if !self.excepted(driver) {
                    missing
                        .entry(driver.to_owned())
                        .or_default()
                        .insert(board.clone());
                }
            }
        }
        for phy in phys.iter().filter(|phy| !drivers.has(phy)) {
            missing
                .entry(format!("the PHY's driver {phy}"))
                .or_default();
        }
        let list: Vec<String> = missing
            .iter()
            .map(|(driver, boards)| format!("{driver} for {} boards: {boards:?}", boards.len()))
            .collect();
        check(list.is_empty(), || {
            format!("{what}: not in the initrd:\n{}", list.join("\n"))
        })?;
        check(!trees.is_empty(), || format!("{what}: no device trees"))?;
        Ok(format!(
            "{what}: {total} devices of {} boards have the drivers that they need",
            trees.len()
        ))
    }

    fn excepted(&mut self, driver: &str) -> bool {
        let mut prefixes = NOT_WANTED.iter().flat_map(|(_, prefixes)| prefixes.iter());
        let found = prefixes.find(|prefix| driver.starts_with(**prefix));
        self.used.extend(found);
        found.is_some()
    }

    /// An exception that no board needs is one too many.
    fn finish(&self) -> Result<(), Failure> {
        let prefixes = NOT_WANTED.iter().flat_map(|(_, prefixes)| prefixes.iter());
        let idle: Vec<_> = prefixes
            .filter(|prefix| !self.used.contains(*prefix))
            .collect();
        check(idle.is_empty(), || {
            format!("exceptions without use: {idle:?}")
        })
    }
}

impl Kernel {
    /// Of a folder that image/build keeps for one board.
    pub fn new(packages: &Path) -> Result<Self, Failure> {
        let kernel = packages.join("kernel");
        let mut versions = fs::read_dir(kernel.join("lib/modules"))?;
        let modules = versions.next().ok_or("no kernel was unpacked")??.path();
        let device_trees = kernel.join("dtb");
        Ok(Self {
            device_trees,
            modules,
        })
    }
}
