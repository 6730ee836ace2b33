//! Answers of the door: each with what keeps browsers from doing more with it than is meant.
//! RFC 9110 15 (status codes); Content Security Policy Level 3; Fetch Standard (nosniff).

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::multipart::{self, Pictures};

/// What an answer carries: one piece, or pictures without end.
pub type Answer = Response<Either<Full<Bytes>, Pictures>>;

/// Nothing from elsewhere is loaded, and no other page frames ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

pub const TEXT: &str = "text/plain; charset=utf-8";

/// `octets` of this type.
pub fn whole(status: StatusCode, content_type: &'static str, octets: impl Into<Bytes>) -> Answer {
    let octets = octets.into();
    let mut answer = with_headers(status, content_type, Either::Left(Full::new(octets)));
    let policy = HeaderValue::from_static(POLICY);
    answer
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// One line of text.
pub fn text(status: StatusCode, line: impl Into<String>) -> Answer {
    let mut line: String = line.into();
    line.push('\n');
    whole(status, TEXT, line)
}

/// An object of JSON.
pub fn json(status: StatusCode, object: &impl Serialize) -> Answer {
    match serde_json::to_vec(object) {
        Ok(json) => whole(status, "application/json", json),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// Pictures without end.
pub fn pictures(pictures: Pictures) -> Answer {
    with_headers(
        StatusCode::OK,
        multipart::CONTENT_TYPE,
        Either::Right(pictures),
    )
}

/// Pictures without end, of which only the head was asked for.
pub fn head_of_pictures() -> Answer {
    whole(StatusCode::OK, multipart::CONTENT_TYPE, Bytes::new())
}

fn with_headers(
    status: StatusCode,
    content_type: &'static str,
    body: Either<Full<Bytes>, Pictures>,
) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}
