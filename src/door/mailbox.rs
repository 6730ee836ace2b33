//! Where one viewer's pictures wait, the newest of each camera: one that comes takes the place of the one before.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::viewers::Picture;

/// A viewer's pictures. All of its owners are in one thread.
#[derive(Debug)]
pub struct Mailbox {
    /// By camera, in the viewer's order.
    newest: RefCell<Vec<Option<Picture>>>,
    /// Where the search for the next begins: each camera has its turn.
    next: Cell<usize>,
    waker: RefCell<Option<Waker>>,
    /// Cameras that may still send.
    open: Cell<usize>,
}

impl Mailbox {
    /// For pictures of so many cameras.
    pub fn new(cameras: usize) -> Rc<Self> {
        Rc::new(Self {
            newest: RefCell::new(vec![None; cameras]),
            next: Cell::new(0),
            waker: RefCell::default(),
            open: Cell::new(cameras),
        })
    }

    /// A picture of the viewer's `camera`; true when it takes the place of one that was not fetched.
    pub fn post(&self, camera: usize, picture: Picture) -> bool {
        let mut newest = self.newest.borrow_mut();
        let Some(place) = newest.get_mut(camera) else {
            return false;
        };
        let replaced = place.replace(picture).is_some();
        drop(newest);
        self.wake();
        replaced
    }

    /// No more pictures come from one of the cameras.
    pub fn close_one(&self) {
        self.open.set(self.open.get().saturating_sub(1));
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next picture with its camera, waited for; `None` when none will come any more.
    pub fn poll_next(&self, context: &Context) -> Poll<Option<(usize, Picture)>> {
        let mut newest = self.newest.borrow_mut();
        let cameras = newest.len();
        let first = self.next.get();
        for camera in (0..cameras).map(|each| (first + each) % cameras) {
            if let Some(picture) = newest.get_mut(camera).and_then(Option::take) {
                self.next.set(camera + 1);
                return Poll::Ready(Some((camera, picture)));
            }
        }
        if self.open.get() == 0 {
            return Poll::Ready(None);
        }
        self.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn picture(octet: u8) -> Picture {
        Picture {
            jpeg: vec![octet].into(),
            size: (8, 8),
            captured: Duration::ZERO,
            number: octet.into(),
        }
    }

    fn next(mailbox: &Mailbox) -> Poll<Option<(usize, u8)>> {
        let next = mailbox.poll_next(&Context::from_waker(Waker::noop()));
        next.map(|next| next.map(|(camera, picture)| (camera, picture.jpeg[0])))
    }

    #[test]
    fn each_camera_has_its_turn_with_its_newest_picture() {
        let mailbox = Mailbox::new(2);
        assert_eq!(next(&mailbox), Poll::Pending);
        assert!(!mailbox.post(0, picture(1)));
        assert!(mailbox.post(0, picture(2)));
        assert_eq!(next(&mailbox), Poll::Ready(Some((0, 2))));
        assert!(!mailbox.post(0, picture(3)) && !mailbox.post(1, picture(4)));
        assert_eq!(next(&mailbox), Poll::Ready(Some((1, 4))));
        assert_eq!(next(&mailbox), Poll::Ready(Some((0, 3))));
        mailbox.close_one();
        assert_eq!(next(&mailbox), Poll::Pending);
        mailbox.close_one();
        assert_eq!(next(&mailbox), Poll::Ready(None));
    }
}
