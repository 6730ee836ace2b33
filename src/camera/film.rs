//! The loop of a camera: the newest frame from the driver to the network, asleep while nobody wants any.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use tracing::info;

use super::said::Said;
use super::suspects::Suspects;
use crate::capture::Capture;
use crate::config::{self, Fps, RestartMarkers};
use crate::frame::{Frame, Suspicion};
use crate::heartbeat::{Heartbeat, LONGEST_WAIT};
use crate::jpeg::{Habits, Parser};
use crate::ledger::Ledger;
use crate::panel::Panel;
use crate::rtp::{Carried, Carrier, Refused};
use crate::stats::{DropReason, Stats};
use crate::stop::{Stop, readable, wait_readable};
use crate::transmit::{Flight, Manner, Transmitter};
use crate::viewers::Viewers;

/// How long a camera that nobody watches any more stays open: a page that is loaded again finds it so.
const SLEEPS_AFTER: Duration = Duration::from_secs(5);

/// What a camera is to do, told to its thread while it runs: the newest word wins.
#[derive(Default)]
pub struct Wanted(Signal<CriticalSectionRawMutex, config::Camera>);

impl Wanted {
    /// Asks for this instead, within about a second.
    pub fn replace(&self, config: config::Camera) {
        // Taken out first: `signal` would free the older one inside the critical section that all cameras share.
        drop(self.0.try_take());
        self.0.signal(config);
    }

    /// Whether there is something that is not in force yet.
    pub fn is_waiting(&self) -> bool {
        self.0.signaled()
    }

    /// What is not in force yet.
    fn take(&self) -> Option<config::Camera> {
        self.0.try_take()
    }
}

/// What a camera's thread shares with those who look after it.
pub struct Shared {
    pub wanted: Wanted,
    pub stats: Arc<Stats>,
    pub viewers: Arc<Viewers>,
    pub panel: Arc<Panel>,
    pub stop: Stop,
    /// Whether the streams may go on after the stop.
    pub pauses: AtomicBool,
    pub heartbeat: Arc<Heartbeat>,
}

impl Shared {
    /// A camera's thread, to begin with `config`: its streams go on when the camera is another one, or is used in
    /// another way. It ends when no frames are `left`.
    pub fn run(
        &self,
        mut config: config::Camera,
        mut left: Option<u64>,
        ledger: Option<Arc<Ledger>>,
    ) {
        let name = config.name().clone();
        let mut transmitter = Transmitter::new(name.as_str(), &self.stats).with_ledger(ledger);
        let mut said = Said::default();
        let mut rate = None;
        loop {
            give_outputs(&mut transmitter, &config, rate);
            rate = Some(config.fps());
            let next = match config.is_on_demand() && !self.viewers.need_camera() {
                true => self.sleep(&config, &mut transmitter),
                false => self.film(&config, &mut transmitter, &mut said, &mut left),
            };
            match next {
                Some(next) => config = next,
                None => break,
            }
        }
        if !self.pauses.load(Ordering::Acquire) {
            transmitter.close();
        }
    }

    /// The loop of a camera that nobody watches, until somebody does or it is to be filmed otherwise: returns how then,
    /// if at all.
    fn sleep(
        &self,
        config: &config::Camera,
        transmitter: &mut Transmitter,
    ) -> Option<config::Camera> {
        self.stats.source_sleeps();
        while !self.stop.is_raised() {
            self.heartbeat.beat();
            if let Some(changed) = self.wanted.take() {
                return Some(changed);
            }
            transmitter.follow(self.viewers.sessions());
            if self.viewers.need_camera() {
                return Some(config.clone());
            }
            self.panel.close();
            transmitter.report();
            let (stop, wanted) = (self.stop.as_fd(), self.viewers.wanted().as_fd());
            let events = &mut [readable(stop), readable(wanted)];
            if wait_readable(events, LONGEST_WAIT).is_err() {
                self.stop.wait(LONGEST_WAIT);
            }
            self.viewers.wanted().heard();
        }
        None
    }

    /// The loop of a camera: the newest frame from the driver to the network, as long as it is not told to stop and
    /// there are frames `left` to be taken for sending, whether or not somebody listens. Returns how it is to be
    /// filmed from then on, if at all, also when nobody watches what is filmed on demand.
    fn film(
        &self,
        config: &config::Camera,
        transmitter: &mut Transmitter,
        said: &mut Said,
        left: &mut Option<u64>,
    ) -> Option<config::Camera> {
        let (stats, stop, heartbeat) = (&self.stats, &self.stop, &self.heartbeat);
        let capture = Capture::new(config, stats, stop, heartbeat);
        let mut capture = capture.with_panel(&self.panel);
        let mut parser = match config.allow_missing_eoi {
            true => Parser::tolerating_missing_eoi(),
            false => Parser::default(),
        };
        let mut carrier = match config.restart_markers {
            RestartMarkers::Remove => Carrier::removing_restarts(),
            RestartMarkers::Keep => Carrier::default(),
        };
        let mut suspects = Suspects::new(config.verify);
        let mut current = config.clone();
        let mut watched = Instant::now();
        while !stop.is_raised() && *left != Some(0) {
            heartbeat.beat();
            if let Some(changed) = self.wanted.take() {
                if !changed.films_as(config) {
                    return Some(changed);
                }
                give_outputs(transmitter, &changed, Some(config.fps()));
                current = changed;
            }
            transmitter.follow(self.viewers.sessions());
            if self.viewers.need_camera() {
                watched = Instant::now();
            } else if current.is_on_demand() && watched.elapsed() >= SLEEPS_AFTER {
                return Some(current);
            }
            capture.adjust();
            if let Some(wait) = self.useless_before(&capture, transmitter) {
                stop.wait(wait.min(LONGEST_WAIT));
            } else if let Some(frame) = capture.take() {
                match self.send(
                    frame,
                    (&mut parser, &mut suspects, &mut carrier),
                    transmitter,
                    &mut capture,
                ) {
                    Ok((habits, large)) => {
                        stats.frame_sent();
                        one_less(left);
                        said.tolerated(config.name(), habits);
                        said.large(config.name(), large);
                    }
                    Err(lost) => {
                        stats.frame_dropped(lost.reason());
                        // What is wrong with a destination is said where it is noticed.
                        if let Lost::Refused(refused) = &lost {
                            said.refused(config.name(), refused, stats.habit());
                        }
                        if lost.was_taken(transmitter) {
                            one_less(left);
                        }
                    }
                }
            }
            transmitter.report();
        }
        None
    }

