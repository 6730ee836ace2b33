//! Notices that a camera may have been plugged in, so that nobody has to wait for the next attempt.
//! inotify(7) on /dev: the kernel makes a node there, and udev then gives it to a group and makes links.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent};
use tracing::debug;

/// Watches for nodes of cameras. Where it cannot, the camera is found by trying.
#[derive(Debug)]
pub struct Hotplug(Option<Inotify>);

impl Hotplug {
    /// Watches /dev from now on.
    pub fn watch() -> Self {
        let watch = || {
            let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
            let appears = AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_ATTRIB
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_ONLYDIR;
            inotify.add_watch("/dev", appears)?;
            Ok(inotify)
        };
        let watch = watch().inspect_err(|errno: &Errno| debug!("inotify on /dev: {errno}"));
        Self(watch.ok())
    }

    /// For sources that are no cameras.
    pub fn none() -> Self {
        Self(None)
    }

    /// Becomes readable when something happens in /dev.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }

    /// Whether a node of a camera has appeared since the last call.
    pub fn any(&self) -> bool {
        let Some(inotify) = &self.0 else {
            return false;
        };
        let mut any = false;
        // Without an event it says EAGAIN.
        while let Ok(events) = inotify.read_events() {
            any |= events.iter().any(is_camera);
        }
        any
    }
}

/// Too many events at once come as one without a name: a camera may be among them.
fn is_camera(event: &InotifyEvent) -> bool {
    event
        .name
        .as_ref()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"video"))
}
