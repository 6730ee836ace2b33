//! Frames of 200 kB at 30 fps through a router whose way out has 100 Mbit/s and a short queue.
//!
//! The mean rate is 48 Mbit/s: what is lost is lost because a frame comes as a burst.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::namespace::{Namespace, await_route, cable};
use crate::receiver::{Receiver, arrived_and_missing};
use crate::sender::{Folder, Sender};
use crate::support::frames::Picture;

/// Frames of each run, and the packets of each frame at the default MTU.
const FRAMES: usize = 60;
const PACKETS_PER_FRAME: usize = 149;

/// For the frames, which last two seconds, and for the process around them on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// A sender, a router and a receiver; the router's way out is the bottleneck.
struct Bottleneck {
    sender: Namespace,
    receiver: Namespace,
    _router: Namespace,
}

impl Bottleneck {
    /// `queue` is in packets.
    fn new(queue: u32) -> Self {
        let [sender, router, receiver] = ["sender", "router", "receiver"].map(Namespace::new);
        cable(
            (&sender, "out", &["10.0.1.2/24"]),
            (&router, "in", &["10.0.1.1/24"]),
        );
        cable(
            (&router, "out", &["10.0.2.1/24"]),
            (&receiver, "in", &["10.0.2.2/24"]),
        );
        sender.ip("route add default via 10.0.1.1");
        receiver.ip("route add default via 10.0.2.1");
        router.sysctl("ipv4/ip_forward", "1");
        // As a network card would, the sender's end of the cable cuts segments into packets, so that the queue
        // counts packets.
        sender.ip("link set out gso_max_segs 1");
        // Two packets of burst: what the token bucket must have to keep up its rate.
        router.tc("qdisc add dev out root handle 1: tbf rate 100mbit burst 3000 limit 1000000");
        router.tc(&format!(
            "qdisc add dev out parent 1:1 handle 10: pfifo limit {queue}"
        ));
        await_route(&sender, &receiver, "10.0.2.2");
        Self {
            sender,
            receiver,
            _router: router,
        }
    }
}

/// Share of the packets of 60 frames that do not arrive.
fn lost(test: &str, queue: u32, pacing: &str, stalls: bool) -> f64 {
    // One at a time: they would take the processor from each other.
    static ALONE: Mutex<()> = Mutex::new(());
    let frame = frame();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let network = Bottleneck::new(queue);
    let receiver = Receiver::bind(&network.receiver, "10.0.2.2:5004");
    let folder = Folder::new(test);
    folder.write_frame(frame);
    let output = format!("[[camera.rtp]]\ndestination = \"10.0.2.2:5004\"\n{pacing}");
    let frames = FRAMES.to_string();
    let mut sender = Sender::start(
        &network.sender,
        &folder,
        &output,
        &["--frames", frames.as_str()],
    );
    if stalls {
        stall_until_ended(&mut sender);
    }
    sender.process().expect_success(RUN_LIMIT);
    let report = sender.report();
    let (arrived, missing) = arrived_and_missing(&receiver.finish());

    let sent = FRAMES * PACKETS_PER_FRAME;
    assert_eq!(report["packets_sent"], sent, "{report}");
    assert_eq!(report["frames_sent"], FRAMES, "{report}");
    assert!(
        arrived + missing <= sent,
        "{arrived} arrived, {missing} did not"
    );
    let lost = (sent - arrived) as f64 / sent as f64;
    println!(
        "queue of {queue} packets, {}{}: {} of {sent} packets lost ({:.1} %), {} frames superseded",
        if pacing.is_empty() { "paced" } else { pacing },
        if stalls { ", stalls of 20 ms" } else { "" },
        sent - arrived,
        100.0 * lost,
        report["frames_dropped"]["superseded"].as_u64().unwrap_or(0),
    );
    lost
}

/// A frame of exactly [`PACKETS_PER_FRAME`] packets.
fn frame() -> &'static [u8] {
    static FRAME: OnceLock<Vec<u8>> = OnceLock::new();
    FRAME.get_or_init(|| {
        let picture = Picture {
            width: 1920,
            height: 1080,
            quality: 88,
            restart_interval: Some(33),
            ..Picture::DEFAULT
        };
        picture.encode()
    })
}

/// Stops the process for 20 ms, again and again: every 150 to 250 ms, always at the same random moments.
fn stall_until_ended(sender: &mut Sender) {
    const STALL: Duration = Duration::from_millis(20);
    let mut random: u32 = 0x2435_3550;
    loop {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // Numerical Recipes' generator
        let wait = Duration::from_micros(u64::from(150_000 + (random >> 8) % 100_000));
        if sender.process().ended_within(wait).is_some() {
            return;
        }
        sender.process().signal(Signal::SIGSTOP);
        thread::sleep(STALL);
        sender.process().signal(Signal::SIGCONT);
    }
}

#[test]
fn paced_frames_pass_a_queue_of_100_packets() {
    assert_eq!(lost("paced-100", 100, "", false), 0.0);
}

#[test]
fn paced_frames_pass_a_queue_of_40_packets() {
    assert_eq!(lost("paced-40", 40, "", false), 0.0);
}

#[test]
fn stalls_do_not_turn_into_bursts_behind_a_queue_of_100_packets() {
    assert_eq!(lost("stalled-100", 100, "", true), 0.0);
}

#[test]
fn stalls_do_not_turn_into_bursts_behind_a_queue_of_40_packets() {
    assert_eq!(lost("stalled-40", 40, "", true), 0.0);
}

/// That the bottleneck is one.
#[test]
fn frames_in_bursts_lose_packets() {
    let short = lost("burst-40", 40, "pacing = 0", false);
    let long = lost("burst-100", 100, "pacing = 0", false);
    assert!(short > 0.3 && long > 0.05, "{short} and {long} lost");
}
