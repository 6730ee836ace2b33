//! What re-coding a scan to Annex K's Huffman tables takes, beside libjpeg's way: read all coefficients, then write them.
//!
//! Both take the same pictures, in turn, in one run. A figure is the CPU time of one picture, the least of all rounds: what
//! else a shared machine does can only add to it. The ratios carry over to other machines better than the microseconds.
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

use peer::Libjpeg;
use support::frames::{Picture, Sampling};
use support::huffman::optimised_huffman;

/// Rounds; the first one is a warm-up and not counted.
const ROUNDS: usize = 61;
const QUICK_ROUNDS: usize = 6;

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

/// What was measured of an input, in microseconds.
struct Measured {
    libjpeg: f64,
    kept: f64,
    made: f64,
}

fn compare(rounds: usize) {
    println!(
        "CPU per picture in us, least of {} rounds in turn; ratio of libjpeg's to it",
        rounds - 1
    );
    println!(
        "{:32}   octets in, out   libjpeg    tables kept   made anew",
        ""
    );
    let mut all = Vec::new();
    for (name, picture) in INPUTS {
        let (measured, [octets_in, octets_out]) = measure(&picture, rounds);
        let Measured {
            libjpeg,
            kept,
            made,
        } = measured;
        println!(
            "{name:32} {octets_in:8} {octets_out:8} {libjpeg:8.0}  {kept:6.0} {:5.2}  {made:6.0} {:5.2}",
            libjpeg / kept,
            libjpeg / made,
        );
        all.push(measured);
    }
    let ratios = |part: fn(&Measured) -> f64| {
        let mut ratios: Vec<f64> = all.iter().map(|each| each.libjpeg / part(each)).collect();
        ratios.sort_by(f64::total_cmp);
        (
            ratios[0],
            f64::midpoint(ratios[ratios.len() / 2 - 1], ratios[ratios.len() / 2]),
        )
    };
    let (worst, median) = ratios(|each| each.kept);
    println!("tables kept:      worst {worst:5.2}  goal >= 7    median {median:5.2}  goal >= 10");
    let (worst, median) = ratios(|each| each.made);
    println!("tables made anew: worst {worst:5.2}  goal >= 6    median {median:5.2}");
}

fn measure(picture: &Picture, rounds: usize) -> (Measured, [usize; 2]) {
    let mut libjpeg = Libjpeg::new("one", &picture.encode());
    // Another picture has other tables.
    let other = Picture {
        seed: 2,
        ..*picture
    };
    let other = &Libjpeg::new("other", &other.encode()).optimised;
    let mut kept = Carrier::default();
    let mut made = Carrier::default();
    let scan = recode(&mut kept, &libjpeg.optimised);
    let standard = Image::parse(&libjpeg.standard).expect("a picture");
    assert_eq!(scan, standard.scan, "not what libjpeg writes");
    let octets = [libjpeg.optimised.len(), libjpeg.standard.len()];
    let mut least = Measured {
        libjpeg: f64::MAX,
        kept: f64::MAX,
        made: f64::MAX,
    };
    for round in 0..rounds {
        let theirs = libjpeg.transcode();
        let with_kept = micros(|| recode(&mut kept, &libjpeg.optimised).len());
        recode(&mut made, other);
        let with_made = micros(|| recode(&mut made, &libjpeg.optimised).len());
        if round > 0 {
            least.libjpeg = least.libjpeg.min(theirs);
            least.kept = least.kept.min(with_kept);
            least.made = least.made.min(with_made);
        }
    }
    (least, octets)
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
