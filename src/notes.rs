//! What is right in the configuration, and yet may not work: said by `check`, and in the log at the start.
//! RFC 3550 11 (RTP ports are even), RFC 6762 3 (names in `.local`).

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use crate::capture::find;
use crate::config::{Camera, Config, Device, Name, Output, Rtcp};
use crate::kept::Shelf;
use crate::quote::clean;
use crate::transmit;

/// Longest wait for the answers about names.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names that are asked for at a time.
const NAMES: usize = 16;

/// What the file alone tells.
pub fn of_file(config: &Config) -> Vec<String> {
    let mut notes: Vec<String> = outputs(config).filter_map(odd_port).collect();
    if config.http.is_none() && !config.users.is_empty() {
        notes.push("there are [[user]] blocks, and no [http] that asks for them".to_owned());
    }
    notes
}

/// What this machine tells now: it is looked for devices, files and interfaces, but no device is opened.
pub fn of_machine(config: &Config) -> Vec<String> {
    let mut notes: Vec<String> = config.cameras.iter().filter_map(missing_source).collect();
    notes.extend(outputs(config).filter_map(missing_interface));
    notes
}

/// What is kept for controls on `shelf`: it counts instead of what the file says.
pub fn of_kept(config: &Config, shelf: &Shelf) -> Vec<String> {
    let mut notes = Vec::new();
    for camera in &config.cameras {
        let name = camera.name();
        let path = shelf.path(name).map(|path| path.display().to_string());
        let path = clean(&path.unwrap_or_default());
        match shelf.read(name) {
            Err(problem) => notes.push(format!("{name}: {problem}: nothing is kept")),
            Ok(kept) => notes.extend(kept.0.iter().map(|(control, value)| {
                let control = clean(control);
                let configured = camera
                    .controls
                    .0
                    .iter()
                    .find(|(known, _)| *known == control);
                let instead = configured.map(|(_, value)| format!(" instead of {value}"));
                let instead = instead.unwrap_or_default();
                format!("{name}: {control} = {value} counts{instead}: kept in {path}")
            })),
        }
    }
    let is_configured = |name: &Name| config.cameras.iter().any(|camera| camera.name() == name);
    let others = shelf
        .names()
        .into_iter()
        .filter(|name| !is_configured(name));
    notes.extend(others.filter_map(|name| {
        let path = shelf.path(&name)?.display().to_string();
        Some(format!(
            "{}: kept for a camera that is not configured",
            clean(&path)
        ))
    }));
    notes
}

/// What the network tells now: names are looked up, which takes some seconds where nobody answers.
pub fn of_names(config: &Config) -> Vec<String> {
    let mut notes = Vec::new();
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for (camera, output) in outputs(config) {
        let host = &output.destination.host;
        if output.destination.address().is_some() || !seen.insert(host) {
            continue;
        }
        match deaf_to_local(output) {
            Some(problem) => notes.push(format!("{}: {problem}", camera.name())),
            None => names.push((camera, output)),
        }
    }
    for some in names.chunks(NAMES) {
        notes.extend(unanswered(some));
    }
    notes
}

fn outputs(config: &Config) -> impl Iterator<Item = (&Camera, &Output)> {
    let cameras = config.cameras.iter();
    cameras.flat_map(|camera| camera.outputs.iter().map(move |output| (camera, output)))
}

/// Receivers are free to take the even port below it (RFC 3550 11), and some do.
fn odd_port((camera, output): (&Camera, &Output)) -> Option<String> {
    let destination = &output.destination;
    if destination.port % 2 == 0 {
        return None;
    }
    let reports = match (output.rtcp, destination.port.checked_add(1)) {
        (Rtcp::On, None) => ", and there is no port above it for RTCP reports",
        _ => "",
    };
    Some(format!(
        "{}: the port of {destination} is odd, and some receivers use even ones only{reports}",
        camera.name()
    ))
}

fn missing_source(camera: &Camera) -> Option<String> {
    let device = &camera.device;
    let problem = match device {
        Device::Demo => return None,
        Device::Auto | Device::Usb { .. } | Device::Bus(_) if find::is_there(device) => {
            return None;
        }
        Device::Auto => "no camera is plugged in now".to_owned(),
        Device::Usb { .. } => format!("device \"{device}\" is not plugged in now"),
        Device::Bus(_) => format!("device \"{device}\" is not there now, or must not be opened"),
        Device::Path(path) => match fs::metadata(path) {
            Ok(metadata) if metadata.file_type().is_char_device() => return None,
            Ok(_) => format!("{} is no device", path.display()),
            Err(error) => missing(path, &error),
        },
        Device::Replay(path) => match fs::metadata(path) {
            Ok(_) => return None,
            Err(error) => missing(path, &error),
        },
    };
    // A path and a serial number may have any character.
    Some(format!("{}: {}", camera.name(), clean(&problem)))
}

fn missing(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("{} is not there now", path.display()),
        _ => format!("{}: {error}", path.display()),
    }
}

fn missing_interface((camera, output): (&Camera, &Output)) -> Option<String> {
    let is_name = |zone: &&str| !zone.bytes().all(|octet| octet.is_ascii_digit());
    let zone = output.destination.zone().filter(is_name);
    let name = match &output.interface {
        Some(interface) => interface.as_str(),
        None => zone?,
    };
    let is_there = if_nametoindex(name).is_ok();
    (!is_there).then(|| format!("{}: interface {name} is not there now", camera.name()))
}

