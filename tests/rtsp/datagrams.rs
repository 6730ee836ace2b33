//! A stream by UDP: from the camera's own thread, to whoever has asked and to nobody else.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use framewire::rtp::rtcp::ReceptionReport;

use super::DEMO;
use super::support::folder::Folder;
use super::support::frames::Picture;
use super::support::program::LONG;
use super::support::receive::{headers, pixels, try_depacketize};
use super::support::rtsp::{Answer, Client, Players};

/// Packet type of a BYE (RFC 3550 12.1).
const BYE: u8 = 203;

/// A client's pair of ports.
pub struct Ports {
    pub rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Ports {
    pub fn new() -> Self {
        loop {
            let rtp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let above = rtp.local_addr().expect("an address").port() + 1;
            if let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", above)) {
                for socket in [&rtp, &rtcp] {
                    socket.set_read_timeout(Some(LONG)).expect("a time-out");
                }
                return Self { rtp, rtcp };
            }
        }
    }

    fn port(&self) -> u16 {
        self.rtp.local_addr().expect("an address").port()
    }

    fn offer(&self) -> String {
        let port = self.port();
        format!(
            "RTP/AVP;unicast;destination=192.0.2.1;client_port={port}-{}",
            port + 1
        )
    }

    /// The next packet and the port that it comes from.
    fn packet(&self) -> (u16, Vec<u8>) {
        receive(&self.rtp).expect("a packet")
    }

    /// The next report.
    fn report(&self) -> (u16, Vec<u8>) {
        receive(&self.rtcp).expect("a report")
    }

    /// The packets of the next whole frame.
    pub fn frame(&self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            packets.push(self.packet().1);
            if headers(packets.last().expect("a packet")).0.marker {
                return packets;
            }
        }
    }

    /// Takes what has come, until nothing comes any more; whether the last report says good-bye.
    fn runs_dry(&self) -> bool {
        let pause = Some(Duration::from_millis(300));
        for socket in [&self.rtp, &self.rtcp] {
            socket.set_read_timeout(pause).expect("a time-out");
        }
        while receive(&self.rtp).is_some() {}
        let mut ends = false;
        while let Some((_, octets)) = receive(&self.rtcp) {
            ends = octets[..octets.len() - 4].ends_with(&[0x81, BYE, 0, 1]);
        }
        for socket in [&self.rtp, &self.rtcp] {
            socket.set_read_timeout(Some(LONG)).expect("a time-out");
        }
        ends
    }
}

