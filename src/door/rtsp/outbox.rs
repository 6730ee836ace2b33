//! What waits to be sent on one connection: answers first, then the newest picture, if the client plays. No more is kept
//! than that: a client that does not read its answers is not read from.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::interleaved::Interleaved;
use crate::door::clients::Client;
use crate::door::feeds::Subscription;
use crate::door::mailbox::Mailbox;
use crate::viewers::Picture;

/// Answers that may wait.
const MOST_ANSWERS: usize = 8;

/// What one connection has to send. All of its owners are in one thread.
#[derive(Debug, Default)]
pub struct Outbox {
    answers: RefCell<VecDeque<Vec<u8>>>,
    playing: RefCell<Option<Rc<Playing>>>,
    is_closing: Cell<bool>,
    /// Of who sends, and of who waits for room.
    sender: RefCell<Option<Waker>>,
    answerer: RefCell<Option<Waker>>,
}

/// A stream that is played.
#[derive(Debug)]
pub struct Playing {
    pub stream: Rc<RefCell<Interleaved>>,
    pub mailbox: Rc<Mailbox>,
    pub client: Rc<Client>,
    pub subscription: Subscription,
}

/// What is sent next.
#[derive(Debug)]
pub enum Next {
    Answer(Vec<u8>),
    Picture(Rc<Playing>, Picture),
    /// No more pictures come: of the camera, or for this client.
    Over(Rc<Playing>),
    /// All is sent, and nothing comes any more.
    Closed,
}

impl Outbox {
    /// Waits until another answer may be there.
    pub async fn room(&self) {
        poll_fn(|context| {
            if self.answers.borrow().len() < MOST_ANSWERS {
                return Poll::Ready(());
            }
            self.answerer.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Sends `octets` before the next picture.
    pub fn answer(&self, octets: Vec<u8>) {
        self.answers.borrow_mut().push_back(octets);
        wake(&self.sender);
    }

    /// From now on pictures are sent, or none any more.
    pub fn play(&self, playing: Option<Playing>) {
        self.playing.replace(playing.map(Rc::new));
        wake(&self.sender);
    }

    /// What is played.
    pub fn playing(&self) -> Option<Rc<Playing>> {
        self.playing.borrow().clone()
    }

    /// Nothing comes after what is there; no more pictures are sent.
    pub fn close(&self) {
        self.is_closing.set(true);
        wake(&self.sender);
    }

    /// What is sent next, waited for.
    pub async fn next(&self) -> Next {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&self, context: &Context) -> Poll<Next> {
        if let Some(answer) = self.answers.borrow_mut().pop_front() {
            wake(&self.answerer);
            return Poll::Ready(Next::Answer(answer));
        }
        if self.is_closing.get() {
            return Poll::Ready(Next::Closed);
        }
        self.sender.replace(Some(context.waker().clone()));
        let Some(playing) = self.playing() else {
            return Poll::Pending;
        };
        playing.mailbox.poll_next(context).map(|next| match next {
            Some((_, picture)) => Next::Picture(playing.clone(), picture),
            None => Next::Over(playing.clone()),
        })
    }
}

fn wake(waker: &RefCell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
