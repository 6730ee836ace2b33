//! A camera's re-coder: walks a scan to see whether it is whole, or writes it anew with Annex K's Huffman tables.
//! ITU-T T.81 F.2.2, K.3; every coefficient stays as it is.

use super::super::markers::code;
use super::coder::{Blocks, Round, pass};
use super::fault::{Corrupt, Fault};
use super::output::{Nowhere, Output, Written};
use super::reader::Reader;
use super::reordered::Reordered;
use super::scan::Scan;
use super::tables::{COMPONENTS, Tables};

/// What is changed besides the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Same,
    /// Without restart markers.
    WithoutRestarts,
    /// One component becomes 4:2:2, with chrominance that is nothing; without restart markers.
    Grey,
    /// Sampling factors 22 12 12 become 21 11 11, of so many rows of MCUs; without restart markers.
    TwoRows(u32),
}

/// Its tables and its one buffer are used again for the next picture.
#[derive(Debug, Default)]
pub struct Recoder {
    tables: Tables,
    written: Written,
}

impl Recoder {
    /// Whether `scan` is whole: exactly its blocks, each code valid, restart markers and EOI where they belong.
    pub fn walk(&mut self, scan: &Scan) -> Result<(), Corrupt> {
        let blocks = prepare(&mut self.tables, scan)?;
        same(scan, &blocks, &mut Nowhere)
    }

    /// `scan` with Annex K's Huffman tables, through EOI.
    pub fn recode(&mut self, scan: &Scan, form: Form) -> Result<&[u8], Corrupt> {
        let blocks = prepare(&mut self.tables, scan)?;
        self.written.clear();
        let written = &mut self.written;
        match form {
            Form::Same => same(scan, &blocks, written)?,
            Form::WithoutRestarts => {
                Reordered::new(scan, &blocks, written).without_restarts(scan)?;
            }
            Form::Grey => Reordered::new(scan, &blocks, written).grey(scan)?,
            Form::TwoRows(rows) => {
                Reordered::new(scan, &blocks, written).two_rows(scan, rows)?;
            }
        }
        Ok(self.written.scan())
    }
}

fn prepare<'t>(tables: &'t mut Tables, scan: &Scan) -> Result<Blocks<'t>, Corrupt> {
    let failed = |fault| Corrupt { offset: 0, fault };
    let mut codings: heapless::Vec<_, COMPONENTS> = heapless::Vec::new();
    for component in scan.components {
        codings
            .push(component.coding)
            .or(Err(failed(Fault::Tables)))?;
    }
    let sets = tables.prepare(&codings).map_err(failed)?;
    let mut blocks = Blocks::new();
    for (index, (component, set)) in scan.components.iter().zip(sets).enumerate() {
        for _ in 0..component.across.saturating_mul(component.down) {
            blocks.push((index, set)).or(Err(failed(Fault::Tables)))?;
        }
    }
    Ok(blocks)
}

/// Goes through all of `scan` in its own order.
fn same<O: Output>(scan: &Scan, blocks: &Blocks, output: &mut O) -> Result<(), Corrupt> {
    let round = Round::new(blocks).ok_or(Corrupt {
        offset: 0,
        fault: Fault::Tables,
    })?;
    let mut left = u64::from(scan.mcus_across) * u64::from(scan.mcus_down);
    let interval = match scan.restart_interval {
        0 => left,
        interval => interval.into(),
    };
    let mut reader = Reader::new(scan.octets);
    let mut restarts = 0;
    loop {
        let mcus = left.min(interval);
        let (behind, bits) = pass(
            &round,
            mcus * blocks.len() as u64,
            (reader, O::NO_BITS),
            output,
        )?;
        left -= mcus;
        let marker = |output: &mut O, code| {
            let written = output.marker(bits, code);
            written.map_err(|fault| behind.corrupt(fault))
        };
        if left == 0 {
            behind.end()?;
            return marker(output, code::EOI);
        }
        reader = behind.behind_restart(restarts)?;
        marker(output, code::RST0 + (restarts % 8) as u8)?;
        restarts += 1;
    }
}
