//! Who a camera is, whatever its node is called: by USB ids and serial number, or else by where it is plugged in.
//! sysfs: /sys/class/video4linux/videoN/device, Documentation/ABI/stable/sysfs-bus-usb.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::quote::clean;

const CLASS: &str = "/sys/class/video4linux";

/// What is remembered of a camera, to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `None` for cameras that are not on USB.
    usb: Option<Usb>,
    /// The device in sysfs: for USB the chain of ports it hangs on.
    place: PathBuf,
    /// Which of the device's nodes: a camera may have one for each of its streams.
    index: u32,
}

/// The ids in the USB device descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    vendor: String,
    product: String,
    serial: Option<String>,
}

impl Identity {
    /// The camera behind `node`, a node or a link to one; `None` when there is none.
    pub fn of(node: &Path) -> Option<Self> {
        let node = class_entry(node)?;
        let interface = fs::canonicalize(node.join("device")).ok()?;
        // The node belongs to an interface of the USB device.
        let usb = interface
            .parent()
            .and_then(|device| Some((Usb::of(device)?, device.to_owned())));
        let (usb, place) = match usb {
            Some((usb, device)) => (Some(usb), device),
            None => (None, interface),
        };
        Some(Self {
            usb,
            place,
            index: attribute(&node, "index")?.parse().ok()?,
        })
    }

    /// The USB ids, where it has them.
    pub fn usb(&self) -> Option<&Usb> {
        self.usb.as_ref()
    }

    /// Whether `other` is the same camera: a serial number follows it, without one it must be in the same place.
    pub fn is(&self, other: &Self) -> bool {
        let numbered = self.usb.as_ref().is_some_and(|usb| usb.serial.is_some());
        self.usb == other.usb && self.index == other.index && (numbered || self.is_at(other))
    }

    /// Whether `other` is in the same place.
    pub fn is_at(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let place = self.place.file_name().unwrap_or_default().display();
        match &self.usb {
            Some(usb) if usb.serial.is_some() => write!(f, "{usb}"),
            Some(usb) => write!(f, "{usb} at port {place}"),
            None => write!(f, "the camera at {place}"),
        }
    }
}

impl Usb {
    /// `device` is a USB device's folder in sysfs.
    fn of(device: &Path) -> Option<Self> {
        Some(Self {
            vendor: attribute(device, "idVendor")?,
            product: attribute(device, "idProduct")?,
            serial: attribute(device, "serial").filter(|serial| !serial.is_empty()),
        })
    }

    /// Whether these are the ids that the configuration asks for.
    pub fn fits(&self, vendor: u16, product: u16, serial: Option<&str>) -> bool {
        self.vendor == format!("{vendor:04x}")
            && self.product == format!("{product:04x}")
            && serial.is_none_or(|serial| self.serial.as_deref() == Some(serial))
    }
}

/// As `config.toml` takes it.
impl fmt::Display for Usb {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "usb:{}:{}", self.vendor, self.product)?;
        self.serial
            .iter()
            .try_for_each(|serial| write!(f, ":{serial}"))
    }
}

/// The name that the camera behind `node` has in sysfs.
pub fn card(node: &Path) -> Option<String> {
    attribute(&class_entry(node)?, "name")
}

fn class_entry(node: &Path) -> Option<PathBuf> {
    let node = fs::canonicalize(node).ok()?;
    Some(Path::new(CLASS).join(node.file_name()?))
}

/// The text of an attribute, which may be a camera's own words: any octets, cut at any of them.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let octets = fs::read(folder.join(name)).ok()?;
    Some(clean(String::from_utf8_lossy(&octets).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn usb(product: &str, serial: Option<&str>, place: &str) -> Identity {
        Identity {
            usb: Some(Usb {
                vendor: "046d".to_owned(),
                product: product.to_owned(),
                serial: serial.map(str::to_owned),
            }),
            place: place.into(),
            index: 0,
        }
    }

    #[test]
    fn a_serial_number_follows_the_camera_and_without_one_the_place_counts() {
        let numbered = usb("082d", Some("A"), "/usb1/1-1");
        assert!(numbered.is(&usb("082d", Some("A"), "/usb1/1-2")));
        assert!(!numbered.is(&usb("082d", Some("B"), "/usb1/1-1")));
        assert!(!numbered.is(&usb("082d", None, "/usb1/1-1")));
        assert!(!numbered.is(&usb("0825", Some("A"), "/usb1/1-1")));

        let plain = usb("082d", None, "/usb1/1-1");
        assert!(plain.is(&usb("082d", None, "/usb1/1-1")));
        assert!(!plain.is(&usb("082d", None, "/usb1/1-2")));
        assert!(!plain.is(&usb("0825", None, "/usb1/1-1")));
    }

    #[test]
    fn each_stream_of_a_camera_is_its_own() {
        let first = usb("082d", Some("A"), "/usb1/1-1");
        let second = Identity {
            index: 1,
            ..first.clone()
        };
        assert!(!first.is(&second));
        assert!(first.is_at(&second));
    }

    #[test]
    fn a_camera_that_is_not_on_usb_is_where_it_is() {
        let csi = |place: &str| Identity {
            usb: None,
            place: place.into(),
            index: 0,
        };
        assert!(csi("/platform/csi0").is(&csi("/platform/csi0")));
        assert!(!csi("/platform/csi0").is(&csi("/platform/csi1")));
        assert!(!csi("/usb1/1-1").is(&usb("082d", None, "/usb1/1-1")));
    }

    #[test]
    fn odd_serial_numbers_are_cleaned_and_still_fit_the_configuration() {
        let device = std::env::temp_dir().join(format!("framewire-usb-{}", std::process::id()));
        fs::create_dir_all(&device).unwrap();
        for (name, octets) in [
            ("idVendor", &b"046d\n"[..]),
            ("idProduct", b"082d\n"),
            ("serial", b"A\x1b[2J\nB\xE2\x80\xAEC\xC3\n"),
        ] {
            fs::write(device.join(name), octets).unwrap();
        }
        let usb = Usb::of(&device);
        fs::remove_dir_all(&device).unwrap();
        let usb = usb.unwrap();
        assert_eq!(usb.to_string(), "usb:046d:082d:A�[2J�B�C�");
        // As the camera says it, and as framewire shows it.
        for serial in ["A\x1b[2J\nB\u{202e}C�", "A�[2J�B�C�"] {
            let device = config::Device::parse(&format!("usb:046d:082d:{serial}"));
            let Some(config::Device::Usb { serial, .. }) = device else {
                panic!("{device:?}");
            };
            assert!(usb.fits(0x046d, 0x082d, serial.as_deref()));
        }
        assert!(!usb.fits(0x046d, 0x082d, Some("A[2JBC")));
    }

    #[test]
    fn a_usb_identity_is_what_the_configuration_takes() {
        let camera = usb("082d", Some("A:1"), "/usb1/1-1");
        let text = camera.to_string();
        let device = config::Device::parse(&text).unwrap();
        assert_eq!(device.to_string(), "usb:046d:082d:A:1");
        let usb = camera.usb().unwrap();
        assert!(usb.fits(0x046d, 0x082d, None));
        assert!(usb.fits(0x046d, 0x082d, Some("A:1")));
        assert!(!usb.fits(0x046d, 0x082d, Some("A")));
        assert!(!usb.fits(0x046d, 0x0825, None));
    }
}
