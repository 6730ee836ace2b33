//! The loop that goes through a scan's blocks: what is looked up is passed, and written in Annex K's code.
//! ITU-T T.81 F.2.2 (decoding), F.1.2 (coding).

use super::super::tables::Class;
use super::codes::Code;
use super::fault::{Corrupt, Fault};
use super::lookup::EOB;
use super::output::Output;
use super::reader::Reader;
use super::tables::{Base, Lookups, Tables, entry};
use std::hint::select_unpredictable;

/// Blocks of an MCU at most (B.2.3).
pub const MCU_BLOCKS: usize = 10;
/// The blocks of an MCU: component, DC and AC table.
pub type Blocks = heapless::Vec<(usize, (Base, Base)), MCU_BLOCKS>;
/// Coefficients of a block.
const COEFFICIENTS: u32 = 64;
/// Look-ups for one filling of the buffer: 12 bits each, of 56.
const LOOKUPS: u64 = 4;

/// A block of an MCU, in one word so that it stays in a register: | next block 16 | its DC table 16 | AC table 16 |.
#[derive(Debug, Clone, Copy, Default)]
struct Step(u64);

impl Step {
    fn new(ac: Base, (next, next_dc): (u16, Base)) -> Self {
        Self(u64::from(next) << 32 | u64::from(next_dc) << 16 | u64::from(ac))
    }

    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the field of 16 bits is meant"
    )]
    const fn ac(self) -> Base {
        self.0 as Base
    }

    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the field of 16 bits is meant"
    )]
    const fn next_dc(self) -> Base {
        (self.0 >> 16) as Base
    }
}

/// The blocks of an MCU, one after the other, round and round.
#[derive(Debug, Clone, Copy, Default)]
pub struct Round {
    steps: [Step; 16],
    first_dc: Base,
}

impl Round {
    /// Of blocks with these DC and AC tables.
    pub fn new(blocks: &[(Base, Base)]) -> Self {
        let mut round = Self::default();
        let next = (0..).zip(blocks).cycle().take(2 * blocks.len()).skip(1);
        for ((step, &(_, ac)), (next, &(next_dc, _))) in
            round.steps.iter_mut().zip(blocks).zip(next)
        {
            *step = Step::new(ac, (next, next_dc));
        }
        round.first_dc = blocks.first().map_or(0, |&(dc, _)| dc);
        round
    }

    fn first(&self) -> Step {
        self.steps.first().copied().unwrap_or_default()
    }

    #[inline(always)]
    fn next(&self, step: Step) -> Step {
        // Less than 16, as the steps are.
        let index = (step.0 >> 32) as usize % self.steps.len();
        self.steps.get(index).copied().unwrap_or_default()
    }
}

/// Where the loop is.
#[derive(Clone, Copy)]
struct State<'a, B> {
    reader: Reader<'a>,
    bits: B,
    /// Coefficients of the block so far; DC counts from the start.
    coefficients: u32,
    /// The table that is next.
    base: Base,
    step: Step,
    /// Blocks that are still to come.
    left: u64,
}

/// Goes through `blocks` blocks, the first of a [`Round`], and writes them.
pub fn pass<'a, O: Output>(
    tables: &Tables,
    round: &Round,
    blocks: u64,
    (reader, bits): (Reader<'a>, O::Bits),
    output: &mut O,
) -> Result<(Reader<'a>, O::Bits), Corrupt> {
    let state = State {
        reader,
        bits,
        coefficients: 1,
        base: round.first_dc,
        step: round.first(),
        left: blocks,
    };
    state.run(tables, round, output)
}

/// Passes the AC coefficients of one block.
pub fn pass_ac<'a, O: Output>(
    tables: &Tables,
    at_ac: Base,
    (reader, bits): (Reader<'a>, O::Bits),
    output: &mut O,
) -> Result<(Reader<'a>, O::Bits), Corrupt> {
    let state = State {
        reader,
        bits,
        coefficients: 1,
        base: at_ac,
        step: Step::new(at_ac, (0, at_ac)),
        left: 1,
    };
    state.run(tables, &Round::default(), output)
}

