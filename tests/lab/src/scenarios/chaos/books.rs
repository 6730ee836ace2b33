//! What became of every frame that a camera produced: the camera's own notes against framewire's counters.
//! What uvcvideo does to frames by their payload headers: drivers/media/usb/uvc/uvc_video.c, uvc_video_decode_start.

use std::collections::BTreeMap;

use super::mischief::SETTLED;
use crate::camera::{Fault, Take};
use crate::framewire::Summary;

/// One camera's frames. Produced are those that the host controller took completely while the stream was on.
#[derive(Default)]
pub struct Books {
    produced: usize,
    /// Of those, by fault.
    faulty: BTreeMap<&'static str, usize>,
    /// The driver cannot read the header: it neither numbers the frame nor delivers it.
    bad_header: usize,
    /// Nor one whose frame id is that of the last readable header: it takes it for a part of that frame.
    out_of_step: usize,
    /// Complete so shortly before the camera was pulled out that the driver may not have delivered them.
    in_doubt: usize,
}

impl Books {
    pub fn of(takes: &[Take]) -> Self {
        let mut books = Self::default();
        takes.iter().for_each(|take| books.enter(take));
        books
    }

    fn enter(&mut self, take: &Take) {
        let mut frame_id = None;
        for sent in &take.frames {
            let Some(complete) = sent.complete else {
                continue;
            };
            self.produced += 1;
            if let Some(fault) = sent.fault {
                *self.faulty.entry(name(fault)).or_default() += 1;
            }
            let doubtful = |unplugged| complete + SETTLED > unplugged;
            self.in_doubt += usize::from(take.unplugged.is_some_and(doubtful));
            if sent.fault == Some(Fault::BadHeader) {
                self.bad_header += 1;
                continue;
            }
            let id = sent.number % 2;
            if frame_id.replace(id) == Some(id) {
                self.out_of_step += 1;
            }
        }
    }

    fn faulty(&self, name: &str) -> usize {
        self.faulty.get(name).copied().unwrap_or(0)
    }

    /// Prints the balance sheet of camera `name`; the error says what does not balance. Every fault was followed by
    /// whole frames of the same stream, so that what the driver has numbered and lost shows as a gap.
    pub fn balance(&self, name: &str, summary: &Summary, bus_errors: usize) -> Result<(), String> {
        let [sent, gaps] = [
            summary.count("frames_sent")?,
            summary.count("sequence_gaps")?,
        ];
        // The driver keeps frames with an error bit to itself: these are the buffers that it gave back at a bus error,
        // unfilled but for that of a frame that was under way.
        let flagged = summary.dropped_as("error-flag") as usize;
        let torn = self.faulty("torn");
        // The rest of such a frame may come in a buffer of its own.
        let rests = summary.dropped_as("not-jpeg") as usize - self.faulty("garbage");
        let dropped = summary.count("frames_captured")? - sent - flagged - rests + torn;
        let marked = self.faulty("error bit") + self.faulty("empty");
        let accounted = sent + dropped + gaps + self.bad_header + self.out_of_step;
        for (what, frames) in [
            ("frames produced", self.produced.to_string()),
            ("sent", sent.to_string()),
            ("dropped", format!("{dropped} of {}", summary.reasons())),
            (
                "sequence gaps",
                format!("{gaps}, {marked} of them marked or empty"),
            ),
            ("bad header", self.bad_header.to_string()),
            ("out of step after that", self.out_of_step.to_string()),
            (
                "difference",
                (self.produced as i64 - accounted as i64).to_string(),
            ),
            ("in doubt at unplugging", self.in_doubt.to_string()),
            (
                "given back at bus errors",
                format!("{flagged} at {bus_errors}, {torn} of them frames"),
            ),
            ("rests of torn frames", rests.to_string()),
            ("faulty", format!("{:?}", self.faulty)),
        ] {
            println!("LAB SHEET {name:<6} {what:<24} {frames}");
        }
        summary.expect_adds_up()?;
        let lost = self.produced.checked_sub(accounted);
        if lost.is_none_or(|lost| lost > self.in_doubt) {
            return Err(format!(
                "{name}: {} frames produced, {accounted} accounted for",
                self.produced
            ));
        }
        if rests > torn || flagged < torn {
            return Err(format!("{name}: {rests} rests of {torn} torn frames"));
        }
        // The driver had no buffer for the frames that came right after a bus error.
        let unbuffered = gaps.checked_sub(marked);
        if unbuffered.is_none_or(|frames| frames > bus_errors * FRAMES_WITHOUT_BUFFER) {
            return Err(format!("{name}: {gaps} gaps for {marked} frames"));
        }
        Ok(())
    }
}

/// Of 15 a second: each of 4 buffers that come back unfilled is waited with for 10 ms.
const FRAMES_WITHOUT_BUFFER: usize = 2;

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Late(_) => "late",
        Fault::Slow(_) => "slow",
        Fault::ErrorBit => "error bit",
        Fault::Truncated => "truncated",
        Fault::Empty => "empty",
        Fault::Garbage => "garbage",
        Fault::BadHeader => "bad header",
        Fault::BusError(_) => "bus error",
        Fault::BusErrorAmid(..) => "torn",
    }
}
