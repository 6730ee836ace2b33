//! The codes of a Huffman table: which symbol some bits begin with, and which bits a symbol has in Annex K.
//! ITU-T T.81 annex C (codes from their lengths), F.1.2 and F.2.2 (coding and decoding).

use super::super::tables::{self, Class, Kind};

/// Bits that a look-up sees.
pub const WINDOW: u32 = 11;
/// Entries of a table that is looked up by [`WINDOW`] bits.
pub const ENTRIES: usize = 1 << WINDOW;
/// The longest code (C.2).
const LONGEST: u32 = 16;
/// Octets of DHT's list of counts.
const COUNTS: usize = 16;

/// A code's symbol and length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub symbol: u8,
    pub length: u32,
}

/// The codes of a table as DHT has it, to decode.
#[derive(Debug, Clone)]
pub struct Codes {
    /// By the next bits, length << 8 | symbol; 0 where the code is longer, or none.
    short: Box<[u16; ENTRIES]>,
    /// Longer codes, in their order: those of 13 to 16 bits, each from the top of 16 bits.
    long: Vec<(u16, Found)>,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            short: Box::new([0; ENTRIES]),
            long: Vec::with_capacity(256),
        }
    }
}

impl Codes {
    /// Takes the codes of `table`: 16 counts, then the symbols. `None` when there are more codes than bits allow.
    pub fn set(&mut self, table: &[u8]) -> Option<()> {
        let (counts, symbols) = table.split_first_chunk::<COUNTS>()?;
        let mut symbols = symbols.iter();
        self.long.clear();
        let mut code = 0_u32;
        let mut filled = 0;
        for (length, &count) in (1..=LONGEST).zip(counts) {
            for _ in 0..count {
                let found = Found {
                    symbol: *symbols.next()?,
                    length,
                };
                let first = code.checked_shl(LONGEST - length)?;
                let first = u16::try_from(first).ok()?;
                if length <= WINDOW {
                    let next = usize::from(first >> (LONGEST - WINDOW)) + (1 << (WINDOW - length));
                    let length = u16::try_from(length).ok()?;
                    let packed = length << 8 | u16::from(found.symbol);
                    self.short.get_mut(filled..next)?.fill(packed);
                    filled = next;
                } else {
                    self.long.push((first, found));
                }
                code += 1;
            }
            code <<= 1;
        }
        self.short.get_mut(filled..)?.fill(0);
        Some(())
    }

    /// The code of at most [`WINDOW`] bits that those of `window` begin with.
    #[inline(always)]
    pub fn short(&self, window: usize) -> Option<Found> {
        let packed = self.short.get(window).copied().unwrap_or(0);
        let [length, symbol] = packed.to_be_bytes();
        (length > 0).then_some(Found {
            symbol,
            length: length.into(),
        })
    }

    /// The code that these bits begin with.
    #[inline(always)]
    pub fn find(&self, bits: u16) -> Option<Found> {
        self.short(usize::from(bits >> (LONGEST - WINDOW)))
            .or_else(|| {
                let behind = self.long.partition_point(|(first, _)| *first <= bits);
                let (first, found) = self.long.get(behind.checked_sub(1)?)?;
                // Behind the last code are bits that belong to none.
                ((bits - first) >> (LONGEST - found.length) == 0).then_some(*found)
            })
    }
}

/// A code: its bits and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub bits: u32,
    pub length: u32,
}

impl Code {
    /// With so many more bits behind it.
    pub fn then(self, bits: u32, length: u32) -> Self {
        Self {
            bits: self.bits << length | bits,
            length: self.length + length,
        }
    }
}

/// The code of each symbol; length 0 where there is none.
type Symbols = [Code; 256];

/// Annex K's codes, to encode: luminance then chrominance.
static DC: [Symbols; 2] = [standard(tables::DC[0]), standard(tables::DC[1])];
static AC: [Symbols; 2] = [standard(tables::AC[0]), standard(tables::AC[1])];

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: a wrong index does not build"
)]
const fn standard(table: &[u8]) -> Symbols {
    let mut codes = [Code { bits: 0, length: 0 }; 256];
    let (mut code, mut at, mut length) = (0, COUNTS, 1);
    while length <= LONGEST {
        let mut count = table[length as usize - 1];
        while count > 0 {
            codes[table[at] as usize] = Code { bits: code, length };
            (code, at, count) = (code + 1, at + 1, count - 1);
        }
        (code, length) = (code << 1, length + 1);
    }
    codes
}

/// Annex K's code of `symbol`, if it has one: baseline has no other symbols.
#[inline]
pub fn annex_k(class: Class, kind: Kind, symbol: u8) -> Option<Code> {
    let [luminance, chrominance] = match class {
        Class::Dc => &DC,
        Class::Ac => &AC,
    };
    let codes = match kind {
        Kind::Luminance => luminance,
        Kind::Chrominance => chrominance,
    };
    codes
        .get(usize::from(symbol))
        .copied()
        .filter(|code| code.length > 0)
}
