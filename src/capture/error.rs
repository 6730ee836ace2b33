//! Why there are no pictures, and what to do about it where that is known.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::quote::clean;

/// Why a source cannot be opened or has ended.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No camera fits the configuration.
    #[error("{0}")]
    NotFound(String),
    /// The device or file cannot be opened.
    #[error("{}: {error}{}", shown(path), hint(error))]
    Open {
        /// Node, folder or file.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// The node is no capture device.
    #[error(
        "{}: {card:?} is not a video capture node (a metadata or output node, perhaps); `framewire devices` lists those that are",
        shown(path)
    )]
    NotCapture {
        /// The node.
        path: PathBuf,
        /// The card's name.
        card: String,
    },
    /// The camera delivers no JPEG.
    #[error(
        "{}: {card:?} delivers no JPEG, only {formats}: framewire sends what the camera has compressed itself, so a camera (or a node or firmware mode of this one) with MJPG or JPEG would work; `framewire devices` lists what there is",
        shown(path)
    )]
    RawOnly {
        /// The node.
        path: PathBuf,
        /// The card's name.
        card: String,
        /// Its formats.
        formats: String,
    },
    /// A system call on the camera failed.
    #[error("{}: {operation}: {errno}{}", shown(path), advice(operation, *errno))]
    Device {
        /// The node.
        path: PathBuf,
        /// The ioctl's name.
        operation: &'static str,
        /// What the kernel said.
        errno: Errno,
    },
    /// Somebody else set another format while the camera was being set up.
    #[error("{}: another program has changed the format", shown(path))]
    FormatChanged {
        /// The node.
        path: PathBuf,
    },
    /// The camera streams, but nothing comes.
    #[error("{}: no picture for too long", shown(path))]
    Silent {
        /// The node.
        path: PathBuf,
    },
    /// Pictures come, but none is whole.
    #[error("all pictures are damaged: a bad cable or too little power, perhaps")]
    OnlyDamaged,
    /// Nothing to replay.
    #[error("{}: {problem}", shown(path))]
    Replay {
        /// Folder or file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A path in one line: a file of a replayed folder may have any name.
fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy())
}

/// What to do about an error from open(2), or from the first question to what was opened.
fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES | Errno::EPERM) => ": is this user in the group `video`?",
        Some(Errno::ENOTTY) => ": it is no V4L2 device; `framewire devices` lists those that are",
        _ => "",
    }
}

/// What an error means, where we know.
fn advice(operation: &str, errno: Errno) -> &'static str {
    match (operation, errno) {
        ("VIDIOC_STREAMON", Errno::ENOSPC) => {
            ": not enough USB bandwidth; choose a smaller size or rate, or plug the camera into another root port"
        }
        (_, Errno::EBUSY) => ": another program uses the camera",
        ("VIDIOC_STREAMON", Errno::EPIPE) => ": the media links of the camera are not set up",
        ("VIDIOC_STREAMON", Errno::EPROTO | Errno::EIO) => {
            ": the camera refused to start; plug it out and in again"
        }
        (_, Errno::ENODEV) => ": the camera is gone",
        ("VIDIOC_S_FMT", Errno::EINVAL) => {
            ": the camera cannot compress pictures of this size; ask for a smaller one"
        }
        ("VIDIOC_REQBUFS", Errno::ENOMEM) => ": not enough memory for the buffers; ask for fewer",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do_where_that_is_known() {
        for (operation, errno, said) in [
            ("VIDIOC_STREAMON", Errno::ENOSPC, "USB bandwidth"),
            ("VIDIOC_STREAMON", Errno::EIO, "refused to start"),
            ("VIDIOC_S_FMT", Errno::EBUSY, "another program"),
            ("VIDIOC_S_FMT", Errno::EINVAL, "smaller"),
            ("VIDIOC_DQBUF", Errno::ENODEV, "gone"),
        ] {
            let error = CaptureError::Device {
                path: "/dev/video0".into(),
                operation,
                errno,
            };
            let text = error.to_string();
            for part in ["/dev/video0", operation, errno.desc(), said] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
}
