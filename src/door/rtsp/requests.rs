//! Which answer a request gets, and what it does to the session. RFC 2326 10 (methods), A (states).

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use rtsp_types::headers;
use rtsp_types::{HeaderName, Method, Request, StatusCode, Version};

use super::answer::{self, Answer, METHODS};
use super::datagrams::Datagrams;
use super::interleaved::Interleaved;
use super::outbox::{Outbox, Playing};
use super::sessions::{Session, Stream, TIMEOUT};
use super::transport::{self, Chosen, ClientPort, Way};
use super::{description, url};
use crate::directory::Entry;
use crate::door::clients::Client;
use crate::door::house::House;
use crate::door::mailbox::Mailbox;
use crate::door::users::Question;

/// What one client says and is told, one request after the other.
pub struct Dialogue {
    pub house: Rc<House>,
    pub client: Rc<Client>,
    /// The address that it has come to.
    pub local: SocketAddr,
    pub outbox: Rc<Outbox>,
    pub session: Option<Session>,
    /// The nonce that it has answered well: good for as long as it stays.
    pub nonce: Option<String>,
}

/// A request.
type Asked = Request<Vec<u8>>;
/// Both are answers; one of them ends the examination.
type Judged = Result<Answer, Answer>;

impl Dialogue {
    /// Answers `request`.
    pub async fn answer(&mut self, request: &Asked) {
        let (cseq, judged) = match cseq(request) {
            Ok(cseq) => (Some(cseq), self.judge(request).await),
            Err(refusal) => (None, Err(refusal)),
        };
        let (Ok(answer) | Err(answer)) = judged;
        self.outbox.answer(answer::octets(answer, cseq));
    }

