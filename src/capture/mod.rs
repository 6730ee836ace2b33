//! The first half of a camera: takes pictures from a source, drops the damaged, keeps the newest; a source that
//! fails is opened again, for as long as nobody says stop. V4L2 user-space API for cameras; files and a test
//! pattern look the same from here.

pub mod error;
pub mod find;
mod health;
pub mod listing;
mod metronome;
pub mod multipart;
pub mod pattern;
pub mod replay;
mod size;
pub mod source;
pub mod stream;
pub mod v4l2;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info};

pub use error::CaptureError;
pub use size::expected_size;
pub use source::{Agreement, Captured, Source};

use find::{Hotplug, Search};
use pattern::TestPattern;
use replay::Replay;
use stream::{Event, Stream};
use v4l2::Camera;

use crate::backoff::Backoff;
use crate::clocks::{monotonic_now, sleep_until};
use crate::config::{self, Device, Verify};
use crate::frame::{Frame, Suspicion};
use crate::heartbeat::{Heartbeat, LONGEST_WAIT};
use crate::log_limit::LogLimits;
use crate::panel::Panel;
use crate::stats::{DropReason, Stats};
use crate::stop::{Stop, readable, wait_readable};

/// Waits after failures: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// Attempts are at least so far apart, whatever happens in /dev.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// Most buffers that a driver can have filled meanwhile (VIDEO_MAX_FRAME of videodev2.h).
const MOST_BUFFERS: usize = 32;

/// The pictures of a camera, whatever happens to it: one that is not there, or fails, is waited for.
pub struct Capture<'a> {
    config: &'a config::Camera,
    stats: &'a Stats,
    stop: &'a Stop,
    heartbeat: &'a Heartbeat,
    panel: Option<&'a Panel>,
    hotplug: Hotplug,
    search: Search,
    backoff: Backoff,
    said: Arc<LogLimits>,
    state: State,
    /// The newest picture that nobody has taken yet.
    newest: Option<Frame>,
}

enum State {
    /// Opened at `due`, or from `earliest` on when a camera is plugged in.
    Closed { earliest: Instant, due: Instant },
    /// Pictures come.
    Open(Stream),
}

