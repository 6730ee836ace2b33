//! A reader of HTTP/1.1 that sees every octet, and the program with its door open.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::folder::Folder;
use super::program::{LONG, command, send};

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    listener.local_addr().expect("an address").port()
}

/// The program, whose door is open.
pub struct Door {
    pub child: Child,
    pub port: u16,
}

impl Door {
    /// With these cameras; waits until it is open. Its log goes to the test's own.
    pub fn open(folder: &Folder, cameras: &str) -> Self {
        let port = free_port();
        let config = format!("{cameras}\n[http]\nlisten = \"127.0.0.1:{port}\"\n");
        let config = folder.write("config.toml", config);
        Self::start(&["run", "--config", &config], port)
    }

    /// By these arguments.
    pub fn start(arguments: &[&str], port: u16) -> Self {
        let mut command = command(arguments);
        let child = command.stdout(Stdio::null()).spawn();
        let door = Self {
            child: child.expect("framewire starts"),
            port,
        };
        let deadline = Instant::now() + LONG;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "no door at {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        door
    }

    /// A connection to it.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        stream
    }

    /// The answer to GET `target`.
    pub fn get(&self, target: &str) -> Answer {
        self.ask(&format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    /// The answer to these octets, up to the end of the connection.
    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = Answer::begin(stream);
        let body = &mut answer.body;
        answer.rest.read_to_end(body).expect("an answer in time");
        answer
    }

    /// Begins to read the pictures at `target`.
    pub fn stream(&self, target: &str) -> Pictures {
        let mut stream = self.connect();
        let request = format!("GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let answer = Answer::begin(stream);
        assert_eq!(answer.status, 200, "{:?}", answer.head);
        Pictures { answer }
    }

    /// `/api/status`.
    pub fn status(&self) -> Value {
        let answer = self.get("/api/status");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Waits until the first camera is in this `state`.
    pub fn waits_for(&self, state: &str) {
        let deadline = Instant::now() + LONG;
        loop {
            let status = self.status();
            let now = status["cameras"][0]["state"].as_str().unwrap_or_default();
            if now.starts_with(state) {
                return;
            }
            assert!(Instant::now() < deadline, "{now}, not {state}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn signal(&self, signal: Signal) {
        send(signal, &self.child);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Names in lower case, and values.
pub type Fields = Vec<(String, String)>;

/// An answer, read as far as its head.
pub struct Answer {
    pub status: u16,
    pub head: Fields,
    pub body: Vec<u8>,
    pub rest: BufReader<TcpStream>,
}

impl Answer {
    /// Reads the head of the next answer.
    pub fn begin(stream: TcpStream) -> Self {
        Self::next(BufReader::new(stream))
    }

    pub fn next(mut rest: BufReader<TcpStream>) -> Self {
        let line = line(&mut rest);
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let head = fields(&mut rest);
        Self {
            status,
            head,
            body: Vec::new(),
            rest,
        }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.iter();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line in time");
    line.trim_end().to_owned()
}

fn fields(reader: &mut impl BufRead) -> Fields {
    let mut fields = Vec::new();
    loop {
        let line = line(reader);
        match line.split_once(": ") {
            Some((name, value)) => fields.push((name.to_ascii_lowercase(), value.to_owned())),
            None => return fields,
        }
    }
}

/// An answer that is pictures without end.
pub struct Pictures {
    pub answer: Answer,
}

impl Pictures {
    /// The next picture with what its head says, in the form with lengths.
    pub fn described(&mut self) -> Option<(Fields, Vec<u8>)> {
        let reader = &mut self.answer.rest;
        let boundary = line(reader);
        if boundary.is_empty() {
            return None;
        }
        assert_eq!(boundary, "--frame");
        let head = fields(reader);
        let length = head.iter().find(|(name, _)| name == "content-length");
        let length = length.expect("a length").1.parse().expect("a number");
        let mut picture = vec![0; length];
        reader.read_exact(&mut picture).expect("a picture");
        assert_eq!(line(reader), "");
        Some((head, picture))
    }

    /// The next picture in the form without them: it ends where the next head has come.
    pub fn advanced(&mut self) -> Vec<u8> {
        let reader = &mut self.answer.rest;
        let mut octets = Vec::new();
        let deadline = Instant::now() + LONG;
        while !octets.ends_with(HEAD) {
            assert!(Instant::now() < deadline, "no head behind a picture");
            let mut octet = [0];
            reader.read_exact(&mut octet).expect("octets in time");
            octets.push(octet[0]);
        }
        octets.truncate(octets.len() - HEAD.len());
        octets
    }
}

/// The head of a part that says nothing of its picture.
pub const HEAD: &[u8] = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n";
