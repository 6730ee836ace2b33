//! One line about all cameras that a human understands: what `systemctl status` shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::cameras::Cameras;
use crate::camera::CameraThread;
use crate::config::Name;
use crate::stats::CameraState;

/// Longest time without a sent frame that still counts as streaming: more than a frame at the slowest rate, 0.1 fps.
const STALLED: Duration = Duration::from_secs(15);

/// Most characters of a line: systemd takes messages of 4096 octets (PIPE_BUF), and a human less.
const LONGEST_LINE: usize = 1000;

/// What the last line was made of.
#[derive(Debug, Default)]
pub struct Status {
    /// Said at the end of each line.
    pub note: Option<&'static str>,
    /// Frames sent, and when that number was new.
    sent: HashMap<Name, (u64, Instant)>,
}

impl Status {
    /// The line now.
    pub fn line(&mut self, now: Instant, cameras: &Cameras) -> String {
        let mut problems = Vec::new();
        let (mut streaming, mut idle) = (0, 0);
        for camera in cameras.running() {
            let name = camera.config().name();
            match self.problem(now, camera) {
                None if camera.stats().state() == CameraState::Idle => idle += 1,
                None => streaming += 1,
                Some(problem) => problems.push(format!("{name}: {problem}")),
            }
            let outputs = camera.stats().output_problems().into_iter();
            problems.extend(outputs.map(|problem| format!("{name}: {problem}")));
        }
        let not_started = cameras.not_started();
        problems.extend(not_started.map(|(name, problem)| format!("{name}: {problem}")));
        problems.extend(self.note.map(str::to_owned));
        render(streaming, idle, cameras.configured(), &problems)
    }

    /// Why `camera` does not do what it should.
    fn problem(&mut self, now: Instant, camera: &CameraThread) -> Option<String> {
        let sent = camera.stats().frames_sent();
        let name = camera.config().name().clone();
        let (known, since) = self.sent.entry(name).or_insert((sent, now));
        if *known != sent {
            (*known, *since) = (sent, now);
        }
        let stalled = now.saturating_duration_since(*since) >= STALLED;
        match camera.stats().state() {
            CameraState::Streaming if stalled => Some("no frame sent any more".to_owned()),
            CameraState::Streaming | CameraState::Idle => None,
            state => Some(state.to_string()),
        }
    }
}

/// The line when `streaming` of `all` cameras do, and `idle` ones would if somebody watched.
fn render(streaming: usize, idle: usize, all: usize, problems: &[String]) -> String {
    let mut line = match (streaming, idle) {
        (0, 0) => "no camera streams".to_owned(),
        (0, _) => format!("{idle} of {all} cameras idle: nobody watches"),
        (_, 0) => format!("{streaming} of {all} cameras streaming"),
        _ => format!("{streaming} of {all} cameras streaming, {idle} idle"),
    };
    for problem in problems {
        line.push_str("; ");
        line.push_str(problem);
    }
    // A line break would begin another message to the manager.
    let mut line = line.replace(char::is_control, " ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_LINE) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_who_streams_and_what_is_wrong_with_the_rest() {
        let problems = ["front: not\nthere".to_owned(), "a note".to_owned()];
        for (streaming, idle, all, problems, expected) in [
            (1, 0, 1, &problems[..0], "1 of 1 cameras streaming"),
            (1, 2, 3, &problems[..0], "1 of 3 cameras streaming, 2 idle"),
            (
                0,
                2,
                2,
                &problems[..0],
                "2 of 2 cameras idle: nobody watches",
            ),
            (
                0,
                0,
                1,
                &problems[..1],
                "no camera streams; front: not there",
            ),
            (
                1,
                0,
                2,
                &problems,
                "1 of 2 cameras streaming; front: not there; a note",
            ),
        ] {
            assert_eq!(render(streaming, idle, all, problems), expected);
        }
        let long = render(0, 0, 1, &["ä".repeat(5000)]);
        assert_eq!(long.chars().count(), LONGEST_LINE + 1);
        assert!(long.ends_with("ä…"));
    }
}
