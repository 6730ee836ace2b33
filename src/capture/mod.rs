//! The capture thread of a camera: takes pictures from a source, drops the damaged, hands the newest on.
//! V4L2 user-space API for cameras; files and a test pattern look the same from here.

mod arrivals;
pub mod camera;
pub mod controls;
mod damage;
pub mod demo;
pub mod devices;
mod identity;
mod ioctl;
mod metronome;
mod recovery;
pub mod replay;
mod ring;
mod search;
mod silence;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use damage::Damage;
use nix::errno::Errno;

use crate::frame::Frame;
use crate::handoff::{Handoff, Parker};
use crate::pulse::{LONGEST_WAIT, Pulse};
use crate::stats::{DropReason, Stats};
use crate::stop::Stop;

pub use crate::clocks::monotonic_now;
pub use recovery::keep_running;

/// Where pictures come from.
pub trait Source: Send {
    /// Waits for the next picture, or until `stop` is raised, for at most about [`LONGEST_WAIT`].
    fn next(&mut self, stop: &Stop) -> Result<Captured, CaptureError>;

    /// Whether a picture that the send path is not ready for waits (files as fast as they go) instead of
    /// being replaced by the next.
    fn waits(&self) -> bool {
        false
    }
}

/// What a source delivered.
#[derive(Debug)]
pub enum Captured {
    /// A picture.
    Frame(Frame),
    /// A buffer that the driver marked as damaged.
    Damaged(Frame),
    /// Nothing yet: the caller's loop turns.
    Nothing,
    /// Nothing more: the stop flag is up.
    Stopped,
}

/// Why a source cannot be opened or has ended.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No camera fits the configuration.
    #[error("{0}")]
    NotFound(String),
    /// The device or file cannot be opened.
    #[error("{}: {error}{}", path.display(), hint(error))]
    Open {
        /// Node, folder or file.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// The node is no capture device.
    #[error("{}: {card:?} is not a video capture node (a metadata or output node, perhaps); `framewire devices` lists those that are", path.display())]
    NotCapture {
        /// The node.
        path: PathBuf,
        /// The card's name.
        card: String,
    },
    /// The camera delivers no JPEG.
    #[error("{}: {card:?} delivers no JPEG, only {formats}: framewire sends what the camera has compressed itself, so a camera (or a node or firmware mode of this one) with MJPG or JPEG would work; `framewire devices` lists what there is", path.display())]
    RawOnly {
        /// The node.
        path: PathBuf,
        /// The card's name.
        card: String,
        /// Its formats.
        formats: String,
    },
    /// A system call on the camera failed.
    #[error("{}: {operation}: {errno}{}", path.display(), advice(operation, *errno))]
    Device {
        /// The node.
        path: PathBuf,
        /// The ioctl's name.
        operation: &'static str,
        /// What the kernel said.
        errno: Errno,
    },
    /// Somebody else set another format while the camera was being set up.
    #[error("{}: another program has changed the format", path.display())]
    FormatChanged {
        /// The node.
        path: PathBuf,
    },
    /// The camera streams, but nothing comes.
    #[error("{}: no picture for too long", path.display())]
    Silent {
        /// The node.
        path: PathBuf,
    },
    /// Pictures come, but none is whole.
    #[error("all pictures are damaged: a bad cable or too little power, perhaps")]
    OnlyDamaged,
    /// Nothing to replay.
    #[error("{}: {problem}", path.display())]
    Replay {
        /// Folder or file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// What to do about an error from open(2).
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ": is this user in the group `video`?",
        _ => "",
    }
}

/// What an error means, where we know.
fn advice(operation: &str, errno: Errno) -> &'static str {
    match (operation, errno) {
        ("VIDIOC_STREAMON", Errno::ENOSPC) => {
            ": not enough USB bandwidth; choose a smaller size or rate, or plug the camera into another root port"
        }
        (_, Errno::EBUSY) => ": another program uses the camera",
        ("VIDIOC_STREAMON", Errno::EPIPE) => ": the media links of the camera are not set up",
        ("VIDIOC_STREAMON", Errno::EPROTO | Errno::EIO) => {
            ": the camera refused to start; plug it out and in again"
        }
        (_, Errno::ENODEV) => ": the camera is gone",
        ("VIDIOC_REQBUFS", Errno::ENOMEM) => ": not enough memory for the buffers; ask for fewer",
        _ => "",
    }
}

