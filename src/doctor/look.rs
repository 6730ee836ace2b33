//! Looks at one picture: what it is, whether it is whole, and what would go on the wire.
//! ITU-T T.81 annex B; RFC 2435 3.1, 4.1.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Serialize, Serializer};

use crate::config::Mtu;
use crate::jpeg::tables::{self, Tables};
use crate::jpeg::{Habit, Habits, Image, Parser, QuantizationTable, Unreadable};
use crate::rtp::carry::{has_standard_codes, is_one_scan, quantization_tables};
use crate::rtp::{Carried, Carrier, Packetizer, Refused, carry};

/// Octets of an IPv4 header without options and a UDP header (RFC 791, RFC 768).
const IP_UDP_OCTETS: usize = 20 + 8;

/// What a picture is, as far as it can be read.
#[derive(Debug)]
pub struct Look {
    /// Of the frame as the source delivered it.
    pub octets: usize,
    /// What its headers say; `None` when they cannot be read.
    pub traits: Option<Traits>,
    /// Whether it is whole; `None` when it cannot be gone through.
    pub whole: Option<Result<(), Refused>>,
    /// What would become of it.
    pub sending: Result<Sending, Refused>,
}

/// What the headers of a picture say.
#[derive(Debug)]
pub struct Traits {
    pub size: Size,
    pub sampling: Sampling,
    pub quantization: Quantization,
    pub huffman: Huffman,
    pub restarts: Restarts,
    /// Octets behind its end.
    pub padding: usize,
    pub habits: Habits,
    /// A number for the quantization tables, and one for the Huffman tables: others have another.
    pub tables: [u64; 2],
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// Sampling factors, H << 4 | V of each component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sampling {
    #[serde(rename = "sampling", serialize_with = "as_text")]
    factors: Vec<u8>,
}

/// Quantization tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantization {
    /// Defined in the picture.
    pub tables: usize,
    /// Of a value, in the widest of them.
    pub bits: u8,
    /// The quality that the standard tables were scaled by; `None` = tables of its own.
    pub standard_quality: Option<u8>,
}

/// Huffman tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "huffman", rename_all = "kebab-case")]
pub enum Huffman {
    /// None in the picture: the standard ones are meant.
    Absent,
    /// Those of annex K.
    Standard,
    /// Others.
    Own,
}

/// Restart markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Restarts {
    /// In MCUs, 0 = none.
    pub restart_interval: u16,
}

/// How it would be sent.
#[derive(Debug, Clone, Copy)]
pub struct Sending {
    /// What is re-coded, if anything.
    pub change: Option<Change>,
    /// Packets of the default size.
    pub packets: usize,
    /// All of them, with the headers of UDP and IP.
    pub wire_octets: usize,
    /// The scan before and after re-coding.
    pub scan_octets: (usize, usize),
    /// Larger than packets can say.
    pub is_large: bool,
    pub has_restarts: bool,
}

/// What is re-coded in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Other Huffman tables become the standard ones.
    Huffman,
    /// Grey becomes 4:2:2.
    Grey,
    /// 22 12 12 becomes 21 11 11.
    TwoRows,
}

/// Looks at the pictures of one camera.
#[derive(Default)]
pub struct Eye {
    parser: Parser,
    carrier: Carrier,
}

impl Eye {
    pub fn new() -> Self {
        Self {
            parser: Parser::tolerating_missing_eoi(),
            ..Self::default()
        }
    }

    /// Looks at `octets`, from a source that has agreed to `size`.
    pub fn look(&mut self, octets: &[u8], size: Option<(u16, u16)>) -> Look {
        self.parser.expect_size(size);
        let image = match self.parser.parse(octets) {
            Ok(image) => image,
            Err(unreadable) => {
                return Look {
                    octets: octets.len(),
                    traits: None,
                    whole: None,
                    sending: Err(unreadable.into()),
                };
            }
        };
        let whole = is_one_scan(&image).then(|| self.carrier.verify(&image));
        let lacks_eoi = image.habits.contains(Habit::NoEndOfImage);
        let sending = match whole {
            // Cut short on the way: that is no habit.
            Some(Err(_)) if lacks_eoi => Err(Unreadable::NoEndOfImage(octets.len()).into()),
            _ => sending(&mut self.carrier, &image),
        };
        Look {
            octets: octets.len(),
            traits: Some(traits(&image, octets)),
            whole,
            sending,
        }
    }
}

