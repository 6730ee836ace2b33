//! Damage in a scan that only its codes show, and where.
//! ITU-T T.81 F.1.2 (what a block may have), E.1.4 (restart markers).

/// A scan that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the scan is damaged near its octet {offset}: {fault}")]
pub struct Corrupt {
    /// In octets from the scan's start: at most 8 before the damage was noticed.
    pub offset: usize,
    /// What was seen.
    pub fault: Fault,
}

/// What is wrong in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bits that are no code of the table, or one that baseline does not have.
    #[error("expected a code of its Huffman table")]
    Code,
    /// A run of zeros goes on behind a block's end.
    #[error("a block has more than 64 coefficients")]
    Block,
    /// The bits end before the blocks do.
    #[error("a marker where expected more blocks")]
    Truncated,
    /// An interval of blocks is there, and no restart marker follows.
    #[error("expected a restart marker")]
    Restart,
    /// All blocks are there, and no EOI follows.
    #[error("expected EOI behind the last block")]
    End,
    /// A DC coefficient is too far from the last one of its component.
    #[error("a DC coefficient is out of range")]
    Range,
    /// The scan would be too long in Annex K's code.
    #[error("it would have 16 MiB or more in the standard code")]
    Size,
    /// More codes than there can be, or more components.
    #[error("its Huffman tables have more codes than there can be")]
    Tables,
}
