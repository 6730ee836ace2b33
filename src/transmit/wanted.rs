//! The outputs that a camera is to have, told to its transmit thread while it runs.

use std::sync::{Mutex, PoisonError};

use crate::config::Rtp;

/// A list of outputs that waits to be put into force.
#[derive(Debug)]
pub struct Wanted(Mutex<Option<Vec<Rtp>>>);

impl Wanted {
    /// The outputs to begin with.
    pub fn new(outputs: Vec<Rtp>) -> Self {
        Self(Mutex::new(Some(outputs)))
    }

    /// Has these instead, within about a second; outputs that are in both lists go on undisturbed.
    pub fn replace(&self, outputs: Vec<Rtp>) {
        *self.lock() = Some(outputs);
    }

    /// The list that is not in force yet.
    pub fn take(&self) -> Option<Vec<Rtp>> {
        self.lock().take()
    }

    /// The list is whole at any time, so a thread that panicked elsewhere does not spoil it.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Rtp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
