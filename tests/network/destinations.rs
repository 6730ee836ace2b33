//! Destinations of every kind, and destinations that go away and come back while another loses nothing.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::namespace::{Namespace, await_route, cable};
use crate::process::poll_until;
use crate::receiver::{Packet, Receiver, arrived_and_missing};
use crate::sender::{Folder, Sender, small_frame};
use crate::support::frames::Picture;

/// For a stream to begin, or to begin again: the waits between tries double up to what a test leaves it broken.
const BEGIN_LIMIT: Duration = Duration::from_secs(15);
/// For so many frames after that.
const SOME: usize = 15;
/// How long a destination stays away.
const AWAY: Duration = Duration::from_millis(800);
/// For a limited run to end.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// A sender that reaches one receiver directly and another through a router.
struct Network {
    sender: Namespace,
    router: Namespace,
    receiver: Namespace,
    neighbour: Namespace,
}

impl Network {
    fn new() -> Self {
        let [sender, router, receiver, neighbour] =
            ["sender", "router", "receiver", "neighbour"].map(Namespace::new);
        cable(
            (&sender, "far", &["10.0.1.2/24", "fd00:1::2/64"]),
            (&router, "in", &["10.0.1.1/24", "fd00:1::1/64"]),
        );
        cable(
            (&router, "out", &["10.0.2.1/24", "fd00:2::1/64"]),
            (
                &receiver,
                "in",
                &["10.0.2.2/24", "10.0.2.3/24", "fd00:2::2/64"],
            ),
        );
        cable(
            (&sender, "near", &["10.0.3.1/24", "fd00:3::1/64"]),
            (&neighbour, "in", &["10.0.3.2/24", "fd00:3::2/64"]),
        );
        for (namespace, gateway) in [(&sender, "1"), (&receiver, "2")] {
            namespace.ip(&format!("route add default via 10.0.{gateway}.1"));
            namespace.ip(&format!("-6 route add default via fd00:{gateway}::1"));
        }
        router.sysctl("ipv4/ip_forward", "1");
        router.sysctl("ipv6/conf/all/forwarding", "1");
        for address in ["10.0.2.2", "10.0.2.3", "fd00:2::2"] {
            await_route(&sender, &receiver, address);
        }
        for address in ["10.0.3.2", "fd00:3::2"] {
            await_route(&sender, &neighbour, address);
        }
        Self {
            sender,
            router,
            receiver,
            neighbour,
        }
    }

    /// Starts a camera that sends to `destination` (and what else its table says) and to the neighbour.
    fn start(&self, test: &str, destination: &str) -> Stream<'_> {
        self.start_with(&small_frame(), test, destination)
    }

    fn start_with(&self, frame: &[u8], test: &str, destination: &str) -> Stream<'_> {
        let witness = Receiver::bind(&self.neighbour, "10.0.3.2:5004");
        let folder = Folder::new(test);
        folder.write_frame(frame);
        let outputs = format!(
            "[[camera.rtp]]\ndestination = {destination}\n\
             [[camera.rtp]]\ndestination = \"10.0.3.2:5004\"\n"
        );
        Stream {
            network: self,
            sender: Sender::start(&self.sender, &folder, &outputs, &[]),
            witness,
            _folder: folder,
        }
    }
}

/// A running camera with two destinations.
struct Stream<'a> {
    network: &'a Network,
    sender: Sender,
    witness: Receiver,
    _folder: Folder,
}

