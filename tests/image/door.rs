//! A viewer of the door: the page, and the pictures of `/front/stream.mjpg`, each of which must be one of the camera's.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::jpeg::Picture;
use crate::studio::Film;

pub const PORT: u16 = 80;
/// The head of a part: what stands before it is a picture, but for the first, which is the head of the answer.
const HEAD: &[u8] = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n";
const LONGEST_PAUSE: Duration = Duration::from_secs(600); // under emulation, and while the camera is away
const CONNECT: Duration = Duration::from_secs(10);

/// The answer to a request for the page, from its first line on.
pub fn page(address: SocketAddr, host: &str) -> io::Result<String> {
    let mut answer = String::new();
    ask(address, host, "/")?.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Whether it is the page.
pub fn is_page(answer: &str) -> bool {
    answer.starts_with("HTTP/1.0 200 ")
        && answer.contains("content-type: text/html")
        && answer.contains("framewire")
}

/// A stream that a thread reads to its end.
pub struct Viewer(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    /// When the first one had come.
    first: Option<Instant>,
    pictures: Vec<Vec<u8>>,
}

impl Viewer {
    /// Asks for the stream now; its pictures come from then on.
    pub fn watch(address: SocketAddr, host: &str, path: &str) -> io::Result<Self> {
        let mut stream = ask(address, host, path)?;
        let head = part(&mut stream)?;
        if !head.starts_with(b"HTTP/1.0 200 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&head)));
        }
        let shown = Arc::<Mutex<Shown>>::default();
        let viewer = Self(Arc::clone(&shown));
        thread::spawn(move || {
            while let Ok(picture) = part(&mut stream) {
                let mut shown = lock(&shown);
                shown.first.get_or_insert_with(Instant::now);
                shown.pictures.push(picture);
            }
        });
        Ok(viewer)
    }

    /// So many have come.
    pub fn pictures(&self) -> usize {
        lock(&self.0).pictures.len()
    }

    pub fn first(&self) -> Option<Instant> {
        lock(&self.0).first
    }

    /// What has come, compared with what the camera has sent.
    pub fn seen(&self, films: &[Film]) -> Result<Seen, String> {
        let files = films.iter().flat_map(|film| film.iter());
        let originals: Vec<Picture> = files
            .map(|file| Picture::parse(file))
            .collect::<Result<_, _>>()?;
        let shown = lock(&self.0);
        let pictures: Vec<Picture> = shown
            .pictures
            .iter()
            .map(|file| Picture::parse(file))
            .collect::<Result<_, _>>()?;
        let size = pictures.last();
        let size = size.map(|last| format!("{}x{}", last.width, last.height));
        Ok(Seen {
            size: size.unwrap_or_default(),
            pictures: pictures.len(),
            identical: pictures
                .iter()
                .filter(|picture| originals.contains(picture))
                .count(),
            changes: pictures
                .windows(2)
                .filter(|pair| pair[0] != pair[1])
                .count(),
        })
    }
}

/// What a viewer has seen.
pub struct Seen {
    /// Of the last picture.
    pub size: String,
    pub pictures: usize,
    pub identical: usize,
    /// Pictures that were not like the one before: it moves.
    pub changes: usize,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "size={} pictures={} identical={} changes={}",
            self.size, self.pictures, self.identical, self.changes
        )
    }
}

/// The octets up to the head of the next part.
fn part(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    while !octets.ends_with(HEAD) {
        if stream.read_until(b'\n', &mut octets)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    octets.truncate(octets.len() - HEAD.len());
    Ok(octets)
}

fn ask(address: SocketAddr, host: &str, path: &str) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(LONGEST_PAUSE))?;
    // In one packet; by HTTP/1.0 no answer comes in chunks.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    Ok(BufReader::new(stream))
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().expect("a lock of the viewer")
}
