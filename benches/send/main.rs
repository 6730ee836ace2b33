//! What a frame costs on its way from parsed to sent: framewire's send path against the alternatives, in one process.
//!
//! All variants send the same pictures to one draining receiver on loopback, in turn, in rounds of one run; the
//! figure is CPU time of the sending thread, ratios are medians of the rounds' ratios. The microseconds are this
//! machine's at this moment. With words after `--` the program is one of the processes of benches/compare.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]
#![expect(clippy::print_stdout, reason = "its output is what it has measured")]

mod library;
mod process;
mod sender;
mod senders;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use library::{Framewire, ParseAndHeaders};
use sender::Sender;
use senders::{Gso, SendMmsg, SendTo};
use support::frames::Picture;

/// Rounds per variant; the first of each is a warm-up and not counted.
const ROUNDS: usize = 21;
/// Frames per round and variant, over all destinations.
const FRAMES: usize = 128;
/// Pictures sent in turn.
const PICTURES: u32 = 4;

fn main() {
    // `cargo bench` adds an option of its own.
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        compare();
    } else {
        process::run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// JPEG pictures with a camera's entropy: 1080p has about 170 kB at quality 85, 200 kB at 88.
fn pictures(width: u16, height: u16, quality: u8) -> Vec<Vec<u8>> {
    let picture = |seed| Picture {
        width,
        height,
        quality,
        seed,
        ..Picture::DEFAULT
    };
    (1..=PICTURES).map(|seed| picture(seed).encode()).collect()
}

/// A sender and what it took.
struct Variant {
    name: &'static str,
    destinations: usize,
    sender: Box<dyn Sender>,
    /// CPU per frame in microseconds, a figure per round.
    micros: Vec<f64>,
}

impl Variant {
    fn new(name: &'static str, destinations: usize, sender: impl Sender + 'static) -> Self {
        Self {
            name,
            destinations,
            sender: Box::new(sender),
            micros: Vec::new(),
        }
    }

    fn run(&mut self) -> f64 {
        let frames = FRAMES / self.destinations.max(1);
        let before = cpu_time();
        for frame in 0..frames {
            self.sender.send(frame);
        }
        (cpu_time() - before).as_secs_f64() * 1e6 / number(frames)
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("not billions"))
}

/// CPU time of this thread, user and system.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("the thread's clock").into()
}

fn compare() {
    let receiver = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let port = receiver.local_addr().expect("an address").port();
    // Ends with the process.
    thread::spawn(move || process::drain(&receiver));
    // All of 127.0.0.0/8 is this machine.
    let hosts =
        |count: u8| (1..=count).map(move |host| SocketAddr::from(([127, 0, 1, host], port)));
    let to = |count| hosts(count).collect::<Vec<_>>();
    let (p, large) = (pictures(1920, 1080, 85), pictures(1920, 1080, 88));
    let mut variants = [
        Variant::new("framewire", 1, Framewire::new(&p, &to(1))),
        Variant::new("bare GSO ceiling", 1, Gso::new(&p, &to(1))),
        Variant::new("sendmmsg in place", 1, SendMmsg::new(&p, &to(1))),
        Variant::new("sendto per packet", 1, SendTo::new(&p, &to(1))),
        Variant::new("framewire", 8, Framewire::new(&p, &to(8))),
        Variant::new("bare GSO ceiling", 8, Gso::new(&p, &to(8))),
        Variant::new("framewire, sessions", 8, Framewire::of_sessions(&p, &to(8))),
        Variant::new("framewire", 32, Framewire::new(&p, &to(32))),
        Variant::new("bare GSO ceiling", 32, Gso::new(&p, &to(32))),
        Variant::new("parse and headers", 0, ParseAndHeaders::new(&large)),
    ];
    for round in 0..ROUNDS {
        for variant in &mut variants {
            let micros = variant.run();
            if round > 0 {
                variant.micros.push(micros);
            }
        }
    }
    assert!(variants.iter().all(|variant| variant.sender.has_sent_all()));
    report(&variants, mean_octets(&p), mean_octets(&large));
}

fn mean_octets(pictures: &[Vec<u8>]) -> usize {
    pictures.iter().map(Vec::len).sum::<usize>() / pictures.len()
}

#[expect(clippy::too_many_lines, reason = "most are the text it prints")]
fn report(variants: &[Variant], octets: usize, large: usize) {
    let [
        framewire,
        ceiling,
        sendmmsg,
        sendto,
        framewire8,
        ceiling8,
        sessions8,
        framewire32,
        ceiling32,
        parse,
    ] = variants
    else {
        return;
    };
    println!(
        "1080p, {octets} octets a frame, loopback; CPU of the sending thread, {} rounds in turn\n",
        ROUNDS - 1
    );
    println!("                      destinations  us per frame, median (min..max)");
    for variant in &variants[..9] {
        println!(
            "{:22}{:12}  {}",
            variant.name,
            variant.destinations,
            spread(variant)
        );
    }
    println!(
        "parse and headers of {large} octets:  {}  goal <= 8\n",
        spread(parse)
    );
    let ratio = |what: &str, over: &Variant, under: &Variant, goal: &str| {
        let rounds = over.micros.iter().zip(&under.micros);
        let ratio = median(rounds.map(|(over, under)| over / under).collect());
        println!("{what:44} {ratio:6.3}{goal}");
    };
    ratio(
        "framewire / bare GSO ceiling",
        framewire,
        ceiling,
        "  goal <= 1.10",
    );
    ratio("framewire / sendmmsg in place", framewire, sendmmsg, "");
    ratio(
        "framewire / sendto per packet",
        framewire,
        sendto,
        "  goal <= 0.35",
    );
    ratio(
        "framewire / ceiling, 8 destinations",
        framewire8,
        ceiling8,
        "  goal <= 1.10",
    );
    ratio(
        "framewire / ceiling, 32 destinations",
        framewire32,
        ceiling32,
        "  goal <= 1.10",
    );
    ratio(
        "sessions / configured destinations, 8",
        sessions8,
        framewire8,
        "  goal <= 1.05",
    );
    for many in [framewire8, framewire32] {
        let rounds = many.micros.iter().zip(&framewire.micros);
        let further = number(many.destinations - 1);
        let ratio = median(
            rounds
                .map(|(all, first)| (all - first) / further / first)
                .collect(),
        );
        let what = format!(
            "a further destination / the first, of {}",
            many.destinations
        );
        println!("{what:44} {ratio:6.3}  goal <= 1.05");
    }
}

fn spread(variant: &Variant) -> String {
    let least = variant.micros.iter().copied().fold(f64::INFINITY, f64::min);
    let most = variant.micros.iter().copied().fold(0.0, f64::max);
    format!(
        "{:8.1} ({least:.1}..{most:.1})",
        median(variant.micros.clone())
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
