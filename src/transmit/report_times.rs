//! When the next sender report is due: soon and often where somebody needs the time, seldom otherwise.
//! RFC 3550 6.2 (the reduced minimum is 360 s through the stream's kbit/s: below a second for any of these), 6.3.1.

use std::time::{Duration, Instant};

use crate::clocks::Reading;
use crate::random::random;

/// Mean time between reports.
const INTERVAL: Duration = Duration::from_secs(5);
/// Time between the first ones of a series, for a receiver that needs them to know the time of its pictures.
const SHORT_INTERVAL: Duration = Duration::from_secs(1);
/// So many are sent at short intervals.
const SERIES: u32 = 5;
/// Two are at least so far apart, however many receivers come.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
/// Receivers shall not have a time that is wrong by more, because the wall clock was set.
const STEP: Duration = Duration::from_millis(2);

/// The times of one stream's reports.
#[derive(Debug)]
pub struct ReportTimes {
    last: Option<Instant>,
    /// `None`: at once.
    next: Option<Instant>,
    /// Left of the series.
    short: u32,
    /// The time since 1970 when the monotonic clock was zero, as the last report had it.
    epoch: Option<Duration>,
}

impl Default for ReportTimes {
    fn default() -> Self {
        Self::new()
    }
}

impl ReportTimes {
    /// The first series begins with the stream.
    pub const fn new() -> Self {
        Self {
            last: None,
            next: None,
            short: SERIES,
            epoch: None,
        }
    }

    /// Somebody has come who knows no time yet: the next series begins.
    pub fn begin_series(&mut self) {
        self.next = self.last.map(|last| last + SHORTEST_INTERVAL);
        self.short = SERIES;
    }

    /// Whether a report is due. `clocks` tell whether receivers have the wrong time since the last one.
    pub fn is_due(&self, now: Instant, clocks: Reading) -> bool {
        let was_set = |epoch| epoch_of(clocks).abs_diff(epoch) > STEP;
        self.epoch.is_some_and(was_set) || self.next.is_none_or(|next| now >= next)
    }

    /// A report was sent, or could not be.
    pub fn reported(&mut self, now: Instant, clocks: Reading) {
        self.epoch = Some(epoch_of(clocks));
        self.short = self.short.saturating_sub(1);
        let wait = if self.short > 0 {
            SHORT_INTERVAL
        } else {
            long_interval()
        };
        self.last = Some(now);
        self.next = Some(now + wait);
    }
}

fn epoch_of(clocks: Reading) -> Duration {
    clocks.unix.saturating_sub(clocks.monotonic)
}

/// Random, so that many senders do not report at once (6.3.1). It is not reconsidered (6.3.3), so the mean needs no
/// compensation.
fn long_interval() -> Duration {
    // Without random numbers the mean does.
    let random = random().map_or(u32::MAX / 2, u32::from_be_bytes);
    let factor = 0.5 + f64::from(random) / f64::from(u32::MAX);
    INTERVAL.mul_f64(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The clocks so long after a start, the wall clock set forward by `set`.
    fn clocks(after: Duration, set: Duration) -> Reading {
        Reading {
            monotonic: after,
            unix: Duration::from_secs(1_700_000_000) + after + set,
        }
    }

    /// When reports are sent within the first half minute, looked for every 100 ms.
    fn reports(times: &mut ReportTimes, set: impl Fn(Duration) -> Duration) -> Vec<Duration> {
        let start = Instant::now();
        let looks = (0..300).map(|look| look * 100 * MS);
        let mut reports = Vec::new();
        for after in looks {
            let (now, clocks) = (start + after, clocks(after, set(after)));
            if times.is_due(now, clocks) {
                times.reported(now, clocks);
                reports.push(after);
            }
        }
        reports
    }

    #[test]
    fn five_reports_come_fast_and_the_rest_in_five_seconds_on_average() {
        let mut times = ReportTimes::new();
        let sent = reports(&mut times, |_| Duration::ZERO);
        assert_eq!(sent[..5], [0, 1, 2, 3, 4].map(Duration::from_secs));
        for pair in sent[4..].windows(2) {
            let wait = pair[1] - pair[0];
            let (shortest, longest) = (INTERVAL / 2, INTERVAL * 3 / 2 + 100 * MS);
            assert!((shortest..=longest).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn who_comes_later_is_told_soon_but_not_more_often_than_is_good() {
        let mut times = ReportTimes::new();
        let (start, clocks) = (Instant::now(), clocks(Duration::ZERO, Duration::ZERO));
        times.reported(start, clocks);
        times.begin_series();
        let due = |times: &ReportTimes, after| times.is_due(start + after, clocks);
        assert!(!due(&times, SHORTEST_INTERVAL - MS));
        assert!(due(&times, SHORTEST_INTERVAL));
        for _ in 0..SERIES {
            times.reported(start, clocks);
        }
        assert!(!due(&times, 2 * SHORT_INTERVAL));
        times.begin_series();
        assert!(due(&times, 2 * SHORT_INTERVAL));
        times.reported(start, clocks);
        assert!(due(&times, SHORT_INTERVAL));
    }

    #[test]
    fn a_clock_that_is_set_is_reported_at_once_and_one_that_is_slewed_is_not() {
        let step = Duration::from_secs(20);
        let mut times = ReportTimes::new();
        let sent = reports(
            &mut times,
            |after| if after < step { step } else { step - 3 * MS },
        );
        assert!(sent.contains(&step), "{sent:?}");
        // As far as clocks are slewed in 100 ms.
        let slewed = |after: Duration| after / 2000;
        let mut times = ReportTimes::new();
        let (start, mut now) = (Instant::now(), Duration::ZERO);
        times.reported(start, clocks(now, slewed(now)));
        while now < SHORT_INTERVAL - 100 * MS {
            now += 100 * MS;
            assert!(!times.is_due(start + now, clocks(now, slewed(now))));
        }
    }

    #[test]
    fn long_intervals_are_five_seconds_on_average() {
        let intervals: Vec<Duration> = (0..1000).map(|_| long_interval()).collect();
        let (shortest, longest) = (INTERVAL.mul_f64(0.5), INTERVAL.mul_f64(1.5));
        assert!(
            intervals
                .iter()
                .all(|each| (shortest..=longest).contains(each))
        );
        // Its standard deviation is 46 ms.
        let mean = intervals.iter().sum::<Duration>() / 1000;
        assert!(
            mean.abs_diff(INTERVAL) < Duration::from_millis(300),
            "{mean:?}"
        );
    }
}