/// Moves pictures from `source` to `handoff` until `stop` is raised, nobody takes them any more or the source fails.
pub fn run(
    source: &mut dyn Source,
    handoff: &Handoff,
    stats: &Stats,
    stop: &Stop,
    pulse: &Pulse,
) -> Result<(), CaptureError> {
    let parker = Parker::new();
    let mut gaps = SequenceGaps::default();
    let mut damage = Damage::new(stats.condition());
    let mut delivers = false;
    while !stop.is_raised() && !handoff.is_abandoned() {
        pulse.beat();
        if damage.is_hopeless(stats.condition(), Instant::now()) {
            return Err(CaptureError::OnlyDamaged);
        }
        let (frame, damaged) = match source.next(stop)? {
            Captured::Frame(frame) => (frame, false),
            Captured::Damaged(frame) => (frame, true),
            Captured::Nothing => continue,
            Captured::Stopped => break,
        };
        stats.frame_captured();
        if !std::mem::replace(&mut delivers, true) {
            stats.source_delivers();
        }
        stats.sequence_gap(gaps.before(&frame, damaged));
        if damaged {
            stats.frame_dropped(DropReason::ErrorFlag);
        } else if frame.data.is_empty() {
            stats.frame_dropped(DropReason::Empty);
        } else if handoff.put(frame).is_some() {
            stats.frame_dropped(DropReason::Superseded);
        }
        if source.waits() {
            while !handoff.wait_until_taken(&parker, LONGEST_WAIT) {
                pulse.beat();
            }
        }
    }
    Ok(())
}

/// Finds pictures that the driver lost, by its sequence numbers.
#[derive(Debug, Default)]
struct SequenceGaps {
    /// Drivers count from 0 when a stream starts; what they lose before the first picture counts too.
    expected: u32,
    /// What follows a number that stepped back.
    anew: Option<u32>,
}

impl SequenceGaps {
    /// Pictures missing right before `frame`.
    fn before(&mut self, frame: &Frame, damaged: bool) -> u32 {
        // A buffer that came back unfilled (a USB error, say) has no number of its own.
        if damaged && frame.data.is_empty() && frame.sequence == 0 {
            return 0;
        }
        let next = frame.sequence.wrapping_add(1);
        let gap = frame.sequence.wrapping_sub(self.expected);
        // A number that steps back may be of a stream that began anew: then the next one goes on from there. Or of
        // what uvcvideo makes of the rest of a frame after a bus error: then the next one goes on from before.
        if gap > u32::MAX / 2 && self.anew != Some(frame.sequence) {
            self.anew = Some(next);
            return 0;
        }
        self.expected = next;
        match self.anew.take() == Some(frame.sequence) {
            true => 0,
            false => gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    #[test]
    fn errors_say_what_to_do_where_that_is_known() {
        for (operation, errno, said) in [
            ("VIDIOC_STREAMON", Errno::ENOSPC, "USB bandwidth"),
            ("VIDIOC_STREAMON", Errno::EIO, "refused to start"),
            ("VIDIOC_S_FMT", Errno::EBUSY, "another program"),
            ("VIDIOC_DQBUF", Errno::ENODEV, "gone"),
        ] {
            let error = CaptureError::Device {
                path: "/dev/video0".into(),
                operation,
                errno,
            };
            let text = error.to_string();
            for part in ["/dev/video0", operation, errno.desc(), said] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }

    /// A source that must not be asked.
    struct Broken;

    impl Source for Broken {
        fn next(&mut self, _: &Stop) -> Result<Captured, CaptureError> {
            Err(CaptureError::OnlyDamaged)
        }
    }

    #[test]
    fn it_ends_when_nobody_takes_pictures_any_more() {
        let (handoff, stats, pulse) = (Handoff::new(), Stats::default(), Pulse::default());
        let stop = Stop::new().unwrap();
        let capture = || run(&mut Broken, &handoff, &stats, &stop, &pulse);
        assert!(capture().is_err());
        assert!(handoff.abandon().is_none());
        assert!(capture().is_ok());
    }

    #[test]
    fn sequence_gaps_are_counted_through_wraps_and_restarts() {
        let mut gaps = SequenceGaps::default();
        let mut before = |sequence, data, damaged| gaps.before(&frame(sequence, data), damaged);
        assert_eq!(before(u32::MAX - 1, b"x", false), 0);
        assert_eq!(before(u32::MAX, b"x", true), 0);
        assert_eq!(before(2, b"x", false), 2);
        assert_eq!(before(0, b"", true), 0);
        assert_eq!(before(3, b"x", false), 0);
        assert_eq!(before(0, b"x", false), 0);
        assert_eq!(before(1, b"x", false), 0);
        assert_eq!(before(3, b"x", false), 1);
    }

    #[test]
    fn a_stream_counts_from_0_and_a_number_that_steps_back_once_is_no_restart() {
        let mut gaps = SequenceGaps::default();
        let sequences = [2, 3, 0, 4, 6, 0, 0, 8, 9];
        let counted = sequences.map(|sequence| gaps.before(&frame(sequence, b"x"), false));
        assert_eq!(counted, [2, 0, 0, 0, 1, 0, 0, 1, 0]);
    }

    fn frame(sequence: u32, data: &'static [u8]) -> Frame {
        Frame {
            data: Bytes::from_static(data),
            sequence,
            captured: Duration::ZERO,
            dequeued: Duration::ZERO,
        }
    }
}
