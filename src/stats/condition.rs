//! In which condition pictures came from the source, whatever became of them afterwards.

use std::sync::atomic::Ordering;

use super::{DropReason, Stats};

/// Pictures so far; those that nobody looked at count as neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Condition {
    /// Whole ones.
    pub intact: u64,
    /// Damaged ones.
    pub damaged: u64,
}

impl Stats {
    /// In which condition the pictures came.
    pub fn condition(&self) -> Condition {
        let mut condition = Condition {
            intact: self.sent.load(Ordering::Relaxed),
            damaged: 0,
        };
        for (&reason, counter) in DropReason::ALL.iter().zip(&self.dropped) {
            let count = counter.load(Ordering::Relaxed);
            match is_damage(reason) {
                Some(true) => condition.damaged += count,
                Some(false) => condition.intact += count,
                None => {}
            }
        }
        condition
    }
}

/// Whether a picture dropped for this reason came damaged; `None` when nobody looked at it.
const fn is_damage(reason: DropReason) -> Option<bool> {
    match reason {
        DropReason::ErrorFlag
        | DropReason::Empty
        | DropReason::NoEndOfImage
        | DropReason::NotJpeg
        | DropReason::TruncatedHeaders
        | DropReason::MalformedHeaders => Some(true),
        DropReason::Superseded | DropReason::Stopped => None,
        _ => Some(false),
    }
}
