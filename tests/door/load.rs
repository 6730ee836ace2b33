//! Many viewers, of whom some stop reading: the stream by RTP and the other viewers lose nothing by it.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::support::folder::Folder;
use super::support::http::{Door, Pictures};
use super::support::program::{receive_frame, receiver, resident};
use super::support::receive::headers;

/// Viewers of each kind.
const VIEWERS: usize = 16;
/// Pictures that each of those gets who read.
const PICTURES: usize = 60;
/// More resident memory than without viewers, at most.
const MEMORY: u64 = 8 << 20;

/// A viewer that does not read what it has asked for.
fn stalled(door: &Door) -> TcpStream {
    use std::io::Write;
    let mut stream = door.connect();
    SockRef::from(&stream)
        .set_recv_buffer_size(16 << 10)
        .expect("an option");
    let request = b"GET /front/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).expect("a request");
    stream
}

/// The picture's own times, of which none is missing.
fn read(pictures: &mut Pictures) -> usize {
    (0..PICTURES)
        .filter(|_| pictures.described().is_some())
        .count()
}

#[test]
fn sixteen_who_read_and_sixteen_who_do_not() {
    let folder = Folder::new("door-load");
    let (socket, port) = receiver();
    SockRef::from(&socket)
        .set_recv_buffer_size(4 << 20)
        .expect("an option");
    let camera = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nfps = 15\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n"
    );
    let door = Door::open(&folder, &camera);
    receive_frame(&socket);
    let before = resident(door.child.id());
    let numbers = thread::spawn(move || {
        let mut numbers = Vec::new();
        for _ in 0..2 * PICTURES {
            let packets = receive_frame(&socket);
            numbers.extend(
                packets
                    .iter()
                    .map(|packet| headers(packet).0.sequence_number),
            );
        }
        numbers
    });
    let stalled: Vec<TcpStream> = (0..VIEWERS).map(|_| stalled(&door)).collect();
    let started = Instant::now();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..VIEWERS)
            .map(|_| {
                let mut pictures = door.stream("/front/stream");
                scope.spawn(move || read(&mut pictures))
            })
            .collect();
        for reader in readers {
            assert_eq!(reader.join().expect("no panic"), PICTURES);
        }
    });
    let grown = resident(door.child.id()).saturating_sub(before);
    assert!(grown < MEMORY, "{grown} octets more");
    let numbers = numbers.join().expect("no panic");
    for pair in numbers.windows(2) {
        assert_eq!(pair[1], pair[0].wrapping_add(1), "a packet is lost");
    }
    let status = door.status();
    let viewers = &status["cameras"][0]["viewers"];
    assert!(viewers["frames_skipped"].as_u64() > Some(0), "{viewers}");
    // Whoever takes nothing is ended.
    while door.status()["http"]["clients"].as_array().map(Vec::len) != Some(0) {
        assert!(started.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(200));
    }
    drop(stalled);
}
