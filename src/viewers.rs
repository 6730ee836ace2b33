//! Where those who pull find a camera's newest picture. The camera's thread makes pictures for them only while somebody
//! watches, and never waits: a picture that nobody has taken yet makes room for the next.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::bell::Bell;

/// A picture of its own memory: no buffer of the camera waits for whoever looks at it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// A JPEG file, from SOI through EOI.
    pub jpeg: Bytes,
    /// Width and height in pixels.
    pub size: (u16, u16),
    /// When it was taken, on the monotonic clock.
    pub captured: Duration,
    /// The camera's count of pictures that were made while somebody watched.
    pub number: u64,
}

/// Those who watch one camera, whether it is there or not.
#[derive(Debug)]
pub struct Viewers {
    watching: AtomicUsize,
    newest: Mutex<Option<Picture>>,
    /// Rings when there is a picture; whoever hands pictures out listens.
    shown: Bell,
    /// Rings when somebody watches; the camera listens while it sleeps.
    wanted: Bell,
    frames_shown: AtomicU64,
    frames_delivered: AtomicU64,
    frames_skipped: AtomicU64,
    octets_sent: AtomicU64,
}

/// The counters of [`Viewers`] at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewersSummary {
    /// So many watch now.
    pub watching: usize,
    /// Pictures made for them.
    pub frames_shown: u64,
    /// Pictures sent to them, each to each counted.
    pub frames_sent: u64,
    /// Pictures that one of them was too slow for.
    pub frames_skipped: u64,
    /// Octets of the pictures sent to them.
    pub octets_sent: u64,
}

impl Viewers {
    /// Nobody, of a camera that has shown nothing yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            watching: AtomicUsize::new(0),
            newest: Mutex::new(None),
            shown: Bell::new()?,
            wanted: Bell::new()?,
            frames_shown: AtomicU64::new(0),
            frames_delivered: AtomicU64::new(0),
            frames_skipped: AtomicU64::new(0),
            octets_sent: AtomicU64::new(0),
        })
    }

    /// Whether somebody watches.
    pub fn any(&self) -> bool {
        self.watching.load(Ordering::Relaxed) > 0
    }

    /// Shows them a picture of `size` that was `captured` then, and makes it: only called when there is [`Self::any`].
    pub fn show(&self, size: (u16, u16), captured: Duration, jpeg: impl FnOnce() -> Vec<u8>) {
        let picture = Picture {
            jpeg: jpeg().into(),
            size,
            captured,
            number: self.frames_shown.fetch_add(1, Ordering::Relaxed),
        };
        // What is replaced is freed when the lock is open again. Whoever holds it takes a picture just now: the next one
        // is for him.
        let _replaced = match self.newest.try_lock() {
            Ok(mut newest) => newest.replace(picture),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().replace(picture),
            Err(TryLockError::WouldBlock) => Some(picture),
        };
        self.shown.ring();
    }

    /// Rings when there is a picture to take.
    pub fn shown(&self) -> &Bell {
        &self.shown
    }

    /// Rings when the first one begins to watch.
    pub fn wanted(&self) -> &Bell {
        &self.wanted
    }

    /// The newest picture, if nobody has taken it yet.
    pub fn take(&self) -> Option<Picture> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Picture>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody watches from now on, until the guard is dropped.
    pub fn watch(self: &Arc<Self>) -> Watch {
        self.watching.fetch_add(1, Ordering::Relaxed);
        self.wanted.ring();
        Watch(self.clone())
    }

    /// One of them was sent a picture of so many octets.
    pub fn delivered(&self, octets: u64) {
        self.frames_delivered.fetch_add(1, Ordering::Relaxed);
        self.octets_sent.fetch_add(octets, Ordering::Relaxed);
    }

    /// One of them was too slow for so many pictures.
    pub fn skipped(&self, frames: u64) {
        self.frames_skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn summary(&self) -> ViewersSummary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ViewersSummary {
            watching: self.watching.load(Ordering::Relaxed),
            frames_shown: read(&self.frames_shown),
            frames_sent: read(&self.frames_delivered),
            frames_skipped: read(&self.frames_skipped),
            octets_sent: read(&self.octets_sent),
        }
    }
}

/// One who watches.
#[derive(Debug)]
pub struct Watch(Arc<Viewers>);

impl Watch {
    /// What is watched.
    pub fn viewers(&self) -> &Arc<Viewers> {
        &self.0
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The last one leaves no picture behind: a later one must not take it for new.
        if self.0.watching.fetch_sub(1, Ordering::Relaxed) == 1 {
            drop(self.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::PollTimeout;
    use nix::poll::{PollFd, PollFlags, poll};
    use std::os::fd::AsFd;

    use super::*;

    fn rings(bell: &Bell) -> bool {
        let mut events = [PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
        poll(&mut events, PollTimeout::ZERO).unwrap() > 0
    }

    fn show(viewers: &Viewers, octet: u8) {
        viewers.show((8, 8), Duration::from_secs(octet.into()), || vec![octet]);
    }

    #[test]
    fn the_newest_picture_is_there_once() {
        let viewers = Arc::new(Viewers::new().unwrap());
        assert!(!viewers.any());
        let watch = viewers.watch();
        assert!(viewers.any() && rings(viewers.wanted()) && !rings(viewers.shown()));
        show(&viewers, 1);
        show(&viewers, 2);
        assert!(rings(viewers.shown()));
        viewers.shown().heard();
        assert!(!rings(viewers.shown()));
        let picture = viewers.take().unwrap();
        assert_eq!((&picture.jpeg[..], picture.number), (&[2][..], 1));
        assert!(viewers.take().is_none());
        show(&viewers, 3);
        drop(watch);
        assert!(!viewers.any() && viewers.take().is_none());
    }

    #[test]
    fn a_camera_does_not_wait_for_whoever_takes_a_picture() {
        let viewers = Arc::new(Viewers::new().unwrap());
        let _watch = viewers.watch();
        let taking = viewers.lock();
        show(&viewers, 1);
        drop(taking);
        assert!(viewers.take().is_none());
        assert_eq!(viewers.summary().frames_shown, 1);
    }
}
