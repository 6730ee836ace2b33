//! Who a camera is, whatever its node is called: by USB ids and serial number, or else by where it is plugged in.
//! sysfs: /sys/class/video4linux/videoN/device, Documentation/ABI/stable/sysfs-bus-usb; VIDIOC_QUERYCAP.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::capture::v4l2::open::driver_and_bus;
use crate::quote::clean;

const CLASS: &str = "/sys/class/video4linux";

/// What is remembered of a camera, to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    who: Who,
    /// Which of the device's nodes: a camera may have one for each of its streams.
    index: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Usb {
        ids: Usb,
        /// The device in sysfs: the chain of ports it hangs on.
        place: PathBuf,
    },
    /// Not on USB. sysfs may have no device for it (bcm2835-v4l2), so this is what its driver says of itself.
    Bus { driver: String, bus: String },
}

/// The ids in the USB device descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    vendor: String,
    product: String,
    serial: Option<String>,
}

impl Identity {
    /// The camera behind `node`, a node or a link to one; `None` when there is none. One that is not on USB is opened.
    pub fn of(node: &Path) -> Option<Self> {
        let entry = class_entry(node)?;
        let who = match usb_device(&entry) {
            Some((ids, place)) => Who::Usb { ids, place },
            None => {
                let (driver, bus) = driver_and_bus(node)?;
                Who::Bus { driver, bus }
            }
        };
        Some(Self {
            who,
            index: attribute(&entry, "index")?.parse().ok()?,
        })
    }

    /// Where a camera that is not on USB is, as its driver says.
    pub fn bus(&self) -> Option<&str> {
        match &self.who {
            Who::Usb { .. } => None,
            Who::Bus { bus, .. } => Some(bus),
        }
    }

    /// Whether `other` is the same camera: a serial number follows it, without one it must be in the same place.
    pub fn is(&self, other: &Self) -> bool {
        let is_alike = match (&self.who, &other.who) {
            (Who::Usb { ids, .. }, Who::Usb { ids: others, .. }) => {
                ids == others && (ids.serial.is_some() || self.is_at(other))
            }
            (who, others) => who == others,
        };
        is_alike && self.index == other.index
    }

    /// Whether `other` is in the same place.
    pub fn is_at(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (Who::Usb { place, .. }, Who::Usb { place: others, .. }) => place == others,
            (who, others) => who == others,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.who {
            Who::Usb { ids, .. } if ids.serial.is_some() => write!(f, "{ids}"),
            Who::Usb { ids, place } => {
                let port = place.file_name().unwrap_or_default().display();
                write!(f, "{ids} at port {port}")
            }
            Who::Bus { driver, bus } => write!(f, "bus:{bus} of the driver {driver}"),
        }
    }
}

/// The ids and the folder in sysfs of the USB device to whose interface a node belongs.
fn usb_device(entry: &Path) -> Option<(Usb, PathBuf)> {
    let interface = fs::canonicalize(entry.join("device")).ok()?;
    let device = interface.parent()?;
    Some((Usb::of(device)?, device.to_owned()))
}

impl Usb {
    /// The USB camera behind `node`, a node or a link to one; nothing is opened.
    pub fn behind(node: &Path) -> Option<Self> {
        Some(usb_device(&class_entry(node)?)?.0)
    }

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
            who: Who::Usb {
                ids: ids(product, serial),
                place: place.into(),
            },
            index: 0,
        }
    }

    fn ids(product: &str, serial: Option<&str>) -> Usb {
        Usb {
            vendor: "046d".to_owned(),
            product: product.to_owned(),
            serial: serial.map(str::to_owned),
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
    fn a_camera_that_is_not_on_usb_is_what_its_driver_says() {
        let ribbon = |driver: &str, bus: &str| Identity {
            who: Who::Bus {
                driver: driver.to_owned(),
                bus: bus.to_owned(),
            },
            index: 0,
        };
        let first = ribbon("bcm2835 mmal", "platform:bcm2835-v4l2-0");
        assert!(first.is(&first.clone()) && first.is_at(&first.clone()));
        for other in [
            ribbon("bcm2835 mmal", "platform:bcm2835-v4l2-1"),
            ribbon("vivid", "platform:bcm2835-v4l2-0"),
            usb("082d", None, "/usb1/1-1"),
        ] {
            assert!(!first.is(&other) && !first.is_at(&other) && !other.is(&first));
        }
        let second_stream = Identity {
            index: 1,
            ..first.clone()
        };
        assert!(!first.is(&second_stream));
        // As the configuration takes it.
        let device = config::Device::parse("bus:platform:bcm2835-v4l2-0");
        let Some(config::Device::Bus(bus)) = device else {
            panic!("{device:?}");
        };
        assert_eq!(first.bus(), Some(bus.as_str()));
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
        let usb = ids("082d", Some("A:1"));
        let text = usb.to_string();
        let device = config::Device::parse(&text).unwrap();
        assert_eq!(device.to_string(), "usb:046d:082d:A:1");
        assert!(usb.fits(0x046d, 0x082d, None));
        assert!(usb.fits(0x046d, 0x082d, Some("A:1")));
        assert!(!usb.fits(0x046d, 0x082d, Some("A")));
        assert!(!usb.fits(0x046d, 0x0825, None));
    }
}