fn sending(carrier: &mut Carrier, image: &Image) -> Result<Sending, Refused> {
    let before = image.scan.len();
    match carry(image) {
        Ok(picture) => Ok(on_the_wire(&picture, None, before)),
        Err(refused) => {
            let change = match refused {
                Refused::Components(_) => Change::Grey,
                Refused::Sampling(..) => Change::TwoRows,
                _ => Change::Huffman,
            };
            let picture = carrier.recode(image, refused.into())?;
            Ok(on_the_wire(&picture, Some(change), before))
        }
    }
}

fn on_the_wire(picture: &Carried, change: Option<Change>, before: usize) -> Sending {
    let room = Mtu::default().udp_payload(false);
    let packets = Packetizer::new(0, 0).packets(picture, 0, None, room);
    let count = packets.len();
    let mut octets = 0;
    for packet in packets {
        octets += IP_UDP_OCTETS + packet.scan.len();
        packet.write_header(|part| octets += part.len());
    }
    Sending {
        change,
        packets: count,
        wire_octets: octets,
        scan_octets: (before, picture.scan.len()),
        is_large: picture.is_large(),
        has_restarts: picture.restart_interval != 0,
    }
}

fn traits(image: &Image, octets: &[u8]) -> Traits {
    let tables = quantization_tables(image).ok();
    Traits {
        size: Size {
            width: image.width,
            height: image.height,
        },
        sampling: Sampling {
            factors: image
                .components
                .iter()
                .map(|each| each.sampling_factors)
                .collect(),
        },
        quantization: quantization(image, tables.as_ref()),
        huffman: huffman(image),
        restarts: Restarts {
            restart_interval: image.restart_interval,
        },
        padding: padding(image, octets),
        habits: image.habits,
        tables: [
            number(tables.as_slice()),
            number(&[&image.dc[..], &image.ac[..]]),
        ],
    }
}

fn quantization(image: &Image, tables: Option<&Tables>) -> Quantization {
    let defined = || image.quantization.iter().flatten();
    let is_wide = defined().any(|table| matches!(table, QuantizationTable::Sixteen(_)));
    Quantization {
        tables: defined().count(),
        bits: if is_wide { 16 } else { 8 },
        standard_quality: tables.and_then(tables::standard_q),
    }
}

fn huffman(image: &Image) -> Huffman {
    let has_tables = image.dc.iter().chain(&image.ac).any(Option::is_some);
    match has_standard_codes(image) {
        true if has_tables => Huffman::Standard,
        true => Huffman::Absent,
        false => Huffman::Own,
    }
}

/// Octets behind the end of `image` in the frame `octets`; none when it has no end of its own.
fn padding(image: &Image, octets: &[u8]) -> usize {
    let end = image.scan.as_ptr_range().end.addr();
    let frame = octets.as_ptr_range();
    match image.habits.contains(Habit::NoEndOfImage) {
        true => 0,
        false => frame.end.addr().saturating_sub(end),
    }
}

fn number(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self.factors[..] {
            [_] => return f.write_str("grey"),
            [0x21, 0x11, 0x11] => "4:2:2",
            [0x22, 0x11, 0x11] => "4:2:0",
            [0x22, 0x12, 0x12] => "4:2:2 with two rows of blocks in each unit",
            [y, cb, cr] if y == cb && y == cr => "4:4:4",
            [0x12, 0x11, 0x11] => "4:4:0",
            [0x41, 0x11, 0x11] => "4:1:1",
            _ => "of an unusual kind",
        })?;
        let mut separator = " (";
        for factors in &self.factors {
            write!(f, "{separator}{factors:02x}")?;
            separator = " ";
        }
        f.write_str(")")
    }
}

fn as_text<S: Serializer>(factors: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let factors = factors.to_vec();
    serializer.collect_str(&Sampling { factors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplings_have_names() {
        for (factors, name) in [
            (&[0x21, 0x11, 0x11][..], "4:2:2 (21 11 11)"),
            (&[0x11], "grey"),
            (
                &[0x42, 0x11, 0x11, 0x42],
                "of an unusual kind (42 11 11 42)",
            ),
        ] {
            let factors = factors.to_vec();
            assert_eq!(Sampling { factors }.to_string(), name);
        }
    }
}
