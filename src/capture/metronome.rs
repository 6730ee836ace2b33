//! Beats at a frame rate on the monotonic clock, for sources that have no clock of their own.

use std::time::Duration;

use crate::clocks::monotonic_now;
use crate::config::Fps;
use crate::stop::Stop;

/// Nanoseconds in a thousand seconds: a rate in millihertz divides it.
const NANOS_PER_KILOSECOND: u64 = 1_000_000_000_000;

/// What came of waiting for a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Its time.
    At(Duration),
    /// Not yet.
    Later,
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

    /// When the next beat is due: now, when that has passed.
    pub fn due(&self) -> Duration {
        self.next.max(monotonic_now())
    }

    /// Waits for the next beat until `until` on the monotonic clock, or until `stop` is raised.
    pub fn beat(&mut self, until: Duration, stop: &Stop) -> Beat {
        self.set_off(monotonic_now());
        let until = self.next.min(until);
        while let Some(wait) = until.checked_sub(monotonic_now())
            && !wait.is_zero()
        {
            if stop.wait(wait) {
                return Beat::Later;
            }
        }
        if until < self.next {
            return Beat::Later;
        }
        Beat::At(self.pass())
    }

    /// Who waits from `now` on has no beat made up for that is long past.
    fn set_off(&mut self, now: Duration) {
        if self.is_unlimited() || now > self.next + self.interval {
            self.next = now;
        }
    }

    /// The next beat has come; returns its time.
    fn pass(&mut self) -> Duration {
        let beat = self.next;
        self.next += self.interval;
        beat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any machine pauses.
    const HOUR: Duration = Duration::from_secs(3600);
    const MS: Duration = Duration::from_millis(1);

    /// Beats from `start` on.
    fn metronome(interval: Duration, start: Duration) -> Metronome {
        Metronome {
            interval,
            next: start,
        }
    }

    #[test]
    fn the_rate_is_that_of_the_configuration() {
        let before = monotonic_now();
        let metronome = Metronome::new(Fps::default());
        assert_eq!(metronome.interval, Duration::from_nanos(33_333_333));
        assert!((before..=monotonic_now()).contains(&metronome.next));
        assert!(!metronome.is_unlimited());
    }

    #[test]
    fn beats_keep_their_distance_and_a_delay_is_not_caught_up() {
        let mut metronome = metronome(40 * MS, 1000 * MS);
        // When somebody comes, and the beat that he gets.
        for (now, beat) in [
            (1000, 1000),
            (1001, 1040),
            (1100, 1080),
            (1160, 1120),
            (1161, 1160),
            (1241, 1241),
            (1242, 1281),
            (9000, 9000),
            (9000, 9040),
        ] {
            metronome.set_off(now * MS);
            assert_eq!(metronome.pass(), beat * MS, "at {now} ms");
        }
    }

    #[test]
    fn without_a_rate_every_moment_is_a_beat() {
        let mut metronome = metronome(Duration::ZERO, 1000 * MS);
        assert!(metronome.is_unlimited());
        for now in [1000 * MS, 1001 * MS, 1001 * MS, 9000 * MS] {
            metronome.set_off(now);
            assert_eq!(metronome.pass(), now);
        }
    }

    #[test]
    fn a_beat_is_waited_for() {
        let stop = Stop::new().unwrap();
        let start = monotonic_now();
        let mut metronome = metronome(HOUR, start + 20 * MS);
        let beat = metronome.beat(start + Duration::from_secs(60), &stop);
        assert_eq!(beat, Beat::At(start + 20 * MS));
        assert!(monotonic_now() >= start + 20 * MS);
        assert_eq!(metronome.due(), start + 20 * MS + HOUR);
    }

    #[test]
    fn a_beat_that_is_not_due_yet_comes_later() {
        let stop = Stop::new().unwrap();
        let due = monotonic_now() + HOUR;
        let mut metronome = metronome(HOUR, due);
        assert_eq!(metronome.beat(Duration::ZERO, &stop), Beat::Later);
        let until = monotonic_now() + 20 * MS;
        assert_eq!(metronome.beat(until, &stop), Beat::Later);
        assert!(monotonic_now() >= until);
        assert_eq!(metronome.due(), due);
    }

    #[test]
    fn a_raised_stop_ends_the_wait() {
        let stop = Stop::new().unwrap();
        let due = monotonic_now() + HOUR;
        let mut metronome = metronome(HOUR, due);
        stop.raise();
        // Not for ever, so that the test ends when this fails.
        let until = monotonic_now() + Duration::from_secs(60);
        assert_eq!(metronome.beat(until, &stop), Beat::Later);
        assert!(monotonic_now() < until);
        assert_eq!(metronome.due(), due);
    }
}
