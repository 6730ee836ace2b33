//! What the scenarios share: cameras off the shelf, configurations, and the comparison of what came with what was sent.

use std::error::Error;

use crate::camera::Camera;
use crate::depacketizer::{Reception, depacketize};
use crate::fault::Faults;
use crate::framewire::{self, Ended};
use crate::jpeg::Picture;
use crate::receiver::Receiver;
use crate::studio::{Film, film};
use crate::uvc::{Coding, Description, Format, Size};

pub type Outcome = Result<String, Box<dyn Error>>;

/// Fails the scenario with a reason unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err(format!($($reason)+).into());
        }
    };
}
pub(crate) use ensure;

pub const VENDOR: u16 = 0x046d;
pub const PRODUCT: u16 = 0x082d;
pub const NAME: &str = "Lab Camera";
pub const RTP_PORT: u16 = 5004;
const MTU: usize = 1400; // octets, of a whole IP packet
const IP_AND_UDP: usize = 28; // octets of headers, RFC 791 and RFC 768

/// A camera of one coding whose films are named `FLAVOUR-WIDTHxHEIGHT`.
pub fn mjpeg_camera(
    port: u8,
    serial: &'static str,
    flavour: &str,
    sizes: &[(u16, u16, &[u32])],
    faults: Faults,
) -> Result<(Camera, Vec<Film>), Box<dyn Error>> {
    let load = |&(width, height, _): &(u16, u16, _)| film(&format!("{flavour}-{width}x{height}"));
    let films: Vec<Film> = sizes.iter().map(load).collect::<Result<_, _>>()?;
    let description = description(serial, Coding::Mjpeg, sizes);
    Ok((
        Camera::plug(port, description, vec![films.clone()], faults)?,
        films,
    ))
}

/// A camera to be plugged in more than once.
pub struct Kit {
    pub description: Description,
    pub film: Film,
}

impl Kit {
    /// 640x480 at 30 frames a second.
    pub fn new(serial: &'static str, flavour: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            description: description(serial, Coding::Mjpeg, &[(640, 480, &[30])]),
            film: film(&format!("{flavour}-640x480"))?,
        })
    }

    pub fn plug(&self, port: u8) -> Result<Camera, Box<dyn Error>> {
        let films = vec![vec![self.film.clone()]];
        Camera::plug(port, self.description.clone(), films, &[])
    }
}

pub fn description(
    serial: &'static str,
    coding: Coding,
    sizes: &[(u16, u16, &[u32])],
) -> Description {
    let size = |&(width, height, rates): &(u16, u16, &[u32])| Size {
        width,
        height,
        rates: rates.to_vec(),
    };
    Description {
        vendor: VENDOR,
        product: PRODUCT,
        serial,
        name: NAME,
        formats: vec![Format {
            coding,
            sizes: sizes.iter().map(size).collect(),
        }],
        forgets_controls: false,
        no_bandwidth: false,
    }
}

/// A configuration of one camera; `more` is for the `[[camera]]` table and what is below it.
pub fn config(device: &str, size: (u16, u16), fps: u32, more: &str) -> String {
    config_of("lab", RTP_PORT, device, size, fps, more)
}

/// The same with a name and a port of its own: several of them are a configuration too.
pub fn config_of(
    name: &str,
    port: u16,
    device: &str,
    (width, height): (u16, u16),
    fps: u32,
    more: &str,
) -> String {
    format!(
        "[[camera]]\nname = \"{name}\"\ndevice = \"{device}\"\nwidth = {width}\nheight = {height}\nfps = {fps}\n\
         {more}\n[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nmtu = {MTU}\n"
    )
}

/// Streams `frames` frames into a receiver; what came must follow the RFCs, and nothing may be lost on the way.
pub fn shoot(config: &str, frames: usize) -> Result<(Ended, Reception), Box<dyn Error>> {
    let receiver = Receiver::listen(RTP_PORT)?;
    let ended = framewire::stream(config, frames)?.expect_code(0)?;
    let reception = develop(receiver)?;
    let count = reception.pictures.len();
    ensure!(count == frames, "{count} pictures came instead of {frames}");
    Ok((ended, reception))
}

/// What a receiver got must follow the RFCs, and nothing may have been lost on the way.
pub fn develop(receiver: Receiver) -> Result<Reception, Box<dyn Error>> {
    let reception = depacketize(&receiver.finish()?);
    let violations = &reception.violations;
    ensure!(
        violations.is_empty(),
        "{} violations: {}",
        violations.len(),
        violations[0]
    );
    ensure!(
        reception.lost_packets == 0,
        "{} packets lost",
        reception.lost_packets
    );
    ensure!(
        reception.incomplete == 0,
        "{} incomplete frames",
        reception.incomplete
    );
    let lengths = reception.pictures.iter().map(|picture| picture.datagram);
    let longest = lengths.max().unwrap_or(0);
    ensure!(
        longest + IP_AND_UDP <= MTU,
        "a datagram of {longest} octets does not fit the MTU"
    );
    Ok(reception)
}

/// The pictures that came must be these frames of the film, octet for octet and in this order.
pub fn compare(
    reception: &Reception,
    film: &Film,
    numbers: impl IntoIterator<Item = usize>,
) -> Result<(), String> {
    let originals = film
        .iter()
        .map(|file| Picture::parse(file))
        .collect::<Result<Vec<_>, _>>()?;
    for (place, (received, number)) in reception.pictures.iter().zip(numbers).enumerate() {
        let original = &originals[number % originals.len()];
        if let Some(what) = difference(&received.picture, original) {
            let other = originals
                .iter()
                .position(|other| other.scan == received.picture.scan);
            return Err(format!(
                "picture {place} is not frame {number}: {what}; its scan is frame {other:?} of the film"
            ));
        }
        let restarts = received.kind >= 64;
        if restarts != original.restart_interval.is_some() {
            return Err(format!("picture {place} has type {}", received.kind));
        }
    }
    Ok(())
}

fn difference(received: &Picture, original: &Picture) -> Option<String> {
    let rounded = |size: u16| size.div_ceil(8) * 8;
    let (width, height) = (rounded(original.width), rounded(original.height));
    if (received.width, received.height) != (width, height) {
        return Some(format!(
            "{}x{} for {width}x{height}",
            received.width, received.height
        ));
    }
    if received.sampling != original.sampling {
        return Some(format!(
            "type {} for {}",
            received.sampling, original.sampling
        ));
    }
    if received.restart_interval != original.restart_interval {
        let [came, sent] = [received.restart_interval, original.restart_interval];
        return Some(format!("restart interval {came:?} for {sent:?}"));
    }
    if received.luma != original.luma || received.chroma != original.chroma {
        return Some("the quantization tables differ".into());
    }
    let (came, sent) = (&received.scan, &original.scan);
    let at = came.iter().zip(sent).position(|(a, b)| a != b);
    (came != sent).then(|| {
        format!(
            "scan of {} octets for {}, differs at {at:?}",
            came.len(),
            sent.len()
        )
    })
}
