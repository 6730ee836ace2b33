//! Destinations by name: a name with several addresses, a name that moves.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::namespace::{Namespace, await_route, cable};
use crate::process::poll_until;
use crate::receiver::Receiver;
use crate::sender::{Folder, Sender, small_frame};

/// For a stream to find its receiver.
const BEGIN_LIMIT: Duration = Duration::from_secs(15);
/// Frames that show that more will come.
const SOME: usize = 15;

/// A sender with a hosts file of its own, and a receiver.
struct Network {
    sender: Namespace,
    receiver: Namespace,
    hosts: PathBuf,
}

impl Network {
    fn new(hosts: &str) -> Self {
        let [sender, receiver] = ["sender", "receiver"].map(Namespace::new);
        cable(
            (&sender, "far", &["10.0.1.1/24"]),
            (&receiver, "in", &["10.0.1.2/24", "10.0.1.3/24"]),
        );
        await_route(&sender, &receiver, "10.0.1.2");
        fs::create_dir_all(sender.etc()).expect("a folder for the namespace's files");
        let network = Self {
            hosts: sender.etc().join("hosts"),
            sender,
            receiver,
        };
        network.write_hosts(hosts);
        network
    }

    /// In place: `ip netns exec` binds this very file.
    fn write_hosts(&self, hosts: &str) {
        fs::write(&self.hosts, hosts).expect("the hosts file can be written");
    }

    /// A camera that sends to `destination`, a name with its port.
    fn start(&self, test: &str, destination: &str) -> (Folder, Sender) {
        let folder = Folder::new(test);
        folder.write_frame(&small_frame());
        let output = format!("[[camera.rtp]]\ndestination = \"{destination}\"\n");
        let sender = Sender::start(&self.sender, &folder, &output, &[]);
        (folder, sender)
    }
}

/// Some more frames have to reach `receiver`.
fn expect_frames(receiver: &Receiver, sender: &mut Sender) {
    let before = receiver.frames();
    let arrived = poll_until(BEGIN_LIMIT, || {
        (receiver.frames() >= before + SOME).then_some(())
    });
    assert!(
        arrived.is_some(),
        "{} frames after {BEGIN_LIMIT:?}, {before} before\n{}",
        receiver.frames(),
        sender.process().stderr()
    );
}

/// The system sorts ::1 before 127.0.0.1 (RFC 6724).
#[test]
fn localhost_reaches_whoever_listens_there() {
    let network = Network::new("::1 localhost\n127.0.0.1 localhost\n");
    let v4 = Receiver::bind(&network.sender, "127.0.0.1:5004");
    let (_folder, mut sender) = network.start("localhost", "localhost:5004");
    expect_frames(&v4, &mut sender);
    let log = sender.process().stderr();
    assert!(
        log.contains("localhost:5004: now to 127.0.0.1:5004"),
        "{log}"
    );
    // Another that listens at the first address changes nothing.
    let v6 = Receiver::bind(&network.sender, "[::1]:5004");
    expect_frames(&v4, &mut sender);
    assert_eq!(v6.frames(), 0);
    assert_eq!(sender.stop()["outputs"][0]["problem"], Value::Null);
}

#[test]
fn a_name_that_moves_is_followed_though_its_old_host_is_there() {
    let network = Network::new("10.0.1.2 receiver.test\n");
    let before = network
        .receiver
        .enter(|| UdpSocket::bind("10.0.1.2:5004").expect("the port is free"));
    before
        .set_read_timeout(Some(BEGIN_LIMIT))
        .expect("a time limit");
    let (_folder, mut sender) = network.start("moves", "receiver.test:5004");
    before.recv(&mut [0; 2048]).expect("a packet comes");
    let after = Receiver::bind(&network.receiver, "10.0.1.3:5004");
    network.write_hosts("10.0.1.3 receiver.test\n");
    // From now on 10.0.1.2 answers: port unreachable.
    drop(before);
    expect_frames(&after, &mut sender);
    sender.stop();
}

/// What is printed for players is where the stream goes.
#[test]
fn a_session_description_has_an_address_with_a_route() {
    let network = Network::new("fd00:9::1 receiver.test\n10.0.1.2 receiver.test\n");
    let folder = Folder::new("described");
    let path = folder.path().join("config.toml");
    let config = "[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"receiver.test:5004\"\n";
    fs::write(&path, config).expect("the configuration can be written");
    let mut command = network.sender.command(env!("CARGO_BIN_EXE_framewire"));
    let output = command.args(["sdp", "--config"]).arg(&path).output();
    let output = output.expect("framewire starts");
    let description = String::from_utf8_lossy(&output.stdout);
    assert!(description.contains("c=IN IP4 10.0.1.2"), "{output:?}");
}
