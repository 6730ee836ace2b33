//! In which condition pictures came from the source, whatever became of them afterwards.

/// Pictures so far; those that nobody looked at count as neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Condition {
    /// Whole ones.
    pub intact: u64,
    /// Damaged ones.
    pub damaged: u64,
}
