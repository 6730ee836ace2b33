//! A time as text, in seconds: for Prometheus, and for the time of a picture.

use std::time::Duration;

/// `time` with six decimals.
pub fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}