impl<'a> Capture<'a> {
    /// For the camera of `config`, counted in `stats`, until `stop` is raised. Opening it may take as long as drivers
    /// wait for a camera; `heartbeat` is beaten between the steps.
    pub fn new(
        config: &'a config::Camera,
        stats: &'a Stats,
        stop: &'a Stop,
        heartbeat: &'a Heartbeat,
    ) -> Self {
        let hotplug = if config.device.is_camera() {
            Hotplug::watch()
        } else {
            Hotplug::none()
        };
        let now = Instant::now();
        Self {
            config,
            stats,
            stop,
            heartbeat,
            panel: None,
            hotplug,
            search: Search::new(config.device.clone()),
            backoff: Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF),
            said: Arc::default(),
            state: State::Closed {
                earliest: now,
                due: now,
            },
            newest: None,
        }
    }

    /// The same, whose controls somebody sets on `panel`.
    pub fn with_panel(mut self, panel: &'a Panel) -> Self {
        self.panel = Some(panel);
        self
    }

    /// Does something of what is asked on the panel: between two pictures, because a camera may take its time.
    pub fn adjust(&mut self) {
        match (&mut self.state, self.panel) {
            (State::Open(stream), Some(panel)) => stream.adjust(panel),
            (State::Closed { .. }, Some(panel)) => panel.close(),
            (_, None) => {}
        }
    }

    /// The newest picture, waited for when there is none; `None` at the latest after [`LONGEST_WAIT`], and when the
    /// stop flag is up.
    pub fn take(&mut self) -> Option<Frame> {
        if let State::Closed { earliest, due } = self.state
            && self.newest.is_none()
        {
            if self.is_time(earliest, due) && !self.stop.is_raised() {
                self.open();
            }
            return None;
        }
        let until = monotonic_now() + LONGEST_WAIT;
        let is_time_left = || !self.stop.is_raised() && monotonic_now() < until;
        while self.newest.is_none() && is_time_left() && self.take_by(until) {}
        // Buffers pile up while a thread does not get the processor: the newest is wanted.
        let mut most = MOST_BUFFERS;
        while most > 0 && self.take_by(Duration::ZERO) {
            most -= 1;
        }
        self.newest.take()
    }

    /// Returns when the monotonic clock shows `due`. Pictures that come meanwhile are taken from the driver, so
    /// that its buffers are free again.
    pub fn wait_until(&mut self, due: Duration) {
        while !self.stop.is_raised() && monotonic_now() < due && self.take_by(due) {}
        sleep_until(due);
    }

    /// Width and height that pictures should have: what the driver agreed to, else what was asked for.
    pub fn size(&self) -> Option<(u16, u16)> {
        let agreed = match &self.state {
            State::Open(stream) => stream.size(),
            State::Closed { .. } => None,
        };
        let asked = (self.config.width.get(), self.config.height.get());
        let (width, height) = agreed.unwrap_or(asked);
        Some((width.try_into().ok()?, height.try_into().ok()?))
    }

    /// Who the camera is and what it has agreed to, while it streams.
    pub fn agreement(&self) -> Option<&Agreement> {
        match &self.state {
            State::Open(stream) => stream.agreement(),
            State::Closed { .. } => None,
        }
    }

    /// Whether pictures come as fast as they are asked for, and wait until then.
    pub fn waits(&self) -> bool {
        matches!(&self.state, State::Open(stream) if stream.waits())
    }

    /// Waits for a picture until `until` on the monotonic clock; false when none came.
    fn take_by(&mut self, until: Duration) -> bool {
        let State::Open(stream) = &mut self.state else {
            return false;
        };
        if self.newest.is_some() && stream.waits() {
            return false;
        }
        match stream.next(until, self.stats, self.stop) {
            Ok(Event::Frame(frame)) => self.keep(frame),
            Ok(Event::Dropped) => {}
            Ok(Event::Nothing) => return false,
            Err(problem) => {
                self.close(&problem);
                return false;
            }
        }
        true
    }

    /// The newest picture takes the place of the one that waits. One that the driver calls damaged does not take that of
    /// one that it does not: most likely neither would leave.
    fn keep(&mut self, frame: Frame) {
        let is_flagged = |frame: &Frame| frame.suspicion == Suspicion::Flagged;
        match &self.newest {
            Some(waiting) if is_flagged(&frame) && !is_flagged(waiting) => {
                self.stats.frame_dropped(DropReason::ErrorFlag);
                return;
            }
            Some(_) => self.stats.frame_dropped(DropReason::Superseded),
            None => {}
        }
        self.newest = Some(frame);
    }

    /// Opens the source, or says why not.
    fn open(&mut self) {
        let stats = self.stats;
        let kept = self.panel.map(Panel::kept).unwrap_or_default();
        let (search, said) = (&mut self.search, &self.said);
        match open(self.config, &kept, search, said, self.heartbeat) {
            Ok(source) => {
                self.state = State::Open(Stream::new(
                    source,
                    self.config.verify != Verify::Off,
                    stats,
                ))
            }
            Err(problem) => self.close(&problem),
        }
    }

    /// The source has failed, or could not be opened: the next attempt comes after a wait.
    fn close(&mut self, problem: &CaptureError) {
        if let State::Open(stream) = &self.state
            && stream.was_good(self.stats)
        {
            self.backoff.reset();
        }
        let problem = problem.to_string();
        self.stats.source_missing(&problem);
        if let Some(panel) = self.panel {
            panel.close();
        }
        let name = self.config.name();
        let now = Instant::now();
        if let Some(times) = self.said.note(&problem, now) {
            error!("{name}: {problem}; trying again{times}");
        }
        let earliest = now + SHORTEST_PAUSE;
        let due = earliest.max(now + self.backoff.wait());
        self.state = State::Closed { earliest, due };
    }

    /// Waits for the time of the next attempt, or for a camera that is plugged in, for at most [`LONGEST_WAIT`].
    /// Whether it has come.
    fn is_time(&mut self, earliest: Instant, due: Instant) -> bool {
        let left = |time: Instant| time.saturating_duration_since(Instant::now());
        if self.stop.wait(left(earliest)) {
            return false;
        }
        // What happened up to here is seen by the next attempt; what comes later cuts the wait after it short.
        if self.hotplug.any() {
            self.backoff.reset();
            return true;
        }
        let wait = left(due);
        if wait.is_zero() {
            return true;
        }
        let mut fds = vec![readable(self.stop.as_fd())];
        fds.extend(self.hotplug.fd().map(readable));
        wait_readable(&mut fds, wait.min(LONGEST_WAIT)).is_err()
    }
}

impl Drop for Capture<'_> {
    fn drop(&mut self) {
        if self.newest.is_some() {
            self.stats.frame_dropped(DropReason::Stopped);
        }
        if let Some(panel) = self.panel {
            panel.close();
        }
        self.stats.source_stopped();
        info!("{}: capturing ended", self.config.name());
    }
}

