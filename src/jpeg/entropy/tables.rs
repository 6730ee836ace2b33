//! The tables of a picture's components, made anew only when its Huffman tables change.
//! ITU-T T.81 A.2.3 (the order of blocks in an MCU).

use super::super::tables::{Class, Kind};
use super::codes::{Code, Codes, ENTRIES, Found, annex_k};
use super::fault::Fault;
use super::lookup::{self, EMPTY, Entry, Lookup};

/// Components of a picture at most.
pub const COMPONENTS: usize = 3;
/// Tables of a component: for where DC is next, and for where AC is.
const PAIR: usize = 2;
/// Look-ups in one list: a power of two, so that no index is beyond it.
const LOOKUPS: usize = 8;

/// Where a look-up begins in the list of all.
pub type Base = u16;

/// All look-ups, one behind the other.
pub type Lookups = [Entry; LOOKUPS * ENTRIES];

/// What the bits of `window` become where the table at `base` is next.
#[inline(always)]
pub fn entry(lookups: &Lookups, base: Base, window: usize) -> Entry {
    let index = (usize::from(base) | window) % lookups.len();
    lookups.get(index).copied().unwrap_or(Entry::NONE)
}

/// How a component is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding<'a> {
    /// Its DC table as DHT has it: 16 counts, then the symbols.
    pub dc: &'a [u8],
    /// Its AC table.
    pub ac: &'a [u8],
    /// What Annex K calls it.
    pub kind: Kind,
}

/// What a [`Set`] was made of.
#[derive(Debug, Default)]
struct Source {
    dc: Vec<u8>,
    ac: Vec<u8>,
    kind: Option<Kind>,
}

impl Source {
    fn is(&self, coding: &Coding) -> bool {
        self.kind == Some(coding.kind) && self.dc == coding.dc && self.ac == coding.ac
    }
}

/// The codes of a component.
#[derive(Debug, Default)]
struct Set {
    source: Source,
    dc: Codes,
    ac: Codes,
}

/// All tables of a camera's pictures.
#[derive(Debug)]
pub struct Tables {
    sets: [Set; COMPONENTS],
    lookups: Box<[Lookup; LOOKUPS]>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            sets: Default::default(),
            lookups: Box::new([EMPTY; LOOKUPS]),
        }
    }
}

impl Tables {
    /// Makes the tables for these components, unless they are there; each component's place among them.
    pub fn prepare(&mut self, codings: &[Coding]) -> Result<[usize; COMPONENTS], Fault> {
        let mut places = [0; COMPONENTS];
        for (index, (coding, place)) in codings.iter().zip(&mut places).enumerate() {
            // Cb and Cr have the same ones as a rule.
            let same = codings.iter().position(|other| other == coding);
            *place = same.unwrap_or(index);
            if *place == index {
                self.set(index, coding)?;
            }
        }
        Ok(places)
    }

    fn set(&mut self, place: usize, coding: &Coding) -> Result<(), Fault> {
        let (pairs, _) = self.lookups.as_chunks_mut::<PAIR>();
        let (Some(set), Some([at_dc, at_ac])) = (self.sets.get_mut(place), pairs.get_mut(place))
        else {
            return Err(Fault::Tables);
        };
        if set.source.is(coding) {
            return Ok(());
        }
        // Not there while it is half made.
        set.source.kind = None;
        set.dc.set(coding.dc).ok_or(Fault::Tables)?;
        set.ac.set(coding.ac).ok_or(Fault::Tables)?;
        lookup::make(&set.dc, &set.ac, coding.kind, (at_dc, at_ac));
        set.source.dc.clear();
        set.source.dc.extend_from_slice(coding.dc);
        set.source.ac.clear();
        set.source.ac.extend_from_slice(coding.ac);
        set.source.kind = Some(coding.kind);
        Ok(())
    }

    /// Where the tables of the component at this place begin: for where DC is next, and for where AC is.
    pub fn bases(&self, place: usize) -> (Base, Base) {
        let [first, second] = [0, 1].map(|class| (place * PAIR + class) * ENTRIES);
        let base = |base| Base::try_from(base).unwrap_or(0);
        (base(first), base(second))
    }

    /// All look-ups.
    pub fn lookups(&self) -> &Lookups {
        const NOTHING: &Lookups = &[Entry::NONE; LOOKUPS * ENTRIES];
        let all = self.lookups.as_flattened();
        all.try_into().unwrap_or(NOTHING)
    }

    /// The symbol that these 16 bits begin with where the table at `base` is next, its class, and its code in Annex K.
    pub fn symbol(&self, base: Base, bits: u16) -> Option<(Class, Found, Code)> {
        let base = usize::from(base);
        let place = base / (PAIR * ENTRIES);
        let set = self.sets.get(place)?;
        let kind = set.source.kind?;
        let (class, codes) = match base % (PAIR * ENTRIES) {
            0 => (Class::Dc, &set.dc),
            _ => (Class::Ac, &set.ac),
        };
        let found = codes.find(bits)?;
        Some((class, found, annex_k(class, kind, found.symbol)?))
    }
}
