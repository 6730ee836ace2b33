//! Names in .local, answered by a neighbour; and neighbours who must not be believed.
//! RFC 6762 5.1, 6.7, 11.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::namespace::{Namespace, await_route, cable};
use crate::process::poll_until;
use crate::receiver::Receiver;
use crate::sender::{Folder, Sender, small_frame};

const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: &str = "ff02::fb";
const PORT: u16 = 5353;
/// The types of records (RFC 1035 3.2.2, RFC 3596 2.1).
const A: u8 = 1;
const AAAA: u8 = 28;
/// In this name a responder is asked for.
const VIEWER: &[u8] = b"\x06viewer\x05local\x00";
const OTHER: &[u8] = b"\x05other\x05local\x00";
/// How long a responder waits for a question before it looks whether it shall end.
const TURN: Duration = Duration::from_millis(50);
/// For a stream to begin.
const BEGIN_LIMIT: Duration = Duration::from_secs(15);

/// One that answers by multicast DNS in a namespace, until it is dropped.
struct Responder {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// For viewer.local, which has `address` (4 or 16 octets), at `interface`. Asked for by the family of the group.
    fn new(namespace: &Namespace, interface: &str, group_is_v4: bool, address: &[u8]) -> Self {
        let (socket, liar) = namespace.enter(|| {
            let index = nix::net::if_::if_nametoindex(interface).expect("the interface exists");
            let socket = if group_is_v4 {
                let socket = UdpSocket::bind((GROUP_V4, PORT)).expect("the port is free");
                let local = Ipv4Addr::new(10, 0, 1, 2);
                socket.join_multicast_v4(&GROUP_V4, &local).map(|()| socket)
            } else {
                let socket = UdpSocket::bind(("::", PORT)).expect("the port is free");
                let group = GROUP_V6.parse().expect("an address");
                socket.join_multicast_v6(&group, index).map(|()| socket)
            };
            let any = if group_is_v4 { "0.0.0.0:0" } else { "[::]:0" };
            let liar = UdpSocket::bind(any).expect("a port is free");
            (socket.expect("the group can be joined"), liar)
        });
        socket.set_read_timeout(Some(TURN)).expect("a time limit");
        // A socket that is bound to a group cannot send from its address.
        let answers_from = if group_is_v4 {
            namespace.enter(|| UdpSocket::bind(("10.0.1.2", PORT)).expect("the port is free"))
        } else {
            socket.try_clone().expect("a second descriptor")
        };
        let ended = Arc::new(AtomicBool::new(false));
        let address = address.to_vec();
        let thread = thread::spawn({
            let ended = ended.clone();
            move || {
                let mut question = [0; 512];
                while !ended.load(Ordering::Relaxed) {
                    if let Ok((length, asker)) = socket.recv_from(&mut question) {
                        respond(&question[..length], asker, &address, &answers_from, &liar);
                    }
                }
            }
        });
        let thread = Some(thread);
        Self { ended, thread }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(ended) = ended
            && !thread::panicking()
        {
            ended.expect("the responder does not panic");
        }
    }
}

/// Answers a question for viewer.local with `address`, if it is of its type. Before that come answers that do not count:
/// from another port, to another question, and for another name.
fn respond(
    question: &[u8],
    asker: SocketAddr,
    address: &[u8],
    socket: &UdpSocket,
    liar: &UdpSocket,
) {
    let id = [question[0], question[1]];
    let kind = if address.len() == 4 { A } else { AAAA };
    let mut expected = VIEWER.to_vec();
    expected.extend([0, kind, 0, 1]);
    if question[12..] != expected {
        return;
    }
    let mut false_address = address.to_vec();
    *false_address.last_mut().expect("not empty") = 99;
    let other_id = [!id[0], id[1]];
    let lies = [
        (liar, answer(id, VIEWER, kind, &false_address)),
        (socket, answer(other_id, VIEWER, kind, &false_address)),
        (socket, answer(id, OTHER, kind, &false_address)),
        (socket, b"no message".to_vec()),
    ];
    for (from, octets) in lies {
        from.send_to(&octets, asker).expect("a lie can be sent");
    }
    let truth = answer(id, VIEWER, kind, address);
    socket.send_to(&truth, asker).expect("it can be sent");
}

