//! Who may come in: with users those who prove that they know a password, by Digest (RFC 7616) or Basic (RFC 7617);
//! without users whoever reaches the door.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use tracing::warn;

use super::answer::{self, Answer};
use super::authorization::{Authorization, Basic, Digest};
use super::clients::{self, Client};
use super::counts::Counts;
use super::digest::{self, Nonces};
use super::guesses::Guesses;
use crate::config::{REALM, Sha256Hash, User, UserName, hexadecimal};
use crate::log_limit::LogLimit;
use crate::random::random;

/// The users there are now. Written by the main thread.
#[derive(Debug, Default)]
pub struct Users(Mutex<Vec<Arc<User>>>);

impl Users {
    /// These there are from now on.
    pub fn set(&self, users: &[User]) {
        *self.lock() = users.iter().cloned().map(Arc::new).collect();
    }

    /// Whether there are none, and the door is open for all.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn all(&self) -> Vec<Arc<User>> {
        self.lock().clone()
    }

    /// The list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<User>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What decides who comes in.
pub struct Access {
    users: Arc<Users>,
    nonces: Nonces,
    /// In the place of a user that does not exist: an unknown name takes as long as a known one.
    nobody: User,
    guesses: RefCell<Guesses>,
    counts: RefCell<Counts>,
    wrong: Cell<u64>,
    log_limit: RefCell<LogLimit>,
}

/// What somebody asks with.
#[derive(Debug)]
pub struct Question<'q> {
    /// The Authorization field.
    pub credentials: Option<&'q str>,
    pub method: &'q str,
    /// Whether it is to change something: then an answer is good once.
    pub changes: bool,
    pub peer: IpAddr,
    /// One that was answered well before on the same connection, and is good as long as that lasts.
    pub known_nonce: Option<&'q str>,
}

/// Why somebody is not let in.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By these challenges a name and a password are asked for; with a stale one the client has them already.
    Ask { nonce: String, is_stale: bool },
    /// There were too many wrong ones.
    NotNow(Duration),
}

/// How credentials were found.
enum Found {
    Right(Arc<User>),
    /// The right password, with a nonce that is too old or somebody else's, or for a change a second time.
    Stale,
    Wrong,
}

impl Access {
    /// For `users`; what it challenges with is known to this process alone.
    pub fn new(users: Arc<Users>, now: Instant) -> io::Result<Self> {
        let name = UserName::new("nobody").map_err(io::Error::other)?;
        let password = hexadecimal(&random::<32>()?);
        Ok(Self {
            users,
            nonces: Nonces::new(random()?, now),
            nobody: User::new(name, &password),
            guesses: RefCell::default(),
            counts: RefCell::default(),
            wrong: Cell::new(0),
            log_limit: RefCell::default(),
        })
    }

    /// Who asks with `request` from `peer`; or why not.
    pub fn admit<B>(
        &self,
        request: &Request<B>,
        peer: IpAddr,
        now: Instant,
    ) -> Result<Option<Arc<User>>, Refusal> {
        let question = Question {
            credentials: authorization(request),
            method: request.method().as_str(),
            changes: !request.method().is_safe(),
            peer,
            known_nonce: None,
        };
        self.examine(&question, |uri| is_for(uri, request.uri()), now)
            .map(|(user, _)| user)
    }

