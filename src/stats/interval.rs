//! What happened between two looks at a camera's counters, as a line for people.

use std::fmt;
use std::time::Duration;

use super::output::OutputSummary;
use super::state::CameraState;
use super::summary::Summary;

/// The time from one look to the next.
#[derive(Debug)]
pub struct Interval {
    before: Summary,
    now: Summary,
    elapsed: Duration,
}

impl Interval {
    /// The counters `before` and `now`, so far apart.
    pub fn new(before: Summary, now: Summary, elapsed: Duration) -> Self {
        Self {
            before,
            now,
            elapsed,
        }
    }

    /// The counters at its end.
    pub fn into_summary(self) -> Summary {
        self.now
    }

    /// The counters at its end.
    pub fn summary(&self) -> &Summary {
        &self.now
    }

    /// How fast, and how much is sent.
    fn rates(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let frames = growth(self.before.frames_sent, self.now.frames_sent);
        if frames == 0 {
            return Ok(());
        }
        let octets = growth(self.before.octets_sent, self.now.octets_sent);
        let millis =
            u64::try_from(self.elapsed.as_millis()).map_or(u64::MAX, |millis| millis.max(1));
        let per_second = |count: u64| Tenths(count.saturating_mul(10_000) / millis);
        let megabits = Tenths(octets.saturating_mul(8) / millis / 100);
        write!(f, ", {} fps, {megabits} Mbit/s", per_second(frames))
    }

    /// What did not go well.
    fn losses(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let dropped: Vec<_> = self
            .now
            .frames_dropped
            .iter()
            .map(|(reason, now)| {
                let before = self.before.frames_dropped.get(reason);
                (reason, growth(before.copied().unwrap_or(0), *now))
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let mut separator = "; dropped: ";
        for (reason, count) in dropped {
            write!(f, "{separator}{count} {reason}")?;
            separator = ", ";
        }
        let gaps = growth(self.before.sequence_gaps, self.now.sequence_gaps);
        if gaps > 0 {
            write!(f, "; {gaps} lost by the driver")?;
        }
        match growth(self.before.reopened, self.now.reopened) {
            0 => Ok(()),
            1 => f.write_str("; the camera was opened again"),
            times => write!(f, "; the camera was opened again {times} times"),
        }
    }

    fn output(&self, now: &OutputSummary, f: &mut fmt::Formatter) -> fmt::Result {
        let mut earlier = self.before.outputs.iter();
        let before = earlier.find(|before| before.destination == now.destination);
        let unsent = |output: &OutputSummary| output.frames_failed + output.frames_skipped;
        let unsent = growth(before.map_or(0, unsent), unsent(now));
        let mut separator = format!("; {}: ", now.destination);
        let mut say = |text: String| {
            write!(f, "{separator}{text}")?;
            separator = ", ".to_owned();
            Ok(())
        };
        if let Some(problem) = &now.problem {
            say(problem.clone())?;
        }
        match unsent {
            0 => {}
            1 => say("1 frame not sent".to_owned())?,
            frames => say(format!("{frames} frames not sent"))?,
        }
        let lost = now
            .receivers
            .iter()
            .map(|heard| heard.receiver.fraction_lost);
        let most = 100.0 * lost.fold(0.0, f32::max);
        match now.receivers.len() {
            0 => Ok(()),
            1 => say(format!("its receiver lost {most:.1} %")),
            count => say(format!("{count} receivers lost {most:.1} % at most")),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.now.name, self.now.state)?;
        self.rates(f)?;
        let frames = growth(self.before.frames_captured, self.now.frames_captured);
        let open = matches!(
            self.now.state,
            CameraState::Streaming | CameraState::SendingToNobody
        );
        if open && frames == 0 {
            f.write_str(", no picture came")?;
        }
        self.losses(f)?;
        let mut outputs = self.now.outputs.iter();
        outputs.try_for_each(|output| self.output(output, f))
    }
}

/// What was added to a counter; one that is smaller than before began anew.
fn growth(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

/// A number of tenths.
struct Tenths(u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::super::output::{OutputStats, Receiver};
    use super::super::{DropReason, Sent, Stats};
    use super::*;

    fn receiver(ssrc: u32, fraction_lost: f32) -> Receiver {
        Receiver {
            ssrc,
            fraction_lost,
            packets_lost: 0,
            jitter_ms: 0.0,
            round_trip_ms: None,
        }
    }

    /// The line about what `happens` in ten seconds.
    fn line(stats: &Stats, happens: impl FnOnce()) -> String {
        let before = stats.summary("front");
        happens();
        Interval::new(before, stats.summary("front"), Duration::from_secs(10)).to_string()
    }

    #[test]
    fn a_line_has_the_rates_of_the_interval_and_what_went_wrong_in_it() {
        let stats = Stats::default();
        let output = Arc::new(OutputStats::new("h:1".to_owned()));
        stats.set_outputs(vec![output.clone()]);
        let nothing = line(&stats, || ());
        assert_eq!(nothing, "front: opening the camera");

        let frame = || {
            stats.frame_captured();
            stats.frame_sent();
            output.frame_sent();
            stats.output(Sent {
                octets: 50_000,
                ..Sent::default()
            });
        };
        let good = line(&stats, || {
            stats.source_opened();
            stats.source_delivers();
            (0..299).for_each(|_| frame());
            stats.frame_dropped(DropReason::Superseded);
        });
        assert_eq!(
            good,
            "front: streaming, 29.9 fps, 11.9 Mbit/s; dropped: 1 superseded"
        );
        let lossy = line(&stats, || {
            (0..100).for_each(|_| frame());
            stats.source_opened();
            stats.sequence_gap(3);
            output.heard_of(receiver(1, 0.25), Instant::now());
        });
        assert_eq!(
            lossy,
            "front: streaming, 10.0 fps, 4.0 Mbit/s; 3 lost by the driver; the camera was opened again; \
             h:1: its receiver lost 25.0 %"
        );
        let several = line(&stats, || {
            frame();
            output.heard_of(receiver(2, 0.0), Instant::now());
        });
        assert_eq!(
            several,
            "front: streaming, 0.1 fps, 0.0 Mbit/s; h:1: 2 receivers lost 25.0 % at most"
        );
    }

    #[test]
    fn what_reaches_nobody_is_not_called_streaming() {
        let stats = Stats::default();
        let output = Arc::new(OutputStats::new("h:1".to_owned()));
        stats.set_outputs(vec![output.clone()]);
        stats.source_delivers();
        let silent = line(&stats, || ());
        assert_eq!(silent, "front: sending to nobody, no picture came");
        let unsent = line(&stats, || {
            stats.frame_captured();
            stats.frame_captured();
            output.frame_sent();
            output.frame_failed();
            output.frame_skipped();
            output.set_problem(Some("no way".to_owned()));
            stats.frame_dropped(DropReason::SendFailed);
            stats.frame_dropped(DropReason::NoDestination);
        });
        assert_eq!(
            unsent,
            "front: sending to nobody; dropped: 1 no-destination, 1 send-failed; \
             h:1: no way, 2 frames not sent"
        );
        output.set_problem(None);
        assert_eq!(line(&stats, || ()), "front: streaming, no picture came");
    }

    #[test]
    fn a_counter_that_began_anew_counts_from_0() {
        assert_eq!((growth(3, 10), growth(10, 3)), (7, 3));
    }
}
