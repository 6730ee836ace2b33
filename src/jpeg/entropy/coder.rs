//! The loop that goes through a scan's blocks: what is looked up is passed, and written in Annex K's code.
//! ITU-T T.81 F.2.2 (decoding), F.1.2 (coding).

use super::super::tables::Class;
use super::fault::{Corrupt, Fault};
use super::lookup::{EOB, Lookup, Passed, Sums};
use super::output::Output;
use super::reader::Reader;
use super::tables::{Set, Symbol};
use std::hint::select_unpredictable;

/// Blocks of an MCU at most (B.2.3).
pub const MCU_BLOCKS: usize = 10;
/// The blocks of an MCU: component and tables.
pub type Blocks<'t> = heapless::Vec<(usize, &'t Set), MCU_BLOCKS>;
/// Coefficients of a block.
const COEFFICIENTS: u32 = 64;
/// Look-ups for one filling of the buffer of bits, which has 56, and of those that are written, 56 too.
const LOOKUPS: usize = 4;
/// Places of a [`Round`]: a power of two, so that none is beyond it.
const PLACES: usize = 16;

/// The blocks of an MCU, one after the other, round and round.
pub struct Round<'t> {
    /// The AC table of the block at this place, and the DC table of the next one.
    steps: [(&'t Lookup, &'t Lookup); PLACES],
    sets: [&'t Set; PLACES],
    /// After so many places it is the same again; it is at least [`LOOKUPS`].
    length: usize,
}

impl<'t> Round<'t> {
    /// Of these blocks; `None` when there is none.
    pub fn new(blocks: &Blocks<'t>) -> Option<Self> {
        let (_, first) = *blocks.first()?;
        let mut sets = [first; PLACES];
        let mut steps = [(&*first.at_ac, &*first.at_dc); PLACES];
        let around = blocks.iter().map(|&(_, set)| set).cycle();
        let around = around.clone().zip(around.skip(1));
        for ((set, step), (this, next)) in sets.iter_mut().zip(&mut steps).zip(around) {
            *set = this;
            *step = (&this.at_ac, &next.at_dc);
        }
        Some(Self {
            steps,
            sets,
            length: LOOKUPS.next_multiple_of(blocks.len()),
        })
    }

    #[inline(always)]
    fn step(&self, place: usize) -> (&'t Lookup, &'t Lookup) {
        let [first, ..] = self.steps;
        self.steps.get(place % PLACES).copied().unwrap_or(first)
    }

    fn set(&self, place: usize) -> &'t Set {
        let [first, ..] = self.sets;
        self.sets.get(place % PLACES).copied().unwrap_or(first)
    }
}

/// Goes through `blocks` blocks, the first of a [`Round`], and writes them.
pub fn pass<'a, O: Output>(
    round: &Round,
    blocks: u64,
    (reader, bits): (Reader<'a>, O::Bits),
    output: &mut O,
) -> Result<(Reader<'a>, O::Bits), Corrupt> {
    let mut place = Place {
        left: blocks,
        index: 0,
        table: &round.set(0).at_dc,
        block: Block {
            reader,
            bits,
            passed: Passed::default(),
        },
    };
    loop {
        place.look_up(round, output);
        if place.left == 0 {
            return Ok((place.block.reader, place.block.bits));
        }
        place.step(round, output)?;
    }
}

/// Passes the AC coefficients of one block.
pub fn pass_ac<'a, O: Output>(
    set: &Set,
    (reader, bits): (Reader<'a>, O::Bits),
    output: &mut O,
) -> Result<(Reader<'a>, O::Bits), Corrupt> {
    let mut block = Block {
        reader,
        bits,
        passed: Passed::new(1),
    };
    while !block.step(&set.at_ac, set, output)? {}
    Ok((block.reader, block.bits))
}

/// Where the loop is.
#[derive(Clone, Copy)]
struct Place<'t, 'a, B> {
    /// Blocks that are still to come.
    left: u64,
    /// Of the block in the [`Round`].
    index: usize,
    /// The table that is next.
    table: &'t Lookup,
    block: Block<'a, B>,
}

