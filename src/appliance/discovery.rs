//! `[discovery]` as files for systemd-resolved, which answers the neighbours: the page, and each camera's stream.
//! systemd.dnssd(5), RFC 6763 (DNS-based service discovery).

use super::network::File;
use crate::config::Config;

/// Where systemd-resolved reads services that do not outlive the boot.
const DNSSD: &str = "run/systemd/dnssd";
/// systemd-resolved's sign for the host name, also when it had to take another because a neighbour has it already.
const HOST: &str = "%H";
/// Most octets of a service's name (RFC 6763 4.1.1).
const MAX_NAME_OCTETS: usize = 63;

/// The files that announce the door of `config`; none when others cannot reach it, or must not hear of it.
pub fn files(config: &Config) -> Vec<File> {
    let door = config.http.as_ref().filter(|_| config.discovery.mdns);
    let Some(port) = door.and_then(|door| door.listen.port_for_others()) else {
        return Vec::new();
    };
    let mut files = vec![service("page", HOST, port, "/")];
    let host = config.system.hostname.as_ref();
    let host_octets = host.map_or(0, |name| name.as_str().len());
    for camera in &config.cameras {
        let camera = camera.name().as_str();
        // A name that is too long would be none.
        let name = match host_octets + 1 + camera.len() <= MAX_NAME_OCTETS {
            true => format!("{HOST} {camera}"),
            false => camera.to_owned(),
        };
        let path = format!("/{camera}/stream.mjpg");
        files.push(service(&format!("camera-{camera}"), &name, port, &path));
    }
    files
}

fn service(file: &str, name: &str, port: u16, path: &str) -> File {
    File {
        path: format!("{DNSSD}/framewire-{file}.dnssd"),
        text: format!(
            "[Service]\nName={name}\nType=_http._tcp\nPort={port}\nTxtText=path={path}\n"
        ),
        secret: false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn rendered(more: &str) -> Vec<(String, String)> {
        let text = format!("[[camera]]\nname = \"front\"\n{more}");
        let config = Config::parse(Path::new("c.toml"), text.as_bytes()).unwrap();
        let files = files(&config).into_iter();
        files.map(|file| (file.path, file.text)).collect()
    }

    #[test]
    fn the_page_and_each_camera_are_announced() {
        let expected = [
            ("page", "%H", "/"),
            ("camera-front", "%H front", "/front/stream.mjpg"),
            ("camera-rear", "%H rear", "/rear/stream.mjpg"),
        ]
        .map(|(file, name, path)| {
            (
                format!("run/systemd/dnssd/framewire-{file}.dnssd"),
                format!("[Service]\nName={name}\nType=_http._tcp\nPort=80\nTxtText=path={path}\n"),
            )
        });
        let more = "[[camera]]\nname = \"rear\"\n[http]\nlisten = [\"127.0.0.1:81\", \"[::]:80\"]";
        assert_eq!(rendered(more), expected);
    }

    #[test]
    fn what_others_cannot_reach_or_must_not_hear_of_is_not_announced() {
        for more in [
            "[[camera.rtp]]\ndestination = \"h:2\"",
            "[http]\nlisten = [\"127.0.0.1:80\", \"[::1]:80\"]",
            "[http]\nlisten = \"[::]:80\"\n[discovery]\nmdns = false",
        ] {
            assert_eq!(rendered(more), [], "{more}");
        }
    }

    #[test]
    fn no_name_is_too_long() {
        for (octets, name) in [(57, "%H front"), (58, "front")] {
            let host = "h".repeat(octets);
            let files = rendered(&format!(
                "[http]\nlisten = \"[::]:80\"\n[system]\nhostname = \"{host}\""
            ));
            let line = format!("\nName={name}\n");
            assert!(files[1].1.contains(&line), "{octets}: {files:?}");
        }
    }
}
