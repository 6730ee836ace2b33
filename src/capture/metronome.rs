//! Beats at a frame rate on the monotonic clock, for sources that have no clock of their own.

use std::time::Duration;

use super::monotonic_now;
use crate::config::Fps;
use crate::pulse::LONGEST_WAIT;
use crate::stop::Stop;

/// Nanoseconds in a thousand seconds: a rate in millihertz divides it.
const NANOS_PER_KILOSECOND: u64 = 1_000_000_000_000;

/// What came of waiting for a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Its time.
    At(Duration),
    /// It is yet to come.
    Later,
    /// The stop flag is up.
    Stopped,
}

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

    /// Waits for the next beat, for at most [`LONGEST_WAIT`].
    pub fn beat(&mut self, stop: &Stop) -> Beat {
        let now = monotonic_now();
        if self.is_unlimited() || now > self.next + self.interval {
            self.next = now;
        }
        let until = self.next.min(now + LONGEST_WAIT);
        while let Some(wait) = until.checked_sub(monotonic_now()) {
            if wait.is_zero() {
                break;
            }
            if stop.wait(wait) {
                return Beat::Stopped;
            }
        }
        if until < self.next {
            return Beat::Later;
        }
        self.next += self.interval;
        Beat::At(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(beat: Beat) -> Duration {
        match beat {
            Beat::At(time) => time,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn beats_keep_their_distance_and_a_delay_is_not_caught_up() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        let interval = metronome.interval;
        let first = at(metronome.beat(&stop));
        let second = at(metronome.beat(&stop));
        assert_eq!(second - first, interval);
        assert!(monotonic_now() >= second);
        std::thread::sleep(3 * interval);
        let late = at(metronome.beat(&stop));
        assert!(late >= second + 3 * interval);
        assert_eq!(at(metronome.beat(&stop)) - late, interval);
    }

    #[test]
    fn a_slow_beat_is_waited_for_in_pieces() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        metronome.interval = LONGEST_WAIT + LONGEST_WAIT / 8;
        let first = at(metronome.beat(&stop));
        assert_eq!(metronome.beat(&stop), Beat::Later);
        assert_eq!(at(metronome.beat(&stop)) - first, metronome.interval);
    }

    #[test]
    fn a_raised_stop_ends_the_wait() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        metronome.beat(&stop);
        stop.raise();
        assert_eq!(metronome.beat(&stop), Beat::Stopped);
    }
}
