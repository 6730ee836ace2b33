//! What a scan is made of: components with their tables, MCUs, restart intervals.
//! ITU-T T.81 A.2 (MCUs and the order of blocks), E.1.4 (restart intervals).

use super::tables::Coding;

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub struct Component<'a> {
    /// Blocks of it in an MCU, from left to right.
    pub across: u32,
    /// The same from top to bottom.
    pub down: u32,
    /// Its tables.
    pub coding: Coding<'a>,
}

/// An interleaved baseline scan.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// One to three, in the order of the blocks of an MCU. Of one alone an MCU has one block.
    pub components: &'a [Component<'a>],
    /// MCUs in a row.
    pub mcus_across: u32,
    /// Rows of MCUs.
    pub mcus_down: u32,
    /// MCUs between restart markers, 0 = no markers.
    pub restart_interval: u16,
    /// From after SOS through EOI.
    pub octets: &'a [u8],
}
