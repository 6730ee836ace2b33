//! Beats at a frame rate on the monotonic clock, for sources that have no clock of their own.

use std::time::Duration;

use super::monotonic_now;
use crate::config::Fps;
use crate::stop::Stop;

/// Nanoseconds in a thousand seconds: a rate in millihertz divides it.
const NANOS_PER_KILOSECOND: u64 = 1_000_000_000_000;

/// Beats without drift; after a delay of more than a beat it goes on from now, without catching up.
#[derive(Debug)]
pub struct Metronome {
    interval: Duration,
    next: Duration,
}

impl Metronome {
    /// Beats `fps` times a second from now, or at once each time when `fps` is 0.
    pub fn new(fps: Fps) -> Self {
        let interval = fps.millihertz().map_or(Duration::ZERO, |millihertz| {
            Duration::from_nanos(NANOS_PER_KILOSECOND / u64::from(millihertz))
        });
        Self {
            interval,
            next: monotonic_now(),
        }
    }

    /// Whether there is no rate.
    pub fn is_unlimited(&self) -> bool {
        self.interval.is_zero()
    }

    /// Waits for the next beat and returns its time; `None` when `stop` was raised first.
    pub fn beat(&mut self, stop: &Stop) -> Option<Duration> {
        let now = monotonic_now();
        if self.is_unlimited() || now > self.next + self.interval {
            self.next = now;
        }
        while let Some(wait) = self.next.checked_sub(monotonic_now()) {
            if wait.is_zero() {
                break;
            }
            if stop.wait(wait) {
                return None;
            }
        }
        let beat = self.next;
        self.next += self.interval;
        Some(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_keep_their_distance_and_a_delay_is_not_caught_up() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        let interval = metronome.interval;
        let first = metronome.beat(&stop).unwrap();
        let second = metronome.beat(&stop).unwrap();
        assert_eq!(second - first, interval);
        assert!(monotonic_now() >= second);
        std::thread::sleep(3 * interval);
        let late = metronome.beat(&stop).unwrap();
        assert!(late >= second + 3 * interval);
        assert_eq!(metronome.beat(&stop).unwrap() - late, interval);
    }

    #[test]
    fn a_raised_stop_ends_the_wait() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        metronome.beat(&stop).unwrap();
        stop.raise();
        assert_eq!(metronome.beat(&stop), None);
    }
}