impl<'a, B: Copy> State<'a, B> {
    #[inline(always)]
    fn run<O: Output<Bits = B>>(
        mut self,
        tables: &Tables,
        round: &Round,
        output: &mut O,
    ) -> Result<(Reader<'a>, B), Corrupt> {
        let lookups = tables.lookups();
        // A look-up ends one block at most.
        while self.left >= LOOKUPS {
            self.reader.refill()?;
            for _ in 0..LOOKUPS {
                self.advance(tables, lookups, round, output)?;
            }
            self.store(output)?;
        }
        while self.left > 0 {
            self.reader.refill()?;
            self.advance(tables, lookups, round, output)?;
            self.store(output)?;
        }
        Ok((self.reader, self.bits))
    }

    #[inline(always)]
    fn store<O: Output<Bits = B>>(&mut self, output: &mut O) -> Result<(), Corrupt> {
        match output.store(self.bits) {
            Ok(bits) => self.bits = bits,
            Err(fault) => return Err(self.reader.corrupt(fault)),
        }
        Ok(())
    }

    /// Passes what can be looked up.
    #[inline(always)]
    fn advance<O: Output<Bits = B>>(
        &mut self,
        tables: &Tables,
        lookups: &Lookups,
        round: &Round,
        output: &mut O,
    ) -> Result<(), Corrupt> {
        let entry = entry(lookups, self.base, self.reader.window());
        let coefficients = self.coefficients + entry.coefficients();
        if coefficients >= COEFFICIENTS {
            *self = self.behind_symbol(tables, round, output)?;
            return Ok(());
        }
        self.reader.skip(entry.input());
        self.bits = O::with(self.bits, entry.output());
        let ends = entry.is_end();
        self.left -= u64::from(ends);
        // Without a branch: how long a block is, nobody can foretell.
        let next = round.next(self.step);
        self.base = select_unpredictable(ends, self.step.next_dc(), self.step.ac());
        self.coefficients = select_unpredictable(ends, 1, coefficients);
        self.step = Step(select_unpredictable(ends, next.0, self.step.0));
        Ok(())
    }

    /// Behind one symbol that cannot be looked up, or that ends a full block.
    #[cold]
    #[inline(never)]
    fn behind_symbol<O: Output<Bits = B>>(
        mut self,
        tables: &Tables,
        round: &Round,
        output: &mut O,
    ) -> Result<Self, Corrupt> {
        self.reader.refill()?;
        self.store(output)?;
        let symbol = read_symbol(tables, self.base, &mut self.reader)?;
        self.reader.refill()?;
        self.bits = O::with(self.bits, (symbol.code.bits, symbol.code.length));
        self.store(output)?;
        if symbol.class == Class::Ac {
            self.coefficients += u32::from(symbol.symbol >> 4) + 1;
        }
        let is_eob = symbol.class == Class::Ac && symbol.symbol == EOB;
        if is_eob || self.coefficients == COEFFICIENTS {
            self.base = self.step.next_dc();
            self.coefficients = 1;
            self.step = round.next(self.step);
            self.left -= 1;
        } else if self.coefficients > COEFFICIENTS {
            return Err(self.reader.corrupt(Fault::Block));
        } else {
            self.base = self.step.ac();
        }
        Ok(self)
    }
}

/// A symbol and its amplitude.
pub struct Symbol {
    pub class: Class,
    pub symbol: u8,
    /// The bits of its amplitude.
    pub amplitude: u32,
    /// In Annex K's code, with its amplitude.
    pub code: Code,
}

/// Reads the next symbol and its amplitude, at most 16 + 11 bits, which must be there.
#[inline]
pub fn read_symbol(tables: &Tables, base: Base, reader: &mut Reader) -> Result<Symbol, Corrupt> {
    let Some((class, found, code)) = tables.symbol(base, reader.next_16()) else {
        return Err(reader.corrupt(Fault::Code));
    };
    let size = u32::from(found.symbol & 0x0F);
    reader.skip(found.length);
    let amplitude = reader.take(size);
    Ok(Symbol {
        class,
        symbol: found.symbol,
        amplitude,
        code: code.then(amplitude, size),
    })
}
