//! A source that loops over JPEG files: a folder of them, or one file of concatenated images.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::error::CaptureError;
use super::metronome::{Beat, Metronome};
use super::source::{Captured, Source};
use crate::clocks::monotonic_now;
use crate::config::Fps;
use crate::frame::Frame;
use crate::jpeg::markers;
use crate::stop::Stop;

/// The start of an image, for finding one after octets that are none: SOI and the next marker's prefix.
const IMAGE_START: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// Pictures held in memory, delivered in a loop.
#[derive(Debug)]
pub struct Replay {
    pictures: Vec<Bytes>,
    sequence: u32,
    metronome: Metronome,
}

impl Replay {
    /// Reads all of `path`. A file of a folder is one picture, whatever it holds.
    pub fn open(path: &Path, fps: Fps) -> Result<Self, CaptureError> {
        let failed = |error| CaptureError::Open {
            path: path.to_owned(),
            error,
        };
        let (pictures, problem) = if fs::metadata(path).map_err(failed)?.is_dir() {
            let files = jpeg_files(path).map_err(failed)?;
            let pictures: Result<Vec<Bytes>, _> = files
                .iter()
                .map(|file| Ok(fs::read(file)?.into()))
                .collect();
            let problem = "the folder holds no .jpg or .jpeg file";
            (pictures.map_err(failed)?, problem)
        } else {
            let octets = Bytes::from(fs::read(path).map_err(failed)?);
            (split(&octets), "the file holds no whole JPEG image")
        };
        if pictures.is_empty() {
            return Err(CaptureError::Replay {
                path: path.to_owned(),
                problem: problem.to_owned(),
            });
        }
        Ok(Self {
            pictures,
            sequence: 0,
            metronome: Metronome::new(fps),
        })
    }
}

impl Source for Replay {
    fn next(&mut self, until: Duration, stop: &Stop) -> Result<Captured, CaptureError> {
        let Beat::At(captured) = self.metronome.beat(until, stop) else {
            return Ok(Captured::Nothing);
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let index = usize::try_from(sequence).unwrap_or(0) % self.pictures.len();
        Ok(Captured::Frame(Frame {
            data: self.pictures.get(index).cloned().unwrap_or_default(),
            sequence,
            captured,
            dequeued: monotonic_now(),
        }))
    }

    fn waits(&self) -> bool {
        self.metronome.is_unlimited()
    }
}

/// The .jpg and .jpeg files of a folder in name order.
fn jpeg_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if extension == "jpg" || extension == "jpeg" {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The whole images of a file, each from SOI through EOI; what lies between them is left out.
fn split(octets: &Bytes) -> Vec<Bytes> {
    let mut images = Vec::new();
    let mut rest = octets.clone();
    while let Some(start) = memchr::memmem::find(&rest, &IMAGE_START) {
        rest = rest.slice(start..);
        match markers::image_length(&rest) {
            Ok(length) => images.push(rest.split_to(length)),
            Err(_) => rest = rest.slice(1..),
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [u8; 12] = [0xFF, 0xD8, 0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0, 0xFF, 0xD9];

    #[test]
    fn concatenated_images_are_split_at_their_ends() {
        let file = [&IMAGE[..], &[0; 5], &IMAGE, &IMAGE[..8]].concat();
        let images = split(&Bytes::from(file));
        assert_eq!(images, [&IMAGE[..], &IMAGE]);
    }

    #[test]
    fn an_image_cut_short_does_not_hide_the_next() {
        // The cut image has no EOI of its own, so it reaches into the next: one picture comes out, the
        // rest of the file is intact.
        let file = [&IMAGE[..9], &IMAGE, &IMAGE].concat();
        assert_eq!(split(&Bytes::from(file)).len(), 2);
        assert!(split(&Bytes::from_static(b"no image")).is_empty());
    }

    #[test]
    fn a_folder_is_read_in_name_order() {
        let folder = std::env::temp_dir().join(format!("framewire-replay-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, octet) in [("b.JPG", 2), ("a.jpeg", 1), ("c.txt", 9)] {
            fs::write(folder.join(name), [octet]).unwrap();
        }
        let replay = Replay::open(&folder, Fps::default());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(replay.unwrap().pictures, [&[1][..], &[2]]);
        assert!(matches!(
            Replay::open(&folder, Fps::default()),
            Err(CaptureError::Open { .. })
        ));
    }
}
