//! The two endpoints of an emulated camera, whatever protocol its cable speaks: requests to the first, and transfers
//! that wait for pictures at the second. USB 2.0, 5.8 (bulk transfers) and 9.3 (requests).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// The eight octets that open a control transfer (USB 2.0, 9.3), but for the length.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub request_type: u8,
    pub request: u8,
    pub value: u16,
    pub index: u16,
}

/// A control request was answered with data (IN), with an empty success (OUT), or with a stall (`None`).
pub type Answer = Option<Vec<u8>>;

/// What endpoint 0 does with a request.
pub enum Reply {
    Answer(Answer),
    /// The host controller, not the device, refuses: there is no bandwidth left on the bus.
    NoBandwidth,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// The stream was stopped by the host, or the device was unplugged.
#[derive(Debug, PartialEq)]
pub struct Stopped;

/// One stream from start to stop; a pace-maker that still holds an old one learns that it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run(u64);

/// A transfer that the host asks for, by the number the host gave it.
pub struct Urb {
    pub number: u64,
    pub length: usize, // octets
}

/// A transfer ended with an error on the bus.
pub struct BusError;

/// How the host learns that a transfer of the IN endpoint has ended.
pub trait Wire: Send + Sync {
    fn end(&self, urb: &Urb, data: Result<&[u8], BusError>) -> io::Result<()>;
}

/// The only bulk IN endpoint: transfers that wait for data, and the cable by which they end.
pub struct Pipe {
    wire: Arc<dyn Wire>,
    state: Mutex<PipeState>,
    changed: Condvar,
}

#[derive(Default)]
struct PipeState {
    waiting: VecDeque<Urb>,
    run: Option<Run>,
    runs: u64,
}

impl Pipe {
    pub fn new(wire: Arc<dyn Wire>) -> Self {
        Self {
            wire,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn start(&self) -> Run {
        let mut state = self.lock();
        state.runs += 1;
        let run = Run(state.runs);
        state.run = Some(run);
        self.changed.notify_all();
        run
    }

    pub fn stop(&self) {
        self.lock().run = None;
        self.changed.notify_all();
    }

    /// Sleeps until `deadline`, or less when the run ends.
    pub fn wait_until(&self, run: Run, deadline: Instant) -> Result<(), Stopped> {
        let mut state = self.lock();
        loop {
            if state.run != Some(run) {
                return Err(Stopped);
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            state = self.changed.wait_timeout(state, rest).expect("pipe lock").0;
        }
    }

    /// Sends one payload over as many URBs as it takes; a short (maybe empty) URB ends it.
    pub fn send(&self, run: Run, payload: &[u8]) -> Result<(), Stopped> {
        let mut rest = payload;
        while self.fill(run, &mut rest)? {}
        Ok(())
    }

    /// Sends what fits into one URB of the beginning of a payload, which [`Pipe::send`] is to go on with.
    pub fn begin<'a>(&self, run: Run, payload: &'a [u8]) -> Result<&'a [u8], Stopped> {
        let mut rest = payload;
        self.fill(run, &mut rest)?;
        Ok(rest)
    }

    /// Fills one URB; false when it was a short one.
    fn fill(&self, run: Run, rest: &mut &[u8]) -> Result<bool, Stopped> {
        let mut state = self.lock();
        while state.run == Some(run) && state.waiting.is_empty() {
            state = self.changed.wait(state).expect("pipe lock");
        }
        if state.run != Some(run) {
            return Err(Stopped);
        }
        let urb = state.waiting.pop_front().ok_or(Stopped)?;
        let (now, later) = rest.split_at(rest.len().min(urb.length));
        // Still under the lock: to the host no URB ends after it was told that it had taken it back.
        self.wire.end(&urb, Ok(now)).map_err(|_| Stopped)?;
        *rest = later;
        Ok(now.len() == urb.length)
    }

    /// Fails up to `count` of the URBs that wait, as a bus error does. Returns how many.
    pub fn fail(&self, count: usize) -> usize {
        let mut state = self.lock();
        let mut failed = 0;
        while failed < count
            && let Some(urb) = state.waiting.pop_front()
            && self.wire.end(&urb, Err(BusError)).is_ok()
        {
            failed += 1;
        }
        failed
    }

    pub fn queue(&self, urb: Urb) {
        self.lock().waiting.push_back(urb);
        self.changed.notify_all();
    }

    /// The host takes a transfer back; `answer` tells it whether that was still possible, before anything else ends.
    pub fn unlink<T>(&self, number: u64, answer: impl FnOnce(bool) -> T) -> T {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|urb| urb.number != number);
        answer(state.waiting.len() < before)
    }

    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().expect("pipe lock")
    }
}
