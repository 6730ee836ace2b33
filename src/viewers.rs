//! Where those who pull find a camera's newest picture. The camera's thread makes pictures for them only while somebody
//! watches, and never waits: a picture that nobody has taken yet makes room for the next.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::bell::Bell;
use crate::sessions::{Session, Sessions};

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
    /// Memory of a picture that nobody has any more, for the next one: new memory takes the kernel longer than the copy.
    spare: Mutex<Vec<u8>>,
    /// Rings when there is a picture; whoever hands pictures out listens.
    shown: Bell,
    /// Rings when somebody watches; the camera listens while it sleeps.
    wanted: Bell,
    /// Streams of their own that some have asked for: these need no picture from here.
    sessions: Sessions,
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
            spare: Mutex::default(),
            shown: Bell::new()?,
            wanted: Bell::new()?,
            sessions: Sessions::default(),
            frames_shown: AtomicU64::new(0),
            frames_delivered: AtomicU64::new(0),
            frames_skipped: AtomicU64::new(0),
            octets_sent: AtomicU64::new(0),
        })
    }

    /// Whether somebody watches, by a picture from here.
    pub fn any(&self) -> bool {
        self.watching.load(Ordering::Relaxed) > 0
    }

    /// Whether there is somebody to open the camera for.
    pub fn need_camera(&self) -> bool {
        self.any() || self.sessions.any()
    }

    /// The streams that some have asked for.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Begins a stream, and wakes the camera; false when there are too many.
    pub fn begin(&self, session: &Arc<Session>) -> bool {
        let begins = self.sessions.add(session);
        self.wanted.ring();
        begins
    }

    /// Shows them a picture of `size` that was `captured` then, which `write` makes: only called when there is
    /// [`Self::any`].
    pub fn show(
        self: &Arc<Self>,
        size: (u16, u16),
        captured: Duration,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut jpeg = self.exchange_spare(Vec::new());
        write(&mut jpeg);
        let picture = Picture {
            jpeg: Bytes::from_owner(Reused {
                jpeg,
                viewers: Arc::downgrade(self),
            }),
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

    /// Puts `memory` where the next picture takes it from, and returns what was there. Nobody waits for it.
    fn exchange_spare(&self, memory: Vec<u8>) -> Vec<u8> {
        match self.spare.try_lock() {
            Ok(mut spare) => std::mem::replace(&mut spare, memory),
            Err(_) => memory,
        }
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

/// The octets of a picture. Their memory is the next picture's when nobody has this one any more.
struct Reused {
    jpeg: Vec<u8>,
    viewers: Weak<Viewers>,
}

impl AsRef<[u8]> for Reused {
    fn as_ref(&self) -> &[u8] {
        &self.jpeg
    }
}

impl Drop for Reused {
    fn drop(&mut self) {
        let viewers = self.viewers.upgrade();
        if let Some(viewers) = viewers.filter(|viewers| viewers.any()) {
            viewers.exchange_spare(std::mem::take(&mut self.jpeg));
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
            drop(self.0.exchange_spare(Vec::new()));
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

    fn show(viewers: &Arc<Viewers>, octet: u8) {
        viewers.show((8, 8), Duration::from_secs(octet.into()), |file| {
            file.clear();
            file.push(octet);
        });
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
    fn the_memory_of_a_picture_is_used_again_when_nobody_has_it() {
        let viewers = Arc::new(Viewers::new().unwrap());
        let watch = viewers.watch();
        let take = |octet| {
            show(&viewers, octet);
            viewers.take().unwrap().jpeg
        };
        let first = take(1);
        let second = take(2);
        let memory = first.as_ptr();
        // Somebody still has it.
        assert_ne!(second.as_ptr(), memory);
        drop(first);
        assert_eq!(viewers.spare.lock().unwrap().as_ptr(), memory);
        let third = take(3);
        assert_eq!((&second[..], &third[..]), (&[2][..], &[3][..]));
        assert_eq!(third.as_ptr(), memory);
        // The last one leaves nothing behind, whatever is dropped first.
        drop(second);
        drop(watch);
        drop(third);
        assert_eq!(viewers.spare.lock().unwrap().capacity(), 0);
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
