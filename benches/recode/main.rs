//! What re-coding a scan to Annex K's Huffman tables takes, beside libjpeg's way: read all coefficients, then write them.
//!
//! Both take the same pictures, in turn, in one run, some one after the other. A figure is the CPU time of one picture, the
//! least of all: what else a shared machine does can only add to it. The ratios carry over to other machines better than
//! the microseconds. libjpeg is asked twice: half of its time goes by when the memory for all coefficients is new each time.
//! Words after `--`: `quick`; or, for benches/instructions, `write FILE`, which writes a picture, and `frames COUNT FILE`, which
//! re-codes it so often.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]
#![expect(clippy::print_stdout, reason = "its output is what it has measured")]

mod peer;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::fs;
use std::time::Duration;

use framewire::jpeg::Image;
use framewire::rtp::Carrier;
use nix::time::{ClockId, clock_gettime};

use peer::{Libjpeg, Memory};
use support::frames::{Picture, Sampling};
use support::huffman::optimised_huffman;

/// Rounds.
const ROUNDS: usize = 12;
const QUICK_ROUNDS: usize = 2;
/// Pictures one after the other: the first has to fetch program and tables from far.
const IN_A_ROW: usize = 5;

const LARGE: Picture = Picture {
    width: 1920,
    height: 1080,
    ..Picture::DEFAULT
};

/// What cameras send: from small to large, from coarse to fine.
const INPUTS: [(&str, Picture); 8] = [
    ("640x480 4:2:2", Picture::DEFAULT),
    (
        "1280x720 4:2:2",
        Picture {
            width: 1280,
            height: 720,
            ..Picture::DEFAULT
        },
    ),
    (
        "1080p 4:2:2, quality 60",
        Picture {
            quality: 60,
            ..LARGE
        },
    ),
    (
        "1080p 4:2:2, quality 75",
        Picture {
            quality: 75,
            ..LARGE
        },
    ),
    ("1080p 4:2:2, quality 85", LARGE),
    (
        "1080p 4:2:2, quality 92",
        Picture {
            quality: 92,
            ..LARGE
        },
    ),
    (
        "1080p 4:2:0, quality 85",
        Picture {
            sampling: Sampling::S420,
            ..LARGE
        },
    ),
    (
        "1080p 4:2:2, a restart per row",
        Picture {
            restart_interval: Some(120),
            ..LARGE
        },
    ),
];

fn main() {
    // `cargo bench` adds an option of its own.
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => compare(ROUNDS),
        ["quick"] => compare(QUICK_ROUNDS),
        ["write", file] => fs::write(file, optimised_huffman(&LARGE.encode())).expect("a file"),
        ["frames", count, file] => frames(count.parse().expect("a count"), file),
        _ => panic!("nothing, quick, write FILE or frames COUNT FILE"),
    }
}

/// Re-codes the picture in `file` so often: the instructions can be counted from outside.
fn frames(count: usize, file: &str) {
    let jpeg = fs::read(file).expect("a file");
    let mut carrier = Carrier::default();
    let octets: usize = (0..count).map(|_| recode(&mut carrier, &jpeg).len()).sum();
    println!("{count} times {} octets into {octets}", jpeg.len());
}

/// The scan of `jpeg` in the standard code.
fn recode<'c>(carrier: &'c mut Carrier, jpeg: &[u8]) -> &'c [u8] {
    let image = Image::parse(jpeg).expect("a picture");
    let obstacle = carrier.carry(&image).expect_err("its tables are others");
    carrier.recode(&image, obstacle).expect("a whole scan").scan
}

/// What was measured of an input: the least time in microseconds.
#[derive(Clone, Copy)]
struct Measured {
    /// libjpeg's with its memory kept, and returned.
    libjpeg: [f64; 2],
    /// Ours with tables kept, and made anew.
    ours: [f64; 2],
}

impl Measured {
    /// How many times as fast: by libjpeg's memory, then by our tables.
    fn ratios(self) -> [[f64; 2]; 2] {
        self.libjpeg
            .map(|theirs| self.ours.map(|ours| theirs / ours))
    }
}

fn compare(rounds: usize) {
    println!(
        "CPU per picture in us, the least of {} in turn; in brackets how many times as fast as libjpeg: with memory kept, returned",
        rounds * IN_A_ROW
    );
    println!(
        "{:32}   octets in, out  libjpeg: kept, returned   tables kept          tables made anew",
        ""
    );
    let mut all = Vec::new();
    for (name, picture) in INPUTS {
        let (measured, [octets_in, octets_out]) = measure(&picture, rounds);
        let ([theirs, fresh], [kept, made]) = (measured.libjpeg, measured.ours);
        let [[kept_ratio, made_ratio], [kept_fresh, made_fresh]] = measured.ratios();
        println!(
            "{name:32} {octets_in:8} {octets_out:8}  {theirs:13.0} {fresh:9.0}   {kept:5.0} ({kept_ratio:5.2} {kept_fresh:5.2})  {made:5.0} ({made_ratio:5.2} {made_fresh:5.2})",
        );
        all.push(measured);
    }
    for (memory, label) in ["memory kept", "memory returned"].iter().enumerate() {
        for (tables, goals) in ["kept, goals 7 and 10", "made anew, goal 6"]
            .iter()
            .enumerate()
        {
            let ratio = |each: &Measured| each.ratios()[memory][tables];
            let mut ratios: Vec<f64> = all.iter().map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            let half = ratios.len() / 2;
            let (worst, median) = (ratios[0], f64::midpoint(ratios[half - 1], ratios[half]));
            println!(
                "libjpeg with {label}, tables {goals}: worst {worst:5.2}, median {median:5.2}"
            );
        }
    }
}

fn measure(picture: &Picture, rounds: usize) -> (Measured, [usize; 2]) {
    let mut libjpeg = Libjpeg::new("one", &picture.encode());
    // Another picture has other tables.
    let other = Picture {
        seed: 2,
        ..*picture
    };
    let other = &Libjpeg::new("other", &other.encode()).optimised;
    let (mut kept, mut made) = (Carrier::default(), Carrier::default());
    let scan = recode(&mut kept, &libjpeg.optimised);
    let standard = Image::parse(&libjpeg.standard).expect("a picture");
    assert_eq!(scan, standard.scan, "not what libjpeg writes");
    let octets = [libjpeg.optimised.len(), libjpeg.standard.len()];
    let mut measured = Measured {
        libjpeg: [f64::MAX; 2],
        ours: [f64::MAX; 2],
    };
    for _ in 0..rounds {
        let ([theirs, fresh], [with_kept, with_made]) = (&mut measured.libjpeg, &mut measured.ours);
        least(theirs, || libjpeg.transcode(Memory::Kept));
        least(fresh, || libjpeg.transcode(Memory::Returned));
        let best = &libjpeg.optimised;
        least(with_kept, || micros(|| recode(&mut kept, best).len()));
        least(with_made, || {
            recode(&mut made, other);
            micros(|| recode(&mut made, best).len())
        });
    }
    (measured, octets)
}

/// Measures some times one after the other; the least stays.
fn least(place: &mut f64, mut measure: impl FnMut() -> f64) {
    for _ in 0..IN_A_ROW {
        *place = place.min(measure());
    }
}

/// CPU time that `work` takes in this thread, user and system, in microseconds.
fn micros<T>(work: impl FnOnce() -> T) -> f64 {
    let now = || -> Duration {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        time.expect("the thread's clock").into()
    };
    let before = now();
    std::hint::black_box(work());
    (now() - before).as_secs_f64() * 1e6
}
