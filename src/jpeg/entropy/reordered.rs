//! Writes a scan whose DC differences change: without restart markers, grey with empty chrominance, or in another order.
//! ITU-T T.81 F.1.2.1 (DC differences), F.1.1.5.1 (their prediction), A.2 (the order of blocks).

use super::super::markers::code;
use super::super::tables::{Class, Kind};
use super::coder::{Blocks, pass_ac, read_symbol};
use super::codes::{Code, annex_k};
use super::fault::{Corrupt, Fault};
use super::lookup::EOB;
use super::output::{Bits, Nowhere, Output, Written};
use super::reader::Reader;
use super::scan::Scan;
use super::tables::COMPONENTS;

/// A scan that is read MCU by MCU, and the one that is written of it.
pub struct Reordered<'a> {
    blocks: &'a Blocks<'a>,
    interval: u64,
    output: &'a mut Written,
    bits: Bits,
    /// The last DC coefficient of each component that was written.
    dc: [i32; COMPONENTS],
}

/// A place between two MCUs of a scan.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    reader: Reader<'a>,
    /// The last DC coefficient of each component that was read.
    dc: [i32; COMPONENTS],
    /// MCUs before it in its restart interval.
    mcus: u64,
    restarts: u32,
}

impl<'a> Reordered<'a> {
    /// To be written to `output`.
    pub fn new(scan: &Scan, blocks: &'a Blocks<'a>, output: &'a mut Written) -> Self {
        Self {
            blocks,
            interval: scan.restart_interval.into(),
            output,
            bits: Written::NO_BITS,
            dc: [0; COMPONENTS],
        }
    }

    /// All blocks in their order, without restart markers.
    pub fn without_restarts(mut self, scan: &Scan) -> Result<(), Corrupt> {
        let mut cursor = Cursor::new(scan);
        for _ in 0..u64::from(scan.mcus_across) * u64::from(scan.mcus_down) {
            self.mcu(&mut cursor, |_| true)?;
        }
        self.end(cursor)
    }

    /// The blocks of one component as luminance of 4:2:2, with chrominance that is nothing.
    pub fn grey(mut self, scan: &Scan) -> Result<(), Corrupt> {
        let mut cursor = Cursor::new(scan);
        let luminance = empty(Kind::Luminance);
        let chrominance = empty(Kind::Chrominance);
        for _ in 0..scan.mcus_down {
            for block in 1..=scan.mcus_across {
                self.mcu(&mut cursor, |_| true)?;
                let is_second = block % 2 == 0;
                if !is_second && block < scan.mcus_across {
                    continue;
                }
                if !is_second {
                    self.put(luminance, cursor.reader)?;
                }
                self.put(chrominance, cursor.reader)?;
                self.put(chrominance, cursor.reader)?;
            }
        }
        self.end(cursor)
    }

    /// `rows` rows of 4:2:2, whose MCUs lie two and two on top of each other: 22 12 12 becomes 21 11 11.
    pub fn two_rows(mut self, scan: &Scan, rows: u32) -> Result<(), Corrupt> {
        /// Blocks of the upper MCU: Y is first, in two rows of two, then two Cb and two Cr.
        const UPPER: [bool; 8] = [true, true, false, false, true, false, true, false];
        let is_upper = |block| UPPER.get(block).copied().unwrap_or(false);
        let mut cursor = Cursor::new(scan);
        let mut left = rows;
        for _ in 0..scan.mcus_down {
            let start = cursor;
            for _ in 0..scan.mcus_across {
                self.mcu(&mut cursor, is_upper)?;
            }
            left = left.saturating_sub(1);
            if left == 0 {
                continue;
            }
            // Once more from the row's start: so nothing need be kept.
            cursor = start;
            for _ in 0..scan.mcus_across {
                self.mcu(&mut cursor, |block| !is_upper(block))?;
            }
            left -= 1;
        }
        self.end(cursor)
    }

