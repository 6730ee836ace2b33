//! What the next 12 bits of a scan become in Annex K's code: all whole symbols in them at once, up to a block's end.
//! ITU-T T.81 F.1.2 (the symbols of a block).

use super::super::tables::{Class, Kind};
use super::codes::{Codes, ENTRIES, WINDOW, annex_k};

/// End of block.
pub const EOB: u8 = 0x00;
/// Most coefficients that an entry passes; one more says that the window is not enough.
const MOST_COEFFICIENTS: u32 = 62;
/// Output bits of an entry at most.
const OUTPUT_BITS: u32 = 14;

/// What some bits become: | output bits 14 | end 1 | coefficients 6 | output length 5 | input length 6 |.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    /// The window holds no whole symbol, or none that can be looked up.
    pub const NONE: Self = Self((MOST_COEFFICIENTS + 1) << 11);
    const END: u32 = 1 << 17;

    /// Input bits, in the low 6 bits.
    #[inline(always)]
    pub const fn input(self) -> u32 {
        self.0 & 0x3F
    }

    /// Output bits and their number.
    #[inline(always)]
    pub const fn output(self) -> (u32, u32) {
        (self.0 >> 18, self.0 >> 6 & 0x1F)
    }

    /// Coefficients that it passes; an end of block counts one.
    #[inline(always)]
    pub const fn coefficients(self) -> u32 {
        self.0 >> 11 & 0x3F
    }

    /// Whether a block ends here.
    #[inline(always)]
    pub const fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    const fn is_none(self) -> bool {
        self.coefficients() > MOST_COEFFICIENTS
    }

    /// The one symbol that `window` begins with, and its amplitude.
    fn single(codes: &Codes, class: Class, kind: Kind, window: u32) -> Self {
        let entry = || {
            let found = codes.short(usize::try_from(window).ok()?)?;
            let size = u32::from(found.symbol & 0x0F);
            let input = found.length + size;
            let behind = WINDOW.checked_sub(input)?;
            let amplitude = window >> behind & ((1 << size) - 1);
            let code = annex_k(class, kind, found.symbol)?.then(amplitude, size);
            let (coefficients, end) = match (class, found.symbol) {
                (Class::Dc, _) => (0, 0),
                (Class::Ac, EOB) => (1, Self::END),
                (Class::Ac, symbol) => (u32::from(symbol >> 4) + 1, 0),
            };
            let packed = code.bits << 18 | end | coefficients << 11 | code.length << 6 | input;
            (code.length <= OUTPUT_BITS).then_some(Self(packed))
        };
        entry().unwrap_or(Self::NONE)
    }

    /// This one and `next`, if both fit; `next` begins behind this one's input.
    #[inline(always)]
    fn then(self, next: Self) -> Option<Self> {
        let (bits, length) = self.output();
        let (next_bits, next_length) = next.output();
        // `NONE` never fits, because of its coefficients.
        let fits = self.input() + next.input() <= WINDOW
            && length + next_length <= OUTPUT_BITS
            && self.coefficients() + next.coefficients() <= MOST_COEFFICIENTS;
        let counts = (self.0 & (Self::END - 1)) + (next.0 & (2 * Self::END - 1));
        fits.then_some(Self((bits << next_length | next_bits) << 18 | counts))
    }
}

/// A table that is looked up by the next bits.
pub type Lookup = [Entry; ENTRIES];

/// No table yet.
pub const EMPTY: Lookup = [Entry::NONE; ENTRIES];

/// Makes the tables of blocks that are coded with these codes: for where DC is next, and for where AC is.
pub fn make(dc: &Codes, ac: &Codes, kind: Kind, (at_dc, at_ac): (&mut Lookup, &mut Lookup)) {
    // First one symbol each; then, from these, as many as fit.
    for (window, entry) in (0..).zip(at_dc.iter_mut()) {
        *entry = Entry::single(dc, Class::Dc, kind, window);
    }
    let mut single = EMPTY;
    for (window, entry) in (0..).zip(single.iter_mut()) {
        *entry = Entry::single(ac, Class::Ac, kind, window);
    }
    *at_ac = single;
    for table in [at_dc, at_ac] {
        for (window, entry) in table.iter_mut().enumerate() {
            if !entry.is_none() {
                *entry = with_more(*entry, window, &single);
            }
        }
    }
}

/// `entry` with the AC symbols behind it in `window`.
#[inline(always)]
fn with_more(mut entry: Entry, window: usize, single: &Lookup) -> Entry {
    while !entry.is_end() {
        let behind = (window << entry.input()) % ENTRIES;
        let next = single.get(behind).copied().unwrap_or(Entry::NONE);
        match entry.then(next) {
            Some(both) => entry = both,
            None => break,
        }
    }
    entry
}
