//! The way of a frame as a camera's thread takes it, without a camera.

use std::time::Duration;

use framewire::frame::Frame;
use framewire::jpeg::Image;
use framewire::rtp::carry;
use framewire::stats::Stats;
use framewire::transmit::Transmitter;

/// Sends `frame`, which must be one that can be carried, and counts what became of it. `wait_until` returns when the
/// monotonic clock shows the time it is given.
pub fn transmit(
    transmitter: &mut Transmitter,
    frame: &Frame,
    stats: &Stats,
    mut wait_until: impl FnMut(Duration),
) {
    let image = Image::parse(&frame.data).expect("a picture");
    let picture = carry(&image).expect("a picture that can be carried");
    let mut flight = transmitter.begin(frame, &picture);
    while let Some(due) = flight.next_due() {
        wait_until(due);
        flight.send_due();
    }
    match flight.end() {
        Ok(()) => stats.frame_sent(),
        Err(reason) => stats.frame_dropped(reason),
    }
}
