//! The sources: what lies in the replay folder, and the plain frame that each file has to decode to.

use crate::support::frames::{Picture, Sampling, Tables};
use crate::support::oddities::HABITS;
use crate::support::variants;

/// Frames that framewire replays in a loop.
pub struct Case {
    /// Names the working folder, too.
    pub name: &'static str,
    pub frames: Vec<Frame>,
    pub mtu: u16,    // octets, as in the configuration
    pub pacing: f32, // the same
    pub fps: u32,
    /// Lines of `[[camera]]`.
    pub camera: &'static str,
    /// Whether the scan that leaves is the reference's, octet by octet.
    pub keeps_scan: bool,
}

/// One file of the replay folder.
pub struct Frame {
    pub picture: Picture,
    /// The picture as the encoder wrote it: the reference.
    pub plain: Vec<u8>,
    /// The same picture as the camera of this case spells it.
    pub spelt: Vec<u8>,
}

const FRAMES_PER_SECOND: u32 = 10;
const ETHERNET_MTU: u16 = 1400; // octets; the default of framewire
const SMALLEST_MTU: u16 = 576; // octets, RFC 791
const JUMBO_MTU: u16 = 9000; // octets

impl Case {
    /// Four pictures of one kind, spelt plainly.
    pub fn of(name: &'static str, picture: Picture) -> Self {
        Self::spelt(name, picture, <[u8]>::to_vec)
    }

    pub fn spelt(name: &'static str, picture: Picture, spell: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let frames = (1..=4).map(|seed| Frame::new(Picture { seed, ..picture }, &spell));
        Self::with(name, frames.collect())
    }

    pub fn with(name: &'static str, frames: Vec<Frame>) -> Self {
        Self {
            name,
            frames,
            mtu: ETHERNET_MTU,
            pacing: 0.0,
            fps: FRAMES_PER_SECOND,
            camera: "",
            keeps_scan: true,
        }
    }

    /// Whether RTP/JPEG's header has no room for the size.
    pub fn is_large(&self) -> bool {
        const MAX_SIZE: u16 = 2040;
        let mut pictures = self.frames.iter().map(|frame| frame.picture);
        pictures.any(|picture| picture.width > MAX_SIZE || picture.height > MAX_SIZE)
    }
}

impl Frame {
    fn new(picture: Picture, spell: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let plain = picture.encode();
        let spelt = spell(&plain);
        Self {
            picture,
            plain,
            spelt,
        }
    }
}

pub const S420: Picture = Picture {
    sampling: Sampling::S420,
    ..Picture::DEFAULT
};

pub fn sampling_422() -> Case {
    Case::of("sampling_422", Picture::DEFAULT)
}

/// One MCU.
pub fn smallest() -> Case {
    let picture = Picture {
        width: 16,
        height: 16,
        ..S420
    };
    Case::of("smallest", picture)
}

pub fn sampling_420() -> Case {
    Case::of("sampling_420", S420)
}

/// One interval for each row of MCUs.
pub fn restart_422() -> Case {
    Case::of(
        "restart_422",
        Picture {
            restart_interval: Some(640 / 16),
            ..Picture::DEFAULT
        },
    )
}

/// Intervals that do not end with a row.
pub fn restart_420() -> Case {
    Case::of(
        "restart_420",
        Picture {
            restart_interval: Some(7),
            ..S420
        },
    )
}

pub fn without_dht() -> Case {
    Case::spelt("without_dht", Picture::DEFAULT, variants::without_dht)
}

/// Zeros, and then what looks like the tail of an earlier frame in the same buffer.
pub fn padding_after_eoi() -> Case {
    Case::spelt("padding_after_eoi", Picture::DEFAULT, |jpeg| {
        let stale = &jpeg[jpeg.len() - 3000..];
        variants::with_padding(jpeg, &[&[0; 2000], stale].concat())
    })
}

/// Q 255, tables in-band.
pub fn foreign_tables() -> Case {
    Case::of(
        "foreign_tables",
        Picture {
            tables: Tables::Foreign,
            ..Picture::DEFAULT
        },
    )
}

/// Q 1: every element is clamped to 255.
pub fn lowest_quality() -> Case {
    Case::of(
        "lowest_quality",
        Picture {
            quality: 1,
            ..Picture::DEFAULT
        },
    )
}

/// All elements 1: Annex K scaled by 100, which no Q from 1 to 99 says.
pub fn highest_quality() -> Case {
    Case::of(
        "highest_quality",
        Picture {
            quality: 100,
            ..S420
        },
    )
}

pub fn full_hd() -> Case {
    let mut case = Case::of(
        "full_hd",
        Picture {
            width: 1920,
            height: 1080,
            ..Picture::DEFAULT
        },
    );
    case.frames.truncate(3); // the encoder takes a second for each, unoptimised
    case
}

/// Wider than RTP/JPEG's header can say.
pub fn beyond_2040_wide() -> Case {
    large("beyond_2040_wide", 2048, 1080, Picture::DEFAULT)
}

/// A still camera's five megapixels.
pub fn beyond_2040_still() -> Case {
    large("beyond_2040_still", 2592, 1944, Picture::DEFAULT)
}

