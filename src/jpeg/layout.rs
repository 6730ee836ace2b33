//! How a scan is built of minimum coded units and blocks, and the fewest octets that it can have.
//! ITU-T T.81 A.2 (MCUs), F.1.2 (codes of a block).

use super::components::{Component, Components, ScanComponents};
use super::tables::{self, Class, Kind};

/// Samples of a block in one direction.
const BLOCK: u32 = 8;

/// Huffman tables by slot, where there are any.
type Slots<'a> = &'a [Option<&'a [u8]>];

/// A scan as a count of equal units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Minimum coded units.
    pub mcus: u64,
    /// Fewest bits of one.
    pub least_bits: u64,
}

impl Layout {
    /// Of a picture of this width and height in pixels, whose components are all in its one scan; with its DC and AC
    /// tables by slot.
    pub(super) fn new(
        (width, height): (u16, u16),
        components: Components,
        scan_components: ScanComponents,
        (dc, ac): (Slots, Slots),
    ) -> Self {
        let all = || components.iter();
        let most = |of: fn(&Component) -> u32| all().map(|each| of(&each)).max().unwrap_or(1);
        // One component by itself is not interleaved: a unit is a block, whatever its sampling factors (A.2.2).
        let (horizontal, vertical, alone) = match components.count() {
            1 => (1, 1, true),
            _ => (
                most(Component::horizontal),
                most(Component::vertical),
                false,
            ),
        };
        let units =
            |pixels: u16, factor: u32| u64::from(u32::from(pixels).div_ceil(BLOCK * factor));
        let scan = all().zip(scan_components.iter());
        let least_bits = scan.map(|(component, coded)| {
            let blocks = if alone { 1 } else { component.blocks() };
            let dc = coded_table(Class::Dc, dc, coded.dc_table);
            let ac = coded_table(Class::Ac, ac, coded.ac_table);
            u64::from(blocks * tables::least_bits(dc, ac))
        });
        Self {
            mcus: units(width, horizontal) * units(height, vertical),
            least_bits: least_bits.sum(),
        }
    }

    /// Fewest octets of a scan, without EOI.
    pub fn least_octets(&self) -> u64 {
        // 2^26 units of less than 2^18 bits at the most.
        (self.mcus * self.least_bits).div_ceil(8)
    }
}

/// The table in slot `selector`; cameras leave DHT out and mean Annex K's, 0 for luminance and 1 for chrominance.
pub fn coded_table<'a>(class: Class, defined: &[Option<&'a [u8]>], selector: u8) -> &'a [u8] {
    let defined = defined.get(usize::from(selector)).copied().flatten();
    defined.unwrap_or_else(|| match selector {
        0 => tables::huffman(class, Kind::Luminance),
        1 => tables::huffman(class, Kind::Chrominance),
        _ => &[],
    })
}
