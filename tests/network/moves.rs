//! Cables that are pulled, addresses that go, routes that move: who knows the stream by its source goes on, and what
//! comes from elsewhere is another stream.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::namespace::{Namespace, await_route, cable};
use crate::process::{Process, poll_until};
use crate::receiver::{Packet, Receiver};
use crate::sender::{Folder, Sender, small_frame};
use crate::tools::{self, GST_LAUNCH};

/// For a stream to begin.
const BEGIN_LIMIT: Duration = Duration::from_secs(15);
/// For it to go on, where nobody can be waited for.
const RETURN_LIMIT: Duration = Duration::from_secs(2);
/// How long a cable is pulled.
const PULLED: Duration = Duration::from_secs(6);
/// Pictures that show that more will come.
const SOME: usize = 10;

const OUTPUT: &str = "[[camera.rtp]]\ndestination = \"10.0.9.1:5004\"\n";

/// A sender with two cables to a receiver, which has an address of its own behind both.
struct Network {
    sender: Namespace,
    receiver: Namespace,
}

impl Network {
    fn new() -> Self {
        let [sender, receiver] = ["sender", "receiver"].map(Namespace::new);
        for (name, left, right) in [
            ("first", "10.0.1.1/24", "10.0.1.2/24"),
            ("second", "10.0.2.1/24", "10.0.2.2/24"),
        ] {
            cable((&sender, name, &[left]), (&receiver, name, &[right]));
        }
        receiver.ip("address add 10.0.9.1/32 dev lo");
        let network = Self { sender, receiver };
        network.add_route("first");
        network
            .sender
            .ip("route add 10.0.9.1 via 10.0.2.2 metric 200");
        await_route(&network.sender, &network.receiver, "10.0.9.1");
        network
    }

    fn add_route(&self, name: &str) {
        assert_eq!(name, "first");
        self.sender.ip("route add 10.0.9.1 via 10.0.1.2 metric 100");
    }
}

/// GStreamer, which plays what a session description says.
struct Viewer {
    process: Process,
    folder: PathBuf,
}

impl Viewer {
    fn start(namespace: &Namespace, folder: &Path) -> Self {
        tools::require_gstreamer();
        let sdp = "v=0\r\no=- 1 1 IN IP4 10.0.9.1\r\ns=x\r\nc=IN IP4 10.0.9.1\r\nt=0 0\r\n\
                   m=video 5004 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n";
        fs::write(folder.join("stream.sdp"), sdp).expect("the SDP can be written");
        let mut command = namespace.command(GST_LAUNCH);
        command
            .args(
                "-q filesrc location=stream.sdp ! sdpdemux ! rtpjpegdepay ! jpegdec \
                 ! multifilesink next-file=buffer location=%06d.raw"
                    .split(' '),
            )
            .current_dir(folder);
        Self {
            process: Process::spawn("gstreamer", &mut command, folder),
            folder: folder.to_owned(),
        }
    }

    /// Pictures that it has shown.
    fn pictures(&self) -> usize {
        let files = fs::read_dir(&self.folder).expect("the folder");
        let is_picture =
            |name: &std::ffi::OsStr| Path::new(name).extension() == Some("raw".as_ref());
        files
            .filter(|file| is_picture(&file.as_ref().expect("a file").file_name()))
            .count()
    }

    /// Waits for some more pictures than `before`.
    fn expect_pictures(&mut self, before: usize, limit: Duration) {
        let shown = poll_until(limit, || (self.pictures() >= before + SOME).then_some(()));
        self.process.expect_running();
        assert!(
            shown.is_some(),
            "{} pictures after {limit:?}, {before} before\n{}",
            self.pictures(),
            self.process.stderr()
        );
    }
}

/// Where the packets came from, under which SSRC, in the order of their first ones.
fn sources(packets: &[Packet]) -> Vec<(SocketAddr, u32)> {
    let mut sources: Vec<_> = packets
        .iter()
        .map(|packet| (packet.from, packet.ssrc))
        .collect();
    sources.dedup();
    sources
}

/// Some more frames have to come.
fn expect_frames(receiver: &Receiver, limit: Duration, sender: &mut Sender) {
    let before = receiver.frames();
    let come = poll_until(limit, || (receiver.frames() >= before + SOME).then_some(()));
    assert!(
        come.is_some(),
        "{before} frames, then {}\n{}",
        receiver.frames(),
        sender.process().stderr()
    );
}

