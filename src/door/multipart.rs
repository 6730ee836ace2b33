//! Pictures one after the other as the parts of one answer, without end. RFC 2046 5.1 (parts and boundaries);
//! multipart/x-mixed-replace as browsers have it.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::clients::Client;
use super::feeds::Subscription;
use super::mailbox::Mailbox;
use super::seconds::seconds;
use crate::clocks::Reading;
use crate::viewers::{Picture, Viewers};

/// What the parts are told apart by.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=frame";

/// How a part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The head of the next part follows each picture at once: Chromium shows a picture when it has seen that, and would
    /// be a picture late otherwise. Such a head says nothing of its picture.
    Advance,
    /// Each head says length, camera and time of its picture.
    Described,
}

/// A camera in the answer.
#[derive(Debug)]
pub struct Source {
    pub name: String,
    pub subscription: Subscription,
}

/// The answer's body.
#[derive(Debug)]
pub struct Pictures {
    form: Form,
    sources: Vec<Source>,
    mailbox: Rc<Mailbox>,
    client: Rc<Client>,
    rate: Option<Rate>,
    /// What follows before the next picture is looked for, last first.
    pieces: Vec<Bytes>,
}

const ADVANCE: &[u8] = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n";
const ADVANCE_AGAIN: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";

impl Pictures {
    /// Of `sources`, whose pictures come to `mailbox` in the same order; at most `fps` pictures of each a second.
    pub fn new(
        form: Form,
        sources: Vec<Source>,
        mailbox: Rc<Mailbox>,
        client: Rc<Client>,
        fps: Option<f64>,
    ) -> Self {
        Self {
            rate: fps.map(|fps| Rate::new(fps, sources.len())),
            form,
            sources,
            mailbox,
            client,
            pieces: match form {
                Form::Advance => vec![Bytes::from_static(ADVANCE)],
                Form::Described => Vec::new(),
            },
        }
    }

    /// Takes `picture` of the source `number` apart; what comes first is last.
    fn set_pieces(&mut self, number: usize, picture: Picture) {
        let Some(source) = self.sources.get(number) else {
            return;
        };
        let octets = picture.jpeg.len();
        let viewers: &Viewers = source.subscription.viewers();
        viewers.delivered(u64::try_from(octets).unwrap_or_default());
        self.client
            .frames_sent
            .set(self.client.frames_sent.get() + 1);
        match self.form {
            Form::Advance => {
                self.pieces.push(Bytes::from_static(ADVANCE_AGAIN));
                self.pieces.push(picture.jpeg);
            }
            Form::Described => {
                let time = seconds(Reading::now().unix_of(picture.captured));
                let head = format!(
                    "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {octets}\r\nX-Camera: {}\r\nX-Timestamp: {time}\r\n\r\n",
                    source.name,
                );
                self.pieces.push(Bytes::from_static(b"\r\n"));
                self.pieces.push(picture.jpeg);
                self.pieces.push(head.into());
            }
        }
    }
}

impl Body for Pictures {
    type Data = Bytes;
    type Error = Infallible;

    /// Asked when there is room on the wire: a picture is chosen no earlier than that.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(piece) = self.pieces.pop() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some((source, picture)) = ready!(self.mailbox.poll_next(context)) else {
                return Poll::Ready(None);
            };
            let is_due = self
                .rate
                .as_mut()
                .is_none_or(|rate| rate.is_due(source, picture.captured));
            if is_due {
                self.set_pieces(source, picture);
            }
        }
    }
}

/// Leaves pictures out, so that there are not more a second than wanted.
#[derive(Debug)]
struct Rate {
    interval: Duration,
    /// By source: when the next is due, on the clock of the pictures.
    due: Vec<Duration>,
}

impl Rate {
    fn new(fps: f64, sources: usize) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / fps),
            due: vec![Duration::ZERO; sources],
        }
    }

    /// Whether the picture of `source` that was `captured` then goes out. A camera's clock may be a little early.
    fn is_due(&mut self, source: usize, captured: Duration) -> bool {
        let Some(due) = self.due.get_mut(source) else {
            return false;
        };
        if captured + self.interval / 8 < *due {
            return false;
        }
        // What a camera was late is caught up with, but no long pause.
        let is_late = captured > *due + self.interval;
        *due = if is_late { captured } else { *due } + self.interval;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_on_the_average() {
        for (camera, wanted, expected) in [(30, 10.0, 100), (30, 25.0, 250), (10, 30.0, 100)] {
            let mut rate = Rate::new(wanted, 1);
            let sent = (0..10 * camera)
                .filter(|&number| {
                    // A camera's clock is not exact.
                    let jitter = f64::from(number % 3) * 0.001;
                    let at = 100.0 + f64::from(number) / f64::from(camera) + jitter;
                    rate.is_due(0, Duration::from_secs_f64(at))
                })
                .count();
            assert!(sent.abs_diff(expected) <= 3, "{sent} of {expected}");
        }
    }
}