impl Stream<'_> {
    /// Some more frames have to reach `receiver`.
    fn expect_frames(&mut self, receiver: &Receiver) {
        let before = receiver.frames();
        let arrived = poll_until(BEGIN_LIMIT, || {
            (receiver.frames() >= before + SOME).then_some(())
        });
        assert!(
            arrived.is_some(),
            "{} frames after {BEGIN_LIMIT:?}, {before} before\n{}",
            receiver.frames(),
            self.sender.process().stderr()
        );
    }

    /// The first destination is away for a while: nothing arrives, then something again.
    fn interrupt(&mut self, receiver: &Receiver, away: impl Fn(&Network), back: impl Fn(&Network)) {
        self.expect_frames(receiver);
        away(self.network);
        std::thread::sleep(AWAY);
        let witnessed = self.witness.frames();
        let before = receiver.frames();
        std::thread::sleep(AWAY);
        assert_eq!(receiver.frames(), before, "it is not away");
        assert!(self.witness.frames() > witnessed, "the other stands still");
        back(self.network);
        self.expect_frames(receiver);
    }

    /// Ends it. The other destination has all that was sent; the first has failed at least once, has been left
    /// alone, and is well now. Returns what framewire logged.
    fn finish(mut self) -> String {
        let log = self.sender.process().stderr();
        let report = self.sender.stop();
        let output = &report["outputs"][0];
        assert_eq!(output["problem"], Value::Null, "{report}");
        assert!(output["frames_failed"].as_u64() >= Some(1), "{report}");
        assert!(output["frames_skipped"].as_u64() >= Some(1), "{report}");
        let witnessed = self.witness.finish();
        expect_all(&witnessed, &report["outputs"][1]);
        assert_eq!(report["frames_sent"], report["outputs"][1]["frames_sent"]);
        log
    }
}

/// Demands that everything that `output` counts has arrived, and that it failed never.
fn expect_all(packets: &[Packet], output: &Value) {
    let (arrived, missing) = arrived_and_missing(packets);
    assert_eq!(missing, 0, "{output}");
    assert_eq!(output["packets_sent"], arrived, "{output}");
    assert_eq!(output["frames_failed"], 0, "{output}");
}

#[test]
fn class_hops_and_interface_are_as_configured() {
    const FRAMES: usize = 10;
    let network = Network::new();
    let Network {
        sender,
        receiver,
        neighbour,
        ..
    } = &network;
    // The routes say the other way, which shows that `interface` does.
    sender.ip("route add 224.0.0.0/4 dev far");
    neighbour.ip("route add 224.0.0.0/4 dev in");
    let receivers = [
        Receiver::join(neighbour, "239.1.2.3:5004", "in"),
        Receiver::join(neighbour, "[ff15::1:3]:5004", "in"),
        Receiver::bind(receiver, "10.0.2.2:5004"),
        Receiver::bind(receiver, "[fd00:2::2]:5004"),
    ];
    let folder = Folder::new("kinds");
    folder.write_frame(&small_frame());
    let outputs = "\
        [[camera.rtp]]\ndestination = \"239.1.2.3:5004\"\nttl = 7\ndscp = \"AF41\"\ninterface = \"near\"\n\
        [[camera.rtp]]\ndestination = \"[ff15::1:3]:5004\"\nttl = 9\ndscp = \"EF\"\ninterface = \"near\"\n\
        [[camera.rtp]]\ndestination = \"10.0.2.2:5004\"\ndscp = 63\n\
        [[camera.rtp]]\ndestination = \"[fd00:2::2]:5004\"\ndscp = \"cs5\"\n";
    let frames = FRAMES.to_string();
    let mut process = Sender::start(sender, &folder, outputs, &["--frames", frames.as_str()]);
    process.process().expect_success(RUN_LIMIT);
    let report = process.report();
    // Through the router one hop less than the 64 that hosts begin with.
    let expected = [(7, 34), (9, 46), (63, 63), (63, 40)];
    for (index, (receiver, (hops, dscp))) in receivers.into_iter().zip(expected).enumerate() {
        let packets = receiver.finish();
        expect_all(&packets, &report["outputs"][index]);
        assert!(!packets.is_empty());
        for packet in packets {
            assert_eq!((packet.hops, packet.class >> 2), (hops, dscp));
        }
    }
}

#[test]
fn a_name_is_looked_up_again_when_its_address_is_gone() {
    let network = Network::new();
    let etc = network.sender.etc();
    fs::create_dir_all(&etc).expect("a folder for the namespace's files");
    let hosts = etc.join("hosts");
    fs::write(&hosts, "10.0.2.2 receiver.test\n").expect("the hosts file can be written");
    let before = Receiver::bind(&network.receiver, "10.0.2.2:5004");
    let after = Receiver::bind(&network.receiver, "10.0.2.3:5004");
    let mut stream = network.start("name", "\"receiver.test:5004\"");
    stream.expect_frames(&before);
    assert_eq!(after.frames(), 0);
    // In place: `ip netns exec` has bound this very file.
    fs::write(&hosts, "10.0.2.3 receiver.test\n").expect("the hosts file can be written");
    // ICMP host unreachable, as when nobody has the address any more.
    network.router.ip("route add unreachable 10.0.2.2/32");
    stream.expect_frames(&after);
    let log = stream.finish();
    assert!(log.contains("No route to host"), "{log}");
}

