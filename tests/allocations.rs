//! Steady state from a source to the wire: at most one small allocation per frame, the one that lets its octets
//! own the buffer's lease. Now and then a report is sent or looked for: that takes a few more.
//! Re-coding takes none. Nothing stays.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use framewire::capture::stream::{Event, Stream};
use framewire::capture::{CaptureError, Captured, Source};
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::Config;
use framewire::frame::{Frame, Suspicion};
use framewire::jpeg::Image;
use framewire::rtp::{Carrier, carry};
use framewire::stats::Stats;
use framewire::stop::Stop;
use framewire::transmit::Transmitter;
use framewire::viewers::Viewers;
use serde_json::Value;
use support::frames::{Picture, Sampling, Tables};
use support::huffman::optimised_huffman;
use support::transmit::transmit;

/// Frames before the count begins: the first use of this and that allocates.
const WARM_UP: usize = 50;
/// Frames at least that are counted.
const FRAMES: usize = 1000;
/// Between two of them. Reports come by time: every 2.5 to 7.5 s.
const PAUSE: Duration = Duration::from_millis(5);
/// Longest wait for reports.
const LIMIT: Duration = Duration::from_secs(60);
/// Octets of a small allocation: the owner of a `Bytes`.
const SMALL: usize = 128;
/// Allocations of a sender report, in which its parts are put together, and octets of the largest at most. A receiver's
/// report takes one; looking for it takes none.
const PER_SENDER_REPORT: usize = 6;
const LARGE: usize = 1024;
/// Outputs of the camera.
const OUTPUTS: usize = 2;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
/// Octets that are allocated now.
static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(
    unsafe_code,
    reason = "the interface of an allocator, which is counted here"
)]
// SAFETY: hands every call on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Stands for a V4L2 lease: lends the same octets again and again.
struct Lease(&'static [u8]);

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

struct Leases {
    jpeg: &'static [u8],
    sequence: u32,
}

impl Source for Leases {
    fn next(&mut self, _until: Duration, _stop: &Stop) -> Result<Captured, CaptureError> {
        self.sequence += 1;
        Ok(Captured::Frame(Frame {
            data: Bytes::from_owner(Lease(self.jpeg)),
            sequence: self.sequence,
            captured: monotonic_now(),
            dequeued: monotonic_now(),
            suspicion: Suspicion::None,
        }))
    }
}

/// What was allocated during some pieces of work, all of them together.
#[derive(Debug, Default)]
struct Used {
    allocations: usize,
    /// Octets of the largest.
    largest: usize,
    /// Octets that stayed.
    kept: isize,
}

impl Used {
    /// Does `work` and adds what it allocates. Nothing else runs in this process meanwhile.
    fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        LARGEST.store(0, Ordering::Relaxed);
        let (allocations, held) = (now(&ALLOCATIONS), now(&HELD));
        let result = work();
        self.allocations += now(&ALLOCATIONS) - allocations;
        self.largest = self.largest.max(now(&LARGEST));
        self.kept += now(&HELD).cast_signed() - held.cast_signed();
        result
    }
}

fn now(count: &AtomicUsize) -> usize {
    count.load(Ordering::Relaxed)
}

/// Where reports go and come from: the port above that of the stream (RFC 3550 11).
struct Receiver {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// Each output's source, and where its reports come from.
    senders: Vec<([u8; 4], SocketAddr)>,
}

impl Receiver {
    fn new() -> Self {
        loop {
            let rtp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let mut address = rtp.local_addr().expect("an address");
            address.set_port(address.port().wrapping_add(1));
            let Ok(rtcp) = UdpSocket::bind(address) else {
                continue;
            };
            rtcp.set_nonblocking(true).expect("a non-blocking socket");
            let senders = Vec::new();
            break Self { rtp, rtcp, senders };
        }
    }

    /// How many sender reports have come.
    fn sender_reports(&mut self) -> usize {
        let mut octets = [0; 1500];
        let mut count = 0;
        while let Ok((_, from)) = self.rtcp.recv_from(&mut octets) {
            let [_, 200, _, _, s3, s2, s1, s0, ..] = octets else {
                panic!("no sender report: {octets:?}");
            };
            let sender = ([s3, s2, s1, s0], from);
            if !self.senders.contains(&sender) {
                self.senders.push(sender);
            }
            count += 1;
        }
        count
    }

    /// Reports to every sender that so many of its packets are `lost` (RFC 3550 6.4.2).
    fn report(&self, lost: u8) {
        for &([s3, s2, s1, s0], address) in &self.senders {
            let mut report = [0; 32];
            report[..8].copy_from_slice(&[0x81, 201, 0, 7, 0, 0, 0, 9]);
            report[8..16].copy_from_slice(&[s3, s2, s1, s0, 0, 0, 0, lost]);
            self.rtcp.send_to(&report, address).expect("a report sent");
        }
    }
}

/// Whether the report that so many packets are `lost` has been read by all outputs.
fn is_known(lost: u8, stats: &Stats) -> bool {
    let summary = serde_json::to_value(stats.summary("test")).expect("JSON");
    let outputs = summary["outputs"].as_array().expect("outputs");
    let knows = |output: &Value| output["receivers"][0]["packets_lost"] == lost;
    outputs.len() == OUTPUTS && outputs.iter().all(knows)
}

fn picture() -> Vec<u8> {
    Picture {
        width: 1920,
        height: 1080,
        sampling: Sampling::S422,
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    }
    .encode()
}

/// A camera, as its thread runs it.
struct Camera<'a> {
    stream: Stream,
    transmitter: Transmitter<'a>,
    stats: &'a Stats,
    stop: &'a Stop,
    frames: Used,
    reports: Used,
}

