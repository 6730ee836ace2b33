//! `[network]` as files for systemd-networkd and wpa_supplicant.
//! systemd.network(5), systemd.netdev(5), wpa_supplicant.conf(5).

use std::fmt::Write;

use crate::config::{Config, Network, Vlan, Wifi};

/// Where systemd-networkd reads files that do not outlive the boot.
const NETWORKD: &str = "run/systemd/network";
/// Where wpa_supplicant is told to read its configuration.
const WPA_SUPPLICANT: &str = "run/framewire/wpa_supplicant.conf";
/// Names that systemd and the kernel give to Ethernet interfaces; usb0 is a USB adapter whose address is made up.
const ETHERNET: &str = "en* eth* usb*";
/// Names of wireless interfaces.
const WIRELESS: &str = "wl*";

/// A file to be written below the root folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path relative to the root folder.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// Holds a passphrase: for root's eyes only.
    pub secret: bool,
}

/// The files that put the network of `config` into force.
pub fn files(config: &Config) -> Vec<File> {
    let (network, mdns) = (&config.network, config.discovery.mdns);
    let dhcp = Network::default();
    // Wireless takes the address, because a camera with Wi-Fi is reached by it.
    let ethernet = if network.wifi.is_some() {
        &dhcp
    } else {
        network
    };
    let mut files = Vec::new();
    match network.vlan {
        None => files.push(interface("10-framewire-ethernet", ETHERNET, ethernet, mdns)),
        Some(vlan) => files.extend(tagged(vlan, ethernet, mdns)),
    }
    if let Some(wifi) = &network.wifi {
        files.push(interface("20-framewire-wireless", WIRELESS, network, mdns));
        files.push(supplicant(wifi));
    }
    files
}

fn networkd(name: &str, text: String) -> File {
    File {
        path: format!("{NETWORKD}/{name}"),
        text,
        secret: false,
    }
}

fn interface(file: &str, names: &str, network: &Network, mdns: bool) -> File {
    networkd(
        &format!("{file}.network"),
        format!("[Match]\nName={names}\n\n{}", addressing(network, mdns)),
    )
}

/// The `[Network]` section, and what keeps the boot from waiting for a cable.
fn addressing(network: &Network, mdns: bool) -> String {
    let mut text = String::from("[Network]\n");
    match network.address {
        Some(address) => {
            let _ = writeln!(text, "Address={address}");
        }
        None => text.push_str("DHCP=yes\n"),
    }
    if let Some(gateway) = &network.gateway {
        let _ = writeln!(text, "Gateway={gateway}");
    }
    for server in &network.dns {
        let _ = writeln!(text, "DNS={server}");
    }
    let answers = if mdns { "yes" } else { "no" };
    let _ = writeln!(text, "MulticastDNS={answers}");
    text.push_str("\n[Link]\nRequiredForOnline=no\n");
    text
}

/// A VLAN on Ethernet: the bare interface has no address of its own.
fn tagged(vlan: Vlan, network: &Network, mdns: bool) -> [File; 3] {
    let (name, id) = (format!("vlan{}", vlan.get()), vlan.get());
    [
        networkd(
            &format!("10-framewire-{name}.netdev"),
            format!("[NetDev]\nName={name}\nKind=vlan\n\n[VLAN]\nId={id}\n"),
        ),
        networkd(
            "10-framewire-ethernet.network",
            format!(
                "[Match]\nName={ETHERNET}\n\n[Network]\nVLAN={name}\nLinkLocalAddressing=no\n\n\
                 [Link]\nRequiredForOnline=no\n"
            ),
        ),
        interface(&format!("10-framewire-{name}"), &name, network, mdns),
    ]
}

