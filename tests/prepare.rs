//! The boot of a flashed image, as far as files go: which configuration is in force, what is said about a wrong
//! one, what the network is told.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::fs::{self, File};
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use framewire::config::Config;

const GOOD: &str = "[[camera]]\nname = \"good\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:9\"\n";
const WRONG: &str = "[[camera]]\nname = \"wrong\"\nwidth = 0\n";

/// A boot partition, a state partition and a root folder.
struct Image(PathBuf);

impl Image {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        for folder in ["boot", "state", "root/etc/framewire"] {
            fs::create_dir_all(path.join(folder)).expect("a folder");
        }
        let image = Self(path);
        image.write(
            "root/etc/framewire/config.toml",
            &GOOD.replace("good", "built-in"),
        );
        image
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).expect("a file");
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }

    /// The camera's name in the configuration in force.
    fn in_force(&self) -> String {
        let text = self
            .read("root/run/framewire/config.toml")
            .expect("a configuration in force");
        text.split('"').nth(1).expect("a name").to_owned()
    }

    fn boot(&self) -> Output {
        self.prepare().output().expect("framewire runs")
    }

    fn prepare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
        command
            .arg("prepare")
            .arg("--config")
            .arg(self.0.join("boot/config.toml"))
            .arg("--state")
            .arg(self.0.join("state"))
            .arg("--root")
            .arg(self.0.join("root"));
        command
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_last_good_file_runs_until_the_wrong_one_is_mended() {
    let image = Image::new("last-good");
    image.write("boot/config.toml", GOOD);
    assert_eq!(image.boot().status.code(), Some(0));
    assert_eq!(image.in_force(), "good");
    assert_eq!(image.read("boot/framewire-error.txt"), None);

    image.write("boot/config.toml", WRONG);
    assert_eq!(image.boot().status.code(), Some(0));
    assert_eq!(image.in_force(), "good");
    let complaint = image.read("boot/framewire-error.txt").expect("a complaint");
    for part in [
        "config.toml:3:9:",
        "16..=65535",
        "width = 0",
        "the last good",
    ] {
        assert!(complaint.contains(part), "{part} in {complaint}");
    }
    assert!(complaint.ends_with("\r\n"));

    // As a power cut leaves it.
    image.write("boot/framewire-error.txt.new", "");
    image.write("boot/config.toml", &GOOD.replace("good", "mended"));
    assert_eq!(image.boot().status.code(), Some(0));
    assert_eq!(image.in_force(), "mended");
    assert_eq!(image.read("boot/framewire-error.txt"), None);
    assert_eq!(image.read("boot/framewire-error.txt.new"), None);
}

#[test]
fn the_image_has_a_configuration_of_its_own() {
    let image = Image::new("built-in");
    // No file at all is as wrong as a wrong one.
    assert_eq!(image.boot().status.code(), Some(0));
    assert_eq!(image.in_force(), "built-in");
    let complaint = image.read("boot/framewire-error.txt").expect("a complaint");
    assert!(complaint.contains("the image's own"), "{complaint}");
    // A last good one that is not good any more, after an update say, does not count.
    image.write("state/config.toml", WRONG);
    image.boot();
    assert_eq!(image.in_force(), "built-in");
    fs::remove_file(image.0.join("root/etc/framewire/config.toml")).expect("removed");
    // The user's file is missing: it was not read.
    assert_eq!(image.boot().status.code(), Some(1));
    image.write("boot/config.toml", WRONG);
    assert_eq!(image.boot().status.code(), Some(78));
}

#[test]
fn whoever_reads_the_output_decides_nothing() {
    for (user, in_force) in [(GOOD, "good"), (WRONG, "built-in")] {
        let image = Image::new("deaf");
        image.write("boot/config.toml", user);
        let (reader, closed) = pipe().expect("a pipe");
        drop(reader);
        let full = || File::options().write(true).open("/dev/full").expect("it");
        for stdout in [Stdio::from(closed), Stdio::from(full())] {
            let _ = fs::remove_file(image.0.join("root/run/framewire/config.toml"));
            // Nor does anybody hear of it.
            let mut prepare = image.prepare();
            let status = prepare.stdout(stdout).stderr(full()).status();
            assert_eq!(status.expect("framewire runs").code(), Some(0));
            assert_eq!(image.in_force(), in_force);
        }
    }
}

#[test]
fn nothing_is_written_when_nothing_has_changed() {
    let image = Image::new("unchanged");
    image.write("boot/config.toml", WRONG);
    image.boot();
    let written = |path: &str| {
        let metadata = fs::metadata(image.0.join(path)).expect("a file");
        std::os::unix::fs::MetadataExt::ino(&metadata)
    };
    let before = written("boot/framewire-error.txt");
    image.boot();
    assert_eq!(written("boot/framewire-error.txt"), before);
    image.write("boot/config.toml", GOOD);
    image.boot();
    let before = written("state/config.toml");
    image.boot();
    assert_eq!(written("state/config.toml"), before);
}

#[test]
fn the_network_is_told() {
    let image = Image::new("network");
    image.write(
        "boot/config.toml",
        &format!("{GOOD}[network]\naddress = \"10.0.0.2/24\"\n"),
    );
    image.boot();
    let path = "root/run/systemd/network/10-framewire-ethernet.network";
    let file = image.read(path).expect("a network file");
    assert!(file.contains("Address=10.0.0.2/24\n"));
}

#[test]
fn the_neighbours_are_told() {
    let image = Image::new("neighbours");
    let door = format!("{GOOD}[http]\nlisten = \"[::]:80\"\n");
    image.write("boot/config.toml", &door);
    image.boot();
    let path = "root/run/systemd/dnssd/framewire-camera-good.dnssd";
    let file = image.read(path).expect("a service");
    assert!(file.contains("TxtText=path=/good/stream.mjpg\n"), "{file}");
}

#[test]
fn a_card_s_own_configuration_opens_the_door_and_sends_to_nobody() {
    let image = Image::new("card");
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = image.0.join("boot/config.toml");
    fs::copy(source.join("config.toml"), &path).expect("a file");
    let mut make = Command::new(source.join("image/config"));
    let made = make.arg(&path).status().expect("bash runs");
    assert!(made.success(), "{made}");
    assert_eq!(image.boot().status.code(), Some(0));
    let config = Config::load(Some(&path)).expect("it is right");
    let camera = &config.cameras[0];
    assert!(camera.outputs.is_empty() && camera.is_on_demand());
    let door = config.http.expect("a door");
    assert_eq!(door.listen.port_for_others(), Some(80));
    let players = config.rtsp.expect("a door for players");
    assert_eq!(players.listen.port_for_others(), Some(8554));
    assert!(config.discovery.mdns);
    // Nothing else is another, and no comment has moved.
    let shipped = fs::read_to_string(source.join("config.toml")).expect("it");
    let card = fs::read_to_string(&path).expect("it");
    assert_eq!(shipped.lines().count(), card.lines().count());
    for (old, new) in shipped
        .lines()
        .zip(card.lines())
        .filter(|(old, new)| old != new)
    {
        assert!(
            new.starts_with('#') || new.starts_with("listen = "),
            "{new}"
        );
        let comment = |line: &str| line.rfind(" # ").map(|at| (at, line[at..].to_owned()));
        assert_eq!(comment(old), comment(new));
    }
    // It is made once.
    assert!(
        !Command::new(source.join("image/config"))
            .arg(&path)
            .status()
            .expect("it")
            .success()
    );
}
