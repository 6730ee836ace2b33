//! A source that loops over JPEG files: a folder of them, or one file of images one after the other.
//! open(2) `O_NONBLOCK`: what is no file must not keep the thread waiting.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use nix::fcntl::OFlag;

use super::error::CaptureError;
use super::metronome::{Beat, Metronome};
use super::multipart;
use super::source::{Captured, Source};
use crate::clocks::monotonic_now;
use crate::config::Fps;
use crate::frame::{Frame, Suspicion};
use crate::jpeg::{markers, segments};
use crate::stop::Stop;

/// Pictures held in memory, delivered in a loop.
#[derive(Debug)]
pub struct Replay {
    pictures: Vec<Bytes>,
    sequence: u32,
    metronome: Metronome,
}

impl Replay {
    /// Reads all of `path`. A file of a folder is one picture, whatever it holds, and so is a part of a multipart file.
    pub fn open(path: &Path, fps: Fps) -> Result<Self, CaptureError> {
        let failed = |error| CaptureError::Open {
            path: path.to_owned(),
            error,
        };
        let (pictures, problem) = if fs::metadata(path).map_err(failed)?.is_dir() {
            let files = jpeg_files(path).map_err(failed)?;
            let pictures: Result<Vec<Bytes>, _> = files.iter().map(|file| read(file)).collect();
            (pictures?, "the folder holds no .jpg or .jpeg file")
        } else {
            let file = read(path)?;
            let pictures = multipart::read(&file).unwrap_or_else(|| split(&file));
            (pictures, "the file holds no whole JPEG image")
        };
        if pictures.is_empty() {
            return Err(unfit(path, problem.to_owned()));
        }
        Ok(Self {
            pictures,
            sequence: 0,
            metronome: Metronome::new(fps),
        })
    }

    /// The first picture.
    pub fn first(&self) -> &[u8] {
        self.pictures.first().map_or(&[], |picture| picture)
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
            suspicion: Suspicion::None,
        }))
    }

    fn waits(&self) -> bool {
        self.metronome.is_unlimited()
    }
}

/// The octets of `path`, which must be a regular file: a pipe or a device may have nothing to read, or never end.
fn read(path: &Path) -> Result<Bytes, CaptureError> {
    let failed = |error| CaptureError::Open {
        path: path.to_owned(),
        error,
    };
    // Looked at before it is opened, because opening is enough to start some devices; and again afterwards, because
    // another may bear the name by then.
    let kind = fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() {
        return Err(no_file(path, kind));
    }
    let mut file = File::options()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .map_err(failed)?;
    let kind = file.metadata().map_err(failed)?.file_type();
    if !kind.is_file() {
        return Err(no_file(path, kind));
    }
    let mut octets = Vec::new();
    file.read_to_end(&mut octets).map_err(failed)?;
    Ok(octets.into())
}

fn no_file(path: &Path, kind: fs::FileType) -> CaptureError {
    let what = match kind {
        kind if kind.is_fifo() => "a pipe (FIFO)",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        kind if kind.is_dir() => "a folder",
        _ => "no file",
    };
    unfit(
        path,
        format!("{what} cannot be replayed: files can, and folders of .jpg files"),
    )
}

fn unfit(path: &Path, problem: String) -> CaptureError {
    CaptureError::Replay {
        path: path.to_owned(),
        problem,
    }
}

/// The .jpg and .jpeg files of a folder in name order.
fn jpeg_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
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
    while let Some(start) = memchr::memmem::find(&rest, &markers::IMAGE_START) {
        rest = rest.slice(start..);
        match segments::image_length(&rest) {
            Ok(length) => images.push(rest.split_to(length)),
            Err(_) => rest = rest.slice(1..),
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

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
    fn a_folder_is_read_in_name_order_and_nothing_but_files_is_read() {
        let folder = std::env::temp_dir().join(format!("framewire-replay-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, octet) in [("b.JPG", 2), ("a.jpeg", 1), ("c.txt", 9)] {
            fs::write(folder.join(name), [octet]).unwrap();
        }
        let replay = Replay::open(&folder, Fps::default());
        let pipe = folder.join("0.jpg");
        mkfifo(&pipe, Mode::S_IRUSR).unwrap();
        // With nobody at the other end, neither opening nor reading the pipe would return.
        let refusals = [&folder, &pipe, Path::new("/dev/zero")]
            .map(|path| Replay::open(path, Fps::default()).unwrap_err().to_string());
        fs::remove_dir_all(&folder).unwrap();
        let pipe = format!("{}: a pipe (FIFO) cannot be replayed", pipe.display());
        for (refusal, start) in refusals
            .iter()
            .zip([&pipe, &pipe, "/dev/zero: a device cannot"])
        {
            assert!(refusal.starts_with(start), "{refusal}");
        }
        assert_eq!(replay.unwrap().pictures, [&[1][..], &[2]]);
        assert!(matches!(
            Replay::open(&folder, Fps::default()),
            Err(CaptureError::Open { .. })
        ));
    }
}
