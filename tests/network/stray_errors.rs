//! ICMP errors that nobody who knows the destination has sent.
//! RFC 792, RFC 5927 (forged ones).

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};

use crate::namespace::{Namespace, await_route, cable};
use crate::process::poll_until;
use crate::receiver::{Receiver, arrived_and_missing};
use crate::sender::{Folder, Sender, small_frame};

/// For frames to arrive, and for a line of the log to come.
const LIMIT: Duration = Duration::from_secs(15);
/// The stream's ports.
const FROM: u16 = 5010;
const TO: u16 = 5004;
/// What an ICMP message says: type and code.
const HOST_UNREACHABLE: [u8; 2] = [3, 1];
const PORT_UNREACHABLE: [u8; 2] = [3, 3];

/// An ICMP message about a packet from 10.0.1.1 to 10.0.1.2 with the stream's ports.
fn message(kind: [u8; 2]) -> Vec<u8> {
    let mut octets = kind.to_vec();
    // Checksum, and four octets that mean nothing here.
    octets.extend([0; 6]);
    // The packet: IPv4 header, UDP header.
    octets.extend([0x45, 0, 0, 200, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    octets.extend([10, 0, 1, 1, 10, 0, 1, 2]);
    octets.extend(FROM.to_be_bytes());
    octets.extend(TO.to_be_bytes());
    octets.extend([0, 180, 0, 0]);
    let words = octets.chunks(2);
    let sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !u16::try_from(folded).expect("one carry at most");
    octets[2..4].copy_from_slice(&checksum.to_be_bytes());
    octets
}

#[test]
fn a_forged_error_costs_no_frame() {
    let [sender, receiver] = ["sender", "receiver"].map(Namespace::new);
    cable(
        (&sender, "out", &["10.0.1.1/24"]),
        (&receiver, "in", &["10.0.1.2/24", "10.0.1.9/24"]),
    );
    await_route(&sender, &receiver, "10.0.1.2");
    let forger = receiver.enter(|| {
        let kind = Type::from(libc::SOCK_RAW);
        Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4)).expect("root may")
    });
    let from: SocketAddr = "10.0.1.9:0".parse().expect("an address");
    forger.bind(&from.into()).expect("an address of this host");
    let viewer = Receiver::bind(&receiver, &format!("10.0.1.2:{TO}"));
    let folder = Folder::new("forged");
    folder.write_frame(&small_frame());
    let output = format!("[[camera.rtp]]\ndestination = \"10.0.1.2:{TO}\"\nlocal-port = {FROM}\n");
    let mut stream = Sender::start(&sender, &folder, &output, &[]);
    let begun = poll_until(LIMIT, || (viewer.frames() > 5).then_some(()));
    assert!(begun.is_some(), "{}", stream.process().stderr());
    let victim: SocketAddr = "10.0.1.1:0".parse().expect("an address");
    for (kind, errno) in [
        (HOST_UNREACHABLE, "EHOSTUNREACH"),
        (PORT_UNREACHABLE, "ECONNREFUSED"),
    ] {
        let sent = forger.send_to(&message(kind), &victim.into());
        sent.expect("a forged message is sent");
        // It has reached the stream's socket.
        let met = poll_until(LIMIT, || {
            stream.process().stderr().contains(errno).then_some(())
        });
        assert!(met.is_some(), "{errno}: {}", stream.process().stderr());
    }
    thread::sleep(Duration::from_millis(500));
    let report = stream.stop();
    let output = &report["outputs"][0];
    assert_eq!(output["frames_failed"], 0, "{report}");
    assert_eq!(output["frames_skipped"], 0, "{report}");
    let (arrived, missing) = arrived_and_missing(&viewer.finish());
    assert_eq!((missing, &output["packets_sent"]), (0, &arrived.into()));
}