/// Opens the source that `config` describes; cameras are those that `search` finds.
fn open(
    config: &config::Camera,
    kept: &config::Controls,
    search: &mut Search,
    said: &Arc<LogLimits>,
    heartbeat: &Heartbeat,
) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match &config.device {
        Device::Replay(path) => Box::new(Replay::open(path, config.fps())?),
        Device::Demo => Box::new(TestPattern::new(config.width, config.height, config.fps())?),
        Device::Auto | Device::Path(_) | Device::Usb { .. } | Device::Bus(_) => {
            Box::new(search.open(|opened| Camera::start(opened, config, kept, said, heartbeat))?)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Config;
    use crate::stats::CameraState;

    fn config(device: &str) -> config::Camera {
        let text = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"{device}\"\nfps = 60\n[[camera.rtp]]\ndestination = \"127.0.0.1:9\"\n"
        );
        let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
        config.cameras.into_iter().next().unwrap()
    }

    /// A file with one picture, as short as it can be; removed at the end.
    struct Picture(std::path::PathBuf);

    impl Picture {
        fn new(name: &str) -> Self {
            let file = format!("framewire-{name}-{}.jpg", std::process::id());
            Self(std::env::temp_dir().join(file))
        }

        fn write(&self) {
            fs::write(&self.0, [0xFF, 0xD8, 0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0xD9]).unwrap();
        }

        fn config(&self) -> config::Camera {
            config(&format!("replay:{}", self.0.display()))
        }
    }

    impl Drop for Picture {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn dropped(stats: &Stats, reason: &str) -> u64 {
        let summary = serde_json::to_value(stats.summary("front")).unwrap();
        summary["frames_dropped"][reason].as_u64().unwrap_or(0)
    }

    #[test]
    fn a_source_that_is_missing_is_found_when_it_comes() {
        let picture = Picture::new("late");
        let (config, stats, heartbeat) = (picture.config(), Stats::default(), Heartbeat::default());
        let stop = Stop::new().unwrap();
        let mut capture = Capture::new(&config, &stats, &stop, &heartbeat);
        assert!(capture.take().is_none());
        let CameraState::Waiting(problem) = stats.state() else {
            panic!("{}", stats.state());
        };
        assert!(problem.contains("framewire-late"), "{problem}");
        picture.write();
        let start = Instant::now();
        while capture.take().is_none() {
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        assert_eq!(stats.state(), CameraState::SendingToNobody);
        drop(capture);
        assert_eq!(stats.state(), CameraState::Stopped);
        assert_eq!(dropped(&stats, "stopped"), 0);
    }

    #[test]
    fn of_the_pictures_that_come_during_a_wait_the_newest_is_kept() {
        let picture = Picture::new("newest");
        picture.write();
        let (config, stats, heartbeat) = (picture.config(), Stats::default(), Heartbeat::default());
        let stop = Stop::new().unwrap();
        let mut capture = Capture::new(&config, &stats, &stop, &heartbeat);
        while capture.take().is_none() {}
        let start = Instant::now();
        while dropped(&stats, "superseded") == 0 {
            assert!(start.elapsed() < Duration::from_secs(60));
            let due = monotonic_now() + Duration::from_millis(100);
            capture.wait_until(due);
            assert!(monotonic_now() >= due);
        }
        let waiting = capture.newest.as_ref().unwrap();
        let superseded = dropped(&stats, "superseded");
        assert_eq!(u64::from(waiting.sequence), superseded + 1);
        stop.raise();
        drop(capture);
        assert_eq!(dropped(&stats, "stopped"), 1);
    }

    #[test]
    fn a_picture_that_the_driver_calls_damaged_displaces_none_that_may_be_whole() {
        let (stats, heartbeat) = (Stats::default(), Heartbeat::default());
        let config = config("replay:/nowhere");
        let stop = Stop::new().unwrap();
        let mut capture = Capture::new(&config, &stats, &stop, &heartbeat);
        let mut waiting_after = |sequence, suspicion| {
            capture.keep(Frame {
                data: bytes::Bytes::from_static(b"x"),
                sequence,
                captured: Duration::ZERO,
                dequeued: Duration::ZERO,
                suspicion,
            });
            capture.newest.as_ref().unwrap().sequence
        };
        assert_eq!(waiting_after(0, Suspicion::Flagged), 0);
        assert_eq!(waiting_after(1, Suspicion::Flagged), 1);
        assert_eq!(waiting_after(2, Suspicion::Unsteady), 2);
        assert_eq!(waiting_after(3, Suspicion::Flagged), 2);
        assert_eq!(waiting_after(4, Suspicion::None), 4);
        assert_eq!(dropped(&stats, "error-flag"), 1);
        assert_eq!(dropped(&stats, "superseded"), 3);
    }

    #[test]
    fn attempts_keep_their_distance_and_a_stop_ends_the_wait() {
        let (stats, heartbeat) = (Stats::default(), Heartbeat::default());
        let config = config("replay:/nowhere");
        let stop = Stop::new().unwrap();
        let mut capture = Capture::new(&config, &stats, &stop, &heartbeat);
        let start = Instant::now();
        assert!(capture.is_time(start + SHORTEST_PAUSE, start));
        assert!(start.elapsed() >= SHORTEST_PAUSE);
        stop.raise();
        let start = Instant::now();
        let long = start + Duration::from_secs(60);
        assert!(!capture.is_time(long, long));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