fn receive(socket: &UdpSocket) -> Option<(u16, Vec<u8>)> {
    let mut octets = [0; 2048];
    match socket.recv_from(&mut octets) {
        Ok((length, source)) => Some((source.port(), octets[..length].to_vec())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

/// Sets a stream to `ports` up; the port that it is to come from, and its source.
pub fn set_up(client: &mut Client, players: &Players, ports: &Ports) -> (u16, u32) {
    let answer = client.set_up_by(&players.url(), &ports.offer());
    let transport = answer.field("transport").expect("a transport");
    let part = |name: &str| {
        let mut parts = transport.split(';');
        parts.find_map(|part| part.strip_prefix(name)).expect(name)
    };
    assert!(transport.starts_with("RTP/AVP;unicast;") && !transport.contains("destination"));
    let (port, above) = part("server_port=").split_once('-').expect("two ports");
    let (port, above): (u16, u16) = (port.parse().unwrap(), above.parse().unwrap());
    assert_eq!((port % 2, above), (0, port + 1));
    (
        port,
        u32::from_str_radix(part("ssrc="), 16).expect("a source"),
    )
}

pub fn plays(client: &mut Client, players: &Players) -> Answer {
    let answer = client.ask("PLAY", &players.url(), "Range: npt=0.000-\r\n");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

pub fn number(packet: &[u8]) -> u16 {
    headers(packet).0.sequence_number
}

#[test]
fn a_stream_comes_from_the_ports_that_were_told_and_is_whole() {
    let folder = Folder::new("rtsp-udp");
    let jpeg = Picture::DEFAULT.encode();
    let file = folder.write("camera.jpg", jpeg.clone());
    let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{file}\"\nfps = 30\n");
    let players = Players::open(&folder, &camera, "");
    let (mut client, ports) = (players.connect(), Ports::new());
    let (server, ssrc) = set_up(&mut client, &players, &ports);
    // As players open the way through a router; nothing follows where it comes from.
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for (socket, port) in [
        (&ports.rtp, server),
        (&ports.rtcp, server + 1),
        (&stranger, server),
    ] {
        socket
            .send_to(&[0x80; 12], ("127.0.0.1", port))
            .expect("sent");
    }
    plays(&mut client, &players);
    let mut packets = Vec::new();
    for _ in 0..5 {
        let frame = ports.frame();
        let shown = try_depacketize(&frame).expect("a picture");
        assert!(pixels(&shown) == pixels(&jpeg), "other pixels");
        packets.extend(frame);
    }
    let (source, packet) = ports.packet();
    assert_eq!((source, headers(&packet).0.ssrc), (server, ssrc));
    let numbers: Vec<u16> = packets.iter().map(|packet| number(packet)).collect();
    let follow = |pair: &[u16]| pair[1] == pair[0].wrapping_add(1);
    assert!(numbers.windows(2).all(follow));
    let (source, report) = ports.report();
    assert_eq!((source, report[1]), (server + 1, 200));
    assert_eq!(report[4..8], ssrc.to_be_bytes());
    stranger.set_nonblocking(true).expect("an option");
    assert!(receive(&stranger).is_none());

    let status = players.door.status();
    let session = &status["cameras"][0]["sessions"][0];
    let address = format!("127.0.0.1:{}", ports.port());
    assert_eq!(session["destination"], address);
    assert!(status["rtsp"]["clients"][0]["frames_sent"].as_u64() >= Some(5));
    assert_eq!(client.ask("TEARDOWN", &players.url(), "").status, 200);
    assert!(ports.runs_dry(), "no good-bye");
    assert_eq!(players.status()["sessions"], 0);
}

#[test]
fn a_pause_takes_no_number_and_says_no_goodbye() {
    let folder = Folder::new("rtsp-udp-pause");
    let players = Players::open(&folder, DEMO, "");
    let (mut client, ports) = (players.connect(), Ports::new());
    let (server, ssrc) = set_up(&mut client, &players, &ports);
    plays(&mut client, &players);
    let first = number(&ports.frame()[0]);
    assert_eq!(client.ask("PAUSE", &players.url(), "").status, 200);
    assert!(!ports.runs_dry());
    plays(&mut client, &players);
    let (source, packet) = ports.packet();
    assert_eq!((source, headers(&packet).0.ssrc), (server, ssrc));
    let passed = number(&packet).wrapping_sub(first);
    assert!((1..2000).contains(&passed), "{passed}");
    // A client that only goes away is not sent to any more.
    drop(client);
    assert!(ports.runs_dry(), "no good-bye");
}

#[test]
fn a_stream_stays_over_a_reload_and_ends_with_its_camera() {
    let folder = Folder::new("rtsp-udp-reload");
    let players = Players::open(&folder, DEMO, "");
    let (mut client, ports) = (players.connect(), Ports::new());
    let (_, ssrc) = set_up(&mut client, &players, &ports);
    plays(&mut client, &players);
    let before = number(&ports.frame()[0]);
    let receiver = Ports::new();
    let output = format!(
        "[[camera.rtp]]\ndestination = \"127.0.0.1:{}\"\n",
        receiver.port()
    );
    players.reload(&folder, &(DEMO.to_owned() + &output));
    receiver.frame();
    let packet = ports.packet().1;
    assert_eq!(headers(&packet).0.ssrc, ssrc);
    assert!(number(&packet).wrapping_sub(before) < 10_000);
    players.reload(&folder, DEMO.replace("front", "rear").as_str());
    assert!(client.ends());
    assert!(ports.runs_dry(), "no good-bye");
}

#[test]
fn reports_are_signs_of_life_and_are_counted() {
    let folder = Folder::new("rtsp-udp-reports");
    let players = Players::open(&folder, DEMO, "");
    let (mut client, ports) = (players.connect(), Ports::new());
    let (server, ssrc) = set_up(&mut client, &players, &ports);
    plays(&mut client, &players);
    ports.report();
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
    report.extend(ssrc.to_be_bytes());
    report.extend([0; 20]);
    assert!(ReceptionReport::parse(&report, ssrc).is_ok());
    let to = ("127.0.0.1", server + 1);
    ports.rtcp.send_to(&report, to).expect("sent");
    let receivers = || {
        let status = players.door.status();
        status["cameras"][0]["sessions"][0]["receivers"]
            .as_array()
            .map(Vec::len)
    };
    while receivers() != Some(1) {
        thread::sleep(Duration::from_millis(50));
    }
    // Looked after for some rounds.
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(players.status()["sessions"], 1);
    ports.frame();
}

#[test]
fn there_is_room_for_so_many_only() {
    let folder = Folder::new("rtsp-udp-many");
    let players = Players::open(&folder, DEMO, "max-clients = 64\n");
    let all: Vec<(Client, Ports, u16)> = (0..33)
        .map(|_| {
            let (mut client, ports) = (players.connect(), Ports::new());
            set_up(&mut client, &players, &ports);
            let answer = client.ask("PLAY", &players.url(), "");
            (client, ports, answer.status)
        })
        .collect();
    let statuses: Vec<u16> = all.iter().map(|(_, _, status)| *status).collect();
    assert!(statuses[..32].iter().all(|&status| status == 200));
    assert_eq!(statuses[32], 453);
    all[31].1.frame();
}
