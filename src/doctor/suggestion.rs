//! What to write into config.toml for a camera.

use std::fmt::Write;
use std::path::Path;

use super::findings::Findings;
use crate::capture::Agreement;
use crate::capture::listing::Listing;
use crate::config::{self, Device};
use crate::quote::{clean, toml_string};

/// What a rate may lack, in percent of what was agreed to: clocks of cameras are not exact.
const RATE_TOLERANCE: f64 = 0.97;

/// The lines, which the configuration takes as they stand; `stable` names the camera wherever its node is.
pub fn lines(
    camera: &config::Camera,
    agreed: Option<&Agreement>,
    stable: &str,
    findings: &Findings,
) -> String {
    let mut text = format!(
        "[[camera]]\nname = \"front\"\ndevice = {}\n",
        toml_string(stable)
    );
    let mut line = |line: String| {
        // A string takes everything.
        let _ = writeln!(text, "{line}");
    };
    if !matches!(camera.device, Device::Replay(_)) {
        let seen = findings.sizes.most();
        let (width, height) = seen.map_or((camera.width.get(), camera.height.get()), |kind| {
            (kind.seen.width.into(), kind.seen.height.into())
        });
        line(format!("width = {width}\nheight = {height}"));
    }
    let fps = agreed.and_then(|agreed| agreed.fps);
    match fps {
        Some(fps) => line(format!("fps = {fps}")),
        None => line(format!("fps = {}", camera.fps())),
    }
    if findings.pictures.without_eoi > 0 {
        line("allow-missing-eoi = true".to_owned());
    }
    text + "\n[[camera.rtp]]\ndestination = \"192.168.1.20:5004\"   # the machine that receives\n"
}

/// Whether pictures come more slowly than the camera has agreed to.
pub fn is_slower(agreed: Option<&Agreement>, findings: &Findings) -> Option<(f64, f64)> {
    let agreed = agreed?.fps?;
    let real = findings.rate?.fps;
    (real < RATE_TOLERANCE * agreed).then_some((agreed, real))
}

/// The name under which the camera at `node` is found again wherever its node is: of all that are `listed` it means
/// this one alone.
pub fn stable_device(node: &Path, listed: &[Listing]) -> Option<String> {
    let this = listed.iter().find(|each| each.node == node)?;
    let is_alone =
        |same: &dyn Fn(&Listing) -> bool| listed.iter().filter(|each| same(each)).count() == 1;
    let link = |links: &[std::path::PathBuf]| {
        let link = links.first()?;
        Some(clean(&link.to_string_lossy()))
    };
    match &this.usb {
        Some(usb) if is_alone(&|each| each.usb.as_ref() == Some(usb)) => Some(usb.clone()),
        None if is_alone(&|each| each.bus == this.bus) => Some(format!("bus:{}", this.bus)),
        _ => link(&this.by_path).or_else(|| link(&this.by_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(node: &str, usb: Option<&str>, bus: &str) -> Listing {
        let link = |kind| vec![format!("/dev/v4l/{kind}/of-{bus}-{node}").into()];
        Listing {
            node: node.into(),
            card: "x".to_owned(),
            driver: "x".to_owned(),
            bus: bus.to_owned(),
            usb: usb.map(str::to_owned),
            by_id: link("by-id"),
            by_path: link("by-path"),
            streamable: true,
            formats: Vec::new(),
            controls: Vec::new(),
        }
    }

    #[test]
    fn a_name_that_several_have_is_not_taken() {
        let listed = [
            listing("0", Some("usb:046d:082d:A"), "usb-1"),
            listing("1", Some("usb:046d:0825"), "usb-2"),
            listing("2", Some("usb:046d:0825"), "usb-3"),
            listing("3", None, "platform:a"),
            listing("4", None, "platform:b"),
            listing("5", None, "platform:b"),
        ];
        for (node, name) in [
            ("0", Some("usb:046d:082d:A")),
            ("1", Some("/dev/v4l/by-path/of-usb-2-1")),
            ("3", Some("bus:platform:a")),
            ("4", Some("/dev/v4l/by-path/of-platform:b-4")),
            ("9", None),
        ] {
            let found = stable_device(Path::new(node), &listed);
            assert_eq!(found.as_deref(), name, "{node}");
        }
    }
}
