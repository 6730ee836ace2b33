//! Where octets from outside become messages: a peer cannot make it keep more than a head and a body of bounded lengths,
//! however it sends them. RFC 2326 4 to 6 (messages), 10.12 (interleaved data).

use std::num::NonZeroUsize;

use rtsp_types::{Message, ParseError, Request, StatusCode};

/// Most octets of a request line and header fields.
pub const MAX_HEAD: usize = 8 * 1024;
/// Most octets of a body.
pub const MAX_BODY: usize = 4 * 1024;
/// Longest interleaved packet that is kept; reports of receivers are shorter.
const MAX_DATA: usize = 1500;
/// Octets of `$`, channel and length.
const DATA_HEADER: usize = 4;
const DOLLAR: u8 = b'$';
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What a peer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A request, with its body.
    Request(Request<Vec<u8>>),
    /// A packet on an interleaved channel.
    Data(u8, Vec<u8>),
}

/// The octets after the first ones cannot be told apart: what the peer is told before the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub StatusCode);

/// The octets that have come and are no message yet.
#[derive(Debug, Default)]
pub struct Edge {
    octets: Vec<u8>,
    /// Octets that were parsed in vain, for want of more.
    tried: usize,
    /// Octets of the message with its body, once its head is there.
    wanted: usize,
    /// Octets to come of a packet that nobody wants.
    skipped: usize,
}

impl Edge {
    /// More octets have come. [`Self::read`] has been asked until there was no message any more.
    pub fn push(&mut self, octets: &[u8]) {
        let (_, wanted) = octets
            .split_at_checked(self.skipped)
            .unwrap_or((octets, &[]));
        self.skipped -= octets.len() - wanted.len();
        self.octets.extend_from_slice(wanted);
    }

    /// Whether a message has begun and is not whole.
    pub fn is_amid(&self) -> bool {
        !self.octets.is_empty()
    }

    /// The next message, if it is whole.
    pub fn read(&mut self) -> Result<Option<Incoming>, Broken> {
        loop {
            // Some clients end a body with a line's end that is not counted (RFC 2326 4.1).
            let empty = self
                .octets
                .iter()
                .take_while(|octet| b"\r\n".contains(octet));
            let empty = empty.count();
            self.take(empty);
            match self.octets.first() {
                None => return Ok(None),
                Some(&DOLLAR) => match self.data() {
                    Next::Message(data) => return Ok(Some(data)),
                    Next::Incomplete => return Ok(None),
                    Next::Passed => {}
                },
                Some(first) if !first.is_ascii_alphanumeric() => {
                    return Err(Broken(StatusCode::BadRequest));
                }
                Some(_) => match self.message()? {
                    Next::Message(request) => return Ok(Some(request)),
                    Next::Incomplete => return Ok(None),
                    Next::Passed => {}
                },
            }
        }
    }

    /// The packet that the octets begin with.
    fn data(&mut self) -> Next {
        let Some((&[_, channel, high, low], rest)) = self.octets.split_first_chunk::<DATA_HEADER>()
        else {
            return Next::Incomplete;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_DATA {
            let come = rest.len().min(length);
            self.skipped = length - come;
            self.take(DATA_HEADER + come);
            return Next::Passed;
        }
        let Some(data) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Next::Incomplete;
        };
        self.take(DATA_HEADER + length);
        Next::Message(Incoming::Data(channel, data))
    }

    /// The request or response that the octets begin with. Each try begins from the start, so there is one for each line.
    fn message(&mut self) -> Result<Next, Broken> {
        let head = self.octets.get(..MAX_HEAD).unwrap_or(&self.octets);
        let head = memchr::memmem::find(head, HEAD_END).map(|end| end + HEAD_END.len());
        if head.is_none() && self.octets.len() >= MAX_HEAD {
            return Err(Broken(StatusCode::RequestURITooLong));
        }
        let fresh = self.octets.get(self.tried..).unwrap_or_default();
        if self.octets.len() < self.wanted || !(head.is_some() || fresh.contains(&b'\n')) {
            return Ok(Next::Incomplete);
        }
        match Message::<Vec<u8>>::parse(&self.octets) {
            Ok((message, octets)) => {
                fits(octets - head.unwrap_or(octets))?;
                self.take(octets);
                match message {
                    Message::Request(request) => Ok(Next::Message(Incoming::Request(request))),
                    // Nobody was asked anything.
                    Message::Response(_) | Message::Data(_) => Ok(Next::Passed),
                }
            }
            Err(ParseError::Incomplete(more)) => {
                self.tried = self.octets.len();
                if let Some(head) = head {
                    let more = more.map_or(1, NonZeroUsize::get);
                    self.wanted = self.octets.len().saturating_add(more);
                    fits(self.wanted - head)?;
                }
                Ok(Next::Incomplete)
            }
            Err(ParseError::Error) => Err(Broken(StatusCode::BadRequest)),
        }
    }

