//! The second half of a camera: each picture is cut into packets and sent to every destination, paced.
//! RFC 2435, RFC 3550; system calls in [`socket`].

mod addresses;
mod advice;
pub mod batch;
mod delivery;
mod flight;
mod link;
mod lookup;
mod manner;
mod mdns;
mod multicast;
mod output;
mod pace;
mod path_mtu;
mod report_times;
mod reports;
mod route;
mod sendmmsg;
mod silence;
pub mod socket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::error;

use crate::clocks::monotonic_now;
use crate::config;
use crate::frame::Frame;
use crate::ledger::Ledger;
use crate::rtp::Carried;
use crate::sessions::Sessions;
use crate::stats::Stats;

use pace::FrameInterval;

/// How long outputs are not looked at when there is none.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub use flight::Flight;
pub use lookup::first_address;
pub use manner::Manner;
pub use output::Output;
pub use report_times::ReportTimes;

/// Sends a camera's frames to all its outputs.
pub struct Transmitter<'a> {
    name: &'a str,
    stats: &'a Stats,
    ledger: Option<Arc<Ledger>>,
    /// Those that are configured.
    outputs: Vec<Output>,
    /// Those that viewers have asked for.
    sessions: Vec<Output>,
    /// The change of the sessions that was seen last.
    seen: u64,
    interval: FrameInterval,
}

impl<'a> Transmitter<'a> {
    /// For the camera `name`, without outputs.
    pub fn new(name: &'a str, stats: &'a Stats) -> Self {
        Self {
            name,
            stats,
            ledger: None,
            outputs: Vec::new(),
            sessions: Vec::new(),
            seen: 0,
            interval: FrameInterval::default(),
        }
    }

    /// Its streams go on from where `ledger` has them, and are kept there.
    pub fn with_ledger(self, ledger: Option<Arc<Ledger>>) -> Self {
        Self { ledger, ..self }
    }

    /// Uses `wanted` from now on: a stream that was there before goes on, changed where it has to be; others end.
    pub fn set_outputs(&mut self, wanted: &[config::Output]) {
        let mut before = std::mem::take(&mut self.outputs);
        for config in wanted {
            let is_known = |output: &Output| output.config().is_stream_of(config);
            let output = match before.iter().position(is_known) {
                Some(index) => {
                    let mut output = before.swap_remove(index);
                    output.change(config);
                    Ok(output)
                }
                None => {
                    let ledger = self.ledger.as_ref();
                    Output::new(
                        config,
                        ledger.and_then(|ledger| ledger.claim(self.name, config)),
                    )
                }
            };
            match output {
                Ok(output) => self.outputs.push(output),
                Err(problem) => error!("{}: {}: {problem}", self.name, config.destination),
            }
        }
        before.into_iter().for_each(Output::close);
        let stats = self.outputs.iter().map(|output| output.stats().clone());
        self.stats.set_outputs(stats.collect());
    }

    /// Follows `wanted`: begins those that are new, and ends those that are there no more.
    pub fn follow(&mut self, wanted: &Sessions) {
        let Some(wanted) = wanted.news(&mut self.seen) else {
            return;
        };
        let mut before = std::mem::take(&mut self.sessions);
        for session in wanted {
            let is_its = |output: &Output| {
                let known = output.session();
                known.is_some_and(|known| Arc::ptr_eq(known, &session))
            };
            self.sessions.push(match before.iter().position(is_its) {
                Some(index) => before.swap_remove(index),
                None => Output::of_session(&session),
            });
        }
        for output in before {
            if !output.session().is_some_and(|session| session.is_paused()) {
                output.close();
            }
        }
        let stats = self.sessions.iter().map(|output| output.stats().clone());
        self.stats.set_sessions(stats.collect());
    }

    /// All outputs, whoever wants them.
    fn all(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().chain(&self.sessions)
    }

    /// Whether it has this very output.
    pub fn has(&self, wanted: &config::Output) -> bool {
        self.outputs.iter().any(|output| output.config() == wanted)
    }

    /// Begins to send `picture`, which came with `frame`, to all outputs that can be sent to.
    pub fn begin<'f>(&'f mut self, frame: &Frame, picture: &'f Carried<'f>) -> Flight<'f> {
        self.interval.note(frame);
        let (interval, now) = (self.interval.get(), monotonic_now());
        let begin = |output: &'f mut Output| output.begin(frame, picture, interval, now);
        let all = self.outputs.iter_mut().chain(&mut self.sessions);
        let deliveries = all.filter_map(begin);
        Flight::new(frame, deliveries, now, self.stats)
    }

    /// The earliest time at which a destination may be sent to again; `None` when one may be now.
    pub fn ready_at(&self, now: Instant) -> Option<Instant> {
        let never = now + LONGEST_WAIT;
        self.all()
            .map(|output| output.ready_at(now))
            .try_fold(never, |earliest, ready| Some(earliest.min(ready?)))
    }

    /// Whether the name of a destination is being looked up.
    pub fn looks_up(&self) -> bool {
        self.all().any(Output::looks_up)
    }

    /// Reports to the receivers of all outputs, when it is time.
    pub fn report(&mut self) {
        let now = Instant::now();
        let all = self.outputs.iter_mut().chain(&mut self.sessions);
        all.for_each(|output| output.report(now));
    }

    /// Tells the receivers that all streams end (RTCP BYE). Without it they may go on later, in another process.
    pub fn close(self) {
        let all = self.outputs.into_iter().chain(self.sessions);
        all.for_each(Output::close);
    }
}