#[test]
fn a_route_that_prohibits_costs_its_destination_only() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "10.0.2.2:5004");
    let mut stream = network.start("prohibited", "\"10.0.2.2:5004\"");
    stream.interrupt(
        &receiver,
        |network| network.sender.ip("route add prohibit 10.0.2.2/32"),
        |network| network.sender.ip("route del prohibit 10.0.2.2/32"),
    );
    let log = stream.finish();
    let said = "a route or a firewall does not allow packets to 10.0.2.2 (Permission denied";
    assert!(log.contains(said), "{log}");
}

#[test]
fn a_stream_over_ipv6_comes_back_after_an_icmp_error() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "[fd00:2::2]:5004");
    let mut stream = network.start("unreachable-6", "\"[fd00:2::2]:5004\"");
    stream.interrupt(
        &receiver,
        |network| network.router.ip("route add unreachable fd00:2::2/128"),
        |network| network.router.ip("route del unreachable fd00:2::2/128"),
    );
    stream.finish();
}

#[test]
fn a_link_that_goes_down_and_up_costs_its_destinations_only() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "10.0.2.2:5004");
    let mut stream = network.start("link", "\"10.0.2.2:5004\"\ninterface = \"far\"");
    stream.interrupt(
        &receiver,
        |network| network.sender.ip("link set far down"),
        |network| {
            network.sender.ip("link set far up");
            network.sender.ip("route add default via 10.0.1.1");
        },
    );
    let log = stream.finish();
    let said = "there is no route to 10.0.2.2 (Network is unreachable";
    assert!(log.contains(said), "{log}");
}

/// The send buffer stays full: 10 Mbit/s come, 1 Mbit/s leaves.
#[test]
fn a_link_that_is_too_slow_costs_its_destinations_only() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "10.0.2.2:5004");
    network
        .sender
        .tc("qdisc add dev far root tbf rate 1mbit burst 3000 limit 10000000");
    let frame = Picture::DEFAULT.encode();
    let mut stream = network.start_with(&frame, "slow", "\"10.0.2.2:5004\"");
    stream.expect_frames(&receiver);
    std::thread::sleep(2 * AWAY);
    network.sender.tc("qdisc del dev far root");
    stream.expect_frames(&receiver);
    let log = stream.finish();
    assert!(log.contains("not take packets fast enough"), "{log}");
}

#[test]
fn sixty_four_destinations_get_every_frame() {
    const FRAMES: usize = 20;
    let network = Network::new();
    let ports: Vec<u16> = (0..64).map(|index| 6000 + 2 * index).collect();
    let receivers: Vec<_> = ports
        .iter()
        .map(|port| Receiver::bind(&network.receiver, &format!("10.0.2.2:{port}")))
        .collect();
    let outputs: String = ports
        .iter()
        .map(|port| format!("[[camera.rtp]]\ndestination = \"10.0.2.2:{port}\"\n"))
        .collect();
    let folder = Folder::new("sixty-four");
    folder.write_frame(&small_frame());
    let frames = FRAMES.to_string();
    let mut sender = Sender::start(
        &network.sender,
        &folder,
        &outputs,
        &["--frames", frames.as_str()],
    );
    sender.process().expect_success(RUN_LIMIT);
    let report = sender.report();
    receivers.iter().for_each(Receiver::end);
    for (index, receiver) in receivers.into_iter().enumerate() {
        let packets = receiver.finish();
        let frames = packets.iter().filter(|packet| packet.marker).count();
        assert_eq!(frames, FRAMES, "destination {index}");
        expect_all(&packets, &report["outputs"][index]);
    }
}