pub fn beyond_2040_uhd() -> Case {
    large("beyond_2040_uhd", 3840, 2160, S420)
}

fn large(name: &'static str, width: u16, height: u16, like: Picture) -> Case {
    let frames = (1..=2).map(|seed| {
        let picture = Picture {
            width,
            height,
            seed,
            ..like
        };
        Frame::new(picture, <[u8]>::to_vec)
    });
    Case {
        // What sdpdemux has for a receive buffer takes no burst of so many packets.
        pacing: 0.5,
        // Unoptimised, and beside other tests.
        fps: FRAMES_PER_SECOND / 2,
        ..Case::with(name, frames.collect())
    }
}

/// Receivers get 656x488, because RTP/JPEG counts in units of 8 pixels.
pub fn odd_size_422() -> Case {
    Case::of(
        "odd_size_422",
        Picture {
            width: 650,
            height: 483,
            ..Picture::DEFAULT
        },
    )
}

pub fn odd_size_420() -> Case {
    Case::of(
        "odd_size_420",
        Picture {
            width: 650,
            height: 483,
            ..S420
        },
    )
}

/// Small packets, and in the first of them tables and a restart header.
pub fn small_mtu() -> Case {
    let picture = Picture {
        tables: Tables::Foreign,
        restart_interval: Some(40),
        ..Picture::DEFAULT
    };
    Case {
        mtu: SMALLEST_MTU,
        ..Case::of("small_mtu", picture)
    }
}

pub fn jumbo_mtu() -> Case {
    Case {
        mtu: JUMBO_MTU,
        ..Case::of(
            "jumbo_mtu",
            Picture {
                tables: Tables::Foreign,
                ..S420
            },
        )
    }
}

/// Three quantization table ids, restart markers, no Huffman tables, padding.
pub fn like_a_c920() -> Case {
    let picture = Picture {
        restart_interval: Some(40),
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    };
    Case::spelt("like_a_c920", picture, |jpeg| {
        let jpeg = variants::three_dqt_ids(jpeg);
        variants::with_padding(&variants::without_dht(&jpeg), &[0; 777])
    })
}

pub fn one_table_for_all() -> Case {
    let picture = Picture {
        tables: Tables::OneForAll,
        ..Picture::DEFAULT
    };
    Case::spelt("one_table_for_all", picture, variants::one_dqt_for_all)
}

/// Tables of both kinds under unusual ids, several in one segment.
pub fn swapped_tables() -> Case {
    let picture = Picture {
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    };
    Case::spelt("swapped_tables", picture, |jpeg| {
        let jpeg = variants::swapped_huffman_ids(&variants::swapped_table_ids(jpeg));
        variants::merged_dht(&variants::merged_dqt(&jpeg))
    })
}

pub fn sixteen_bit_tables() -> Case {
    Case::spelt(
        "sixteen_bit_tables",
        Picture::DEFAULT,
        variants::sixteen_bit_dqt,
    )
}

pub fn segments_like_markers() -> Case {
    Case::spelt(
        "segments_like_markers",
        Picture::DEFAULT,
        variants::with_app_segments,
    )
}

pub fn fill_octets() -> Case {
    Case::spelt("fill_octets", Picture::DEFAULT, variants::with_fill_octets)
}

/// One after the other, all that is tolerated before the scan.
pub fn tolerated_habits() -> Case {
    let frames = (1..).zip(HABITS).map(|(seed, (_, spell))| {
        let picture = Picture {
            width: 320,
            height: 240,
            seed,
            ..Picture::DEFAULT
        };
        Frame::new(picture, spell)
    });
    Case::with("tolerated_habits", frames.collect())
}

/// The tail of an earlier frame that ends the buffer with an EOI of its own.
pub fn stale_tail() -> Case {
    Case::spelt("stale_tail", Picture::DEFAULT, |jpeg| {
        variants::with_padding(jpeg, &jpeg[jpeg.len() / 2..])
    })
}

/// The second frame of the buffer must not follow the first into the same RTP frame.
pub fn two_in_one_buffer() -> Case {
    Case::spelt("two_in_one_buffer", Picture::DEFAULT, |jpeg| {
        let second = Picture {
            seed: 77,
            ..Picture::DEFAULT
        }
        .encode();
        variants::two_in_one(jpeg, &second)
    })
}

/// Every frame differs from the one before in sampling, tables, size or restart interval.
pub fn changing_parameters() -> Case {
    let pictures = [
        Picture {
            seed: 1,
            ..Picture::DEFAULT
        },
        Picture { seed: 2, ..S420 },
        Picture {
            seed: 3,
            width: 320,
            height: 240,
            quality: 40,
            ..S420
        },
        Picture {
            seed: 4,
            width: 320,
            height: 240,
            restart_interval: Some(20),
            ..Picture::DEFAULT
        },
        Picture {
            seed: 5,
            tables: Tables::Foreign,
            ..Picture::DEFAULT
        },
    ];
    let frames = pictures.map(|picture| Frame::new(picture, <[u8]>::to_vec));
    Case::with("changing_parameters", frames.into())
}
