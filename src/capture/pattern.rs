//! A built-in moving test pattern with a frame counter and a clock, compressed as a camera would.
//! ITU-T T.81 baseline, 4:2:2, annex K tables at quality 85.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::error::CaptureError;
use super::metronome::{Beat, Metronome};
use super::source::{Captured, Source};
use crate::clocks::monotonic_now;
use crate::config::{Fps, Height, Width};
use crate::frame::{Frame, Suspicion};
use crate::stop::Stop;

/// JPEG quality in percent.
const QUALITY: u8 = 85;
/// Columns of a glyph, one of space included.
const GLYPH_COLUMNS: usize = 6;
/// Rows of a glyph.
const GLYPH_ROWS: usize = 7;
/// Rows of a line of text, two of space included.
const LINE_ROWS: usize = GLYPH_ROWS + 2;
/// Space around the text, in its rows and columns.
const MARGIN: usize = 4;
/// Cb and Cr of grey.
const NEUTRAL: u8 = 128;
/// Y, Cb, Cr of the eight 75 % colour bars (ITU-T BT.601, full range): white to black.
const BARS: [[u8; 3]; 8] = [
    [191, 128, 128],
    [169, 32, 143],
    [134, 160, 32],
    [112, 64, 48],
    [79, 192, 208],
    [57, 96, 223],
    [22, 224, 112],
    [0, 128, 128],
];

/// Pictures drawn and compressed beforehand, by a thread of its own as a camera's chip would: on a small board
/// that takes most of the time from frame to frame.
#[derive(Debug)]
pub struct TestPattern {
    orders: Sender<Order>,
    drawn: Receiver<Vec<u8>>,
    next: Next,
    sequence: u32,
    metronome: Metronome,
}

/// The next picture.
#[derive(Debug)]
enum Next {
    /// Nobody draws it yet.
    Wanted,
    /// The thread does.
    Ordered,
    /// It is complete.
    Drawn(Vec<u8>),
}

/// What a picture is to show.
#[derive(Debug)]
struct Order {
    sequence: u32,
    time: SystemTime,
}

impl TestPattern {
    /// A pattern of the given size.
    pub fn new(width: Width, height: Height, fps: Fps) -> Result<Self, CaptureError> {
        let pixels = |size: u32| {
            u16::try_from(size).map_err(|_| {
                CaptureError::NotFound(format!("demo: {size} pixels are more than JPEG has"))
            })
        };
        let (width, height) = (pixels(width.get())?, pixels(height.get())?);
        let (orders, ordered) = mpsc::channel::<Order>();
        let (finished, drawn) = mpsc::channel();
        // It ends when the other ends of its channels are gone.
        let draw = move || {
            for order in ordered {
                if finished.send(picture(width, height, &order)).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("demo".to_owned()).spawn(draw);
        thread.map_err(|error| {
            CaptureError::NotFound(format!("demo: cannot start a thread: {error}"))
        })?;
        Ok(Self {
            orders,
            drawn,
            next: Next::Wanted,
            sequence: 0,
            metronome: Metronome::new(fps),
        })
    }

    /// Orders the next picture, with the time when it will be due, and waits for it until `until`.
    fn draw(&mut self, until: Duration) -> Result<(), CaptureError> {
        let wait = until.saturating_sub(monotonic_now());
        // Somebody who does not wait has a picture to send first: the processor should be free for that.
        if matches!(self.next, Next::Wanted) && !wait.is_zero() {
            let ahead = self.metronome.due().saturating_sub(monotonic_now());
            // Fails when the thread is gone, which shows right below.
            let _ = self.orders.send(Order {
                sequence: self.sequence,
                time: SystemTime::now() + ahead,
            });
            self.next = Next::Ordered;
        }
        if matches!(self.next, Next::Ordered) {
            match self.drawn.recv_timeout(wait) {
                Ok(picture) => self.next = Next::Drawn(picture),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let problem = "demo: its thread has ended".to_owned();
                    return Err(CaptureError::NotFound(problem));
                }
            }
        }
        Ok(())
    }
}

fn picture(width: u16, height: u16, order: &Order) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
    let pattern = Pattern {
        width,
        height,
        sequence: order.sequence,
        lines: [format!("{:08}", order.sequence), clock(order.time)],
    };
    // Writing to memory does not fail; if it did, the empty frame would be counted as dropped.
    if encoder.encode_image(pattern).is_err() {
        jpeg.clear();
    }
    jpeg
}

impl Source for TestPattern {
    fn next(&mut self, until: Duration, stop: &Stop) -> Result<Captured, CaptureError> {
        self.draw(until)?;
        let Next::Drawn(picture) = &mut self.next else {
            return Ok(Captured::Nothing);
        };
        let Beat::At(captured) = self.metronome.beat(until, stop) else {
            return Ok(Captured::Nothing);
        };
        let picture = std::mem::take(picture);
        self.next = Next::Wanted;
        let frame = Frame {
            data: Bytes::from(picture),
            sequence: self.sequence,
            captured,
            dequeued: monotonic_now(),
            suspicion: Suspicion::None,
        };
        self.sequence = self.sequence.wrapping_add(1);
        Ok(Captured::Frame(frame))
    }

    fn waits(&self) -> bool {
        self.metronome.is_unlimited()
    }
}

/// Time of day in UTC, `HH:MM:SS.mmm`.
fn clock(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_millis()
    )
}

