//! A client of RTSP that sees every octet.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::http::{Door, free_port};
use super::program::LONG;
use super::receive::{headers, try_depacketize};

/// The program, whose doors for people and for players are open.
pub struct Players {
    pub door: Door,
    pub port: u16,
    /// All of the configuration but the cameras.
    doors: String,
}

impl Players {
    /// With these cameras, and `more` lines of `[rtsp]`.
    pub fn open(folder: &super::folder::Folder, cameras: &str, more: &str) -> Self {
        let port = free_port();
        let rtsp = format!("[rtsp]\nlisten = \"127.0.0.1:{port}\"\n{more}");
        let door = Door::open(folder, &format!("{cameras}\n{rtsp}"));
        let http = format!("[http]\nlisten = \"127.0.0.1:{}\"\n", door.port);
        let doors = format!("{rtsp}{http}");
        let players = Self { door, port, doors };
        let deadline = Instant::now() + LONG;
        while TcpStream::connect(players.address()).is_err() {
            assert!(Instant::now() < deadline, "no door at {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        players
    }

    /// With these cameras from now on.
    pub fn reload(&self, folder: &super::folder::Folder, cameras: &str) {
        folder.write("config.toml", format!("{cameras}\n{}", self.doors));
        self.door.signal(nix::sys::signal::Signal::SIGHUP);
    }

    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address()).expect("a connection"))
    }

    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/front", self.port)
    }

    /// A client that plays.
    pub fn play(&self) -> Client {
        let mut client = self.connect();
        client.set_up(&self.url(), "");
        let answer = client.ask("PLAY", &self.url(), "Range: npt=now-\r\n");
        assert_eq!(answer.status, 200, "{answer:?}");
        client
    }

    /// What `/api/status` says of this door.
    pub fn status(&self) -> serde_json::Value {
        self.door.status()["rtsp"].clone()
    }
}

/// One connection.
pub struct Client {
    pub stream: BufReader<TcpStream>,
    pub cseq: u32,
    /// The line that names its session, once it has one.
    pub session: String,
    /// What has come between answers.
    pub packets: Vec<(u8, Vec<u8>)>,
}

/// An answer: names of fields in lower case.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What comes on a connection.
#[derive(Debug)]
pub enum Incoming {
    Answer(Answer),
    Packet(u8, Vec<u8>),
    End,
}

impl Client {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        stream.set_nodelay(true).expect("an option");
        Self {
            stream: BufReader::new(stream),
            cseq: 0,
            session: String::new(),
            packets: Vec::new(),
        }
    }

    pub fn write(&mut self, octets: &[u8]) {
        self.stream.get_mut().write_all(octets).expect("octets");
    }

    /// Sends a request with these lines in its head; its number is the next.
    pub fn send(&mut self, method: &str, url: &str, lines: &str) {
        self.cseq += 1;
        let (cseq, session) = (self.cseq, self.session.clone());
        let head = format!("{method} {url} RTSP/1.0\r\nCSeq: {cseq}\r\n{session}{lines}\r\n");
        self.write(head.as_bytes());
    }

    /// The same, and its answer.
    pub fn ask(&mut self, method: &str, url: &str, lines: &str) -> Answer {
        self.send(method, url, lines);
        let answer = self.answer();
        let cseq = self.cseq.to_string();
        assert_eq!(answer.field("cseq"), Some(cseq.as_str()), "{answer:?}");
        answer
    }

    /// A session over this connection.
    pub fn set_up(&mut self, url: &str, lines: &str) -> Answer {
        let offer = format!("RTP/AVP/TCP;unicast;interleaved=0-1\r\n{lines}");
        self.set_up_by(url, offer.trim_end())
    }

    /// A session by what this `offer` says.
    pub fn set_up_by(&mut self, url: &str, offer: &str) -> Answer {
        let lines = format!("Transport: {offer}\r\n");
        let answer = self.ask("SETUP", &format!("{url}/trackID=0"), &lines);
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.field("session").expect("a session");
        let id = session.split(';').next().expect("an id");
        self.session = format!("Session: {id}\r\n");
        answer
    }

    /// The next answer; packets are kept.
    pub fn answer(&mut self) -> Answer {
        loop {
            match self.next() {
                Incoming::Answer(answer) => return answer,
                Incoming::Packet(channel, octets) => self.packets.push((channel, octets)),
                Incoming::End => panic!("the connection has ended"),
            }
        }
    }

    /// The next packet.
    pub fn packet(&mut self) -> (u8, Vec<u8>) {
        if !self.packets.is_empty() {
            return self.packets.remove(0);
        }
        match self.next() {
            Incoming::Packet(channel, octets) => (channel, octets),
            other => panic!("{other:?}, no packet"),
        }
    }

    /// The next whole frame on channel 0, from its first packet on; reports are put into `reports`.
    pub fn frame(&mut self, reports: &mut Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            match self.packet() {
                (0, packet) => {
                    packets.push(packet);
                    if headers(packets.last().expect("a packet")).0.marker {
                        return packets;
                    }
                }
                (1, report) => reports.push(report),
                (channel, _) => panic!("channel {channel}"),
            }
        }
    }

    /// The next picture as a JPEG file, and the numbers of its packets.
    pub fn picture(&mut self) -> (Vec<u8>, Vec<u16>) {
        let packets = self.frame(&mut Vec::new());
        let numbers = packets
            .iter()
            .map(|packet| headers(packet).0.sequence_number);
        let numbers = numbers.collect();
        (try_depacketize(&packets).expect("a picture"), numbers)
    }

    pub fn next(&mut self) -> Incoming {
        let mut first = [0];
        match self.stream.read(&mut first) {
            Ok(1) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing comes"),
            // A reset is an end.
            _ => return Incoming::End,
        }
        if first == *b"$" {
            let mut head = [0; 3];
            self.stream.read_exact(&mut head).expect("a header");
            let mut octets = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
            return match self.stream.read_exact(&mut octets) {
                Ok(()) => Incoming::Packet(head[0], octets),
                // It may end anywhere, but goes on nowhere else.
                Err(_) => Incoming::End,
            };
        }
        Incoming::Answer(self.rest_of_answer(first[0]))
    }

    fn rest_of_answer(&mut self, first: u8) -> Answer {
        let mut line = vec![first];
        self.stream.read_until(b'\n', &mut line).expect("a line");
        let line = String::from_utf8(line).expect("text");
        let status = line.strip_prefix("RTSP/1.0 ").expect("a status line");
        let mut answer = Answer {
            status: status[..3].parse().expect("a status"),
            fields: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a line");
            let line = line.strip_suffix("\r\n").expect("an end of a line");
            let Some((name, value)) = line.split_once(": ") else {
                assert!(line.is_empty(), "{line:?}");
                break;
            };
            answer
                .fields
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        if let Some(length) = answer.field("content-length") {
            answer.body = vec![0; length.parse().expect("a length")];
            self.stream.read_exact(&mut answer.body).expect("a body");
        }
        answer
    }

    /// Whether the connection ends, with nothing but packets before that.
    pub fn ends(&mut self) -> bool {
        loop {
            match self.next() {
                Incoming::End => return true,
                Incoming::Packet(..) => {}
                Incoming::Answer(_) => return false,
            }
        }
    }
}
