//! Those who read answers by HTTP: what comes is counted.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub const PORT: u16 = 8080;
/// Nothing that is waited for takes so long.
const LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);
const BUFFER: usize = 256 * 1024; // octets

/// Readers of one answer without end, each over a connection of its own; they end with the answer.
pub struct Readers(Vec<Arc<AtomicU64>>);

impl Readers {
    /// So many, of `path`.
    pub fn start(path: &str, count: usize) -> io::Result<Self> {
        (0..count)
            .map(|_| {
                let mut stream = ask(path, "1.1")?;
                let octets = Arc::new(AtomicU64::new(0));
                let counter = octets.clone();
                thread::spawn(move || {
                    let mut buffer = vec![0; BUFFER];
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        counter.fetch_add(read as u64, Ordering::Relaxed);
                    }
                });
                Ok(octets)
            })
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Octets that each has had.
    pub fn octets(&self) -> Vec<u64> {
        let octets = self.0.iter();
        octets.map(|each| each.load(Ordering::Relaxed)).collect()
    }
}

/// The connection over which the answer to GET `path` comes, when there is somebody who answers.
/// With HTTP/1.0 it is not in chunks.
pub fn ask(path: &str, version: &str) -> io::Result<TcpStream> {
    let deadline = Instant::now() + LIMIT;
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", PORT)) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(POLL),
        }
    };
    let host = format!("127.0.0.1:{PORT}");
    write!(stream, "GET {path} HTTP/{version}\r\nHost: {host}\r\n\r\n")?;
    Ok(stream)
}

/// The first picture of an answer to `ask` whose parts say their length.
pub fn first_picture(answer: TcpStream) -> io::Result<Vec<u8>> {
    let mut answer = BufReader::new(answer);
    let mut line = String::new();
    let mut length = None;
    // The head of the answer, and that of the first part: of what is said in both the later word counts.
    let mut heads = 2;
    while heads > 0 {
        line.clear();
        if answer.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok();
            }
            None if line.trim_end().is_empty() => heads -= 1,
            _ => {}
        }
    }
    let mut picture = vec![0; length.unwrap_or(0)];
    answer.read_exact(&mut picture)?;
    Ok(picture)
}

/// What an answer that has an end carries.
pub fn body(mut answer: TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    answer.read_to_end(&mut all)?;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(all.split_off(end + 4))
}
