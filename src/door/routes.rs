//! Which answer a request gets.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode, Version};

use super::answer::{self, Answer};
use super::clients::Client;
use super::house::House;
use super::mailbox::Mailbox;
use super::multipart::{Form, Pictures, Source};
use super::seconds::seconds;
use super::{controls, description, health, metrics, page, query, snapshot, status};
use crate::clocks::Reading;
use crate::directory::Entry;

/// The answer to `request` of `client`.
pub async fn answer(request: Request<Incoming>, client: Rc<Client>, house: Rc<House>) -> Answer {
    if let Some(refusal) = refuse(&request, &house) {
        return refusal;
    }
    match house
        .access
        .admit(&request, client.peer.ip(), Instant::now())
    {
        Ok(user) => drop(client.user.replace(user)),
        Err(_) if is_health_check(&request) => {
            return health::in_short(&house.directory.entries());
        }
        Err(refusal) => return refusal.answer(),
    }
    if let Some(name) = controls::of(request.uri().path()) {
        return match house.directory.find(name) {
            Some(entry) => controls::answer(request, &entry, &house).await,
            None => not_found(&house),
        };
    }
    let is_head = request.method() == Method::HEAD;
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or(""));
    if let Some(file) = page::answer(path) {
        return file;
    }
    match path {
        "/api/status" => status::answer(&house),
        "/metrics" => metrics::answer(&house),
        "/healthz" => health::answer(&house.directory.entries()),
        "/stream" if is_head => answer::head_of_pictures(),
        "/stream" => several(query, client, &house),
        _ => of_camera(path, query, is_head, client, &house).await,
    }
}

/// Whether somebody asks if all is well who has no password: containers and load balancers have none.
fn is_health_check(request: &Request<Incoming>) -> bool {
    request.uri().path() == "/healthz" && !request.headers().contains_key(header::AUTHORIZATION)
}

/// The answer to what is not even looked at.
fn refuse(request: &Request<Incoming>, house: &House) -> Option<Answer> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        // Only HTTP/1.0 may leave it out, and no browser speaks that.
        (None, _) if request.version() == Version::HTTP_10 => Some("localhost"),
        _ => None,
    };
    let Some(host) = host else {
        let problem = "one Host is needed";
        return Some(answer::text(StatusCode::BAD_REQUEST, problem));
    };
    if !house.names.allow(host) {
        return Some(answer::text(
            StatusCode::MISDIRECTED_REQUEST,
            "this machine is not called that: use its address, or add the name to [http] names",
        ));
    }
    let can_post = controls::of(request.uri().path()).is_some();
    match *request.method() {
        Method::GET | Method::HEAD => return None,
        Method::POST if can_post => return None,
        _ => {}
    }
    let (problem, allowed) = match can_post {
        true => ("only GET, HEAD and POST", "GET, HEAD, POST"),
        false => ("only GET and HEAD", "GET, HEAD"),
    };
    let mut refusal = answer::text(StatusCode::METHOD_NOT_ALLOWED, problem);
    let allowed = HeaderValue::from_static(allowed);
    refusal.headers_mut().insert(header::ALLOW, allowed);
    Some(refusal)
}

/// What there is of one camera.
async fn of_camera(
    path: &str,
    query: &str,
    is_head: bool,
    client: Rc<Client>,
    house: &House,
) -> Answer {
    let known = path.strip_prefix('/').and_then(|path| {
        let (name, what) = match path.split_once('/') {
            Some((name, what)) => (name, what),
            None => (path.strip_suffix(".sdp")?, ".sdp"),
        };
        Some((house.directory.find(name)?, what))
    });
    let Some((entry, what)) = known else {
        return not_found(house);
    };
    match what {
        "stream.mjpg" | "stream" if is_head => answer::head_of_pictures(),
        "stream.mjpg" => stream(Form::Advance, vec![entry], query, client, house),
        "stream" => stream(Form::Described, vec![entry], query, client, house),
        ".sdp" => description::answer(entry).await,
        "snapshot.jpg" => picture(&entry, &client, house).await,
        _ => not_found(house),
    }
}

fn not_found(house: &House) -> Answer {
    let entries = house.directory.entries();
    let names: Vec<&str> = entries
        .iter()
        .map(|entry| entry.config.name().as_str())
        .collect();
    let problem = format!("nothing here; the cameras are: {}", names.join(", "));
    answer::text(StatusCode::NOT_FOUND, problem)
}

/// The cameras that are asked for, or all of them, in one stream.
fn several(query: &str, client: Rc<Client>, house: &House) -> Answer {
    let mut entries = house.directory.entries();
    let names: Vec<&str> = query::values(query, "camera").collect();
    if !names.is_empty() {
        let wanted = |entry: &Entry| names.contains(&entry.config.name().as_str());
        entries.retain(wanted);
    }
    if entries.is_empty() {
        return not_found(house);
    }
    stream(Form::Described, entries, query, client, house)
}

fn stream(
    form: Form,
    entries: Vec<Entry>,
    query: &str,
    client: Rc<Client>,
    house: &House,
) -> Answer {
    let fps = match query::values(query, "fps").next().map(query::rate) {
        Some(None) => {
            let problem = "fps is a number of pictures a second, 0.01 to 1000";
            return answer::text(StatusCode::BAD_REQUEST, problem);
        }
        Some(fps) => fps,
        None => None,
    };
    let mailbox = Mailbox::new(entries.len());
    let sources: io::Result<Vec<Source>> = entries
        .iter()
        .enumerate()
        .map(|(number, entry)| {
            Ok(Source {
                name: entry.config.name().to_string(),
                subscription: house.feeds.subscribe(entry, &mailbox, number, &client)?,
            })
        })
        .collect();
    let sources = match sources {
        Ok(sources) => sources,
        Err(problem) => {
            return answer::text(StatusCode::SERVICE_UNAVAILABLE, problem.to_string());
        }
    };
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    client.stream.replace(Some(names.join(", ")));
    answer::pictures(Pictures::new(form, sources, mailbox, client, fps))
}

async fn picture(entry: &Entry, client: &Rc<Client>, house: &House) -> Answer {
    match snapshot::take(&house.feeds, entry, client).await {
        Ok(picture) => {
            let time = seconds(Reading::now().unix_of(picture.captured));
            let mut answer = answer::whole(StatusCode::OK, "image/jpeg", picture.jpeg);
            if let Ok(time) = HeaderValue::from_str(&time) {
                answer.headers_mut().insert("x-timestamp", time);
            }
            answer
        }
        Err(problem) => {
            let name = entry.config.name();
            let mut answer = answer::text(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{name}: {problem}"),
            );
            let soon = HeaderValue::from_static("5");
            answer.headers_mut().insert(header::RETRY_AFTER, soon);
            answer
        }
    }
}
