//! What became of every frame that a camera produced: the camera's own notes against framewire's counters.
//! What uvcvideo does to frames by their payload headers: drivers/media/usb/uvc/uvc_video.c, uvc_video_decode_start.

use std::collections::BTreeMap;

use super::mischief::SETTLED;
use crate::fault::Fault;
use crate::framewire::Summary;
use crate::studio::Take;

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
        let gaps = summary.count("sequence_gaps")?;
        let mut drops = summary.drops()?;
        let mut only = |reason: &str, frames: usize| {
            let count = drops.entry(reason.to_owned()).or_default();
            let others = count.checked_sub(frames);
            *count = frames;
            others.ok_or_else(|| format!("{name}: less than {frames} dropped as {reason}"))
        };
        // The driver keeps frames with an error bit to itself. These are the buffers that it gave back at a bus error,
        // unfilled but for that of a frame that was under way; the rest of that may come in a buffer of its own.
        let torn = self.faulty("torn");
        let unfilled = only("error-flag", torn)?;
        let rests = only("not-jpeg", self.faulty("garbage"))?;

        let mut rows = vec![("sent".to_owned(), summary.count("frames_sent")?)];
        let dropped = |(reason, frames)| (format!("dropped: {reason}"), frames);
        rows.extend(drops.into_iter().map(dropped));
        rows.push(("sequence gaps".into(), gaps));
        rows.push(("not numbered: bad header".into(), self.bad_header));
        rows.push(("not numbered: out of step".into(), self.out_of_step));
        let difference = self.print(name, &rows);
        println!(
            "LAB SHEET {name:<5} in doubt {}; no frames: {unfilled} empty buffers at {bus_errors} bus errors, {rests} \
             rests of torn frames; faulty: {:?}",
            self.in_doubt, self.faulty
        );
        summary.expect_adds_up()?;
        if !(0..=self.in_doubt.cast_signed()).contains(&difference) {
            return Err(format!(
                "{name}: of {} frames produced {difference} are not accounted for",
                self.produced
            ));
        }
        if rests > torn || unfilled + torn > bus_errors * BUFFERS {
            return Err(format!("{name}: {rests} rests, {unfilled} empty buffers"));
        }
        // The driver had no buffer for the frames that came right after a bus error.
        let marked = self.faulty("error bit") + self.faulty("empty");
        let unbuffered = gaps.checked_sub(marked);
        if unbuffered.is_none_or(|frames| frames > bus_errors * FRAMES_WITHOUT_BUFFER) {
            return Err(format!("{name}: {gaps} gaps for {marked} frames"));
        }
        Ok(())
    }

    /// Returns how many of the frames produced are in none of the rows.
    fn print(&self, name: &str, rows: &[(String, usize)]) -> isize {
        let line = |what: &str, frames| println!("LAB SHEET {name:<5} {what:<26}{frames:>7}");
        let accounted: usize = rows.iter().map(|(_, frames)| frames).sum();
        let difference = self.produced.cast_signed() - accounted.cast_signed();
        line("produced", self.produced.cast_signed());
        for (what, frames) in rows {
            line(what, frames.cast_signed());
        }
        line("difference", difference);
        difference
    }
}

/// As framewire asks for by default: at a bus error those that are queued are given back.
const BUFFERS: usize = 4;
/// Of 15 a second: each of the buffers that come back empty is waited with for 10 ms.
const FRAMES_WITHOUT_BUFFER: usize = 2;

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Late(_) => "late",
        Fault::Slow(_) => "slow",
        Fault::ErrorBit => "error bit",
        Fault::ChangedOctet => "changed octet",
        Fault::Truncated => "truncated",
        Fault::Empty => "empty",
        Fault::Garbage => "garbage",
        Fault::BadHeader => "bad header",
        Fault::BusError(_) => "bus error",
        Fault::BusErrorAmid(..) => "torn",
    }
}
