//! What the test carries into the image: a second initrd with a service that is camera and receiver at once.

use std::fs;
use std::path::Path;

use crate::cpio::Archive;
use crate::frames::Film;
use crate::tool::Failure;

/// The camera is there early, as one that was plugged in before the power came; framewire must not know of it.
const UNIT: &str = "[Unit]
Description=Emulated camera and receiver
DefaultDependencies=no
After=systemd-udevd.service systemd-journald.socket

[Service]
ExecStart=/lab/program
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
";
const WANTED: &str = "[Unit]\nWants=lab.service\n";
/// The same where there is no systemd: the kernel is told to start this instead of /init.
const START: &str =
    "#!/usr/bin/sh\nbusybox mount -t devtmpfs dev /dev\n/lab/program &\nexec /init\n";
const FILMS: [&str; 2] = ["plain-1280x720", "plain-640x480"];
/// The virtual USB host controller, which no camera needs: the image does not have it.
const DRIVERS: [&str; 2] = ["usbip-core", "vhci-hcd"];

/// Packs it, with the drivers of the image's own kernel, which `kernel` holds unpacked, and `more` programs.
pub fn pack(
    program: &Path,
    kernel: &Path,
    films: &[Film],
    more: &[(&str, Vec<u8>)],
) -> Result<Vec<u8>, Failure> {
    let mut archive = Archive::default();
    // The kernel unpacks it over the image's files; folders that are there stay as they are.
    for folder in [
        "etc",
        "etc/systemd",
        "etc/systemd/system",
        "etc/systemd/system/sysinit.target.d",
        "lab",
        "frames",
    ] {
        archive.directory(folder);
    }
    for (file, text) in [("lab.service", UNIT), ("sysinit.target.d/lab.conf", WANTED)] {
        archive.file(
            &format!("etc/systemd/system/{file}"),
            false,
            text.as_bytes(),
        )?;
    }
    archive.file("lab/program", true, &fs::read(program)?)?;
    archive.file("lab/start", true, START.as_bytes())?;
    for (name, octets) in more {
        archive.file(&format!("lab/{name}"), true, octets)?;
    }
    for driver in DRIVERS {
        let object = fs::read(kernel.join(format!("drivers/usb/usbip/{driver}.ko")))?;
        archive.file(&format!("lab/{driver}.ko"), false, &object)?;
    }
    for film in films
        .iter()
        .filter(|film| FILMS.contains(&film.name.as_str()))
    {
        archive.directory(&format!("frames/{}", film.name));
        for (number, picture) in film.pictures.iter().enumerate() {
            archive.file(
                &format!("frames/{}/{number:03}.jpg", film.name),
                false,
                picture,
            )?;
        }
    }
    Ok(archive.finish())
}
