//! Paths that are narrower than the configured MTU: packets become smaller, and none is cut into fragments.
//! RFC 1191, RFC 8201.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::namespace::{Namespace, await_route, cable};
use crate::process::poll_until;
use crate::receiver::{Receiver, arrived_and_missing};
use crate::sender::{Folder, Sender};
use crate::support::frames::Picture;

/// For so many frames to arrive.
const LIMIT: Duration = Duration::from_secs(15);
const SOME: usize = 20;
/// Octets of an IP packet: as configured by default, and the most that the narrow link takes.
const WIDE: usize = 1400;
const NARROW: usize = 1300;
/// Octets of an IP and a UDP header.
const HEADERS_V4: usize = 28;
const HEADERS_V6: usize = 48;

/// A sender that reaches a receiver through a router.
struct Network {
    sender: Namespace,
    router: Namespace,
    receiver: Namespace,
}

impl Network {
    fn new() -> Self {
        let [sender, router, receiver] = ["sender", "router", "receiver"].map(Namespace::new);
        cable(
            (&sender, "out", &["10.0.1.2/24", "fd00:1::2/64"]),
            (&router, "near", &["10.0.1.1/24", "fd00:1::1/64"]),
        );
        cable(
            (&router, "far", &["10.0.2.1/24", "fd00:2::1/64"]),
            (&receiver, "in", &["10.0.2.2/24", "fd00:2::2/64"]),
        );
        for (namespace, gateway) in [(&sender, "1"), (&receiver, "2")] {
            namespace.ip(&format!("route add default via 10.0.{gateway}.1"));
            namespace.ip(&format!("-6 route add default via fd00:{gateway}::1"));
        }
        router.sysctl("ipv4/ip_forward", "1");
        router.sysctl("ipv6/conf/all/forwarding", "1");
        for address in ["10.0.2.2", "fd00:2::2"] {
            await_route(&sender, &receiver, address);
        }
        Self {
            sender,
            router,
            receiver,
        }
    }

    /// A camera that sends large frames to `destination`.
    fn start(&self, test: &str, destination: &str) -> (Folder, Sender) {
        let folder = Folder::new(test);
        folder.write_frame(&Picture::DEFAULT.encode());
        let output = format!("[[camera.rtp]]\ndestination = \"{destination}\"\n");
        let sender = Sender::start(&self.sender, &folder, &output, &[]);
        (folder, sender)
    }

    /// Packets that were cut, and pieces that were put together again, by anybody.
    fn fragments(&self) -> u64 {
        [&self.sender, &self.router, &self.receiver]
            .map(|namespace| {
                let read = |file: &str| fs::read_to_string(file).expect("the kernel counts");
                // Of the thread's network, not of the process'.
                let (v4, v6) = namespace.enter(|| {
                    let folder = "/proc/thread-self/net";
                    (
                        read(&format!("{folder}/snmp")),
                        read(&format!("{folder}/snmp6")),
                    )
                });
                count_v4(&v4, "FragCreates")
                    + count_v4(&v4, "ReasmReqds")
                    + count_v6(&v6, "Ip6FragCreates")
                    + count_v6(&v6, "Ip6ReasmReqds")
            })
            .iter()
            .sum()
    }
}

/// A counter of /proc/net/snmp: a line with names, then one with values.
fn count_v4(text: &str, name: &str) -> u64 {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("Ip:"))
        .collect();
    let [names, values] = lines[..] else {
        panic!("two lines: {text}")
    };
    let mut pairs = names.split(' ').zip(values.split(' '));
    let value = pairs.find(|(known, _)| *known == name);
    value.expect("it is counted").1.parse().expect("a number")
}

/// A counter of /proc/net/snmp6: a line for each.
fn count_v6(text: &str, name: &str) -> u64 {
    let mut words = text.lines().map(|line| line.split_whitespace());
    let value = words.find_map(|mut words| (words.next() == Some(name)).then(|| words.next()));
    value
        .flatten()
        .expect("it is counted")
        .parse()
        .expect("a number")
}

