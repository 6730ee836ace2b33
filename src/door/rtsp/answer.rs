//! Answers: a status, and what belongs to it. RFC 2326 7 (responses), 11 (status codes).

use rtsp_types::StatusCode;
use rtsp_types::headers::{self, HeaderName};

use crate::door::digest;
use crate::door::users::Refusal;

/// An answer; the number of its request is put to it when it leaves.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    fields: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// With one more field.
    pub fn insert_header(&mut self, name: HeaderName, value: impl Into<String>) {
        self.fields.push((name, value.into()));
    }

    /// The same with this body.
    pub fn replace_body(mut self, body: Vec<u8>) -> Self {
        self.insert_header(headers::CONTENT_LENGTH, body.len().to_string());
        Self { body, ..self }
    }
}

/// What there is, as OPTIONS says it: recorders ping by the last two, if they are there.
pub const METHODS: &str =
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";
/// When somebody may ask again for what is away, in seconds.
const SOON: &str = "5";

/// An answer without a body.
pub fn status(status: StatusCode) -> Answer {
    Answer {
        status,
        fields: Vec::new(),
        body: Vec::new(),
    }
}

/// The same with a field.
pub fn with(code: StatusCode, name: HeaderName, value: impl Into<String>) -> Answer {
    let mut answer = status(code);
    answer.insert_header(name, value);
    answer
}

/// What is asked for is not there just now.
pub fn away(problem: &str) -> Answer {
    let mut answer = with(StatusCode::ServiceUnavailable, headers::RETRY_AFTER, SOON);
    answer.insert_header(headers::CONTENT_TYPE, "text/plain; charset=utf-8");
    answer.replace_body(format!("{problem}\n").into_bytes())
}

/// Why somebody is not let in.
pub fn refusal(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::Ask { nonce, is_stale } => with(
            StatusCode::Unauthorized,
            headers::WWW_AUTHENTICATE,
            digest::challenge(nonce, *is_stale),
        ),
        Refusal::NotNow(wait) => {
            let seconds = (wait.as_secs() + 1).to_string();
            with(
                StatusCode::ServiceUnavailable,
                headers::RETRY_AFTER,
                seconds,
            )
        }
    }
}

/// The octets of `answer` to the request with this `cseq`. Written here: the writer of rtsp-types would be more code in the
/// binary.
pub fn octets(mut answer: Answer, cseq: Option<&str>) -> Vec<u8> {
    if let Some(cseq) = cseq {
        answer.insert_header(headers::CSEQ, cseq);
    }
    let reason = match answer.status {
        StatusCode::Ok => "OK".to_owned(),
        status => status.to_string(),
    };
    let mut head = format!("RTSP/1.0 {} {reason}\r\n", u16::from(answer.status));
    for (name, value) in answer.fields {
        // What a client has sent on several lines is said on one.
        let value = value.replace(|c: char| c.is_ascii_control(), " ");
        head.push_str(&format!("{}: {value}\r\n", name.as_str()));
    }
    head.push_str("\r\n");
    [head.into_bytes(), answer.body].concat()
}