/// What receivers take for a collision (RFC 3550 8.2): one SSRC from two addresses.
fn expect_no_collision(sources: &[(SocketAddr, u32)]) {
    let ssrcs: BTreeSet<u32> = sources.iter().map(|source| source.1).collect();
    let addresses: BTreeSet<_> = sources.iter().collect();
    assert_eq!(ssrcs.len(), addresses.len(), "{sources:?}");
}

#[test]
fn a_viewer_goes_on_when_a_pulled_cable_is_back() {
    let network = Network::new();
    let folder = Folder::new("pulled");
    folder.write_frame(&small_frame());
    let mut viewer = Viewer::start(&network.receiver, folder.path());
    let sender = Sender::start(&network.sender, &folder, OUTPUT, &[]);
    viewer.expect_pictures(0, BEGIN_LIMIT);
    // No other way either.
    network
        .sender
        .ip("route del 10.0.9.1 via 10.0.2.2 metric 200");
    network.sender.ip("link set first down");
    thread::sleep(PULLED);
    let before = viewer.pictures();
    network.sender.ip("link set first up");
    network.add_route("first");
    let back = Instant::now();
    viewer.expect_pictures(before, RETURN_LIMIT);
    println!("{SOME} pictures {:?} after its return", back.elapsed());
    let report = sender.stop();
    let skipped = report["outputs"][0]["frames_skipped"].as_u64();
    assert!(skipped > Some(100), "the cable was not pulled: {report}");
}

#[test]
fn an_address_that_comes_back_is_the_same_stream_and_another_one_is_not() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "10.0.9.1:5004");
    let folder = Folder::new("readdressed");
    folder.write_frame(&small_frame());
    let mut sender = Sender::start(&network.sender, &folder, OUTPUT, &[]);
    expect_frames(&receiver, BEGIN_LIMIT, &mut sender);
    network
        .sender
        .ip("route del 10.0.9.1 via 10.0.2.2 metric 200");
    let replace = |old: &str, new: &str| {
        network
            .sender
            .ip(&format!("address del {old}/24 dev first"));
        thread::sleep(RETURN_LIMIT);
        network
            .sender
            .ip(&format!("address add {new}/24 dev first"));
        network.add_route("first");
    };
    replace("10.0.1.1", "10.0.1.1");
    expect_frames(&receiver, RETURN_LIMIT, &mut sender);
    assert_eq!(sources(&receiver.packets()).len(), 1);
    replace("10.0.1.1", "10.0.1.9");
    expect_frames(&receiver, RETURN_LIMIT, &mut sender);
    sender.stop();
    let packets = receiver.finish();
    let sources = sources(&packets);
    assert_eq!(sources.len(), 2, "{sources:?}");
    expect_no_collision(&sources);
    // For receivers that look at numbers only.
    let first_of_second = packets
        .iter()
        .position(|packet| packet.ssrc == sources[1].1);
    let [last, first] = [1, 0].map(|before| first_of_second.expect("some") - before);
    let gap = packets[first]
        .sequence_number
        .wrapping_sub(packets[last].sequence_number);
    assert!((1..1000).contains(&gap), "a gap of {gap}");
}

#[test]
fn a_route_that_moves_to_another_interface_takes_the_stream_along() {
    let network = Network::new();
    let receiver = Receiver::bind(&network.receiver, "10.0.9.1:5004");
    let folder = Folder::new("moved");
    folder.write_frame(&small_frame());
    let mut sender = Sender::start(&network.sender, &folder, OUTPUT, &[]);
    expect_frames(&receiver, BEGIN_LIMIT, &mut sender);
    // Its address stays.
    network
        .sender
        .ip("route del 10.0.9.1 via 10.0.1.2 metric 100");
    let moved = poll_until(RETURN_LIMIT, || {
        let packets = receiver.packets();
        let last = packets.last().map(|packet| packet.from.ip());
        (last == Some([10, 0, 2, 1].into())).then_some(())
    });
    assert!(moved.is_some(), "{:?}", sources(&receiver.packets()));
    network.add_route("first");
    expect_frames(&receiver, BEGIN_LIMIT, &mut sender);
    thread::sleep(RETURN_LIMIT);
    sender.stop();
    let sources = sources(&receiver.finish());
    assert_eq!(sources.len(), 3, "there and back: {sources:?}");
    expect_no_collision(&sources);
}
