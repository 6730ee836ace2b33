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
    /// It is yet to come.
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
        let now = monotonic_now();
        if self.is_unlimited() || now > self.next + self.interval {
            self.next = now;
        }
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
        self.next += self.interval;
        Beat::At(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn next(metronome: &mut Metronome, stop: &Stop) -> Duration {
        match metronome.beat(monotonic_now() + LONG, stop) {
            Beat::At(time) => time,
            Beat::Later => panic!("no beat"),
        }
    }

    #[test]
    fn beats_keep_their_distance_and_a_delay_is_not_caught_up() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        let interval = metronome.interval;
        let first = next(&mut metronome, &stop);
        let second = next(&mut metronome, &stop);
        assert_eq!(second - first, interval);
        assert!(monotonic_now() >= second);
        std::thread::sleep(3 * interval);
        let late = next(&mut metronome, &stop);
        assert!(late >= second + 3 * interval);
        assert_eq!(next(&mut metronome, &stop) - late, interval);
    }

    #[test]
    fn a_beat_that_is_not_due_yet_comes_later() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        metronome.interval = Duration::from_millis(500); // longer than a busy machine's pauses
        let first = next(&mut metronome, &stop);
        assert_eq!(metronome.due(), first + metronome.interval);
        for until in [Duration::ZERO, first + metronome.interval / 2] {
            assert_eq!(metronome.beat(until, &stop), Beat::Later);
        }
        assert_eq!(next(&mut metronome, &stop), first + metronome.interval);
    }

    #[test]
    fn a_raised_stop_ends_the_wait() {
        let stop = Stop::new().unwrap();
        let mut metronome = Metronome::new(Fps::default());
        next(&mut metronome, &stop);
        stop.raise();
        assert_eq!(metronome.beat(monotonic_now() + LONG, &stop), Beat::Later);
    }
}
