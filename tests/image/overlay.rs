//! What the test carries into the image: a second initrd with a service that is camera and receiver at once.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cpio::Archive;
use crate::frames::Film;
use crate::tool::{Failure, output};

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
/// The second of the simulated radios is an access point: the image's own rule for wireless interfaces starts it, by a
/// unit of its own. With the network that config.toml has as an example.
const ACCESS_POINT: [(&str, &str); 3] = [
    (
        "etc/systemd/network/10-lab.link",
        "[Match]\nMACAddress=02:00:00:00:01:00\n[Link]\nName=ap0\n",
    ),
    (
        "etc/systemd/system/wireless@ap0.service",
        "[Service]\nExecStart=/usr/sbin/wpa_supplicant -i ap0 -c /lab/access-point.conf\n",
    ),
    (
        "lab/access-point.conf",
        "network={\nmode=2\nfrequency=2412\nssid=\"workshop\"\nkey_mgmt=WPA-PSK\nproto=RSN\npairwise=CCMP\n\
         psk=\"correct horse\"\n}\n",
    ),
];
const FILMS: [&str; 2] = ["plain-1280x720", "plain-640x480"];
/// The virtual USB host controller and the simulated radios: nothing that an image needs.
const DRIVERS: [&str; 3] = [
    "usb/usbip/usbip-core",
    "usb/usbip/vhci-hcd",
    "net/wireless/virtual/mac80211_hwsim",
];

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
        "etc/systemd/network",
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
    for (path, text) in ACCESS_POINT {
        archive.file(path, false, text.as_bytes())?;
    }
    archive.file("lab/program", true, &fs::read(program)?)?;
    archive.file("lab/start", true, START.as_bytes())?;
    for (name, octets) in more {
        archive.file(&format!("lab/{name}"), true, octets)?;
    }
    for driver in DRIVERS {
        let packed = kernel.join("drivers").join(format!("{driver}.ko.xz"));
        let object = output(Command::new("xz").arg("-dc").arg(packed), "xz-utils")?;
        let name = driver.rsplit('/').next().unwrap_or_default();
        archive.file(&format!("lab/{name}.ko"), false, &object)?;
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
