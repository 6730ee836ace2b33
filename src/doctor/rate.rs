//! How evenly pictures come, by the times when they were captured.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::frame::Frame;

/// Collects the times between pictures that follow each other.
#[derive(Debug, Default)]
pub struct Times {
    last: Option<(u32, Duration)>,
    between: Vec<Duration>,
}

/// What they come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// Pictures per second.
    pub fps: f64,
    /// Shortest time from one to the next.
    #[serde(rename = "shortest_us", serialize_with = "micros")]
    pub shortest: Duration,
    /// In the middle of all.
    #[serde(rename = "median_us", serialize_with = "micros")]
    pub median: Duration,
    /// Longest.
    #[serde(rename = "longest_us", serialize_with = "micros")]
    pub longest: Duration,
    /// How far they are from the one in the middle, on average.
    #[serde(rename = "jitter_us", serialize_with = "micros")]
    pub jitter: Duration,
}

fn micros<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

impl Times {
    /// The next picture. What lies between it and the last one counts only when the driver has none between them.
    pub fn add(&mut self, frame: &Frame) {
        let before = self.last.replace((frame.sequence, frame.captured));
        if let Some((sequence, captured)) = before
            && frame.sequence == sequence.wrapping_add(1)
            && let Some(between) = frame.captured.checked_sub(captured)
        {
            self.between.push(between);
        }
    }

    /// What is known by now, if anything.
    pub fn rate(&self) -> Option<Rate> {
        let mut sorted = self.between.clone();
        sorted.sort_unstable();
        let (&shortest, &longest) = (sorted.first()?, sorted.last()?);
        let count = u32::try_from(sorted.len()).ok()?;
        let median = *sorted.get(sorted.len() / 2)?;
        let mean = sorted.iter().sum::<Duration>() / count;
        let off: Duration = sorted.iter().map(|time| time.abs_diff(median)).sum();
        (!mean.is_zero()).then(|| Rate {
            fps: (1000.0 / mean.as_secs_f64()).round() / 1000.0,
            shortest,
            median,
            longest,
            jitter: off / count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_over_pictures_that_are_missing_do_not_count() {
        let mut times = Times::default();
        for (sequence, milliseconds) in [(7, 1000), (8, 1040), (10, 1130), (11, 1160), (12, 1210)] {
            times.add(&Frame {
                data: Default::default(),
                sequence,
                captured: Duration::from_millis(milliseconds),
                dequeued: Duration::ZERO,
                suspicion: Default::default(),
            });
        }
        let rate = times.rate().unwrap();
        assert_eq!(rate.fps, 25.0);
        let milliseconds = [rate.shortest, rate.median, rate.longest].map(|time| time.as_millis());
        assert_eq!(milliseconds, [30, 40, 50]);
        // (10 + 0 + 10) / 3
        assert_eq!(rate.jitter.as_micros(), 6666);
        assert_eq!(Times::default().rate(), None);
    }
}
