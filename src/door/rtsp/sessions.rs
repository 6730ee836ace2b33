//! Who has set up a stream: not more than the configuration lets in. RFC 2326 3 (sessions).

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::datagrams::Datagrams;
use super::interleaved::Interleaved;
use crate::config::hexadecimal;
use crate::door::clients::Client;
use crate::random::random;

/// What clients are told: they must be heard of so often.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// A session of which nothing was heard for so long has ended: some clients say something just when it is time.
pub const SILENCE: Duration = Duration::from_secs(65);

/// How many sessions there are.
#[derive(Debug)]
pub struct Sessions {
    most: usize,
    present: Cell<usize>,
    opened: Cell<u64>,
    refused: Cell<u64>,
    reports: Cell<u64>,
}

/// What comes to a client.
#[derive(Debug)]
pub enum Stream {
    /// On its connection.
    Interleaved(Rc<RefCell<Interleaved>>),
    /// By UDP.
    Datagrams(Datagrams),
}

/// One client's session, on one connection: it ends with that.
#[derive(Debug)]
pub struct Session {
    pub id: String,
    /// The camera's name.
    pub camera: String,
    pub stream: Stream,
    client: Rc<Client>,
    heard: Cell<Instant>,
    all: Rc<Sessions>,
}

impl Sessions {
    /// At most so many.
    pub fn new(most: usize) -> Rc<Self> {
        Rc::new(Self {
            most,
            present: Cell::new(0),
            opened: Cell::new(0),
            refused: Cell::new(0),
            reports: Cell::new(0),
        })
    }

    /// A session of `client` with `camera`; `None` when there is no room.
    pub fn open(
        self: &Rc<Self>,
        camera: &str,
        stream: Stream,
        client: &Rc<Client>,
    ) -> io::Result<Option<Session>> {
        if self.present.get() >= self.most {
            self.refused.set(self.refused.get() + 1);
            return Ok(None);
        }
        let id = hexadecimal(&random::<8>()?);
        self.present.set(self.present.get() + 1);
        self.opened.set(self.opened.get() + 1);
        client.stream.replace(Some(camera.to_owned()));
        if let Stream::Datagrams(datagrams) = &stream {
            client.datagrams.replace(Some(datagrams.stats().clone()));
        }
        Ok(Some(Session {
            id,
            camera: camera.to_owned(),
            stream,
            client: client.clone(),
            heard: Cell::new(Instant::now()),
            all: self.clone(),
        }))
    }

    /// So many are there.
    pub fn count(&self) -> usize {
        self.present.get()
    }

    /// So many were opened.
    pub fn opened(&self) -> u64 {
        self.opened.get()
    }

    /// So many were refused.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// So many reports came from receivers.
    pub fn reports(&self) -> u64 {
        self.reports.get()
    }
}

impl Session {
    /// Its client is there.
    pub fn hear(&self) {
        self.heard.set(Instant::now());
    }

    /// When it ends if nothing is heard.
    pub fn deadline(&self) -> Instant {
        let heard = self.heard.get();
        let reported = match &self.stream {
            Stream::Datagrams(datagrams) => datagrams.last_report(),
            Stream::Interleaved(_) => None,
        };
        reported.map_or(heard, |reported| reported.max(heard)) + SILENCE
    }

    /// What has come on `channel` of its connection.
    pub fn data(&self, channel: u8, octets: &[u8]) {
        self.hear();
        if let Stream::Interleaved(stream) = &self.stream
            && stream.borrow().is_report(channel, octets)
        {
            self.all.reports.set(self.all.reports.get() + 1);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.all
            .present
            .set(self.all.present.get().saturating_sub(1));
        self.client.stream.replace(None);
        self.client.datagrams.replace(None);
    }
}
