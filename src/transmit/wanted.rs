//! The outputs that a camera is to have, told to its thread while it runs.
//! An embassy-sync `Signal`: the newest list wins.

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;

use crate::config::Rtp;

/// A list of outputs that waits to be put into force.
pub struct Wanted(Signal<CriticalSectionRawMutex, Vec<Rtp>>);

impl Wanted {
    /// The outputs to begin with.
    pub fn new(outputs: Vec<Rtp>) -> Self {
        let wanted = Self(Signal::new());
        wanted.0.signal(outputs);
        wanted
    }

    /// Has these instead, within about a second; outputs that are in both lists go on undisturbed.
    pub fn replace(&self, outputs: Vec<Rtp>) {
        // Taken out first: `signal` would free the older list inside the critical section that all cameras share.
        drop(self.0.try_take());
        self.0.signal(outputs);
    }

    /// The list that is not in force yet.
    pub fn take(&self) -> Option<Vec<Rtp>> {
        self.0.try_take()
    }
}
