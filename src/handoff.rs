//! Hands frames from the capture thread to the transmit thread of a camera: one slot, the newest frame wins.
//! An embassy-sync `Signal`, waited for by parking the thread.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;

use crate::frame::Frame;

/// What the slot holds.
enum Message {
    Frame(Frame),
    End,
}

/// What the consumer found.
#[derive(Debug)]
pub enum Taken {
    /// The newest frame.
    Frame(Frame),
    /// None came in time.
    Nothing,
    /// There will be no more.
    End,
}

/// The slot between one producer and one consumer.
pub struct Handoff {
    slot: Signal<CriticalSectionRawMutex, Message>,
    taken: Signal<CriticalSectionRawMutex, ()>,
    abandoned: AtomicBool,
}

impl Handoff {
    /// An empty slot.
    pub const fn new() -> Self {
        Self {
            slot: Signal::new(),
            taken: Signal::new(),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Producer: offers `frame` and returns the one that nobody took in time.
    pub fn put(&self, frame: Frame) -> Option<Frame> {
        self.replace(Message::Frame(frame))
    }

    /// Producer: waits for at most `timeout` until the consumer has taken what was put, or is gone; false
    /// when it still lies there.
    pub fn wait_until_taken(&self, parker: &Parker, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.slot.signaled() && !self.is_abandoned() {
            if parker.block_on(self.taken.wait(), deadline).is_none() {
                return false;
            }
        }
        true
    }

    /// Producer: no more frames will come. Returns the frame that nobody took.
    pub fn end(&self) -> Option<Frame> {
        self.replace(Message::End)
    }

    /// Consumer: waits for a frame for at most `timeout`.
    pub fn take(&self, parker: &Parker, timeout: Duration) -> Taken {
        let Some(message) = parker.block_on(self.slot.wait(), Instant::now() + timeout) else {
            return Taken::Nothing;
        };
        signal(&self.taken, ());
        match message {
            Message::Frame(frame) => Taken::Frame(frame),
            Message::End => Taken::End,
        }
    }

    /// Producer: whether the consumer is gone.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Consumer: will take no more. Returns the frame that waits.
    pub fn abandon(&self) -> Option<Frame> {
        self.abandoned.store(true, Ordering::Release);
        signal(&self.taken, ());
        into_frame(self.slot.try_take())
    }

    /// The displaced value is taken out first: `Signal::signal` would drop it, with its system call,
    /// inside the critical section that all cameras share.
    fn replace(&self, message: Message) -> Option<Frame> {
        let displaced = self.slot.try_take();
        signal(&self.slot, message);
        into_frame(displaced)
    }
}

impl Default for Handoff {
    fn default() -> Self {
        Self::new()
    }
}

thread_local! {
    /// Whom a signal of this thread has found waiting.
    static WAITING: Cell<Option<Arc<Unpark>>> = const { Cell::new(None) };
}

/// Signals `value`, and then wakes who waits for it: a thread that is woken inside of the critical section often runs at
/// once in place of the one that holds it, and has to sleep again until that one has left.
fn signal<T>(signal: &Signal<CriticalSectionRawMutex, T>, value: T) {
    signal.signal(value);
    if let Some(Unpark(thread)) = WAITING.take().as_deref() {
        thread.unpark();
    }
}

fn into_frame(message: Option<Message>) -> Option<Frame> {
    match message? {
        Message::Frame(frame) => Some(frame),
        Message::End => None,
    }
}

/// Runs futures on the thread that made it, which sleeps in between.
pub struct Parker(Waker);

impl Parker {
    /// A parker for the current thread; make one per thread, not per wait: it allocates.
    pub fn new() -> Self {
        Self(Waker::from(Arc::new(Unpark(thread::current()))))
    }

    /// `None` when `deadline` comes first.
    fn block_on<F: Future>(&self, future: F, deadline: Instant) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut context = Context::from_waker(&self.0);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            thread::park_timeout(left);
        }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

/// Leaves the waking to [`signal`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        WAITING.set(Some(self));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn frame(octet: &'static [u8]) -> Frame {
        Frame {
            data: Bytes::from_static(octet),
            sequence: 0,
            captured: Duration::ZERO,
            dequeued: Duration::ZERO,
        }
    }

    fn take(handoff: &Handoff, parker: &Parker) -> Option<Frame> {
        match handoff.take(parker, LONG) {
            Taken::Frame(frame) => Some(frame),
            Taken::Nothing | Taken::End => None,
        }
    }

    #[test]
    fn the_newest_frame_wins_and_the_older_comes_back() {
        let handoff = Handoff::new();
        let parker = Parker::new();
        assert!(handoff.put(frame(b"1")).is_none());
        assert_eq!(handoff.put(frame(b"2")).unwrap().data, "1");
        assert_eq!(take(&handoff, &parker).unwrap().data, "2");
        assert!(handoff.end().is_none());
        assert!(matches!(handoff.take(&parker, LONG), Taken::End));
    }

    #[test]
    fn no_wait_is_endless() {
        let handoff = Handoff::new();
        let parker = Parker::new();
        let short = Duration::from_millis(1);
        assert!(matches!(handoff.take(&parker, short), Taken::Nothing));
        assert!(handoff.put(frame(b"1")).is_none());
        assert!(!handoff.wait_until_taken(&parker, short));
        assert!(matches!(handoff.take(&parker, short), Taken::Frame(_)));
        assert!(handoff.wait_until_taken(&parker, short));
    }

    #[test]
    fn nothing_is_lost_when_the_producer_waits() {
        const FRAMES: usize = 10_000;
        let handoff = Handoff::new();
        let taken = thread::scope(|scope| {
            scope.spawn(|| {
                let parker = Parker::new();
                for _ in 0..FRAMES {
                    assert!(handoff.put(frame(b"x")).is_none());
                    assert!(handoff.wait_until_taken(&parker, LONG));
                }
                assert!(handoff.end().is_none());
            });
            let parker = Parker::new();
            std::iter::from_fn(|| take(&handoff, &parker)).count()
        });
        assert_eq!(taken, FRAMES);
    }

    #[test]
    fn an_abandoned_slot_does_not_hold_the_producer() {
        let handoff = Handoff::new();
        thread::scope(|scope| {
            let producer = scope.spawn(|| {
                let parker = Parker::new();
                let mut displaced = 0;
                for _ in 0..3 {
                    displaced += usize::from(handoff.put(frame(b"x")).is_some());
                    handoff.wait_until_taken(&parker, LONG);
                }
                displaced + usize::from(handoff.end().is_some())
            });
            let abandoned = usize::from(handoff.abandon().is_some());
            assert_eq!(producer.join().unwrap() + abandoned, 3);
        });
    }
}
