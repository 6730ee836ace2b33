//! One connection: requests are answered one after the other, while pictures are sent between the answers.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tracing::debug;

use super::answer;
use super::edge::{Broken, Edge, Incoming};
use super::outbox::{Next, Outbox};
use super::parcel::Parcel;
use super::requests::Dialogue;
use super::sessions::SILENCE;
use crate::door::clients::Admitted;
use crate::door::connection::{HEAD_TIME, WRITE_TIME, set_up};
use crate::door::house::House;

/// Octets that are read at a time.
const READ: usize = 4096;
/// Reports are looked after this often while somebody plays.
const LOOK: Duration = Duration::from_millis(250);
/// A session of which nothing is heard on its connection is looked after this often.
const LOOK_ROUND: Duration = Duration::from_secs(1);
/// Longest time in which a client takes the last answer, and still sends.
const LINGER: Duration = Duration::from_secs(1);

/// Serves `stream` to its end.
pub async fn serve(stream: TcpStream, admitted: Admitted, house: Rc<House>) {
    let peer = admitted.client().peer;
    let Ok(local) = set_up(&stream).and_then(|()| stream.local_addr()) else {
        return;
    };
    let outbox = Rc::new(Outbox::default());
    let dialogue = Dialogue {
        house,
        client: admitted.client().clone(),
        local,
        outbox: outbox.clone(),
        session: None,
        nonce: None,
    };
    let answering = async {
        let ended = answer_all(&stream, dialogue).await;
        outbox.close();
        if let Err(problem) = ended {
            debug!("rtsp: {peer}: {problem}");
        }
        // What is still to be sent is; the sender ends both.
        pending().await
    };
    if let Err(problem) = first(send_all(&stream, &outbox), answering).await {
        debug!("rtsp: {peer}: {problem}");
    }
}

/// What the first of both comes to.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}

/// Answers all requests, until the client ends, breaks the rules or is silent for too long.
async fn answer_all(stream: &TcpStream, mut dialogue: Dialogue) -> io::Result<()> {
    let mut edge = Edge::default();
    let (mut begun, mut has_asked) = (Instant::now(), false);
    loop {
        dialogue.outbox.room().await;
        match edge.read() {
            Ok(Some(Incoming::Request(request))) => {
                has_asked = true;
                dialogue.answer(&request).await;
                begun = Instant::now();
                continue;
            }
            Ok(Some(Incoming::Data(channel, octets))) => {
                if let Some(session) = &dialogue.session {
                    session.data(channel, &octets);
                }
                begun = Instant::now();
                continue;
            }
            Ok(None) => {}
            Err(Broken(status)) => {
                let octets = answer::octets(answer::status(status), None);
                dialogue.outbox.answer(octets);
                return Ok(());
            }
        }
        let deadline = match &dialogue.session {
            _ if edge.is_amid() || !has_asked => Some(begun + HEAD_TIME),
            // Who sends notices when nobody takes.
            Some(_) if dialogue.outbox.playing().is_some() => None,
            Some(session) => Some(session.deadline().min(Instant::now() + LOOK_ROUND)),
            None => Some(begun + SILENCE),
        };
        let was_amid = edge.is_amid();
        let mut octets = [0; READ];
        let length = match read(stream, &mut octets, deadline).await {
            // Only between two requests.
            Err(error) if is_late(&error) && !edge.is_amid() && goes_on(&dialogue) => continue,
            read => read?,
        };
        if length == 0 {
            return Ok(());
        }
        edge.push(octets.get(..length).unwrap_or_default());
        if !was_amid && has_asked {
            begun = Instant::now();
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// Whether a client from which no request comes is there all the same: by its reports, of a stream that is not over.
fn goes_on(dialogue: &Dialogue) -> bool {
    let mut sessions = dialogue.session.iter();
    sessions.any(|session| session.deadline() > Instant::now()) && !dialogue.is_over()
}

/// The next octets, waited for until the `deadline`; none when no more will come.
async fn read(
    stream: &TcpStream,
    octets: &mut [u8],
    deadline: Option<Instant>,
) -> io::Result<usize> {
    let reading = async {
        loop {
            stream.readable().await?;
            match stream.try_read(octets) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "nothing was heard for too long");
    match deadline {
        Some(deadline) => timeout_at(deadline.into(), reading)
            .await
            .unwrap_or_else(|_| Err(late())),
        None => reading.await,
    }
}

/// Sends all that is in `outbox`, until nothing comes any more or the client takes nothing.
async fn send_all(stream: &TcpStream, outbox: &Outbox) -> io::Result<()> {
    let mut parcel = Parcel::default();
    loop {
        let next = match outbox.playing() {
            Some(playing) => {
                if playing.stream.borrow_mut().report(&mut parcel) {
                    send(stream, &mut parcel).await?;
                }
                timeout(LOOK, outbox.next()).await.ok()
            }
            None => Some(outbox.next().await),
        };
        match next {
            Some(Next::Answer(octets)) => {
                put(&mut parcel, &octets);
                send(stream, &mut parcel).await?;
            }
            Some(Next::Picture(playing, picture)) => {
                playing.stream.borrow_mut().pack(&picture, &mut parcel);
                send(stream, &mut parcel).await?;
                let client = &playing.client;
                client.frames_sent.set(client.frames_sent.get() + 1);
                let octets = u64::try_from(picture.jpeg.len()).unwrap_or_default();
                playing.subscription.viewers().delivered(octets);
            }
            Some(Next::Over(playing)) => {
                put(&mut parcel, &playing.stream.borrow().goodbye());
                send(stream, &mut parcel).await?;
                return linger(stream).await;
            }
            Some(Next::Closed) => return linger(stream).await,
            // A report may be due.
            None => {}
        }
    }
}

fn put(parcel: &mut Parcel, octets: &[u8]) {
    parcel.begin(Bytes::new());
    parcel.add(0..0, |own| own.extend_from_slice(octets));
}

/// Sends all of `parcel`. A client that takes nothing of it for too long has gone.
async fn send(stream: &TcpStream, parcel: &mut Parcel) -> io::Result<()> {
    loop {
        let slices = parcel.next();
        if slices.is_empty() {
            return Ok(());
        }
        let sent = match stream.try_write_vectored(&slices) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                drop(slices);
                match timeout(WRITE_TIME, stream.writable()).await {
                    Ok(writable) => writable?,
                    Err(_) => {
                        let problem = "it takes nothing";
                        return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
                    }
                }
                continue;
            }
            sent => sent?,
        };
        drop(slices);
        parcel.advance(sent);
    }
}

/// Lets the client read the last answer: a connection that is closed while something comes is reset.
async fn linger(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write)?;
    let mut octets = [0; READ];
    let deadline = Instant::now() + LINGER;
    while read(stream, &mut octets, Some(deadline)).await? > 0 {}
    Ok(())
}
