//! Sources whose pictures cannot leave as they are, or are not to: framewire re-codes them.

use crate::cases::{Case, Frame, S420};
use crate::support::frames::{Picture, Sampling};
use crate::support::huffman::optimised_huffman;
use crate::support::variants::{Parts, SOF0};
use crate::tools::FFMPEG;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Huffman tables of each picture's own, as many cameras with a fast chip write them: what leaves has annex K's.
pub fn own_huffman_422() -> Case {
    Case::spelt("own_huffman_422", Picture::DEFAULT, optimised_huffman)
}

pub fn own_huffman_420() -> Case {
    let picture = Picture {
        restart_interval: Some(7),
        ..S420
    };
    Case::spelt("own_huffman_420", picture, optimised_huffman)
}

pub fn restarts_removed_422() -> Case {
    without_restarts("restarts_removed_422", Picture::DEFAULT, <[u8]>::to_vec)
}

pub fn restarts_removed_420() -> Case {
    without_restarts("restarts_removed_420", S420, optimised_huffman)
}

/// What leaves is the picture as the encoder writes it without restart markers.
fn without_restarts(name: &'static str, picture: Picture, spell: fn(&[u8]) -> Vec<u8>) -> Case {
    let frames = (1..=4).map(|seed| {
        let plain = Picture { seed, ..picture };
        let with = Picture {
            restart_interval: Some(7),
            ..plain
        };
        Frame {
            picture: plain,
            plain: plain.encode(),
            spelt: spell(&with.encode()),
        }
    });
    Case {
        camera: "restart-markers = \"remove\"\n",
        ..Case::with(name, frames.collect())
    }
}

pub fn grey() -> Case {
    grey_of("grey", 640, 480, None)
}

/// A width of an odd number of blocks, and restart intervals that do not end with a row.
pub fn grey_odd() -> Case {
    grey_of("grey_odd", 643, 483, Some(5))
}

fn grey_of(name: &'static str, width: u16, height: u16, restart_interval: Option<u16>) -> Case {
    let picture = Picture {
        width,
        height,
        restart_interval,
        sampling: Sampling::Grey,
        ..Picture::DEFAULT
    };
    Case {
        keeps_scan: false,
        ..Case::of(name, picture)
    }
}

/// 4:2:2 as FFmpeg writes it, 22 12 12, with annex K's Huffman tables; an odd number of rows of blocks.
pub fn two_rows() -> Case {
    two_rows_of("two_rows", "default")
}

/// The same with tables of each picture's own, which is FFmpeg's default.
pub fn two_rows_own_huffman() -> Case {
    two_rows_of("two_rows_own_huffman", "optimal")
}

fn two_rows_of(name: &'static str, huffman: &str) -> Case {
    let frames = (1..=4).map(|seed| {
        let picture = Picture {
            height: 488,
            seed,
            ..Picture::DEFAULT
        };
        let jpeg = by_ffmpeg(&picture.encode(), huffman);
        Frame {
            picture,
            plain: jpeg.clone(),
            spelt: jpeg,
        }
    });
    Case {
        keeps_scan: false,
        ..Case::with(name, frames.collect())
    }
}

/// `jpeg`, compressed anew by FFmpeg.
fn by_ffmpeg(jpeg: &[u8], huffman: &str) -> Vec<u8> {
    let line = format!(
        "-v error -f mjpeg -i pipe:0 -c:v mjpeg -huffman {huffman} -q:v 3 -f image2pipe pipe:1"
    );
    let mut command = Command::new(FFMPEG);
    let command = command.args(line.split_whitespace());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ffmpeg = command.spawn().expect("FFmpeg starts");
    let mut stdin = ffmpeg.stdin.take().expect("a pipe");
    stdin.write_all(jpeg).expect("FFmpeg reads all");
    drop(stdin);
    let output = ffmpeg.wait_with_output().expect("FFmpeg ends");
    assert!(
        output.status.success(),
        "FFmpeg ended with {}",
        output.status
    );
    let factors = Parts::of(&output.stdout).payload_mut(SOF0)[6..]
        .chunks_exact(3)
        .map(|component| component[1])
        .collect::<Vec<_>>();
    assert_eq!(factors, [0x22, 0x12, 0x12], "FFmpeg's sampling of 4:2:2");
    output.stdout
}