    /// Whether it has a stream by UDP that is over: its camera is configured no more, or its user.
    pub fn is_over(&self) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        let Stream::Datagrams(stream) = &session.stream else {
            return false;
        };
        let entry = self.house.directory.find(&session.camera);
        let is_there = entry.is_some_and(|entry| stream.is_of(&entry.viewers));
        !is_there || !self.house.access.may_stay(&self.client)
    }

    async fn judge(&mut self, request: &Asked) -> Judged {
        refuse(request)?;
        let method = request.method();
        if let Ok(Some(session)) = self.own_session(request) {
            session.hear();
        }
        if *method == Method::Options {
            let answer = answer::with(StatusCode::Ok, headers::PUBLIC, METHODS);
            return Ok(self.with_session(answer));
        }
        self.let_in(request)?;
        match method {
            Method::Describe => self.describe(request).await,
            Method::Setup => self.set_up(request),
            Method::Play => self.play(request),
            Method::Pause => self.pause(request),
            Method::Teardown => self.tear_down(request),
            Method::GetParameter | Method::SetParameter => self.ping(request),
            Method::Extension(_) => Err(answer::status(StatusCode::NotImplemented)),
            _ => Err(answer::with(
                StatusCode::MethodNotAllowed,
                headers::ALLOW,
                METHODS,
            )),
        }
    }

    /// That it comes from somebody who may come in.
    fn let_in(&mut self, request: &Asked) -> Result<(), Answer> {
        let method: &str = request.method().into();
        let asked = request.request_uri().and_then(url::camera);
        let question = Question {
            credentials: field(request, &headers::AUTHORIZATION),
            method,
            changes: false,
            peer: self.client.peer.ip(),
            known_nonce: self.nonce.as_deref(),
        };
        let is_for = |uri: &str| asked.is_none_or(|camera| url::is_of(uri, camera));
        let examined = self.house.access.examine(&question, is_for, Instant::now());
        let (user, nonce) = examined.map_err(|refusal| answer::refusal(&refusal))?;
        let nonce = nonce.map(str::to_owned);
        self.client.user.replace(user);
        self.nonce = nonce.or_else(|| self.nonce.take());
        Ok(())
    }

    async fn describe(&mut self, request: &Asked) -> Judged {
        let (entry, base) = self.find(request)?;
        if let Some(accept) = field(request, &headers::ACCEPT)
            && !["application/sdp", "application/*", "*/*"]
                .iter()
                .any(|each| accept.contains(each))
        {
            return Err(answer::status(StatusCode::NotAcceptable));
        }
        if let Err(problem) = description::wake(&entry, &self.client, &self.house.feeds).await {
            return Err(answer::away(&problem));
        }
        let mut answer = answer::with(StatusCode::Ok, headers::CONTENT_BASE, base);
        answer.insert_header(headers::CONTENT_TYPE, "application/sdp");
        answer.insert_header(headers::CACHE_CONTROL, "no-store");
        let local = self.local.ip().to_canonical();
        Ok(answer.replace_body(description::of(&entry, local).into_bytes()))
    }

    fn set_up(&mut self, request: &Asked) -> Judged {
        let (entry, _) = self.find(request)?;
        // One session has one track, and one connection one session.
        if self.own_session(request)?.is_some() || self.session.is_some() {
            return Err(answer::status(StatusCode::MethodNotValidInThisState));
        }
        let Some(offers) = field(request, &headers::TRANSPORT) else {
            return Err(answer::status(StatusCode::BadRequest));
        };
        let Some(way) = transport::choose(offers) else {
            return Err(answer::status(StatusCode::UnsupportedTransport));
        };
        if let Some(problem) = description::problem(&entry) {
            return Err(answer::away(&problem));
        }
        let (stream, chosen) = self.stream(way, &entry).map_err(unavailable)?;
        let camera = entry.config.name().as_str();
        let opened = self.house.rtsp.sessions.open(camera, stream, &self.client);
        let Some(session) = opened.map_err(unavailable)? else {
            return Err(answer::status(StatusCode::NotEnoughBandwidth));
        };
        let mut answer = answer::with(StatusCode::Ok, headers::TRANSPORT, chosen.to_string());
        answer.insert_header(
            headers::SESSION,
            format!("{};timeout={}", session.id, TIMEOUT.as_secs()),
        );
        self.session = Some(session);
        Ok(answer)
    }

    /// A stream that does not play yet, and what the client is told of it.
    fn stream(&self, way: Way, entry: &Entry) -> io::Result<(Stream, Chosen)> {
        match way {
            Way::Interleaved(channels) => {
                let stream = Interleaved::new(channels)?;
                let chosen = Chosen {
                    way,
                    server_port: None,
                    ssrc: stream.ssrc(),
                };
                Ok((Stream::Interleaved(Rc::new(RefCell::new(stream))), chosen))
            }
            Way::Datagrams(ClientPort(port)) => {
                // To whoever asks, and to nobody else.
                let mut client = self.client.peer;
                client.set_ip(client.ip().to_canonical());
                client.set_port(port);
                let stream = Datagrams::new(client, &entry.viewers)?;
                let chosen = Chosen {
                    way,
                    server_port: Some(stream.server_port()),
                    ssrc: stream.ssrc(),
                };
                Ok((Stream::Datagrams(stream), chosen))
            }
        }
    }

    fn play(&mut self, request: &Asked) -> Judged {
        let (session, entry) = self.session_of(request)?;
        if let Some(problem) = description::problem(&entry) {
            return Err(answer::away(&problem));
        }
        let is_there = match &session.stream {
            Stream::Interleaved(stream) => self.play_here(&entry, stream),
            Stream::Datagrams(stream) => Ok(stream.play()),
        };
        if !is_there.map_err(unavailable)? {
            return Err(answer::status(StatusCode::NotEnoughBandwidth));
        }
        let answer = answer::with(StatusCode::Ok, headers::RANGE, "npt=now-");
        Ok(self.with_session(answer))
    }

    /// Begins to send the pictures of `entry` on this connection, unless they come already.
    fn play_here(&self, entry: &Entry, stream: &Rc<RefCell<Interleaved>>) -> io::Result<bool> {
        if self.outbox.playing().is_none() {
            let mailbox = Mailbox::new(1);
            let feeds = &self.house.feeds;
            let subscription = feeds.subscribe(entry, &mailbox, 0, &self.client)?;
            stream.borrow_mut().begin();
            self.outbox.play(Some(Playing {
                stream: stream.clone(),
                mailbox,
                client: self.client.clone(),
                subscription,
            }));
        }
        Ok(true)
    }

    fn pause(&mut self, request: &Asked) -> Judged {
        let (session, _) = self.session_of(request)?;
        match &session.stream {
            Stream::Interleaved(_) => self.outbox.play(None),
            Stream::Datagrams(stream) => stream.pause(),
        }
        Ok(self.with_session(answer::status(StatusCode::Ok)))
    }

    fn tear_down(&mut self, request: &Asked) -> Judged {
        let (session, _) = self.session_of(request)?;
        if let Stream::Interleaved(stream) = &session.stream
            && self.outbox.playing().is_some()
        {
            let goodbye = stream.borrow().goodbye();
            self.outbox.play(None);
            self.outbox.answer(goodbye);
        }
        let answer = self.with_session(answer::status(StatusCode::Ok));
        self.session = None;
        Ok(answer)
    }

    /// There are no parameters: only the sign of life counts.
    fn ping(&self, request: &Asked) -> Judged {
        self.own_session(request)?;
        if !request.body().trim_ascii().is_empty() {
            return Err(answer::status(StatusCode::ParameterNotUnderstood));
        }
        Ok(self.with_session(answer::status(StatusCode::Ok)))
    }

    /// The camera that is asked for, and what the addresses in its description begin with.
    fn find(&self, request: &Asked) -> Result<(Entry, String), Answer> {
        let url = request.request_uri();
        let found = url.and_then(|url| {
            let entry = self.house.directory.find(url::camera(url)?)?;
            let base = url::base(url, entry.config.name().as_str());
            Some((entry, base))
        });
        found.ok_or_else(|| answer::status(StatusCode::NotFound))
    }

    /// The session that the request names, if it names one; it is this connection's.
    fn own_session(&self, request: &Asked) -> Result<Option<&Session>, Answer> {
        let Some(named) = field(request, &headers::SESSION) else {
            return Ok(None);
        };
        let id = named.split(';').next().unwrap_or_default().trim();
        match &self.session {
            Some(session) if session.id == id => Ok(Some(session)),
            _ => Err(answer::status(StatusCode::SessionNotFound)),
        }
    }

    /// The session that the request is about, and its camera.
    fn session_of(&self, request: &Asked) -> Result<(&Session, Entry), Answer> {
        let Some(session) = self.own_session(request)? else {
            return Err(answer::status(StatusCode::SessionNotFound));
        };
        let (entry, _) = self.find(request)?;
        match entry.config.name().as_str() == session.camera {
            true => Ok((session, entry)),
            false => Err(answer::status(StatusCode::NotFound)),
        }
    }

    fn with_session(&self, mut answer: Answer) -> Answer {
        if let Some(session) = &self.session {
            answer.insert_header(headers::SESSION, session.id.clone());
        }
        answer
    }
}

/// What is not even looked at.
fn refuse(request: &Asked) -> Result<(), Answer> {
    if request.version() != Version::V1_0 {
        return Err(answer::status(StatusCode::RTSPVersionNotSupported));
    }
    let required = [headers::REQUIRE, headers::PROXY_REQUIRE];
    match required.iter().find_map(|name| field(request, name)) {
        Some(lacking) => Err(answer::with(
            StatusCode::OptionNotSupported,
            headers::UNSUPPORTED,
            lacking,
        )),
        None => Ok(()),
    }
}

/// The number of the request, which its answer has too.
fn cseq(request: &Asked) -> Result<&str, Answer> {
    /// More digits than a number of 32 bit has.
    const LONG: usize = 11;
    let number = field(request, &headers::CSEQ).unwrap_or_default();
    let is_number = number.bytes().all(|octet| octet.is_ascii_digit());
    match is_number && (1..LONG).contains(&number.len()) {
        true => Ok(number),
        false => Err(answer::status(StatusCode::BadRequest)),
    }
}

fn field<'r>(request: &'r Asked, name: &HeaderName) -> Option<&'r str> {
    request.header(name).map(|value| value.as_str())
}

fn unavailable(problem: io::Error) -> Answer {
    answer::away(&problem.to_string())
}