impl<'a> Camera<'a> {
    fn new(destination: SocketAddr, stats: &'a Stats, stop: &'a Stop) -> Self {
        // One configuration may not have both.
        let outputs = [1400, 9000].map(|mtu| {
            let text = format!(
                "[[camera]]\nname = \"x\"\n\
                 [[camera.rtp]]\ndestination = \"{destination}\"\nmtu = {mtu}\n"
            );
            let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
            config.cameras[0].outputs[0].clone()
        });
        let leases = Leases {
            jpeg: picture().leak(),
            sequence: 0,
        };
        let mut transmitter = Transmitter::new("test", stats);
        transmitter.set_outputs(&outputs);
        Self {
            stream: Stream::new(Box::new(leases), false, stats),
            transmitter,
            stats,
            stop,
            frames: Used::default(),
            reports: Used::default(),
        }
    }

    /// A turn of the thread's loop.
    fn turn(&mut self) {
        self.frames.during(|| {
            let event = self.stream.next(monotonic_now(), self.stats, self.stop);
            let Ok(Event::Frame(frame)) = event else {
                panic!("{event:?}");
            };
            transmit(&mut self.transmitter, &frame, self.stats, sleep_until);
        });
        self.reports.during(|| self.transmitter.report());
        thread::sleep(PAUSE);
    }
}

/// The tests of this program run one by one: each counts what the whole process allocates.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn none_to_recode_a_picture() {
    let _alone = ALONE.lock();
    let picture = |seed| Picture {
        restart_interval: Some(7),
        seed,
        ..Picture::DEFAULT
    };
    let grey = Picture {
        sampling: Sampling::Grey,
        ..picture(3)
    };
    // Each needs other tables than the one before it.
    let pictures = [
        optimised_huffman(&picture(1).encode()),
        optimised_huffman(&picture(2).encode()),
        grey.encode(),
    ];
    let mut carrier = Carrier::default();
    let mut recode = || {
        for jpeg in &pictures {
            let image = Image::parse(jpeg).expect("a picture");
            let obstacle = carrier.carry(&image).expect_err("not as it is");
            let carried = carrier.recode(&image, obstacle).expect("re-coded");
            assert!(carried.scan.len() > 1000);
        }
    };
    // The first time makes the tables and the buffer.
    recode();
    let mut used = Used::default();
    for _ in 0..10 {
        used.during(&mut recode);
    }
    assert_eq!((used.allocations, used.kept), (0, 0), "{used:?}");
}

#[test]
fn one_small_allocation_to_show_a_picture() {
    let _alone = ALONE.lock();
    let pictures = [1, 2].map(|seed| {
        let picture = Picture {
            seed,
            ..Picture::DEFAULT
        };
        picture.encode()
    });
    let viewers = Arc::new(Viewers::new().expect("two bells"));
    let _watch = viewers.watch();
    let show = |jpeg: &[u8]| {
        let image = Image::parse(jpeg).expect("a picture");
        let picture = carry(&image).expect("as it is");
        viewers.show((picture.width, picture.height), monotonic_now(), |file| {
            picture.write_file(file);
        });
        let shown = viewers.take().expect("shown");
        assert!(shown.jpeg.ends_with(image.scan));
    };
    // The first one makes the buffer.
    show(&pictures[0]);
    let mut used = Used::default();
    for jpeg in pictures.iter().cycle().take(100) {
        used.during(|| show(jpeg));
    }
    assert_eq!((used.allocations, used.kept), (100, 0), "{used:?}");
    assert!(used.largest <= SMALL, "{used:?}");
}

#[test]
fn one_small_allocation_per_frame() {
    let _alone = ALONE.lock();
    let mut receiver = Receiver::new();
    let (stats, stop) = (Stats::default(), Stop::new().expect("an event descriptor"));
    let destination = receiver.rtp.local_addr().expect("an address");
    let mut camera = Camera::new(destination, &stats, &stop);
    let began = Instant::now();
    let mut turns = 0;
    // The first report of all makes the list of receivers.
    while turns < WARM_UP || !is_known(1, &stats) {
        camera.turn();
        turns += 1;
        if receiver.sender_reports() > 0 {
            receiver.report(1);
        }
        assert!(began.elapsed() < LIMIT, "no report was read");
    }
    (camera.frames, camera.reports) = (Used::default(), Used::default());
    receiver.report(2);
    let (mut frames, mut sender_reports) = (0, 0);
    while frames < FRAMES || sender_reports < OUTPUTS || !is_known(2, &stats) {
        camera.turn();
        frames += 1;
        sender_reports += receiver.sender_reports();
        assert!(began.elapsed() < LIMIT, "{sender_reports} sender reports");
    }
    let Camera {
        frames: of_frames,
        reports: of_reports,
        ..
    } = camera;
    println!("{frames} frames: {of_frames:?}");
    println!("{sender_reports} sender reports: {of_reports:?}");

    let summary = serde_json::to_value(stats.summary("test")).expect("JSON");
    assert_eq!(summary["frames_sent"], turns + frames, "{summary}");
    assert!(of_frames.allocations <= frames, "{of_frames:?}");
    assert!(of_frames.largest <= SMALL, "{of_frames:?}");
    let most = PER_SENDER_REPORT * sender_reports + OUTPUTS;
    assert!(of_reports.allocations <= most, "{of_reports:?}, not {most}");
    assert!(of_reports.largest <= LARGE, "{of_reports:?}");
    assert_eq!(
        (of_frames.kept, of_reports.kept),
        (0, 0),
        "octets that stay"
    );
}
