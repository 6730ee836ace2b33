//! The colour components of a picture and their quantization tables, read where they lie in its headers.
//! ITU-T T.81 B.2.2 (SOF), B.2.3 (SOS), B.2.4.1 (DQT).

use super::tables::TABLE_OCTETS;

/// Components as SOF lists them, three octets each (B.2.2).
#[derive(Debug, Clone, Copy)]
pub struct Components<'a>(&'a [[u8; 3]]);

/// A colour component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Ci.
    pub identifier: u8,
    /// Hi << 4 | Vi.
    pub sampling_factors: u8,
    /// Tqi.
    pub quantization_table: u8,
}

impl Component {
    /// Hi.
    pub fn horizontal(&self) -> u32 {
        u32::from(self.sampling_factors >> 4)
    }

    /// Vi.
    pub fn vertical(&self) -> u32 {
        u32::from(self.sampling_factors & 0x0F)
    }

    /// Blocks of it in an MCU of several components.
    pub fn blocks(&self) -> u32 {
        self.horizontal() * self.vertical()
    }
}

impl<'a> Components<'a> {
    /// Those that `specifications` have, which must be `count`, at least one.
    pub(super) fn new(specifications: &'a [u8], count: u8) -> Option<Self> {
        let (components, rest) = specifications.as_chunks();
        let is_right = components.len() == usize::from(count) && count > 0 && rest.is_empty();
        is_right.then_some(Self(components))
    }

    /// The identifiers of three.
    pub(super) fn identifiers(self) -> Option<[u8; 3]> {
        let components: &[_; 3] = self.0.try_into().ok()?;
        Some(components.map(|[identifier, ..]| identifier))
    }

    /// How many.
    pub fn count(self) -> u8 {
        // SOF's own count is one octet.
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Component> + 'a {
        self.0.iter().map(
            |&[identifier, sampling_factors, quantization_table]| Component {
                identifier,
                sampling_factors,
                quantization_table,
            },
        )
    }
}

/// Components as SOS lists them, two octets each (B.2.3).
#[derive(Debug, Clone, Copy)]
pub struct ScanComponents<'a>(&'a [[u8; 2]]);

/// A component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanComponent {
    /// Csj.
    pub identifier: u8,
    /// Tdj.
    pub dc_table: u8,
    /// Taj.
    pub ac_table: u8,
}

impl<'a> ScanComponents<'a> {
    /// Those that `specifications` have, which must be `count`, at least one.
    pub(super) fn new(specifications: &'a [u8], count: u8) -> Option<Self> {
        let (components, rest) = specifications.as_chunks();
        let is_right = components.len() == usize::from(count) && count > 0 && rest.is_empty();
        is_right.then_some(Self(components))
    }

    /// How many.
    pub fn count(self) -> u8 {
        // SOS's own count is one octet.
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = ScanComponent> + 'a {
        self.0.iter().map(|&[identifier, tables]| ScanComponent {
            identifier,
            dc_table: tables >> 4,
            ac_table: tables & 0x0F,
        })
    }
}

/// A DQT table: its values where they lie, in zig-zag order, and their precision.
#[derive(Debug, Clone, Copy)]
pub enum QuantizationTable<'a> {
    /// 8-bit values.
    Eight(&'a [u8; TABLE_OCTETS]),
    /// 16-bit values, big-endian.
    Sixteen(&'a [u8; 2 * TABLE_OCTETS]),
}
