//! Fetches Debian's kernel as a package, without installing it, and takes out the image and the modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::Apt;
use crate::machine::Machine;
use crate::tool::{Failure, output};

pub struct Kernel {
    pub image: PathBuf,
    /// In the order of their dependencies.
    pub modules: Vec<Module>,
    /// What has to be loaded beside them for the scenario that wants it.
    pub odd_driver: Vec<Module>,
}

pub struct Module {
    pub name: String,
    pub object: Vec<u8>,
}

/// The drivers the scenarios use; those they depend on are found by themselves.
const DRIVERS: [&str; 3] = ["vhci-hcd", "uvcvideo", "sch-netem"];

/// A driver without JPEG, but with every kind of control: its nodes would be in the others' way.
const ODD_DRIVER: &str = "vivid";

pub fn prepare(machine: &Machine, release: &str, lab: &Path) -> Result<Kernel, Failure> {
    let apt = Apt::new(lab, release, machine.debian_architecture)?;
    let package = package(&apt, machine)?;
    let root = lab.join(&package);
    if !root.exists() {
        unpack(&apt, &package, lab, &root)?;
    }
    let abi = package
        .strip_prefix("linux-image-")
        .ok_or("the package is not a kernel")?;
    let vmlinuz = root.join("boot").join(format!("vmlinuz-{abi}"));
    let image = if machine.kernel_is_bzimage {
        root.join("vmlinux")
    } else {
        vmlinuz.clone()
    };
    if !image.exists() {
        fs::write(&image, extract(&fs::read(&vmlinuz)?, &root)?)?;
    }
    // On merged-/usr releases the modules are below /usr.
    let places = ["lib/modules", "usr/lib/modules"].map(|place| root.join(place).join(abi));
    let place = places
        .iter()
        .find(|place| place.exists())
        .ok_or("the package has no modules")?;
    let files = index(place)?;
    let modules = in_order(&DRIVERS, &files)?;
    let mut odd_driver = in_order(&[ODD_DRIVER], &files)?;
    odd_driver.retain(|module| modules.iter().all(|known| known.name != module.name));
    Ok(Kernel {
        image,
        modules,
        odd_driver,
    })
}

/// The kernel that the meta package depends on: `linux-image-6.1.0-56-amd64`, `linux-image-6.12.95+deb13-amd64`.
fn package(apt: &Apt, machine: &Machine) -> Result<String, Failure> {
    let newest = format!("linux-image-{}", machine.debian_architecture);
    let mut needed = apt.dependencies(&newest)?.into_iter();
    let kernel = needed.find(|name| name.starts_with("linux-image-"));
    kernel.ok_or_else(|| format!("{newest} names no kernel").into())
}

fn unpack(apt: &Apt, package: &str, lab: &Path, root: &Path) -> Result<(), Failure> {
    let download = lab.join("download");
    let partial = lab.join("partial");
    // What an interrupted run has left.
    for folder in [&download, &partial] {
        let _ = fs::remove_dir_all(folder);
    }
    fs::create_dir_all(&download)?;
    let archive = apt.download(package, &download)?;
    // Unpacked beside and then renamed: what bears the final name is whole.
    output(
        Command::new("dpkg").arg("-x").arg(archive).arg(&partial),
        "dpkg",
    )?;
    fs::rename(&partial, root)?;
    fs::remove_dir_all(&download)?;
    Ok(())
}

/// Takes the ELF file out of a bzImage (Documentation/arch/x86/boot.rst: payload_offset, payload_length).
fn extract(image: &[u8], scratch: &Path) -> Result<Vec<u8>, Failure> {
    const SECTOR: usize = 512;
    let octet = |at: usize| image.get(at).copied().ok_or("a short bzImage");
    let word = |at: usize| -> Result<usize, Failure> {
        let octets = image.get(at..at + 4).ok_or("a short bzImage")?;
        Ok(usize::try_from(u32::from_le_bytes(octets.try_into()?))?)
    };
    let start = (usize::from(octet(0x1F1)?) + 1) * SECTOR + word(0x248)?;
    let end = start + word(0x24C)?;
    // The last four octets are the unpacked size.
    let payload = image.get(start..end - 4).ok_or("a short bzImage")?;
    let packed = scratch.join("payload");
    fs::write(&packed, payload)?;
    decompress(&packed, payload)
}

fn decompress(path: &Path, head: &[u8]) -> Result<Vec<u8>, Failure> {
    let (program, package) = match head {
        [0xFD, b'7', b'z', b'X', b'Z', ..] => ("xz", "xz-utils"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ("zstd", "zstd"),
        [0x1F, 0x8B, ..] => ("gzip", "gzip"),
        _ => return Err(format!("{}: unknown compression", path.display()).into()),
    };
    output(
        Command::new(program)
            .arg("-dc")
            .stdin(fs::File::open(path)?),
        package,
    )
}

/// Module name -> file; names use `_` and `-` alike.
fn index(place: &Path) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut files = BTreeMap::new();
    let mut folders = vec![place.join("kernel")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some((name, _)) = path
                .file_name()
                .and_then(|name| name.to_str()?.split_once(".ko"))
            {
                files.insert(canonical(name), path.clone());
            }
        }
    }
    Ok(files)
}

fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

fn in_order(drivers: &[&str], files: &BTreeMap<String, PathBuf>) -> Result<Vec<Module>, Failure> {
    let mut order: Vec<Module> = Vec::new();
    for driver in drivers {
        let name = canonical(driver);
        // One that is in no file is part of the kernel itself.
        let Some(path) = files.get(&name) else {
            continue;
        };
        if order.iter().any(|module| module.name == name) {
            continue;
        }
        let stored = fs::read(path)?;
        let object = match stored.starts_with(b"\x7FELF") {
            true => stored,
            false => decompress(path, &stored)?,
        };
        let needs = dependencies(&object)?;
        let needs: Vec<&str> = needs.split(',').filter(|name| !name.is_empty()).collect();
        for module in in_order(&needs, files)? {
            if order.iter().all(|known| known.name != module.name) {
                order.push(module);
            }
        }
        order.push(Module { name, object });
    }
    Ok(order)
}

/// The `depends=` entry of the .modinfo section.
fn dependencies(object: &[u8]) -> Result<String, Failure> {
    const KEY: &[u8] = b"\0depends=";
    let at = object
        .windows(KEY.len())
        .position(|window| window == KEY)
        .ok_or("no depends= entry")?;
    let value = object[at + KEY.len()..]
        .split(|&octet| octet == 0)
        .next()
        .unwrap_or_default();
    Ok(String::from_utf8(value.to_vec())?)
}