/// Some more frames have to come, the last of them in packets of `octets` of UDP payload.
fn expect_frames(receiver: &Receiver, octets: usize, sender: &mut Sender) {
    let before = receiver.frames();
    let mut longest = None;
    let arrived = poll_until(LIMIT, || {
        let packets = receiver.packets();
        let mut last = packets.rsplitn(3, |packet| packet.marker);
        longest = last
            .nth(1)
            .and_then(|frame| frame.iter().map(|packet| packet.octets).max());
        (receiver.frames() >= before + SOME && longest == Some(octets)).then_some(())
    });
    assert!(
        arrived.is_some(),
        "{} frames, {before} before, the last in packets of {longest:?}\n{}",
        receiver.frames(),
        sender.process().stderr()
    );
}

/// Frames after the first have come whole, in packets of no more than `octets`; those before are the ones from which the
/// sender has learnt. Some must have.
fn expect_whole(receiver: Receiver, octets: usize, learnt_from: usize) {
    let packets = receiver.finish();
    let mut markers = packets
        .iter()
        .enumerate()
        .filter(|(_, packet)| packet.marker);
    let (begin, _) = markers.nth(learnt_from).expect("some frames");
    let (arrived, missing) = arrived_and_missing(&packets[begin..]);
    assert_eq!(missing, 0, "of {arrived}");
    let longest = packets.iter().map(|packet| packet.octets).max();
    assert_eq!(longest, Some(octets));
}

#[test]
fn a_router_that_says_so_gets_smaller_packets() {
    let network = Network::new();
    network.router.ip(&format!("link set far mtu {NARROW}"));
    network.receiver.ip(&format!("link set in mtu {NARROW}"));
    for (address, headers) in [("10.0.2.2", HEADERS_V4), ("[fd00:2::2]", HEADERS_V6)] {
        let destination = format!("{address}:5004");
        let receiver = Receiver::bind(&network.receiver, &destination);
        let (_folder, mut sender) = network.start("router-mtu", &destination);
        expect_frames(&receiver, NARROW - headers, &mut sender);
        let log = sender.process().stderr();
        let said = format!("the path takes packets of {NARROW} octets, not {WIDE}");
        assert_eq!(log.matches(&said).count(), 1, "{log}");
        assert!(!log.contains("offload does not work"), "{log}");
        let report = sender.stop();
        let output = &report["outputs"][0];
        // The answer to the first frame meets the second.
        assert_eq!(output["frames_failed"], 1, "{report}");
        assert_eq!(output["frames_skipped"], 0, "{report}");
        assert_eq!(output["problem"], Value::Null, "{report}");
        expect_whole(receiver, NARROW - headers, 1);
    }
    assert_eq!(network.fragments(), 0);
}

#[test]
fn a_narrow_device_is_known_from_the_start_and_its_growth_is_noticed() {
    let network = Network::new();
    network.sender.ip(&format!("link set out mtu {NARROW}"));
    for (address, headers) in [("10.0.2.2", HEADERS_V4), ("[fd00:2::2]", HEADERS_V6)] {
        let destination = format!("{address}:5004");
        let receiver = Receiver::bind(&network.receiver, &destination);
        let (_folder, mut sender) = network.start("device-mtu", &destination);
        expect_frames(&receiver, NARROW - headers, &mut sender);
        network.sender.ip("link set out mtu 1500");
        expect_frames(&receiver, WIDE - headers, &mut sender);
        network.sender.ip(&format!("link set out mtu {NARROW}"));
        expect_frames(&receiver, NARROW - headers, &mut sender);
        let report = sender.stop();
        let output = &report["outputs"][0];
        // The frame that meets the narrow device, at most.
        assert!(output["frames_failed"].as_u64() <= Some(1), "{report}");
        assert_eq!(output["frames_skipped"], 0, "{report}");
        drop(receiver);
    }
    assert_eq!(network.fragments(), 0);
}

/// The counters count: a ping that is too large is cut.
#[test]
fn fragments_are_noticed() {
    let network = Network::new();
    let from = network
        .sender
        .enter(|| std::net::UdpSocket::bind("10.0.1.2:0").expect("a port"));
    from.send_to(&[0; 4000], "10.0.2.2:5004")
        .expect("it is sent in fragments");
    let noticed = poll_until(LIMIT, || (network.fragments() > 0).then_some(()));
    assert!(noticed.is_some());
}