/// One picture, drawn row by row while it is compressed, so that it never lies in memory whole.
struct Pattern {
    width: u16,
    height: u16,
    sequence: u32,
    lines: [String; 2],
}

impl ImageBuffer for Pattern {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, [luma, cb, cr, _]: &mut [Vec<u8>; 4]) {
        let start = luma.len();
        if y < self.height / 3 * 2 {
            self.bars([luma, cb, cr]);
        } else {
            self.ramp(y, luma);
            cb.resize(luma.len(), NEUTRAL);
            cr.resize(luma.len(), NEUTRAL);
        }
        let row = |plane| <[u8]>::get_mut(plane, start..).unwrap_or_default();
        self.text(usize::from(y), row(luma), row(cb), row(cr));
    }
}

impl Pattern {
    /// A row of colour bars that move to the left.
    fn bars(&self, planes: [&mut Vec<u8>; 3]) {
        let width = usize::from(self.width);
        let shift = 2 * usize::try_from(self.sequence).unwrap_or(0) % width;
        for (component, plane) in planes.into_iter().enumerate() {
            let start = plane.len();
            for (bar, colour) in BARS.iter().enumerate() {
                let end = start + width * (bar + 1) / BARS.len();
                plane.resize(end, colour.get(component).copied().unwrap_or(NEUTRAL));
            }
            if let Some(row) = plane.get_mut(start..) {
                row.rotate_left(shift);
            }
        }
    }

    /// A row of a diagonal ramp with a fine texture, which runs against the bars.
    fn ramp(&self, y: u16, luma: &mut Vec<u8>) {
        let phase = u32::from(y) * 3 + self.sequence.wrapping_mul(5);
        luma.extend((0..u32::from(self.width)).map(|x| {
            let [ramp, ..] = (x * 2).wrapping_add(phase).to_le_bytes();
            let [texture, ..] = (x ^ u32::from(y) ^ self.sequence).to_le_bytes();
            ramp / 2 + 48 + texture % 32
        }));
    }

    /// The lines of text on a dark box, without colour.
    fn text(&self, y: usize, luma: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
        let scale = (usize::from(self.width) / 96).max(1);
        let Some(row) = (y / scale).checked_sub(MARGIN) else {
            return;
        };
        let Some(line) = self.lines.get(row / LINE_ROWS) else {
            return;
        };
        let pixels = luma.iter_mut().zip(cb).zip(cr).skip(MARGIN * scale);
        for (x, ((luma, cb), cr)) in pixels.take(line.len() * GLYPH_COLUMNS * scale).enumerate() {
            let column = x / scale;
            let character = line.as_bytes().get(column / GLYPH_COLUMNS).copied();
            let bits = glyph(character.unwrap_or(b' '))
                .get(row % LINE_ROWS)
                .copied();
            let lit = bits.unwrap_or(0) << (column % GLYPH_COLUMNS) & 0b10_0000 != 0;
            *luma = if lit { 235 } else { *luma / 4 };
            (*cb, *cr) = (NEUTRAL, NEUTRAL);
        }
    }
}

/// Rows of 5 pixels, leftmost in bit 5; bit 0 is the space to the next glyph.
fn glyph(character: u8) -> [u8; GLYPH_ROWS] {
    let rows: [u8; GLYPH_ROWS] = match character {
        b'0' => [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
        b'1' => [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
        b'2' => [0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F],
        b'3' => [0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E],
        b'4' => [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
        b'5' => [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
        b'6' => [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
        b'7' => [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        b'8' => [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
        b'9' => [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
        b':' => [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00],
        b'.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C],
        _ => [0; GLYPH_ROWS],
    };
    rows.map(|row| row << 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::{Image, tables};
    use crate::rtp::carry::{Sampling, carry};

    fn drawn(sequence: u32, seconds: u64) -> Vec<u8> {
        let order = Order {
            sequence,
            time: UNIX_EPOCH + Duration::from_secs(seconds),
        };
        picture(1280, 720, &order)
    }

    #[test]
    fn pictures_are_what_rtp_carries_cheapest_and_each_differs() {
        let first = drawn(0, 0);
        assert_ne!(first, drawn(1, 0));
        let image = Image::parse(&first).unwrap();
        assert_eq!((image.width, image.height), (1280, 720));
        let picture = carry(&image).unwrap();
        assert_eq!(picture.sampling, Sampling::Yuv422);
        assert_eq!(tables::standard_q(&picture.tables), Some(QUALITY));
    }

    #[test]
    fn the_clock_is_in_the_picture() {
        let time = UNIX_EPOCH + Duration::from_millis(3_723_004);
        assert_eq!(clock(time), "01:02:03.004");
        assert_ne!(drawn(0, 0), drawn(0, 1));
    }

    #[test]
    fn pictures_come_in_their_order_and_in_their_time() {
        let stop = Stop::new().unwrap();
        let mut pattern =
            TestPattern::new(Width::default(), Height::default(), Fps::default()).unwrap();
        let mut last = None;
        for sequence in 0..5 {
            let frame = loop {
                let until = monotonic_now() + Duration::from_millis(1);
                if let Captured::Frame(frame) = pattern.next(until, &stop).unwrap() {
                    break frame;
                }
            };
            assert_eq!(frame.sequence, sequence);
            let distance = Duration::from_nanos(33_333_333);
            assert!(last.is_none_or(|last| frame.captured >= last + distance));
            assert!(Image::parse(&frame.data).is_ok());
            last = Some(frame.captured);
        }
    }
}