/// An answer to one who asked from a port of his own: with his number, and his question again.
fn answer(id: [u8; 2], name: &[u8], kind: u8, address: &[u8]) -> Vec<u8> {
    // A response, authoritative; one question, one answer.
    let mut octets = [&id[..], &[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]].concat();
    octets.extend(name);
    octets.extend([0, kind, 0, 1]);
    // The name is that at octet 12; ten seconds to live.
    octets.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 10]);
    octets.extend([0, u8::try_from(address.len()).expect("short")]);
    octets.extend(address);
    octets
}

/// A sender with two cables to a receiver.
fn network() -> [Namespace; 2] {
    let [sender, receiver] = ["sender", "receiver"].map(Namespace::new);
    cable(
        (&sender, "far", &["10.0.1.1/24", "fe80::1/64"]),
        (&receiver, "in", &["10.0.1.2/24", "fe80::2/64"]),
    );
    cable(
        (&sender, "near", &["10.0.2.1/24"]),
        (&receiver, "other", &["10.0.2.2/24"]),
    );
    await_route(&sender, &receiver, "10.0.1.2");
    await_route(&sender, &receiver, "10.0.2.2");
    [sender, receiver]
}

/// What `framewire sdp` says about an output to viewer.local with further `lines`.
fn describe(sender: &Namespace, test: &str, lines: &str) -> String {
    let folder = Folder::new(test);
    let path = folder.path().join("config.toml");
    let config = format!(
        "[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"viewer.local:5004\"\n{lines}\n"
    );
    fs::write(&path, config).expect("the configuration can be written");
    let mut command = sender.command(env!("CARGO_BIN_EXE_framewire"));
    let output = command.args(["sdp", "--config"]).arg(&path).output();
    let output = output.expect("framewire starts");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_neighbour_is_asked_by_ipv4_on_every_interface_or_on_one() {
    let [sender, receiver] = network();
    let _responder = Responder::new(&receiver, "in", true, &[10, 0, 1, 2]);
    for lines in ["", "interface = \"far\""] {
        let description = describe(&sender, "local-v4", lines);
        let found = description.contains("c=IN IP4 10.0.1.2\r\n");
        assert!(found, "{lines}: {description}");
    }
    let nobody = describe(&sender, "local-v4", "interface = \"near\"");
    assert!(nobody.contains("nobody answers for this name"), "{nobody}");
}

/// By IPv6 alone, and to an address that means nothing without its interface.
#[test]
fn a_stream_goes_to_a_link_local_address_that_a_neighbour_has_told() {
    let [sender, receiver] = network();
    let told = "fe80::2".parse::<std::net::Ipv6Addr>().expect("an address");
    let _responder = Responder::new(&receiver, "in", false, &told.octets());
    let zone = receiver.enter(|| nix::net::if_::if_nametoindex("in").expect("it exists"));
    let viewer = Receiver::bind(&receiver, &format!("[fe80::2%{zone}]:5004"));
    let folder = Folder::new("local-v6");
    folder.write_frame(&small_frame());
    let output = "[[camera.rtp]]\ndestination = \"viewer.local:5004\"\n";
    let mut stream = Sender::start(&sender, &folder, output, &[]);
    let frames = poll_until(BEGIN_LIMIT, || (viewer.frames() > 10).then_some(()));
    assert!(frames.is_some(), "{}", stream.process().stderr());
    stream.stop();
}

#[test]
fn where_no_neighbour_answers_the_system_may_know() {
    let [sender, _receiver] = network();
    fs::create_dir_all(sender.etc()).expect("a folder for the namespace's files");
    let hosts = sender.etc().join("hosts");
    fs::write(hosts, "10.0.1.2 viewer.local\n").expect("the hosts file can be written");
    let description = describe(&sender, "local-hosts", "");
    let found = description.contains("c=IN IP4 10.0.1.2\r\n");
    assert!(found, "{description}");
}
