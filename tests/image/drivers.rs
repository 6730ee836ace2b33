//! Which driver serves a device: what the kernel's own lists say, and what is in an image's initrd.
//! kmod's modules.alias, modules.dep and modules.builtin.modinfo.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tool::{Failure, output};

pub struct Drivers {
    /// By the name in a device tree: the drivers that are modules.
    modules: HashMap<String, Vec<String>>,
    /// The names that the kernel serves without a module.
    built_in: HashSet<String>,
    /// Identifiers of Ethernet PHYs, 32 digits of 0, 1 or ?, and their drivers.
    phys: Vec<(String, String)>,
    /// Where a driver is in the kernel's tree.
    paths: HashMap<String, String>,
    /// The drivers in the initrd.
    present: HashSet<String>,
}

impl Drivers {
    /// Of a kernel, which is unpacked in a folder, and an initrd.
    pub fn new(kernel: &Path, initrd: &Path) -> Result<Self, Failure> {
        let (mut modules, mut phys) = (HashMap::<_, Vec<_>>::new(), Vec::new());
        for line in fs::read_to_string(kernel.join("modules.alias"))?.lines() {
            let mut words = line.split_whitespace().skip(1);
            let (Some(alias), Some(driver)) = (words.next(), words.next()) else {
                continue;
            };
            if let Some(name) = device_name(alias) {
                modules.entry(name).or_default().push(driver.to_owned());
            } else if let Some(pattern) = alias.strip_prefix("mdio:") {
                phys.push((pattern.to_owned(), driver.to_owned()));
            }
        }
        let built_in = fs::read(kernel.join("modules.builtin.modinfo"))?;
        let built_in = built_in.split(|&octet| octet == 0).filter_map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            device_name(line.split_once(".alias=")?.1)
        });
        let dependencies = fs::read_to_string(kernel.join("modules.dep"))?;
        let paths = dependencies.lines().filter_map(|line| {
            let path = line.split(':').next()?;
            Some((
                driver_name(path)?,
                path.trim_start_matches("kernel/").to_owned(),
            ))
        });
        Ok(Self {
            modules,
            built_in: built_in.collect(),
            phys,
            paths: paths.collect(),
            present: present(initrd)?,
        })
    }

    /// The drivers of a device that are not in the initrd: their places in the kernel's tree. None when the kernel has
    /// the driver built in, or has no driver at all.
    pub fn missing(&self, names: &[String]) -> Vec<&str> {
        for name in names {
            if self.built_in.contains(name) {
                return Vec::new();
            }
            if let Some(drivers) = self.modules.get(name) {
                return self.absent(drivers.iter());
            }
            if let Some(identifier) = phy_identifier(name) {
                let fits = |(pattern, _): &&(String, String)| fits(pattern, &identifier);
                return self.absent(self.phys.iter().filter(fits).map(|(_, driver)| driver));
            }
        }
        Vec::new()
    }

    fn absent<'a>(&'a self, drivers: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
        let absent = drivers.filter(|driver| !self.has(driver));
        absent
            .map(|driver| {
                self.paths
                    .get(driver)
                    .map_or(driver.as_str(), String::as_str)
            })
            .collect()
    }

    /// Whether a driver is in the initrd.
    pub fn has(&self, driver: &str) -> bool {
        self.present.contains(&driver.replace('-', "_"))
    }
}

/// `of:N*T*Cvendor,deviceC*`, or without the last two, is the device "vendor,device"; `usb:v0424pEC00d…` is the
/// "usb424,ec00" of a device tree, and `pci:v00001DE4d00000001…` is its "pci1de4,1".
fn device_name(alias: &str) -> Option<String> {
    if let Some(name) = alias.strip_prefix("of:N*T*C") {
        return Some(name.strip_suffix("C*").unwrap_or(name).to_owned());
    }
    if let Some(numbers) = alias.strip_prefix("pci:v0000") {
        let product = numbers.get(4..)?.strip_prefix("d0000")?;
        return numbered("pci", numbers.get(..4)?, product.get(..4)?);
    }
    let numbers = alias.strip_prefix("usb:v")?;
    numbered("usb", numbers.get(..4)?, numbers.get(5..9)?)
}

fn numbered(bus: &str, vendor: &str, product: &str) -> Option<String> {
    let number = |digits| u16::from_str_radix(digits, 16).ok();
    let (vendor, product) = (number(vendor)?, number(product)?);
    Some(format!("{bus}{vendor:x},{product:x}"))
}

/// "ethernet-phy-id001c.c916" in binary digits, as the aliases have it.
fn phy_identifier(name: &str) -> Option<String> {
    let digits = name.strip_prefix("ethernet-phy-id")?.replace('.', "");
    let number = u32::from_str_radix(&digits, 16).ok()?;
    Some(format!("{number:032b}"))
}

fn fits(pattern: &str, identifier: &str) -> bool {
    let mut digits = pattern.chars().zip(identifier.chars());
    pattern.len() == identifier.len()
        && digits.all(|(wanted, digit)| wanted == '?' || wanted == digit)
}

/// kernel/drivers/net/phy/meson-gxl.ko.xz is called meson_gxl in the kernel's lists.
fn driver_name(path: &str) -> Option<String> {
    let (name, _) = path.rsplit('/').next()?.split_once(".ko")?;
    Some(name.replace('-', "_"))
}

fn present(initrd: &Path) -> Result<HashSet<String>, Failure> {
    // zstd complains of the zeros at the end; that the archive is whole is cpio's to say.
    let list = "zstd -qdc \"$0\" 2>/dev/null | cpio -t --quiet";
    let listed = output(Command::new("sh").args(["-c", list]).arg(initrd), "cpio")?;
    let listed = String::from_utf8(listed)?;
    Ok(listed.lines().filter_map(driver_name).collect())
}
