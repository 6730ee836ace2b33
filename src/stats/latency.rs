//! How long frames take on their way, as histograms that are always on: bounded, written without a lock.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// Buckets from one power of two to the next: a figure is at most a quarter too high.
const BUCKETS_PER_OCTAVE: usize = 4;
/// The same as a number of bits.
const BUCKET_BITS: u32 = 2;
/// Powers of two of a microsecond that are told apart, up to 17 seconds; what is longer shares the last bucket.
const OCTAVES: usize = 24;

/// The fixed lengths of [`Cumulative`] as powers of two of a microsecond: 16 us to 17 s. Each is an edge of a bucket, so
/// that the counts are exact.
const LENGTHS: RangeInclusive<u32> = 4..=24;

/// Counts durations by their length.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; OCTAVES * BUCKETS_PER_OCTAVE],
    longest: AtomicU64,
    /// Of all durations, in microseconds.
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; OCTAVES * BUCKETS_PER_OCTAVE],
            longest: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Takes one duration into account.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let index = bucket(micros).min(self.buckets.len() - 1);
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.longest.fetch_max(micros, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// The figures now; all zero when there are none yet.
    pub fn quantiles(&self) -> Quantiles {
        let counts = self.counts();
        let max = self.longest.load(Ordering::Relaxed);
        let total: u64 = counts.iter().sum();
        let quantile = |percent: u64| {
            let rank = (total * percent).div_ceil(100);
            let mut below = 0;
            let index = counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            index.map_or(max, |index| upper_end(index).min(max))
        };
        Quantiles {
            p50: quantile(50),
            p99: quantile(99),
            max,
        }
    }

    /// How many were shorter than each of a few fixed lengths.
    pub fn cumulative(&self) -> Cumulative {
        let counts = self.counts();
        let shorter = |micros: u64| {
            let buckets = counts.iter().enumerate();
            let shorter = buckets.take_while(|&(index, _)| upper_end(index) < micros);
            shorter.map(|(_, count)| count).sum()
        };
        Cumulative {
            shorter: LENGTHS
                .map(|power| (1 << power, shorter(1 << power)))
                .collect(),
            count: counts.iter().sum(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }

    fn counts(&self) -> Vec<u64> {
        let buckets = self.buckets.iter();
        buckets
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect()
    }
}

/// A histogram for programs that compare many; all times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cumulative {
    /// A length, and how many durations were shorter.
    pub shorter: Vec<(u64, u64)>,
    /// All durations.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

/// The bucket for `micros`: its highest bit and the two below.
fn bucket(micros: u64) -> usize {
    let highest = micros.checked_ilog2().unwrap_or(0);
    if highest < BUCKET_BITS {
        return usize::try_from(micros).unwrap_or(0);
    }
    let octave = highest - BUCKET_BITS + 1;
    let part = (micros >> (highest - BUCKET_BITS)) % BUCKETS_PER_OCTAVE as u64;
    usize::try_from(octave).unwrap_or(OCTAVES) * BUCKETS_PER_OCTAVE
        + usize::try_from(part).unwrap_or(0)
}

/// The longest duration of a bucket, in microseconds.
fn upper_end(index: usize) -> u64 {
    let (octave, part) = (index / BUCKETS_PER_OCTAVE, index % BUCKETS_PER_OCTAVE);
    if octave == 0 {
        return part as u64;
    }
    let width = 1 << (octave - 1);
    (BUCKETS_PER_OCTAVE + part + 1) as u64 * width - 1
}

/// The middle, the edge and the end of a histogram, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half are at most this long.
    pub p50: u64,
    /// 99 of 100 are at most this long.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        #[expect(
            clippy::cast_precision_loss,
            reason = "shown with one decimal, and exact up to 2^53 us: 285 years"
        )]
        let ms = |micros: u64| micros as f64 / 1000.0;
        write!(
            f,
            "{:.1}/{:.1}/{:.1}",
            ms(self.p50),
            ms(self.p99),
            ms(self.max)
        )
    }
}

/// A frame's way through the process, in three parts.
#[derive(Debug, Default)]
pub struct Latency {
    /// From the picture being taken to its buffer being taken from the source.
    pub capture_to_dequeue: Histogram,
    /// From there to the system call with the first packet.
    pub dequeue_to_first_packet: Histogram,
    /// From there to the last packet of the last destination being with the kernel.
    pub first_to_last_packet: Histogram,
}

/// The figures of a [`Latency`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    capture_to_dequeue: Quantiles,
    dequeue_to_first_packet: Quantiles,
    first_to_last_packet: Quantiles,
}

impl Latency {
    /// The figures now.
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            capture_to_dequeue: self.capture_to_dequeue.quantiles(),
            dequeue_to_first_packet: self.dequeue_to_first_packet.quantiles(),
            first_to_last_packet: self.first_to_last_packet.quantiles(),
        }
    }
}

impl fmt::Display for LatencySummary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "latency p50/p99/max in ms: {} until dequeued, {} to the first packet, {} to the last",
            self.capture_to_dequeue, self.dequeue_to_first_packet, self.first_to_last_packet
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bucket() {
        let mut previous = 0;
        for micros in (0..4096).chain([1 << 20, (1 << 20) + 1, 1 << 24]) {
            let index = bucket(micros);
            assert!(index >= previous, "{micros}");
            assert!(micros <= upper_end(index), "{micros}");
            assert!(index == 0 || micros > upper_end(index - 1), "{micros}");
            assert!(upper_end(index) <= micros + micros / 4, "{micros}");
            previous = index;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_durations() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        for _ in 0..98 {
            histogram.record(Duration::from_micros(3));
        }
        histogram.record(Duration::from_micros(900));
        histogram.record(Duration::from_secs(3600));
        let quantiles = histogram.quantiles();
        assert_eq!((quantiles.p50, quantiles.max), (3, 3_600_000_000));
        assert!((900..=1023).contains(&quantiles.p99), "{quantiles:?}");
    }

    #[test]
    fn what_is_shorter_than_a_fixed_length_is_counted_exactly() {
        let histogram = Histogram::default();
        for micros in [0, 15, 16, 1023, 1024, (1 << 24) - 1, 1 << 24, 1 << 40] {
            histogram.record(Duration::from_micros(micros));
        }
        let cumulative = histogram.cumulative();
        let shorter = |micros| {
            let mut all = cumulative.shorter.iter();
            all.find(|(length, _)| *length == micros)
                .map(|(_, count)| *count)
        };
        assert_eq!(shorter(16), Some(2));
        assert_eq!(
            (shorter(512), shorter(1024), shorter(2048)),
            (Some(3), Some(4), Some(5))
        );
        assert_eq!(cumulative.shorter.last(), Some(&(1 << 24, 6)));
        assert_eq!(cumulative.count, 8);
        assert_eq!(
            cumulative.sum,
            15 + 16 + 1023 + 1024 + (1 << 25) - 1 + (1 << 40)
        );
    }
}