    /// Passes an MCU and writes those of its blocks that are wanted.
    fn mcu(
        &mut self,
        cursor: &mut Cursor,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<(), Corrupt> {
        if self.interval > 0 && cursor.mcus == self.interval {
            cursor.restart()?;
        }
        cursor.mcus += 1;
        for (index, &(component, set)) in self.blocks.iter().enumerate() {
            cursor.reader.refill()?;
            let symbol = read_symbol(set, Class::Dc, &mut cursor.reader)?;
            let Some(dc) = cursor.dc.get_mut(component) else {
                return Err(cursor.reader.corrupt(Fault::Tables));
            };
            *dc = dc.wrapping_add(difference(symbol.amplitude, symbol.symbol.into()));
            if is_wanted(index) {
                let dc = *dc;
                self.dc(component, dc, cursor.reader)?;
                (cursor.reader, self.bits) = pass_ac(set, (cursor.reader, self.bits), self.output)?;
            } else {
                (cursor.reader, ()) = pass_ac(set, (cursor.reader, ()), &mut Nowhere)?;
            }
        }
        Ok(())
    }

    /// Writes the DC coefficient of a block of `component`.
    fn dc(&mut self, component: usize, dc: i32, reader: Reader) -> Result<(), Corrupt> {
        let kind = match component {
            0 => Kind::Luminance,
            _ => Kind::Chrominance,
        };
        let last = self.dc.get_mut(component);
        let difference = last.map(|last| dc.wrapping_sub(std::mem::replace(last, dc)));
        match difference.and_then(|difference| difference_code(difference, kind)) {
            Some(code) => self.put(code, reader),
            None => Err(reader.corrupt(Fault::Range)),
        }
    }

    fn put(&mut self, code: Code, reader: Reader) -> Result<(), Corrupt> {
        let bits = Written::with(self.bits, (code.bits, code.length));
        let stored = self.output.store(bits, code.length);
        self.bits = stored.map_err(|fault| reader.corrupt(fault))?;
        Ok(())
    }

    fn end(self, cursor: Cursor) -> Result<(), Corrupt> {
        cursor.reader.end()?;
        let written = self.output.marker(self.bits, code::EOI);
        written.map_err(|fault| cursor.reader.corrupt(fault))
    }
}

impl<'a> Cursor<'a> {
    fn new(scan: &Scan<'a>) -> Self {
        Self {
            reader: Reader::new(scan.octets),
            dc: [0; COMPONENTS],
            mcus: 0,
            restarts: 0,
        }
    }

    /// Behind the restart marker, which must be next.
    fn restart(&mut self) -> Result<(), Corrupt> {
        *self = Self {
            reader: self.reader.behind_restart(self.restarts)?,
            dc: [0; COMPONENTS],
            mcus: 0,
            restarts: self.restarts.wrapping_add(1),
        };
        Ok(())
    }
}

/// What an amplitude of `size` bits means, 0 to 11 (F.2.2.1).
fn difference(amplitude: u32, size: u32) -> i32 {
    let amplitude = amplitude.cast_signed();
    match size {
        0 => 0,
        _ if amplitude >> (size - 1) == 0 => amplitude - (1 << size) + 1,
        _ => amplitude,
    }
}

/// Annex K's code of a DC difference, if it has one: up to 2047 it has.
fn difference_code(difference: i32, kind: Kind) -> Option<Code> {
    let size = u32::BITS - difference.unsigned_abs().leading_zeros();
    let code = annex_k(Class::Dc, kind, u8::try_from(size).ok()?)?;
    let amplitude = difference - i32::from(difference < 0);
    Some(code.then(amplitude.cast_unsigned() & ((1 << size) - 1), size))
}

/// Annex K's code of a block that differs in nothing from the last, and has nothing but DC.
fn empty(kind: Kind) -> Code {
    let code = |class, symbol| annex_k(class, kind, symbol).unwrap_or(Code { bits: 0, length: 0 });
    let ac = code(Class::Ac, EOB);
    code(Class::Dc, 0).then(ac.bits, ac.length)
}
