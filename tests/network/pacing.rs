//! Frames of 200 kB at 30 fps through a router whose way out has 100 Mbit/s and a short queue.
//!
//! The mean rate is 48 Mbit/s: what is lost is lost because a frame comes as a burst, or because the emulated link
//! drained late, which the times of the packets tell apart.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::namespace::{Namespace, await_route, cable};
use crate::receiver::{Receiver, arrived_and_missing};
use crate::sender::{Folder, Sender};
use crate::support::frames::Picture;
use crate::tap::{Tap, lost_behind};

/// Frames of each run, and the packets of each frame at the default MTU.
const FRAMES: usize = 60;
const PACKETS_PER_FRAME: usize = 149;
const SENT: usize = FRAMES * PACKETS_PER_FRAME;
const PORT: u16 = 5004;
/// Of the bottleneck.
const RATE: u32 = 100_000_000; // bit/s
/// Runs that the machine may spoil.
const ATTEMPTS: usize = 20;

/// For the frames, which last two seconds, and for the process around them on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// A sender, a router and a receiver; the router's way out is the bottleneck.
struct Bottleneck {
    sender: Namespace,
    receiver: Namespace,
    tap: Tap,
    _router: Namespace,
}

impl Bottleneck {
    /// `queue` is in packets.
    fn new(queue: usize) -> Self {
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
        let tap = Tap::new(&router);
        // As a network card would, the sender's end of the cable cuts segments into packets, so that the queue
        // counts packets.
        sender.ip("link set out gso_max_segs 1");
        // Two packets of burst: what the token bucket must have to keep up its rate.
        router.tc(&format!(
            "qdisc add dev out root handle 1: tbf rate {RATE}bit burst 3000 limit 1000000"
        ));
        router.tc(&format!(
            "qdisc add dev out parent 1:1 handle 10: pfifo limit {queue}"
        ));
        await_route(&sender, &receiver, "10.0.2.2");
        Self {
            sender,
            receiver,
            tap,
            _router: router,
        }
    }
}

/// What became of the packets of a run.
struct Losses {
    /// Packets that did not arrive.
    lost: usize,
    /// Packets that would have found the queue full although it never drained late.
    too_close: usize,
}

impl Losses {
    /// The shares of all packets.
    fn shares(&self) -> [f64; 2] {
        [self.lost, self.too_close].map(|packets| packets as f64 / SENT as f64)
    }
}

/// Sends [`FRAMES`] frames through a `queue` of so many packets.
fn send(test: &str, queue: usize, pacing: &str, stalls: bool) -> Losses {
    // One at a time: they would take the processor from each other.
    static ALONE: Mutex<()> = Mutex::new(());
    let frame = frame();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let network = Bottleneck::new(queue);
    let receiver = Receiver::bind(&network.receiver, &format!("10.0.2.2:{PORT}"));
    let folder = Folder::new(test);
    folder.write_frame(frame);
    let output = format!("[[camera.rtp]]\ndestination = \"10.0.2.2:{PORT}\"\n{pacing}");
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
    let arrivals = network.tap.arrivals(PORT);

    assert_eq!(report["packets_sent"], SENT, "{report}");
    assert_eq!(report["frames_sent"], FRAMES, "{report}");
    assert_eq!(arrivals.len(), SENT, "packets that came to the router");
    assert!(
        arrived + missing <= SENT,
        "{arrived} arrived, {missing} did not"
    );
    let losses = Losses {
        lost: SENT - arrived,
        too_close: lost_behind(&arrivals, RATE, queue),
    };
    println!(
        "queue of {queue} packets, {}{}: {} of {SENT} packets lost ({:.1} %), {} came too close together, \
         {} frames superseded",
        if pacing.is_empty() { "paced" } else { pacing },
        if stalls { ", stalls of 20 ms" } else { "" },
        losses.lost,
        100.0 * losses.shares()[0],
        losses.too_close,
        report["frames_dropped"]["superseded"].as_u64().unwrap_or(0),
    );
    losses
}

/// Demands that paced frames pass a `queue` of so many packets without a loss.
///
/// The router's queue is software: where a hypervisor takes the processors away for milliseconds it drains late, never
/// makes up for that, and loses what a link would have carried. So after a run with a loss the times at which the
/// packets came to the router tell why. Packets that came too close together fail the test at once; a run without such
/// says nothing about the sender and is repeated.
fn expect_no_loss(test: &str, queue: usize, stalls: bool) {
    for _ in 0..ATTEMPTS {
        let Losses { lost, too_close } = send(test, queue, "", stalls);
        if lost == 0 {
            return;
        }
        assert_eq!(too_close, 0, "packets that came too close together");
        println!("the router's queue drained late: the machine is busy; once more");
    }
    panic!("the machine is too busy to measure: the router's queue drained late {ATTEMPTS} times");
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
    expect_no_loss("paced-100", 100, false);
}

#[test]
fn paced_frames_pass_a_queue_of_40_packets() {
    expect_no_loss("paced-40", 40, false);
}

#[test]
fn stalls_do_not_turn_into_bursts_behind_a_queue_of_100_packets() {
    expect_no_loss("stalled-100", 100, true);
}

#[test]
fn stalls_do_not_turn_into_bursts_behind_a_queue_of_40_packets() {
    expect_no_loss("stalled-40", 40, true);
}

/// That the bottleneck is one, and that the times of the packets show it.
#[test]
fn frames_in_bursts_lose_packets() {
    let short = send("burst-40", 40, "pacing = 0", false).shares();
    let long = send("burst-100", 100, "pacing = 0", false).shares();
    assert!(short.iter().all(|share| *share > 0.3), "{short:?} lost");
    assert!(long.iter().all(|share| *share > 0.05), "{long:?} lost");
}
