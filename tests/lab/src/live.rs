//! A run of framewire that goes on while things happen to its cameras, and what it sends meanwhile.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{RTP_PORT, develop, ensure};
use crate::depacketizer::Reception;
use crate::framewire::{Ended, Running, tail};
use crate::receiver::{Receiver, Tally};
use crate::studio::Sent;

const POLL: Duration = Duration::from_millis(5);
/// Nothing that is waited for takes so long.
const LIMIT: Duration = Duration::from_secs(40);
const CLOCK_RATE: f64 = 90_000.0; // Hz, RFC 2435 3
/// Seconds between the camera's hand and the driver's clock.
const JITTER: f64 = 0.003;

pub struct Live {
    pub framewire: Running,
    /// One for each camera of the configuration.
    receivers: Vec<Receiver>,
}

impl Live {
    /// Streams the cameras of `config`, which send to `RTP_PORT` and the ports that follow it by twos.
    pub fn start(config: &str) -> Result<Self, Box<dyn Error>> {
        Self::start_with(config, Receiver::listen)
    }

    /// The same without keeping what comes.
    pub fn start_counting(config: &str) -> Result<Self, Box<dyn Error>> {
        Self::start_with(config, Receiver::count)
    }

    fn start_with(
        config: &str,
        receive: fn(u16) -> std::io::Result<Receiver>,
    ) -> Result<Self, Box<dyn Error>> {
        let cameras = config.matches("[[camera]]").count();
        let ports = (RTP_PORT..).step_by(2).take(cameras);
        let receivers = ports.map(receive).collect::<Result<_, _>>()?;
        Ok(Self {
            framewire: Running::stream("", config)?,
            receivers,
        })
    }

    /// Frames of a camera that have come so far.
    pub fn frames(&self, camera: usize) -> usize {
        self.receivers.get(camera).map_or(0, Receiver::frames)
    }

    /// Waits until `more` further frames of the first camera have come; returns how long that took.
    pub fn wait_for_frames(&self, more: usize) -> Result<Duration, String> {
        self.wait_for_frames_of(0, more)
    }

    pub fn wait_for_frames_of(&self, camera: usize, more: usize) -> Result<Duration, String> {
        let wanted = self.frames(camera) + more;
        self.wait_until(&format!("{more} more frames of camera {camera}"), || {
            self.frames(camera) >= wanted
        })
    }

    /// Waits until the log has `count` lines with `text`.
    pub fn wait_for_log(&self, text: &str, count: usize) -> Result<Duration, String> {
        self.wait_until(&format!("{count} lines with '{text}'"), || {
            self.lines(text) >= count
        })
    }

    /// Lines of the log with `text`.
    pub fn lines(&self, text: &str) -> usize {
        let log = self.framewire.log();
        log.lines().filter(|line| line.contains(text)).count()
    }

    fn wait_until(&self, what: &str, is_there: impl Fn() -> bool) -> Result<Duration, String> {
        let start = Instant::now();
        while !is_there() {
            if start.elapsed() > LIMIT {
                let log = tail(&self.framewire.log());
                return Err(format!("no {what} within {LIMIT:?}: {log}"));
            }
            thread::sleep(POLL);
        }
        Ok(start.elapsed())
    }

    /// Ends the run. Of each camera: no packet may be missing, all must be of one RTP stream, the counters must add up.
    pub fn end(self) -> Result<(Ended, Vec<Reception>), Box<dyn Error>> {
        let ended = self.framewire.terminate()?.expect_code(0)?;
        let mut receptions = Vec::new();
        for (index, receiver) in self.receivers.into_iter().enumerate() {
            receptions.push(develop(receiver).map_err(|error| format!("camera {index}: {error}"))?);
            ended.camera_number(index)?.expect_adds_up()?;
        }
        Ok((ended, receptions))
    }

    /// Ends a run whose packets are lost on purpose: tells what came.
    pub fn end_lossy(self) -> Result<(Ended, Vec<Tally>), Box<dyn Error>> {
        let ended = self.framewire.terminate()?.expect_code(0)?;
        let tallies = self.receivers.into_iter().map(Receiver::tally);
        Ok((ended, tallies.collect::<Result<_, _>>()?))
    }

    /// The same as [`Live::end`] for a run with one camera.
    pub fn end_one(self) -> Result<(Ended, Reception), Box<dyn Error>> {
        let (ended, mut receptions) = self.end()?;
        let reception = receptions.pop().ok_or("no camera")?;
        Ok((ended, reception))
    }
}

/// Where the longest pause is: the number of pictures before it, and its length by RTP in seconds.
pub fn longest_pause(reception: &Reception) -> (usize, f64) {
    let pictures = &reception.pictures;
    let pauses = pictures
        .windows(2)
        .map(|pair| f64::from(pair[1].timestamp.wrapping_sub(pair[0].timestamp)) / CLOCK_RATE);
    let longest = pauses
        .enumerate()
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    longest.map_or((pictures.len(), 0.0), |(before, pause)| (before + 1, pause))
}

/// The RTP times of the pictures must tell when the camera began each of these frames, over all interruptions.
/// Returns the largest error in seconds.
pub fn tells_the_time(reception: &Reception, sent: &[Sent]) -> Result<f64, Box<dyn Error>> {
    let pictures = &reception.pictures;
    let (Some(first), Some(start)) = (pictures.first(), sent.first()) else {
        return Err("no pictures".into());
    };
    ensure!(
        sent.len() >= pictures.len(),
        "{} pictures of {} frames",
        pictures.len(),
        sent.len()
    );
    let mut worst: f64 = 0.0;
    for (place, (picture, sent)) in pictures.iter().zip(sent).enumerate() {
        let rtp = f64::from(picture.timestamp.wrapping_sub(first.timestamp)) / CLOCK_RATE;
        let error = (rtp - (sent.at - start.at).as_secs_f64()).abs();
        ensure!(
            error.total_cmp(&JITTER).is_le(),
            "the RTP time of picture {place}, frame {}, is off by {error:.4} s",
            sent.number
        );
        worst = worst.max(error);
    }
    Ok(worst)
}
