//! The built-in pattern: nothing to compare it with, but it has to arrive, to be a picture, and to move.

use crate::exchange::WorkingFolder;
use crate::process::free_port_pair;
use crate::receiver::Receiver;
use crate::sender;
use std::collections::HashSet;

const PIXELS: usize = 1280 * 720;
/// 4:2:0 (what GStreamer always delivers) or 4:2:2.
const OCTETS: [usize; 2] = [PIXELS * 3 / 2, PIXELS * 2];

const WANTED: usize = 12; // frames; unoptimised, drawing and encoding take far longer than a frame's time
const SPARE: usize = 4; // frames, for a receiver that joins late

pub fn run(receiver: Receiver) {
    const SHADES: usize = 16; // different luma values, the fewest that anyone would call a pattern
    receiver.require();
    let folder = WorkingFolder::new(receiver, "demo");
    let port = free_port_pair();
    let listening = receiver.listen(port, None, WANTED, &folder.path);
    sender::send_demo(port, WANTED + SPARE, &folder.path);
    let received = listening.finish();

    received.expect_frames(WANTED);
    let frames = &received.frames;
    for (number, frame) in frames.iter().enumerate() {
        assert!(
            OCTETS.contains(&frame.len()),
            "frame {number} has {} octets: not 1280x720",
            frame.len()
        );
        let shades: HashSet<u8> = frame[..PIXELS].iter().copied().collect();
        assert!(
            shades.len() >= SHADES,
            "frame {number} has only {} shades of grey",
            shades.len()
        );
    }
    let moving = frames.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(
        moving,
        frames.len() - 1,
        "the pattern moves from each frame to the next"
    );
    received.expect_no_complaints();
}
