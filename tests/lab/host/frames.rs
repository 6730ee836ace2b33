//! Makes the pictures the emulated cameras send: real JPEG files, each different, with the entropy of a real scene.

use std::fs;
use std::path::Path;
use std::thread;

use jpeg_encoder::{ColorType, Encoder, QuantizationTableType, SamplingFactor};

use crate::tool::Failure;

/// The pictures of one size of a camera.
pub struct Film {
    pub name: String,
    pub pictures: Vec<Vec<u8>>,
}

/// To be raised with every change of what is made here: the pictures are kept between runs.
const EDITION: u32 = 1;
const QUALITY: u8 = 85;
const RESTART_INTERVAL: u16 = 20; // MCUs
const PADDING: usize = 512; // octets of zeros behind EOI

struct Recipe {
    flavour: Flavour,
    width: u16,
    height: u16,
    sampling: SamplingFactor,
    count: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Flavour {
    /// Annex K tables, scaled: what a Q below 100 can stand for.
    Plain,
    /// What a Logitech C920 sends: no DHT, three DQT ids, restart intervals, padding; and tables of its own.
    C920,
}

const RECIPES: [Recipe; 5] = [
    recipe(Flavour::Plain, 1920, 1080, SamplingFactor::F_2_1, 24),
    recipe(Flavour::Plain, 1280, 720, SamplingFactor::F_2_1, 12),
    recipe(Flavour::Plain, 640, 480, SamplingFactor::F_2_1, 6),
    recipe(Flavour::C920, 1280, 720, SamplingFactor::F_2_1, 12),
    recipe(Flavour::C920, 640, 480, SamplingFactor::F_2_2, 12),
];

const fn recipe(
    flavour: Flavour,
    width: u16,
    height: u16,
    sampling: SamplingFactor,
    count: usize,
) -> Recipe {
    Recipe {
        flavour,
        width,
        height,
        sampling,
        count,
    }
}

pub fn prepare(lab: &Path) -> Result<Vec<Film>, Failure> {
    let store = lab.join(format!("frames-{EDITION}"));
    RECIPES
        .iter()
        .map(|recipe| recipe.prepare(&store))
        .collect()
}

impl Recipe {
    fn prepare(&self, store: &Path) -> Result<Film, Failure> {
        let flavour = if self.flavour == Flavour::Plain {
            "plain"
        } else {
            "c920"
        };
        let name = format!("{flavour}-{}x{}", self.width, self.height);
        let folder = store.join(&name);
        let path = |number: usize| folder.join(format!("{number:03}.jpg"));
        if !path(self.count - 1).exists() {
            fs::create_dir_all(&folder)?;
            for (number, picture) in self.shoot()?.iter().enumerate() {
                fs::write(path(number), picture)?; // the last is written last: its presence means all
            }
        }
        let pictures = (0..self.count)
            .map(|number| fs::read(path(number)))
            .collect::<Result<_, _>>()?;
        Ok(Film { name, pictures })
    }

    /// Encodes on all processors: one of these pictures takes a noticeable time without optimization.
    fn shoot(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let numbers: Vec<usize> = (0..self.count).collect();
        thread::scope(|scope| {
            let share = |numbers| scope.spawn(move || self.encode_all(numbers));
            let shares = numbers
                .chunks(self.count.div_ceil(workers))
                .map(share)
                .collect::<Vec<_>>();
            let mut pictures = Vec::new();
            for share in shares {
                pictures.extend(share.join().map_err(|_| "an encoder panicked")??);
            }
            Ok(pictures)
        })
    }

    fn encode_all(&self, numbers: &[usize]) -> Result<Vec<Vec<u8>>, String> {
        numbers
            .iter()
            .map(|&number| self.encode(number).map_err(|error| error.to_string()))
            .collect()
    }

    fn encode(&self, number: usize) -> Result<Vec<u8>, Failure> {
        let pixels = scene(usize::from(self.width), usize::from(self.height), number);
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, QUALITY);
        encoder.set_sampling_factor(self.sampling);
        if self.flavour == Flavour::C920 {
            encoder.set_restart_interval(RESTART_INTERVAL);
            encoder.set_quantization_tables(own_table(8, 3), own_table(10, 5));
        }
        encoder.encode(&pixels, self.width, self.height, ColorType::Ycbcr)?;
        match self.flavour {
            Flavour::Plain => Ok(file),
            Flavour::C920 => disguise(&file),
        }
    }
}

/// A table that no scaling of Annex K yields.
fn own_table(base: u16, slope: u16) -> QuantizationTableType {
    QuantizationTableType::Custom(Box::new(std::array::from_fn(|i| {
        base + slope * (i as u16) / 8
    })))
}

/// Moving gradients and blocks for the eye, and sensor noise for the entropy coder.
fn scene(width: usize, height: usize, number: usize) -> Vec<u8> {
    const NOISE: u32 = 14; // grey levels, peak to peak
    let mut noise = 0x9E37_79B9_u32 ^ (number as u32 + 1).wrapping_mul(0x85EB_CA6B);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13; // xorshift32
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let block = ((x + number * 8) / 64 + y / 64) % 5 * 20;
            let luma = 40 + block + (x + y) * 80 / (width + height);
            let grain = (noise >> 16) % NOISE;
            pixels.push((luma as u32 + grain) as u8);
            pixels.push((64 + (x + number * 4) * 128 / (width + number * 4)) as u8);
            pixels.push((64 + y * 128 / height) as u8);
        }
    }
    pixels
}

/// Dresses a picture as a C920's: the scan stays as it is.
fn disguise(file: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut dressed = file.get(..2).ok_or("no SOI")?.to_vec();
    let mut at = 2;
    loop {
        let &[_, marker, high, low] = file
            .get(at..at + 4)
            .ok_or("no segment")?
            .as_array()
            .ok_or("?")?;
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let mut segment = file.get(at..end).ok_or("a short segment")?.to_vec();
        match marker {
            0xC4 => segment.clear(), // DHT: left out
            0xDB => third_table(&mut segment),
            0xC0 => segment[18] = 2, // SOF0: Tq of the third component
            _ => {}
        }
        dressed.extend(segment);
        at = end;
        if marker == 0xDA {
            dressed.extend_from_slice(&file[at..]);
            dressed.resize(dressed.len() + PADDING, 0);
            return Ok(dressed);
        }
    }
}

/// Repeats the chroma table, id 1, as id 2 in a DQT segment of its own.
fn third_table(segment: &mut Vec<u8>) {
    let copies: Vec<u8> = segment[4..]
        .chunks(65)
        .filter(|table| table[0] == 1)
        .flat_map(|table| [&[0xFF, 0xDB, 0, 67, 2], &table[1..]].concat())
        .collect();
    segment.extend(copies);
}