/// Names in `.local` are asked for by multicast.
fn deaf_to_local(output: &Output) -> Option<String> {
    let host = output.destination.host.trim_end_matches('.');
    let (_, last) = host.rsplit_once('.')?;
    if !last.eq_ignore_ascii_case("local") {
        return None;
    }
    let wanted = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_MULTICAST;
    let interface = output.interface.as_ref().map(|name| name.as_str());
    // Where they cannot be listed they are not judged.
    let mut interfaces = getifaddrs().ok()?;
    let is_possible = interfaces.any(|found| {
        found.flags.contains(wanted) && interface.is_none_or(|name| name == found.interface_name)
    });
    (!is_possible).then(|| {
        let which = interface.map_or_else(
            || "no network interface can do that now".to_owned(),
            |name| format!("interface {name} cannot do that now"),
        );
        format!("{host} is asked for by multicast DNS, and {which}")
    })
}

/// Looks all of `names` up at once. Those that get no answer in time are left behind in their threads.
fn unanswered(names: &[(&Camera, &Output)]) -> Vec<String> {
    let (answer, answers) = mpsc::channel();
    for (index, (_, output)) in names.iter().enumerate() {
        let (answer, output) = (answer.clone(), Output::clone(output));
        let look_up = move || {
            let found = transmit::first_address(&output).map_err(|error| error.to_string());
            // Nobody waits for it any more.
            let _ = answer.send((index, found.err()));
        };
        // One that cannot be started has no answer.
        let _ = thread::Builder::new().spawn(look_up);
    }
    drop(answer);
    let no_answer = || Some("no answer in time".to_owned());
    let mut problems: BTreeMap<usize, Option<String>> =
        (0..names.len()).map(|index| (index, no_answer())).collect();
    let end = Instant::now() + PATIENCE;
    while let Ok((index, problem)) =
        answers.recv_timeout(end.saturating_duration_since(Instant::now()))
    {
        problems.insert(index, problem);
    }
    let found = names.iter().zip(problems.into_values());
    found
        .filter_map(|((camera, output), problem)| {
            let host = &output.destination.host;
            Some(format!(
                "{}: the name {host} is not known now: {}",
                camera.name(),
                problem?
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(camera: &str, output: &str) -> Config {
        let text = format!("[[camera]]\nname = \"front\"\n{camera}\n[[camera.rtp]]\n{output}\n");
        Config::parse("test".as_ref(), text.as_bytes()).unwrap()
    }

    fn to(output: &str) -> Config {
        config("device = \"demo\"", output)
    }

    #[test]
    fn odd_ports_are_noted() {
        let note = |port: &str| of_file(&to(&format!("destination = \"h:{port}\""))).join("\n");
        assert_eq!(note("5004"), "");
        let odd = "front: the port of h:5005 is odd, and some receivers use even ones only";
        assert_eq!(note("5005"), odd);
        assert!(note("65535").ends_with("no port above it for RTCP reports"));
        assert!(!note("65535\"\nrtcp = \"off").contains("above"));
    }

    #[test]
    fn users_whom_nobody_asks_are_noted() {
        let (md5, sha256) = ("0".repeat(32), "0".repeat(64));
        let user = format!("[[user]]\nname = \"a\"\nmd5 = \"{md5}\"\nsha256 = \"{sha256}\"\n");
        let output = format!("destination = \"h:2\"\n{user}");
        assert!(of_file(&to(&output)).join("").contains("no [http]"));
        let door = "[http]\nlisten = \"127.0.0.1:8080\"";
        assert!(of_file(&to(&format!("{output}{door}"))).is_empty());
    }

    #[test]
    fn what_is_not_there_is_noted() {
        let on_lo = "destination = \"10.0.0.1:2\"\ninterface = \"lo\"";
        for (camera, output, said) in [
            ("device = \"demo\"", on_lo, ""),
            ("device = \"/dev/null\"", on_lo, ""),
            (
                "device = \"/dev/nowhere9\"",
                on_lo,
                "front: /dev/nowhere9 is not there now",
            ),
            ("device = \"/proc\"", on_lo, "front: /proc is no device"),
            (
                r#"device = "/dev/\u001b[2J""#,
                on_lo,
                "front: /dev/\u{FFFD}[2J is not there now",
            ),
            (
                "device = \"replay:~/pictures\"",
                on_lo,
                "front: ~/pictures is not there now",
            ),
            (
                "device = \"usb:ffff:fffe\"",
                on_lo,
                "front: device \"usb:ffff:fffe\" is not plugged in now",
            ),
            (
                "device = \"demo\"",
                "destination = \"10.0.0.1:2\"\ninterface = \"nowhere9\"",
                "front: interface nowhere9 is not there now",
            ),
            (
                "device = \"demo\"",
                "destination = \"[fe80::1%nowhere9]:2\"",
                "front: interface nowhere9 is not there now",
            ),
        ] {
            assert_eq!(of_machine(&config(camera, output)).join("\n"), said);
        }
    }

    #[test]
    fn names_are_looked_up_and_addresses_are_not() {
        assert!(of_names(&to("destination = \"localhost:2\"")).is_empty());
        assert!(of_names(&to("destination = \"[ff02::1%lo]:2\"")).is_empty());
        // RFC 6761 6.4: it never exists.
        let unknown = of_names(&to("destination = \"nobody.invalid:2\""));
        assert_eq!(unknown.len(), 1);
        let start = "front: the name nobody.invalid is not known now: ";
        assert!(unknown.iter().all(|note| note.starts_with(start)));
        let deaf = of_names(&to("destination = \"cam.local.:2\"\ninterface = \"lo\""));
        assert!(deaf.join("").ends_with("interface lo cannot do that now"));
    }
}
