//! `[discovery]` as files for systemd-resolved, which answers the neighbours: the page, and each camera's stream.
//! systemd.dnssd(5), RFC 6763 (DNS-based service discovery).

use super::network::File;
use crate::config::{Config, Listen};

/// Where systemd-resolved reads services that do not outlive the boot.
const DNSSD: &str = "run/systemd/dnssd";
/// systemd-resolved's sign for the host name, also when it had to take another because a neighbour has it already.
const HOST: &str = "%H";
/// Most octets of a service's name (RFC 6763 4.1.1).
const MAX_NAME_OCTETS: usize = 63;

/// A kind of service (RFC 6763 7).
#[derive(Clone, Copy)]
enum Kind {
    Http,
    Rtsp,
}

/// The files that announce the doors of `config`; none of what others cannot reach, or must not hear of.
pub fn files(config: &Config) -> Vec<File> {
    if !config.discovery.mdns {
        return Vec::new();
    }
    let http = config.http.as_ref().map(|door| &door.listen);
    let rtsp = config.rtsp.as_ref().map(|door| &door.listen);
    let mut files = Vec::new();
    if let Some(port) = http.and_then(Listen::port_for_others) {
        files.push(service("page", HOST, Kind::Http, port, "/"));
        files.extend(cameras(config).map(|(camera, name)| {
            let path = format!("/{camera}/stream.mjpg");
            service(&format!("camera-{camera}"), &name, Kind::Http, port, &path)
        }));
    }
    if let Some(port) = rtsp.and_then(Listen::port_for_others) {
        files.extend(cameras(config).map(|(camera, name)| {
            let path = format!("/{camera}");
            service(&format!("player-{camera}"), &name, Kind::Rtsp, port, &path)
        }));
    }
    files
}

/// The cameras, and what each is called among the neighbours.
fn cameras(config: &Config) -> impl Iterator<Item = (&str, String)> {
    let host = config.system.hostname.as_ref();
    let host_octets = host.map_or(0, |name| name.as_str().len());
    config.cameras.iter().map(move |camera| {
        let camera = camera.name().as_str();
        // A name that is too long would be none.
        match host_octets + 1 + camera.len() <= MAX_NAME_OCTETS {
            true => (camera, format!("{HOST} {camera}")),
            false => (camera, camera.to_owned()),
        }
    })
}

fn service(file: &str, name: &str, kind: Kind, port: u16, path: &str) -> File {
    let kind = match kind {
        Kind::Http => "_http._tcp",
        Kind::Rtsp => "_rtsp._tcp",
    };
    File {
        path: format!("{DNSSD}/framewire-{file}.dnssd"),
        text: format!("[Service]\nName={name}\nType={kind}\nPort={port}\nTxtText=path={path}\n"),
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
    fn players_are_told_of_each_camera() {
        let files = rendered("[rtsp]\nlisten = \"[::]:8554\"");
        let expected = (
            "run/systemd/dnssd/framewire-player-front.dnssd".to_owned(),
            "[Service]\nName=%H front\nType=_rtsp._tcp\nPort=8554\nTxtText=path=/front\n"
                .to_owned(),
        );
        assert_eq!(files, [expected]);
    }

    #[test]
    fn what_others_cannot_reach_or_must_not_hear_of_is_not_announced() {
        for more in [
            "[[camera.rtp]]\ndestination = \"h:2\"",
            "[http]\nlisten = [\"127.0.0.1:80\", \"[::1]:80\"]",
            "[rtsp]\nlisten = \"127.0.0.1:8554\"",
            "[http]\nlisten = \"[::]:80\"\n[rtsp]\nlisten = \"[::]:8554\"\n[discovery]\nmdns = false",
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