    /// How long a source that delivers as fast as it is asked need not be asked: no destination can be sent to.
    fn useless_before(&self, capture: &Capture, transmitter: &Transmitter) -> Option<Duration> {
        if !capture.waits() || self.viewers.any() {
            return None;
        }
        let ready = transmitter.ready_at(Instant::now())?;
        Some(ready.saturating_duration_since(Instant::now()))
    }

    /// The way of one frame: parsed, found fit for RTP, and sent batch by batch, each when it is due. While nothing is
    /// due the pictures that come are taken from the driver. Returns what was tolerated in it, and its size when packets
    /// have no room for that.
    fn send(
        &self,
        frame: Frame,
        (parser, suspects, carrier): (&mut Parser, &mut Suspects, &mut Carrier),
        transmitter: &mut Transmitter,
        capture: &mut Capture,
    ) -> Result<(Habits, Option<(u16, u16)>), Lost> {
        parser.expect_size(capture.size());
        let is_flagged = frame.suspicion == Suspicion::Flagged;
        let image = match parser.parse(&frame.data) {
            // As the driver said.
            Err(_) if is_flagged => return Err(Lost::Flagged),
            read => read.map_err(Refused::from)?,
        };
        let habits = image.habits;
        let captured = frame.captured;
        let is_suspect = suspects.has(frame.suspicion, image.scan.len());
        let large = match carrier.carry(&image) {
            Ok(picture) => {
                if is_suspect {
                    carrier.verify(&image)?;
                }
                let flight = transmitter.begin(&frame, &picture);
                self.fly(flight, capture, &picture, captured)?;
                picture.large_size()
            }
            Err(obstacle) => {
                let picture = carrier.recode(&image, obstacle)?;
                let flight = transmitter.begin(&frame, &picture);
                // Its octets are elsewhere now: the driver has the buffer back before they leave.
                drop(frame);
                self.fly(flight, capture, &picture, captured)?;
                picture.large_size()
            }
        };
        if is_flagged {
            self.stats.flagged_but_whole();
        }
        Ok((habits, large))
    }

    /// Sends batch by batch, each when it is due. Those who watch get theirs behind the first.
    fn fly(
        &self,
        mut flight: Flight,
        capture: &mut Capture,
        picture: &Carried,
        captured: Duration,
    ) -> Result<(), DropReason> {
        let is_watched = self.viewers.any();
        let size = (picture.width, picture.height);
        self.stats.picture(size, is_watched);
        let mut is_shown = !is_watched;
        let mut show = || {
            if !std::mem::replace(&mut is_shown, true) {
                self.viewers
                    .show(size, captured, |file| picture.write_file(file));
            }
        };
        while let Some(due) = flight.next_due() {
            capture.wait_until(due);
            flight.send_due();
            show();
        }
        show();
        match flight.end() {
            // Shown to somebody, it is not lost.
            Err(_) if is_watched => Ok(()),
            left => left,
        }
    }
}

/// Gives the outputs of `config` to `transmitter`. Those that are new are said, and those that send in another manner
/// since the rate is not what it was when they were `said`.
fn give_outputs(transmitter: &mut Transmitter, config: &config::Camera, said: Option<Fps>) {
    for output in &config.outputs {
        let manner = Manner(output, config.fps()).to_string();
        let same = said.is_some_and(|fps| manner == Manner(output, fps).to_string());
        if !(same && transmitter.has(output)) {
            info!("{}: {manner}", config.name());
        }
    }
    transmitter.set_outputs(&config.outputs);
}

/// Counts a frame that was taken for sending.
fn one_less(left: &mut Option<u64>) {
    *left = left.map(|left| left.saturating_sub(1));
}

/// Why a frame was not sent.
enum Lost {
    /// It is damaged, as the driver has said.
    Flagged,
    /// RTP/JPEG cannot carry it.
    Refused(Refused),
    /// It reached no destination.
    Unsent(DropReason),
}

impl From<Refused> for Lost {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<DropReason> for Lost {
    fn from(reason: DropReason) -> Self {
        Self::Unsent(reason)
    }
}

impl Lost {
    fn reason(&self) -> DropReason {
        match *self {
            Self::Flagged => DropReason::ErrorFlag,
            Self::Refused(refused) => refused.into(),
            Self::Unsent(reason) => reason,
        }
    }

    /// Whether it was taken for sending: all that RTP/JPEG carries is, except while a name is being looked up and
    /// nobody else is there.
    fn was_taken(&self, transmitter: &Transmitter) -> bool {
        match self {
            Self::Flagged | Self::Refused(_) => false,
            Self::Unsent(DropReason::NoDestination) => !transmitter.looks_up(),
            Self::Unsent(_) => true,
        }
    }
}