    fn take(&mut self, octets: usize) {
        if octets > 0 {
            self.octets.drain(..octets.min(self.octets.len()));
            (self.tried, self.wanted) = (0, 0);
        }
    }
}

/// Whether a body of so many octets is one.
fn fits(body: usize) -> Result<(), Broken> {
    match body <= MAX_BODY {
        true => Ok(()),
        false => Err(Broken(StatusCode::RequestMessageBodyTooLarge)),
    }
}

/// What the octets begin with.
enum Next {
    Message(Incoming),
    /// More must come.
    Incomplete,
    /// Something that nobody wants.
    Passed,
}

#[cfg(test)]
mod tests {
    use rtsp_types::Method;

    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS rtsp://h/front RTSP/1.0\r\nCSeq: 1\r\n\r\n";

    /// All messages of `octets`, pushed in pieces of so many.
    fn read(octets: &[u8], piece: usize) -> Result<Vec<Incoming>, Broken> {
        let mut edge = Edge::default();
        let mut all = Vec::new();
        for piece in octets.chunks(piece) {
            edge.push(piece);
            while let Some(message) = edge.read()? {
                all.push(message);
            }
        }
        assert!(edge.octets.is_empty(), "{edge:?}");
        Ok(all)
    }

    fn broken(octets: &[u8]) -> Option<StatusCode> {
        let mut edge = Edge::default();
        edge.push(octets);
        edge.read().err().map(|broken| broken.0)
    }

    #[test]
    fn messages_are_the_same_however_they_come() {
        let octets = [
            b"\r\n\r\n",
            OPTIONS,
            b"$\x01\x00\x02ab$\x00\x00\x00\r\n",
            b"$\x01\x10\x00",
            &[b'$'; 4096],
            b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n",
            b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            OPTIONS,
        ]
        .concat();
        let whole = read(&octets, octets.len()).unwrap();
        let [
            Incoming::Request(first),
            Incoming::Data(1, data),
            Incoming::Data(0, empty),
            Incoming::Request(second),
            Incoming::Request(_),
        ] = &whole[..]
        else {
            panic!("{whole:?}");
        };
        assert_eq!(first.method(), &Method::Options);
        assert_eq!((&data[..], &empty[..]), (&b"ab"[..], &b""[..]));
        assert_eq!(second.body(), b"\r\n\r\n");
        for piece in [1, 2, 3, 7, 4095] {
            assert_eq!(read(&octets, piece).unwrap(), whole, "{piece}");
        }
    }

    #[test]
    fn what_is_no_message_is_known_early() {
        for octets in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"DESCRIBE rtsp://h/front RTSP/1.0\n",
            b"\x16\x03\x01\x02\x00",
            b" OPTIONS * RTSP/1.0\r\n",
            b"DESCRIBE /front RTSP/1.0\r\nCSeq: 1\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        ] {
            assert_eq!(broken(octets), Some(StatusCode::BadRequest), "{octets:?}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let long = |octets: usize| {
            let mut head = b"OPTIONS rtsp://h/front RTSP/1.0\r\nCSeq: ".to_vec();
            head.resize(octets - HEAD_END.len(), b'1');
            [&head, HEAD_END].concat()
        };
        assert_eq!(read(&long(MAX_HEAD), 1000).unwrap().len(), 1);
        assert_eq!(
            broken(&long(MAX_HEAD + 1)),
            Some(StatusCode::RequestURITooLong)
        );
        assert_eq!(
            broken(&[b'A'; MAX_HEAD]),
            Some(StatusCode::RequestURITooLong)
        );
        let with_body = |length: u64, octets: usize| {
            let head = format!("SET_PARAMETER * RTSP/1.0\r\nContent-Length: {length}\r\n\r\n");
            [head.as_bytes(), &vec![b'A'; octets]].concat()
        };
        assert_eq!(read(&with_body(4096, MAX_BODY), 1000).unwrap().len(), 1);
        let too_large = Some(StatusCode::RequestMessageBodyTooLarge);
        for (length, octets) in [(4097, 4097), (4097, 0), (99_999_999_999, 0), (u64::MAX, 9)] {
            assert_eq!(broken(&with_body(length, octets)), too_large, "{length}");
        }
    }
}
