//! The test pictures: JPEG frames with as much entropy as a camera's, different for every seed.
//! ITU T.81 baseline, by the `jpeg-encoder` crate; the awkward spellings of the same frame are in [`super::variants`].
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "arithmetic of pixels and of random numbers, whose ranges its lines bound"
)]

use jpeg_encoder::{ColorType, Encoder, QuantizationTableType, SamplingFactor};

/// How the chroma planes relate to the luma plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Y 2x1: RTP/JPEG type 0.
    S422,
    /// Y 2x2: RTP/JPEG type 1.
    S420,
    /// Y 1x1: no RTP/JPEG type.
    S444,
    /// Y 1x2: no RTP/JPEG type.
    S440,
    /// One component: no RTP/JPEG type.
    Grey,
}

/// Which quantization tables the encoder uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Annex K, scaled by the quality: an RTP/JPEG receiver can compute them from Q.
    AnnexK,
    /// Tables that no Q from 1 to 99 yields, whatever the quality says.
    Foreign,
    /// The foreign luma table for all three components.
    OneForAll,
}

/// A picture to be encoded. Two seeds give pictures that nobody would confuse.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    pub width: u16,
    pub height: u16,
    pub sampling: Sampling,
    /// 1..=100, as in libjpeg; only [`Tables::AnnexK`] looks at it.
    pub quality: u8,
    /// MCUs between restart markers.
    pub restart_interval: Option<u16>,
    pub tables: Tables,
    pub seed: u32,
}

impl Picture {
    /// 640x480 as most cameras send it; base for `Picture { …, ..Picture::DEFAULT }`.
    pub const DEFAULT: Self = Self {
        width: 640,
        height: 480,
        sampling: Sampling::S422,
        quality: 85,
        restart_interval: None,
        tables: Tables::AnnexK,
        seed: 1,
    };

    /// One interleaved baseline scan with the Huffman tables of Annex K: what a camera sends.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_as(|_| {})
    }

    /// Progressive (SOF2): no RTP/JPEG sender can carry it.
    pub fn progressive(&self) -> Vec<u8> {
        self.encode_as(|encoder| encoder.set_progressive(true))
    }

    /// Baseline, but each component in a scan of its own, and with Huffman tables made for this picture.
    ///
    /// Never with restart markers: the encoder counts its symbols as if there were none and then lacks some.
    /// FFmpeg and libjpeg decode it to the pixels of [`Picture::encode`]; zune-jpeg 0.5 does not if it is 4:2:0.
    pub fn three_scans(&self) -> Vec<u8> {
        self.encode_as(|encoder| {
            encoder.set_restart_interval(0);
            encoder.set_optimized_huffman_tables(true);
        })
    }

    fn encode_as(&self, adjust: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, self.quality);
        encoder.set_sampling_factor(self.sampling.factor());
        encoder.set_restart_interval(self.restart_interval.unwrap_or(0));
        let (luma, chroma) = self.tables.of_encoder();
        encoder.set_quantization_tables(luma, chroma);
        adjust(&mut encoder);
        let (pixels, color_type) = match self.sampling {
            Sampling::Grey => (self.luma_pixels(), ColorType::Luma),
            _ => (self.pixels(), ColorType::Ycbcr),
        };
        encoder
            .encode(&pixels, self.width, self.height, color_type)
            .expect("the encoder takes any picture of the right length");
        jpeg
    }

    fn luma_pixels(&self) -> Vec<u8> {
        self.pixels()
            .chunks_exact(3)
            .map(|pixel| pixel[0])
            .collect()
    }

    /// Interleaved Y, Cb, Cr: slow gradients, patches with hard edges, and grain that is stronger in some patches.
    ///
    /// One random number per pixel and per patch, because this also runs unoptimised.
    fn pixels(&self) -> Vec<u8> {
        const PATCH: usize = 24; // pixels; no multiple of an MCU, so that edges fall inside of blocks
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        let seed = mix(self.seed);
        let slope = |shift: u32| (seed >> shift) as usize & 0x3ff;
        let mut pixels = Vec::with_capacity(width * height * 3);
        let mut grain = seed | 1;
        for y in 0..height {
            let row = mix(seed ^ (y / PATCH) as u32);
            for patch_x in 0..width.div_ceil(PATCH) {
                let patch = mix(row.wrapping_add(patch_x as u32));
                let left = patch_x * PATCH;
                for x in left..width.min(left + PATCH) {
                    grain = xorshift(grain);
                    let fine = (grain & 7) as i32 * ((patch >> 24) & 3) as i32 / 3;
                    let luma = triangle(x + y / 2 + slope(0)) / 2 + 40 + (patch & 31) as i32 + fine;
                    let blue = triangle(x / 2 + slope(10)) / 2 + 64 + (patch >> 8 & 7) as i32;
                    let red = triangle(y + slope(20)) / 2 + 64 + (patch >> 16 & 7) as i32;
                    pixels.extend([luma, blue, red].map(|value| value.clamp(0, 255) as u8));
                }
            }
        }
        pixels
    }
}

impl Default for Picture {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Sampling {
    fn factor(self) -> SamplingFactor {
        match self {
            Sampling::S422 => SamplingFactor::F_2_1,
            Sampling::S420 => SamplingFactor::F_2_2,
            Sampling::S440 => SamplingFactor::F_1_2,
            Sampling::S444 | Sampling::Grey => SamplingFactor::F_1_1,
        }
    }
}

impl Tables {
    fn of_encoder(self) -> (QuantizationTableType, QuantizationTableType) {
        match self {
            Tables::AnnexK => (
                QuantizationTableType::Default,
                QuantizationTableType::Default,
            ),
            Tables::Foreign => (foreign_table(3), foreign_table(5)),
            Tables::OneForAll => (foreign_table(3), foreign_table(3)),
        }
    }
}

/// Rises evenly with the frequency, each value different from its transpose, so that a table in the wrong order shows.
fn foreign_table(lowest: u16) -> QuantizationTableType {
    let table = std::array::from_fn(|i| lowest + (i / 8) as u16 * 3 + (i % 8) as u16 * 2);
    QuantizationTableType::Custom(Box::new(table))
}

/// A triangular wave from 0 to 255 and back, 512 steps long.
fn triangle(phase: usize) -> i32 {
    let phase = (phase & 0x1ff) as i32;
    if phase < 256 { phase } else { 511 - phase }
}

/// The finalizer of MurmurHash3: neighbouring inputs give unrelated outputs.
fn mix(mut value: u32) -> u32 {
    value = (value ^ value >> 16).wrapping_mul(0x85eb_ca6b);
    value = (value ^ value >> 13).wrapping_mul(0xc2b2_ae35);
    value ^ value >> 16
}

/// Marsaglia's xorshift32; never leaves zero, so start it odd.
fn xorshift(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^ state << 5
}