impl<'t, B: Copy> Place<'t, '_, B> {
    /// Passes what can be looked up, as long as nothing else is to be done: that is for [`Place::step`].
    #[inline(never)]
    fn look_up<O: Output<Bits = B>>(&mut self, round: &Round<'t>, output: &mut O) {
        // It stays in registers.
        let mut place = *self;
        // A look-up ends one block at most.
        while place.left >= LOOKUPS as u64 && output.has_room() && place.block.reader.fill() {
            let start = place.index;
            let mut sums = Sums::default();
            let mut is_stuck = false;
            let (mut this_ac, mut next_dc) = round.step(place.index);
            for _ in 0..LOOKUPS {
                let entry = place.table.find(place.block.reader);
                let passed = place.block.passed.with(entry);
                if passed.is_too_much() {
                    is_stuck = true;
                    break;
                }
                place.block.reader.skip(entry.input());
                place.block.bits = O::with(place.block.bits, entry.output());
                sums = sums.with(entry);
                // Without a branch: how long a block is, nobody can foretell.
                let ends = entry.is_end();
                let (after_ac, after_dc) = round.step(place.index + 1);
                place.table = select_unpredictable(ends, next_dc, this_ac);
                this_ac = select_unpredictable(ends, after_ac, this_ac);
                next_dc = select_unpredictable(ends, after_dc, next_dc);
                place.block.passed = select_unpredictable(ends, Passed::default(), passed);
                place.index += usize::from(ends);
            }
            place.block.reader.count_skipped(sums.input());
            place.block.bits = output.put(place.block.bits, sums.output());
            place.left -= (place.index - start) as u64;
            let around = place.index.wrapping_sub(round.length);
            place.index = select_unpredictable(place.index >= round.length, around, place.index);
            if is_stuck {
                break;
            }
        }
        *self = place;
    }

    /// Passes what one look-up finds, or one symbol.
    fn step<O: Output<Bits = B>>(
        &mut self,
        round: &Round<'t>,
        output: &mut O,
    ) -> Result<(), Corrupt> {
        let set = round.set(self.index);
        let (this_ac, next_dc) = round.step(self.index);
        if self.block.step(self.table, set, output)? {
            self.table = next_dc;
            self.left -= 1;
            self.index += 1;
            if self.index == round.length {
                self.index = 0;
            }
        } else {
            self.table = this_ac;
        }
        Ok(())
    }
}

/// A block of which some symbols are read and written.
#[derive(Clone, Copy)]
struct Block<'a, B> {
    reader: Reader<'a>,
    bits: B,
    passed: Passed,
}

impl<B: Copy> Block<'_, B> {
    /// Passes what one look-up finds, or one symbol; whether the block ends.
    fn step<O: Output<Bits = B>>(
        &mut self,
        table: &Lookup,
        set: &Set,
        output: &mut O,
    ) -> Result<bool, Corrupt> {
        self.reader.refill()?;
        let entry = table.find(self.reader);
        let passed = self.passed.with(entry);
        if passed.is_too_much() {
            return self.symbol(set, output);
        }
        let sums = Sums::from(entry);
        self.reader.skip(entry.input());
        self.reader.count_skipped(sums.input());
        self.bits = O::with(self.bits, entry.output());
        self.store(sums.output(), output)?;
        let ends = entry.is_end();
        self.passed = if ends { Passed::default() } else { passed };
        Ok(ends)
    }

    /// Passes one symbol; whether the block ends.
    fn symbol<O: Output<Bits = B>>(&mut self, set: &Set, output: &mut O) -> Result<bool, Corrupt> {
        let class = self.passed.class();
        let symbol = read_symbol(set, class, &mut self.reader)?;
        self.bits = O::with(self.bits, (symbol.code.bits, symbol.code.length));
        self.store(symbol.code.length, output)?;
        let is_eob = class == Class::Ac && symbol.symbol == EOB;
        let more = match class {
            Class::Dc => 1,
            Class::Ac if is_eob => 0,
            Class::Ac => u32::from(symbol.symbol >> 4) + 1,
        };
        let coefficients = self.passed.coefficients() + more;
        if coefficients > COEFFICIENTS {
            return Err(self.reader.corrupt(Fault::Block));
        }
        let ends = is_eob || coefficients == COEFFICIENTS;
        self.passed = Passed::new(if ends { 0 } else { coefficients });
        Ok(ends)
    }

    fn store<O: Output<Bits = B>>(&mut self, count: u32, output: &mut O) -> Result<(), Corrupt> {
        let stored = output.store(self.bits, count);
        self.bits = stored.map_err(|fault| self.reader.corrupt(fault))?;
        Ok(())
    }
}

/// Reads the next symbol, of this class, and its amplitude, at most 16 + 11 bits, which must be there.
#[inline]
pub fn read_symbol(set: &Set, class: Class, reader: &mut Reader) -> Result<Symbol, Corrupt> {
    let Some((found, code)) = set.symbol(class, reader.next_16()) else {
        return Err(reader.corrupt(Fault::Code));
    };
    let size = u32::from(found.symbol & 0x0F);
    reader.take(found.length);
    let amplitude = reader.take(size);
    Ok(Symbol {
        symbol: found.symbol,
        amplitude,
        code: code.then(amplitude, size),
    })
}
