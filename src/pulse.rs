//! Shows from outside that a thread's loop turns: a watchdog may then tell a thread that hangs from one that waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longest wait of a loop that has a pulse: it turns at least this often, even when there is nothing to do.
pub const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Counts the turns of one thread's loop.
#[derive(Debug, Default)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// The loop turns.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Turns so far.
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
