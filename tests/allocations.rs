//! Steady state from a source to the wire: at most one small allocation per frame, the one that lets its octets
//! own the buffer's lease.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use framewire::capture::stream::{Event, Stream};
use framewire::capture::{CaptureError, Captured, Source};
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::Config;
use framewire::frame::Frame;
use framewire::stats::Stats;
use framewire::stop::Stop;
use framewire::transmit::Transmitter;
use support::frames::{Picture, Sampling, Tables};
use support::transmit::transmit;

/// Frames before the count begins: the first use of this and that allocates.
const WARM_UP: u32 = 50;
const FRAMES: u32 = 1000;
/// Octets of a small allocation: the owner of a `Bytes`.
const SMALL: usize = 128;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: hands every call on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
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
        }))
    }
}

#[test]
fn one_small_allocation_per_frame() {
    let jpeg = Picture {
        width: 1920,
        height: 1080,
        sampling: Sampling::S422,
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    }
    .encode();
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = receiver.local_addr().expect("an address");
    let text = format!(
        "[[camera]]\nname = \"x\"\n\
         [[camera.rtp]]\ndestination = \"{address}\"\nmtu = 1400\n\
         [[camera.rtp]]\ndestination = \"{address}\"\nmtu = 9000\n"
    );
    let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
    let (stats, stop) = (Stats::default(), Stop::new().expect("an event descriptor"));
    let leases = Leases {
        jpeg: jpeg.leak(),
        sequence: 0,
    };
    let mut stream = Stream::new(Box::new(leases), &stats);
    let mut transmitter = Transmitter::new("test", &stats);
    transmitter.set_outputs(&config.cameras[0].outputs);
    let mut before = 0;
    for number in 0..WARM_UP + FRAMES {
        if number == WARM_UP {
            before = ALLOCATIONS.load(Ordering::Relaxed);
            LARGEST.store(0, Ordering::Relaxed);
        }
        let event = stream.next(monotonic_now(), &stats, &stop);
        let Ok(Event::Frame(frame)) = event else {
            panic!("{event:?}");
        };
        transmit(&mut transmitter, &frame, &stats, sleep_until);
        transmitter.report();
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let largest = LARGEST.load(Ordering::Relaxed);

    let summary = serde_json::to_value(stats.summary("test")).expect("JSON");
    assert_eq!(summary["frames_sent"], WARM_UP + FRAMES, "{summary}");
    println!("{allocations} allocations for {FRAMES} frames");
    assert!(
        allocations <= u64::from(FRAMES),
        "{allocations} allocations for {FRAMES} frames"
    );
    assert!(largest <= SMALL, "an allocation of {largest} octets");
}
