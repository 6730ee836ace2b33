//! Streams that are asked for while a camera runs, each to one viewer: every one is one more output of the camera's own
//! thread, which takes them up between two frames and never waits for whoever asks.
//! RFC 2326 1.3 (sessions), RFC 3550 5.1 (what a stream is known by).

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::config;
use crate::ledger::Identity;
use crate::stats::output::OutputStats;

/// Most sessions of a camera at a time.
pub const MAX_SESSIONS: usize = 32;

/// One stream, and what its receiver knows it by.
#[derive(Debug)]
pub struct Session {
    output: config::Output,
    identity: Identity,
    /// Of the next packet.
    sequence_number: AtomicU16,
    is_paused: AtomicBool,
    stats: Arc<OutputStats>,
}

impl Session {
    /// A stream that leaves as `output` says. Its first packet has the numbers of `identity`; its reports come from
    /// `identity.report_port`.
    pub fn new(output: config::Output, identity: Identity) -> Self {
        Self {
            stats: Arc::new(OutputStats::new(output.destination.to_string())),
            sequence_number: AtomicU16::new(identity.sequence_number),
            is_paused: AtomicBool::new(false),
            output,
            identity,
        }
    }

    /// How it leaves.
    pub fn output(&self) -> &config::Output {
        &self.output
    }

    /// What its receiver knows it by, with the number of the next packet.
    pub fn identity(&self) -> Identity {
        Identity {
            sequence_number: self.sequence_number.load(Ordering::Relaxed),
            ..self.identity
        }
    }

    /// The next packet has this number.
    pub fn note(&self, sequence_number: u16) {
        self.sequence_number
            .store(sequence_number, Ordering::Relaxed);
    }

    /// Its counters, and what its receiver reports.
    pub fn stats(&self) -> &Arc<OutputStats> {
        &self.stats
    }

    /// Whether it may go on: its receiver is not told that it ends.
    pub fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }
}

/// All sessions of a camera, whether it is there or not.
#[derive(Debug, Default)]
pub struct Sessions {
    wanted: Mutex<Vec<Arc<Session>>>,
    is_any: AtomicBool,
    changes: AtomicU64,
}

impl Sessions {
    /// Whether there is one.
    pub fn any(&self) -> bool {
        self.is_any.load(Ordering::Relaxed)
    }

    /// Adds one, which leaves as soon as there are pictures; false when there are [`MAX_SESSIONS`].
    pub fn add(&self, session: &Arc<Session>) -> bool {
        let mut wanted = self.lock();
        let fits = wanted.len() < MAX_SESSIONS;
        if fits {
            session.is_paused.store(false, Ordering::Relaxed);
            wanted.push(session.clone());
            self.changed(&wanted);
        }
        fits
    }

    /// Ends one: its receiver is told.
    pub fn remove(&self, session: &Arc<Session>) {
        let mut wanted = self.lock();
        wanted.retain(|each| !Arc::ptr_eq(each, session));
        self.changed(&wanted);
    }

    /// Stops one, which goes on with the next number when it is added again: its receiver is not told.
    pub fn pause(&self, session: &Arc<Session>) {
        session.is_paused.store(true, Ordering::Relaxed);
        self.remove(session);
    }

    fn changed(&self, wanted: &[Arc<Session>]) {
        self.is_any.store(!wanted.is_empty(), Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// All of them, when there are others than when `seen` was this. For the camera's thread, which does not wait: while
    /// somebody changes them, it asks again.
    pub fn news(&self, seen: &mut u64) -> Option<Vec<Arc<Session>>> {
        let changes = self.changes.load(Ordering::Acquire);
        if changes == *seen {
            return None;
        }
        let wanted = match self.wanted.try_lock() {
            Ok(wanted) => wanted,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        *seen = changes;
        Some(wanted.clone())
    }

    /// The list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Session>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(port: u16) -> Arc<Session> {
        let output = config::Output::to_viewer(([127, 0, 0, 1], port).into(), 0);
        let identity = Identity {
            ssrc: 1,
            clock_offset: 2,
            sequence_number: 3,
            report_port: 4,
            source: None,
        };
        Arc::new(Session::new(output, identity))
    }

    #[test]
    fn a_change_is_seen_once() {
        let sessions = Sessions::default();
        let mut seen = 0;
        assert!(sessions.news(&mut seen).is_none() && !sessions.any());
        let one = session(5000);
        assert!(sessions.add(&one) && sessions.any());
        assert_eq!(sessions.news(&mut seen).map(|list| list.len()), Some(1));
        assert!(sessions.news(&mut seen).is_none());
        one.note(9);
        sessions.pause(&one);
        assert!(one.is_paused() && one.identity().sequence_number == 9);
        assert_eq!(sessions.news(&mut seen).map(|list| list.len()), Some(0));
        assert!(sessions.add(&one) && !one.is_paused());
        sessions.remove(&one);
        assert!(!one.is_paused() && !sessions.any());
    }

    #[test]
    fn a_camera_does_not_wait_for_whoever_changes_them() {
        let sessions = Sessions::default();
        sessions.add(&session(5000));
        let mut seen = 0;
        let changing = sessions.lock();
        assert!(sessions.news(&mut seen).is_none());
        drop(changing);
        assert!(sessions.news(&mut seen).is_some());
    }

    #[test]
    fn there_is_an_end() {
        let sessions = Sessions::default();
        let all: Vec<_> = (0..MAX_SESSIONS).map(|_| session(5000)).collect();
        assert!(all.iter().all(|each| sessions.add(each)));
        assert!(!sessions.add(&session(5000)));
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
    }
}
