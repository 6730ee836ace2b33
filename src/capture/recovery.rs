//! Keeps a source running: opens it, and when it fails opens it again, for as long as nobody says stop.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info};

use super::arrivals::Arrivals;
use super::camera::Camera;
use super::demo::Demo;
use super::replay::Replay;
use super::search::Search;
use super::{CaptureError, Source, run};
use crate::backoff::Backoff;
use crate::config::{self, Device};
use crate::handoff::Handoff;
use crate::pulse::{LONGEST_WAIT, Pulse};
use crate::stats::Stats;
use crate::stop::{Stop, readable, wait_readable};
use crate::throttle::Throttles;

/// Waits after failures: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// Attempts are at least so far apart, whatever happens in /dev.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Moves pictures of the camera of `config` to `handoff` until `stop` is raised. A camera that is not there, or fails,
/// is waited for.
pub fn keep_running(
    config: &config::Camera,
    handoff: &Handoff,
    stats: &Stats,
    stop: &Stop,
    pulse: &Pulse,
) {
    let arrivals = if config.device.is_camera() {
        Arrivals::watch()
    } else {
        Arrivals::none()
    };
    let mut search = Search::new(config.device.clone());
    let mut backoff = Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF);
    let said = Arc::default();
    while !stop.is_raised() {
        pulse.beat();
        let before = stats.condition();
        // What happened up to here is seen by this attempt; what comes later cuts the wait after it short.
        arrivals.any();
        let ended = open(config, &mut search, &said, pulse).and_then(|mut source| {
            stats.source_opened();
            run(source.as_mut(), handoff, stats, stop, pulse)
        });
        let Err(problem) = ended else {
            break;
        };
        if stats.condition().intact > before.intact {
            backoff.reset();
        }
        let problem = problem.to_string();
        stats.source_missing(&problem);
        match said.note(&problem, Instant::now()) {
            Some(1) => error!("{}: {problem}; trying again", config.name()),
            Some(count) => error!("{}: {problem}, {count} times; trying again", config.name()),
            None => {}
        }
        if wait(backoff.wait(), &arrivals, stop, pulse) {
            backoff.reset();
        }
    }
    stats.source_stopped();
    info!("{}: capturing ended", config.name());
}

/// Opens the source that `config` describes; cameras are those that `search` finds.
fn open(
    config: &config::Camera,
    search: &mut Search,
    said: &Arc<Throttles>,
    pulse: &Pulse,
) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match &config.device {
        Device::Replay(path) => Box::new(Replay::open(path, config.fps())?),
        Device::Demo => Box::new(Demo::new(config.width, config.height, config.fps())?),
        Device::Auto | Device::Path(_) | Device::Usb { .. } => {
            Box::new(search.open(|opened| Camera::start(opened, config, said, pulse))?)
        }
    })
}

/// Waits for `pause`, or less when a camera was plugged in (then it returns true) or the stop flag was raised.
fn wait(pause: Duration, arrivals: &Arrivals, stop: &Stop, pulse: &Pulse) -> bool {
    let end = Instant::now() + pause;
    if stop.wait(SHORTEST_PAUSE) {
        return false;
    }
    loop {
        pulse.beat();
        if arrivals.any() {
            return true;
        }
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() || stop.is_raised() {
            return false;
        }
        let mut fds = vec![readable(stop.as_fd())];
        fds.extend(arrivals.fd().map(readable));
        if wait_readable(&mut fds, rest.min(LONGEST_WAIT)).is_err() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;
    use crate::config::Config;
    use crate::handoff::{Parker, Taken};
    use crate::stats::CameraState;

    fn config(device: &str) -> config::Camera {
        let text = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"{device}\"\nfps = 60\n[[camera.rtp]]\ndestination = \"127.0.0.1:9\"\n"
        );
        let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
        config.cameras.into_iter().next().unwrap()
    }

    #[test]
    fn a_source_that_is_missing_is_found_when_it_comes() {
        let path = std::env::temp_dir().join(format!("framewire-late-{}.jpg", std::process::id()));
        let config = config(&format!("replay:{}", path.display()));
        let (handoff, stats, pulse) = (Handoff::new(), Stats::default(), Pulse::default());
        let stop = Stop::new().unwrap();
        let taken = thread::scope(|scope| {
            let capture = scope.spawn(|| keep_running(&config, &handoff, &stats, &stop, &pulse));
            let parker = Parker::new();
            let nothing = handoff.take(&parker, Duration::from_millis(400));
            assert!(matches!(nothing, Taken::Nothing));
            let CameraState::Waiting(problem) = stats.state() else {
                panic!("{}", stats.state());
            };
            assert!(problem.contains("framewire-late"), "{problem}");
            fs::write(&path, [0xFF, 0xD8, 0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0xD9]).unwrap();
            let taken = handoff.take(&parker, Duration::from_secs(20));
            let state = stats.state();
            stop.raise();
            capture.join().unwrap();
            fs::remove_file(&path).unwrap();
            assert_eq!(state, CameraState::Streaming);
            taken
        });
        assert!(matches!(taken, Taken::Frame(_)));
        assert_eq!(stats.state(), CameraState::Stopped);
        assert!(pulse.beats() > 2);
    }

    #[test]
    fn a_wait_ends_with_stop_and_never_before_the_shortest_pause() {
        let stop = Stop::new().unwrap();
        let start = Instant::now();
        assert!(!wait(
            Duration::ZERO,
            &Arrivals::none(),
            &stop,
            &Pulse::default()
        ));
        assert!(start.elapsed() >= SHORTEST_PAUSE);
        stop.raise();
        assert!(!wait(
            Duration::from_secs(60),
            &Arrivals::none(),
            &stop,
            &Pulse::default()
        ));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