    /// Who asks `question`, and the nonce that was answered; or why not. `is_for` tells whether the URI that was hashed
    /// is that of what is asked for.
    pub fn examine<'q>(
        &self,
        question: &Question<'q>,
        is_for: impl Fn(&str) -> bool,
        now: Instant,
    ) -> Result<(Option<Arc<User>>, Option<&'q str>), Refusal> {
        let users = self.users.all();
        if users.is_empty() {
            return Ok((None, None));
        }
        let address = clients::of(question.peer);
        let Some(field) = question.credentials else {
            return Err(self.ask(address, false, now));
        };
        if let Some(wait) = self.guesses.borrow().wait(address, now) {
            return Err(Refusal::NotNow(wait));
        }
        let (found, nonce) = match Authorization::parse(field) {
            Some(Authorization::Digest(answer)) if is_for(answer.uri) => {
                let is_fresh = question.known_nonce == Some(answer.nonce)
                    || self.nonces.is_fresh(answer.nonce, address, now);
                let found = self.by_digest(&answer, question, is_fresh, &users);
                (found, Some(answer.nonce))
            }
            Some(Authorization::Basic(basic)) => (self.by_password(&basic, &users), None),
            // Nothing was tried.
            _ => return Err(self.ask(address, false, now)),
        };
        match found {
            Found::Right(user) => Ok((Some(user), nonce)),
            Found::Stale => Err(self.ask(address, true, now)),
            Found::Wrong => {
                self.note_wrong(question.peer, address, now);
                Err(self.ask(address, false, now))
            }
        }
    }

    fn by_digest(
        &self,
        answer: &Digest,
        question: &Question,
        is_fresh: bool,
        users: &[Arc<User>],
    ) -> Found {
        let known = find(users, answer.name);
        let user = known.map_or(&self.nobody, Arc::as_ref);
        let is_right = digest::is_right(answer, question.method, user);
        // Only what is right is remembered.
        let is_new = || !question.changes || self.counts.borrow_mut().is_new(answer);
        match known {
            Some(user) if is_right && is_fresh && is_new() => Found::Right(user.clone()),
            Some(_) if is_right => Found::Stale,
            _ => Found::Wrong,
        }
    }

    fn by_password(&self, basic: &Basic, users: &[Arc<User>]) -> Found {
        let known = find(users, &basic.name);
        let user = known.map_or(&self.nobody, Arc::as_ref);
        let hash = Sha256Hash::of(&basic.name, &basic.password);
        let is_right = digest::is_same(hash.as_str(), user.sha256.as_str());
        match known {
            Some(user) if is_right => Found::Right(user.clone()),
            _ => Found::Wrong,
        }
    }

    /// Without the name: people type their password there.
    fn note_wrong(&self, peer: IpAddr, address: IpAddr, now: Instant) {
        self.guesses.borrow_mut().wrong(address, now);
        self.wrong.set(self.wrong.get() + 1);
        if let Some(times) = self.log_limit.borrow_mut().note(now) {
            let peer = peer.to_canonical();
            warn!("the door: {peer} gave a wrong name or password{times}");
        }
    }

    /// Whether only users come in.
    pub fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// So many gave a wrong name or password.
    pub fn wrong(&self) -> u64 {
        self.wrong.get()
    }

    /// Whether `client` may go on with the stream that it got.
    pub fn may_stay(&self, client: &Client) -> bool {
        let users = self.users.all();
        let user = client.user.borrow();
        users.is_empty() || user.as_ref().is_some_and(|user| users.contains(user))
    }

    /// Asks for a name and a password.
    fn ask(&self, address: IpAddr, is_stale: bool, now: Instant) -> Refusal {
        Refusal::Ask {
            nonce: self.nonces.make(address, now),
            is_stale,
        }
    }
}

impl Refusal {
    /// As the client gets it.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Ask { nonce, is_stale } => {
                let problem = "a name and a password are needed";
                let mut answer = answer::text(StatusCode::UNAUTHORIZED, problem);
                let challenges = [
                    digest::challenge(nonce, *is_stale),
                    format!("Basic realm=\"{REALM}\""),
                ];
                let fields = challenges
                    .iter()
                    .flat_map(|text| HeaderValue::from_str(text));
                for field in fields {
                    answer.headers_mut().append(header::WWW_AUTHENTICATE, field);
                }
                answer
            }
            Self::NotNow(wait) => {
                let seconds = wait.as_secs() + 1;
                let problem = "too many wrong passwords from this address";
                let problem = format!("{problem}: wait {seconds} s");
                let mut answer = answer::text(StatusCode::TOO_MANY_REQUESTS, problem);
                let seconds = HeaderValue::from(seconds);
                answer.headers_mut().insert(header::RETRY_AFTER, seconds);
                answer
            }
        }
    }
}

/// The field, if there is one and no other.
fn authorization<B>(request: &Request<B>) -> Option<&str> {
    let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) => field.to_str().ok(),
        _ => None,
    }
}

/// Whether the answer is one to a request for `uri`. Some clients leave the query out.
fn is_for(answered: &str, uri: &Uri) -> bool {
    let answered = answered.parse::<Uri>();
    answered.is_ok_and(|answered| answered.path() == uri.path())
}

fn find<'u>(users: &'u [Arc<User>], name: &str) -> Option<&'u Arc<User>> {
    users.iter().find(|user| user.name.as_str() == name)
}

#[cfg(test)]
mod tests;
