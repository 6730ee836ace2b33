//! Many players, of whom some stop reading: the stream by RTP and the other players lose nothing by it.

use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::datagrams::{Ports, number, plays, set_up};
use super::support::folder::Folder;
use super::support::program::{receive_frame, receiver, resident};
use super::support::receive::headers;
use super::support::rtsp::{Client, Players};

/// Players of each kind.
const PLAYERS: usize = 16;
/// Pictures that each of those gets who read.
const PICTURES: usize = 45;
/// More resident memory than without players, at most.
const MEMORY: u64 = 8 << 20;
/// Ticks of the RTP clock between two pictures of 15 a second, and half of that more.
const LONGEST: u32 = 90_000 / 15 * 3 / 2;

/// That these are packets of one stream, and none is missing.
fn expect_all(packets: &[Vec<u8>]) {
    for pair in packets.windows(2) {
        let expected = number(&pair[0]).wrapping_add(1);
        assert_eq!(number(&pair[1]), expected, "a packet is lost");
        let time = |packet: &[u8]| headers(packet).0.timestamp;
        let ticks = time(&pair[1]).wrapping_sub(time(&pair[0]));
        assert!(ticks <= LONGEST, "a picture is missing: {ticks} ticks");
    }
}

/// One that plays over its connection and does not read.
fn stalled(players: &Players) -> Client {
    let client = players.connect();
    SockRef::from(client.stream.get_ref())
        .set_recv_buffer_size(16 << 10)
        .expect("an option");
    let mut client = client;
    client.set_up(&players.url(), "");
    client.send("PLAY", &players.url(), "");
    client
}

fn by_udp(players: &Players) -> (Client, Ports) {
    let (mut client, ports) = (players.connect(), Ports::new());
    SockRef::from(&ports.rtp)
        .set_recv_buffer_size(2 << 20)
        .expect("an option");
    set_up(&mut client, players, &ports);
    plays(&mut client, players);
    (client, ports)
}

#[test]
fn sixteen_of_each_kind_and_sixteen_who_do_not_read() {
    let folder = Folder::new("rtsp-load");
    let (socket, port) = receiver();
    SockRef::from(&socket)
        .set_recv_buffer_size(4 << 20)
        .expect("an option");
    let camera = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nfps = 15\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n"
    );
    let players = Players::open(&folder, &camera, "max-clients = 48\n");
    receive_frame(&socket);
    let before = resident(players.door.child.id());
    let output = thread::spawn(move || {
        let packets = (0..2 * PICTURES).flat_map(|_| receive_frame(&socket));
        packets.collect::<Vec<_>>()
    });
    let stalled: Vec<Client> = (0..PLAYERS).map(|_| stalled(&players)).collect();
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            let (_client, ports) = by_udp(&players);
            scope.spawn(move || {
                let _client = _client;
                let packets = (0..PICTURES).flat_map(|_| ports.frame());
                expect_all(&packets.collect::<Vec<_>>());
            });
            let mut client = players.play();
            scope.spawn(move || {
                let packets = (0..PICTURES).flat_map(|_| client.frame(&mut Vec::new()));
                expect_all(&packets.collect::<Vec<_>>());
            });
        }
    });
    let grown = resident(players.door.child.id()).saturating_sub(before);
    assert!(grown < MEMORY, "{grown} octets more");
    expect_all(&output.join().expect("no panic"));
    // Whoever takes nothing is ended, and whoever is gone is not sent to.
    while players.status()["sessions"] != 0 {
        assert!(started.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(200));
    }
    drop(stalled);
}
