//! The tables of a picture's components, made anew only when its Huffman tables change.
//! ITU-T T.81 A.2.3 (the order of blocks in an MCU).

use super::super::tables::{Class, Kind};
use super::codes::{Code, Codes, Found, annex_k};
use super::fault::Fault;
use super::lookup::{self, Lookup};

/// Components of a picture at most.
pub const COMPONENTS: usize = 3;
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

/// The tables of a component.
#[derive(Debug)]
pub struct Set {
    source: Source,
    dc: Codes,
    ac: Codes,
    /// For where DC is next.
    pub at_dc: Box<Lookup>,
    /// For where AC is next.
    pub at_ac: Box<Lookup>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            source: Source::default(),
            dc: Codes::default(),
            ac: Codes::default(),
            at_dc: Box::new(Lookup::EMPTY),
            at_ac: Box::new(Lookup::EMPTY),
        }
    }
}

/// A symbol and its amplitude.
pub struct Symbol {
    pub symbol: u8,
    /// The bits of its amplitude.
    pub amplitude: u32,
    /// In Annex K's code, with its amplitude.
    pub code: Code,
}

impl Set {
    /// Makes the tables, unless they are there.
    fn make(&mut self, coding: &Coding) -> Result<(), Fault> {
        if self.source.is(coding) {
            return Ok(());
        }
        // Not there while it is half made.
        self.source.kind = None;
        self.dc.set(coding.dc).ok_or(Fault::Tables)?;
        self.ac.set(coding.ac).ok_or(Fault::Tables)?;
        let lookups = (&mut *self.at_dc, &mut *self.at_ac);
        lookup::make(&self.dc, &self.ac, coding.kind, lookups);
        self.source.dc.clear();
        self.source.dc.extend_from_slice(coding.dc);
        self.source.ac.clear();
        self.source.ac.extend_from_slice(coding.ac);
        self.source.kind = Some(coding.kind);
        Ok(())
    }

    /// The symbol that these 16 bits begin with where `class` is next, and its code in Annex K.
    #[inline(always)]
    pub fn symbol(&self, class: Class, bits: u16) -> Option<(Found, Code)> {
        let kind = self.source.kind?;
        let codes = match class {
            Class::Dc => &self.dc,
            Class::Ac => &self.ac,
        };
        let found = codes.find(bits)?;
        Some((found, annex_k(class, kind, found.symbol)?))
    }
}

/// All tables of a camera's pictures.
#[derive(Debug, Default)]
pub struct Tables {
    sets: [Set; COMPONENTS],
}

impl Tables {
    /// The tables of these components, made anew when they are not there.
    pub fn prepare(&mut self, codings: &[Coding]) -> Result<[&Set; COMPONENTS], Fault> {
        // Cb and Cr have the same ones as a rule.
        let place = |coding| codings.iter().position(|other| other == coding);
        for (index, (coding, set)) in codings.iter().zip(&mut self.sets).enumerate() {
            if place(coding) == Some(index) {
                set.make(coding)?;
            }
        }
        let [first, ..] = &self.sets;
        let mut sets = [first; COMPONENTS];
        for (coding, set) in codings.iter().zip(&mut sets) {
            *set = place(coding)
                .and_then(|place| self.sets.get(place))
                .ok_or(Fault::Tables)?;
        }
        Ok(sets)
    }
}