/// The SSID goes in as hexadecimal, so that no character of it means anything; a passphrase ends at the
/// last quote of its line.
fn supplicant(wifi: &Wifi) -> File {
    let mut ssid = String::new();
    for octet in wifi.ssid.as_str().bytes() {
        let _ = write!(ssid, "{octet:02x}");
    }
    let key = match &wifi.passphrase {
        Some(passphrase) => format!(
            "key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n\tieee80211w=1\n\tpsk=\"{}\"",
            passphrase.as_str()
        ),
        None => "key_mgmt=NONE".to_owned(),
    };
    File {
        path: WPA_SUPPLICANT.to_owned(),
        text: format!(
            "country={}\nnetwork={{\n\tssid={ssid}\n\t{key}\n}}\n",
            wifi.country.as_str()
        ),
        secret: true,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn rendered(network: &str) -> Vec<(String, String)> {
        let text =
            format!("[[camera]]\nname = \"a\"\n[[camera.rtp]]\ndestination = \"h:1\"\n{network}");
        let config = Config::parse(Path::new("c.toml"), text.as_bytes()).unwrap();
        let files = files(&config);
        files
            .into_iter()
            .map(|file| (file.path, file.text))
            .collect()
    }

    #[test]
    fn nothing_said_is_dhcp_on_ethernet() {
        assert_eq!(
            rendered(""),
            [(
                "run/systemd/network/10-framewire-ethernet.network".to_owned(),
                "[Match]\nName=en* eth* usb*\n\n[Network]\nDHCP=yes\nMulticastDNS=yes\n\n[Link]\n\
                 RequiredForOnline=no\n"
                    .to_owned()
            )]
        );
    }

    #[test]
    fn a_static_address_has_no_dhcp() {
        let files = rendered(
            "[network]\naddress = \"10.0.0.2/24\"\ngateway = \"10.0.0.1\"\ndns = [\"9.9.9.9\", \"::1\"]",
        );
        assert!(
            files[0].1.contains(
                "[Network]\nAddress=10.0.0.2/24\nGateway=10.0.0.1\nDNS=9.9.9.9\nDNS=::1\n"
            )
        );
        assert!(!files[0].1.contains("DHCP"));
    }

    #[test]
    fn the_neighbours_hear_nothing_when_they_must_not() {
        let silent = "[discovery]\nmdns = false\n[network]\nvlan = 10";
        for (more, answers) in [("[network]\nvlan = 10", "yes"), (silent, "no")] {
            let files = rendered(more);
            let line = format!("MulticastDNS={answers}\n");
            // Not the bare interface, which has no address.
            let with: Vec<bool> = files.iter().map(|file| file.1.contains(&line)).collect();
            assert_eq!(with, [false, false, true]);
        }
    }

    #[test]
    fn a_vlan_takes_the_address_from_the_bare_interface() {
        let files = rendered("[network]\nvlan = 10\naddress = \"10.0.0.2/24\"");
        assert!(files[0].0.ends_with("10-framewire-vlan10.netdev"));
        assert!(files[0].1.contains("Kind=vlan\n\n[VLAN]\nId=10\n"));
        assert!(files[1].1.contains("VLAN=vlan10\n"));
        assert!(!files[1].1.contains("\nAddress="));
        assert!(files[2].1.starts_with("[Match]\nName=vlan10\n"));
        assert!(files[2].1.contains("Address=10.0.0.2/24\n"));
    }

    #[test]
    fn wireless_takes_the_address_and_keeps_its_secret() {
        let files = rendered(
            "[network]\naddress = \"10.0.0.2/24\"\n[network.wifi]\nssid = \"a\\\"ü\"\npassphrase = \"8 \\\"quotes\\\"\"\ncountry = \"DE\"",
        );
        assert!(files[0].1.contains("DHCP=yes"));
        assert!(
            files[1]
                .1
                .contains("Name=wl*\n\n[Network]\nAddress=10.0.0.2/24\n")
        );
        assert_eq!(
            files[2].1,
            "country=DE\nnetwork={\n\tssid=6122c3bc\n\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n\tieee80211w=1\n\
             \tpsk=\"8 \"quotes\"\"\n}\n"
        );
    }
}
