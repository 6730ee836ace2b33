//! What the next 11 bits of a scan become in Annex K's code: all whole symbols in them at once, up to a block's end.
//! ITU-T T.81 F.1.2 (the symbols of a block).

use super::super::tables::{Class, Kind};
use super::codes::{Codes, ENTRIES, WINDOW, annex_k};
use super::reader::Reader;

/// End of block.
pub const EOB: u8 = 0x00;
/// Most coefficients of a block that are looked up; whether it is full, or has too many, its symbols say.
const MOST_COEFFICIENTS: u32 = 62;
/// Output bits of an entry at most.
const OUTPUT_BITS: u32 = 13;

/// What some bits become: | end 1 | output bits 13 | coefficients 6 | output length 6 | input length 6 |.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    /// The window holds no whole symbol, or none that can be looked up: more than a block has.
    pub const NONE: Self = Self((MOST_COEFFICIENTS + 1) << Passed::SHIFT);
    const END: u32 = 1 << 31;
    const OUTPUT_SHIFT: u32 = 18;

    /// Input bits, in the low 6 bits; above them is something else, which no shift looks at.
    #[inline(always)]
    pub const fn input(self) -> u32 {
        self.0
    }

    /// Output bits, and in the low 6 bits their number.
    #[inline(always)]
    pub const fn output(self) -> (u32, u32) {
        ((self.0 & !Self::END) >> Self::OUTPUT_SHIFT, self.0 >> 6)
    }

    /// Whether a block ends here.
    #[inline(always)]
    pub const fn is_end(self) -> bool {
        self.0 & Self::END != 0
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
                (Class::Dc, _) => (1, 0),
                (Class::Ac, EOB) => (1, Self::END),
                (Class::Ac, symbol) => (u32::from(symbol >> 4) + 1, 0),
            };
            let counts = coefficients << Passed::SHIFT | code.length << 6 | input;
            (code.length <= OUTPUT_BITS)
                .then_some(Self(end | code.bits << Self::OUTPUT_SHIFT | counts))
        };
        entry().unwrap_or(Self::NONE)
    }

    /// This one and `next`, if both fit; `next` begins behind this one's input.
    #[inline(always)]
    fn then(self, next: Self) -> Option<Self> {
        let (bits, _) = self.output();
        let (next_bits, shift) = next.output();
        let sums = Sums::from(self).with(next);
        let fits = sums.input() <= WINDOW
            && sums.output() <= OUTPUT_BITS
            && !Passed(0).with(self).with(next).is_too_much();
        let output = (bits.wrapping_shl(shift) | next_bits) << Self::OUTPUT_SHIFT;
        let counts = |entry: Self| entry.0 & ((1 << Self::OUTPUT_SHIFT) - 1);
        let counts = counts(self) + counts(next);
        fits.then_some(Self(next.0 & Self::END | output | counts))
    }
}

/// Coefficients of a block that were passed, where an [`Entry`] has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed(u32);

impl Passed {
    const SHIFT: u32 = 12;
    const MASK: u32 = 0x3F << Self::SHIFT;

    pub const fn new(coefficients: u32) -> Self {
        Self(coefficients << Self::SHIFT)
    }

    /// With those of an entry; an end of block counts one.
    #[inline(always)]
    pub const fn with(self, entry: Entry) -> Self {
        Self(self.0 + (entry.0 & Self::MASK))
    }

    /// Whether there are so many that only their symbols say if the block is full, or has too many.
    #[inline(always)]
    pub const fn is_too_much(self) -> bool {
        self.0 > MOST_COEFFICIENTS << Self::SHIFT
    }

    pub const fn coefficients(self) -> u32 {
        self.0 >> Self::SHIFT
    }

    /// What is next.
    pub const fn class(self) -> Class {
        match self.0 {
            0 => Class::Dc,
            _ => Class::Ac,
        }
    }
}

/// The lengths of up to four entries together: each fits in 6 bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums(u32);

impl Sums {
    #[inline(always)]
    pub const fn with(self, entry: Entry) -> Self {
        Self(self.0.wrapping_add(entry.0))
    }

    /// Input bits.
    #[inline(always)]
    pub const fn input(self) -> u32 {
        self.0 & 0x3F
    }

    /// Output bits.
    #[inline(always)]
    pub const fn output(self) -> u32 {
        self.0 >> 6 & 0x3F
    }
}

impl From<Entry> for Sums {
    #[inline(always)]
    fn from(entry: Entry) -> Self {
        Self(entry.0)
    }
}

/// A table that is looked up by the next bits.
#[derive(Debug, Clone)]
pub struct Lookup([Entry; ENTRIES]);

impl Lookup {
    /// No table yet.
    pub const EMPTY: Self = Self([Entry::NONE; ENTRIES]);

    /// What the next bits become.
    #[inline(always)]
    pub fn find(&self, reader: Reader) -> Entry {
        self.at(reader.window())
    }

    #[inline(always)]
    fn at(&self, window: usize) -> Entry {
        self.0.get(window).copied().unwrap_or(Entry::NONE)
    }
}

/// Makes the tables of blocks that are coded with these codes: for where DC is next, and for where AC is.
pub fn make(dc: &Codes, ac: &Codes, kind: Kind, (at_dc, at_ac): (&mut Lookup, &mut Lookup)) {
    // First one symbol each; then, from these, as many as fit.
    for (window, entry) in (0..).zip(at_dc.0.iter_mut()) {
        *entry = Entry::single(dc, Class::Dc, kind, window);
    }
    let mut single = Lookup::EMPTY;
    for (window, entry) in (0..).zip(single.0.iter_mut()) {
        *entry = Entry::single(ac, Class::Ac, kind, window);
    }
    at_ac.0 = single.0;
    for table in [at_dc, at_ac] {
        for (window, entry) in table.0.iter_mut().enumerate() {
            if *entry != Entry::NONE {
                *entry = with_more(*entry, window, &single);
            }
        }
    }
}

/// `entry` with the AC symbols behind it in `window`.
#[inline(always)]
fn with_more(mut entry: Entry, window: usize, single: &Lookup) -> Entry {
    while !entry.is_end() {
        let behind = window.wrapping_shl(entry.input()) % ENTRIES;
        let next = single.at(behind);
        match entry.then(next) {
            Some(both) => entry = both,
            None => break,
        }
    }
    entry
}
