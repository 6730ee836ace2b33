//! A wireless network out of two simulated radios: one is the access point, the other is the image's to join with.
//! Documentation/networking/mac80211_hwsim of the Linux kernel.

use std::error::Error;
use std::fs::File;

use nix::kmod::{ModuleInitFlags, finit_module};

use crate::{address, run, wait_for};

const INTERFACE: &str = "wlan0";
const ACCESS_POINT: &str = "ap0";

/// Says whether the image has looked for a network, and which address it has there.
pub fn report() -> Result<(), Box<dyn Error>> {
    run(&["modprobe", "mac80211"])?;
    let file = File::open("/lab/mac80211_hwsim.ko")?;
    finit_module(&file, c"radios=2", ModuleInitFlags::empty())?;
    // When it was, in microseconds.
    for interface in [ACCESS_POINT, INTERFACE] {
        wait_for("the wireless interfaces", || {
            let asked = property(interface, "ConditionTimestampMonotonic")?;
            Ok((asked != "0").then_some(()))
        })?;
    }
    let wanted = property(INTERFACE, "ConditionResult")?;
    let address = match wanted.as_str() {
        // systemd-networkd gives the address once the network has been joined.
        "yes" => wait_for("an address on Wi-Fi", || address(|name| name == INTERFACE))?
            .1
            .to_string(),
        _ => String::new(),
    };
    println!(
        "LAB WIRELESS access-point={} service={} address={address}",
        property(ACCESS_POINT, "ActiveState")?,
        property(INTERFACE, "ActiveState")?
    );
    Ok(())
}

fn property(interface: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let unit = format!("wireless@{interface}.service");
    Ok(run(&["systemctl", "show", "-P", name, &unit])?
        .trim()
        .to_owned())
}
