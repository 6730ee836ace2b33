//! The cameras as those find them who come by a door: by name, in the order of the configuration. Written by the main
//! thread; no camera's thread ever looks at it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config;
use crate::panel::Panel;
use crate::stats::Stats;
use crate::viewers::Viewers;

/// A camera that can be asked for.
#[derive(Debug, Clone)]
pub struct Entry {
    /// How it is configured.
    pub config: Arc<config::Camera>,
    /// Its counters; others after its thread was started anew.
    pub stats: Arc<Stats>,
    /// Who watches it; the same as long as it is configured.
    pub viewers: Arc<Viewers>,
    /// Where its controls are set; the same for as long.
    pub panel: Arc<Panel>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Directory(Mutex<Vec<Entry>>);

impl Directory {
    /// These there are from now on.
    pub fn set(&self, entries: Vec<Entry>) {
        *self.lock() = entries;
    }

    /// Those that there are now.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// The one of this name.
    pub fn find(&self, name: &str) -> Option<Entry> {
        let entries = self.lock();
        let mut entries = entries.iter();
        entries
            .find(|entry| entry.config.name().as_str() == name)
            .cloned()
    }

    /// The list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
