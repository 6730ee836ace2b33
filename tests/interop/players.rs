//! Foreign players of RTSP: each decodes exactly the pixels of the source.

use std::fs;
use std::process::Command;
use std::time::Duration;

use framewire::config::{User, UserName};
use futures::StreamExt;
use retina::client::{
    Credentials, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions,
    Transport, UdpTransportOptions,
};
use retina::codec::CodecItem;

use crate::cases;
use crate::exchange::WorkingFolder;
use crate::process::Process;
use crate::receiver::Receiver;
use crate::support::folder::Folder;
use crate::support::receive::{headers, try_depacketize};
use crate::support::rtsp::Players;
use crate::tools::{self, FFMPEG, GST_LAUNCH, LIVE555, MPV, VENV_PYTHON};

/// For a player to start and to get its pictures.
const LIMIT: Duration = Duration::from_secs(30);
/// Pictures that are looked at.
const PICTURES: usize = 5;

/// A camera that replays the first picture of a case, and the folder in which players write what they get.
struct Source {
    players: Players,
    jpeg: Vec<u8>,
    folder: WorkingFolder,
    _files: Folder,
}

impl Source {
    fn new(name: &str, more: &str) -> Self {
        let case = cases::without_dht();
        let frame = case.frames.into_iter().next().expect("a frame");
        let files = Folder::new(name);
        let path = files.write("camera.jpg", &frame.spelt);
        let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{path}\"\n{more}");
        Self {
            players: Players::open(&files, &camera, ""),
            jpeg: frame.plain,
            folder: WorkingFolder::named(name),
            _files: files,
        }
    }

    /// One with the user anna, whose password is "right".
    fn with_user(name: &str) -> Self {
        let user = User::new(UserName::new("anna").expect("a name"), "right");
        let (md5, sha256) = (user.md5.as_str(), user.sha256.as_str());
        let block = format!("[[user]]\nname = \"anna\"\nmd5 = \"{md5}\"\nsha256 = \"{sha256}\"\n");
        Self::new(name, &block)
    }

    fn url(&self, credentials: &str) -> String {
        let url = self.players.url();
        url.replace("rtsp://", &format!("rtsp://{credentials}"))
    }

    /// Whether `program` ends well.
    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder.path);
        let mut process = Process::spawn("player", &mut command, &self.folder.path);
        process.wait(LIMIT).success()
    }

    /// FFmpeg with these `options` before its input.
    fn ffmpeg(&self, program: &str, options: &str, credentials: &str) -> bool {
        let url = self.url(credentials);
        let line = format!(
            "-v error -nostdin {options} -i {url} -fps_mode passthrough -frames:v {PICTURES} -c:v rawvideo -f image2 -start_number 0 %06d.raw"
        );
        self.run(program, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// GStreamer with these properties of its source.
    fn gstreamer(&self, properties: &str) -> bool {
        let url = self.url("");
        let line = format!(
            "-q rtspsrc location={url} {properties} ! rtpjpegdepay ! image/jpeg ! identity eos-after={} ! jpegdec ! multifilesink location=%06d.raw",
            PICTURES + 1
        );
        self.run(GST_LAUNCH, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// What a player that does not decode has got as its picture of this `number`.
    fn write(&self, number: usize, receiver: Receiver, jpeg: &[u8]) {
        let raw = receiver.decode(jpeg, &self.folder.path);
        fs::write(self.folder.path.join(format!("{number:06}.raw")), raw).expect("a file");
    }

    /// That the pictures in these files are that of the source, as `receiver` decodes it. The next player writes its own.
    fn expect(&self, receiver: Receiver) {
        let expected = receiver.decode(&self.jpeg, &self.folder.path);
        for number in 0..PICTURES {
            let path = self.folder.path.join(format!("{number:06}.raw"));
            let octets = fs::read(&path).expect("a picture");
            assert!(octets == expected, "picture {number} differs");
            fs::remove_file(path).expect("a file");
        }
    }
}

/// As Frigate runs FFmpeg for a camera.
const FRIGATE: &str = "-avoid_negative_ts make_zero -fflags +genpts+discardcorrupt -rtsp_transport tcp -timeout 10000000 \
                       -use_wallclock_as_timestamps 1";
/// As Home Assistant's stream does, by PyAV.
const HOME_ASSISTANT: &str = "-rtsp_flags prefer_tcp -timeout 5000000";

#[test]
fn ffmpeg_plays_by_itself_and_as_frigate_and_home_assistant_have_it() {
    tools::require_ffmpeg();
    let source = Source::new("rtsp-ffmpeg", "");
    let newest = tools::newest_ffmpeg();
    for options in [
        "",
        "-rtsp_transport udp",
        "-rtsp_transport tcp",
        FRIGATE,
        HOME_ASSISTANT,
    ] {
        for program in [FFMPEG, &newest] {
            assert!(source.ffmpeg(program, options, ""), "{program} {options}");
            source.expect(Receiver::FfmpegSdp);
        }
    }
    let status = source.players.status();
    assert_eq!(
        (&status["sessions"], &status["sessions_opened"]),
        (&0.into(), &10.into())
    );
}

#[test]
fn gstreamer_plays_by_itself_by_udp_and_by_tcp() {
    tools::require_gstreamer();
    let source = Source::new("rtsp-gstreamer", "");
    for properties in [
        "",
        "protocols=udp",
        "protocols=tcp",
        "protocols=tcp latency=0",
    ] {
        assert!(source.gstreamer(properties), "{properties}");
        source.expect(Receiver::GStreamer);
    }
}

#[test]
fn ffmpeg_and_gstreamer_come_in_with_the_right_password_only() {
    tools::require_ffmpeg();
    tools::require_gstreamer();
    let source = Source::with_user("rtsp-passwords");
    for (credentials, is_right) in [("anna:right@", true), ("anna:wrong@", false), ("", false)] {
        assert_eq!(
            source.ffmpeg(FFMPEG, "", credentials),
            is_right,
            "{credentials}"
        );
    }
    source.expect(Receiver::FfmpegSdp);
    assert!(source.gstreamer("user-id=anna user-pw=right"));
    source.expect(Receiver::GStreamer);
    assert!(!source.gstreamer("user-id=anna user-pw=wrong"));
}

#[test]
fn mpv_plays() {
    tools::require_mpv();
    let source = Source::with_user("rtsp-mpv");
    for (credentials, is_right) in [("anna:right@", true), ("", false)] {
        let url = source.url(credentials);
        let arguments = ["--no-config", "--vo=null", "--ao=null", "--frames=30", &url];
        assert_eq!(source.run(MPV, &arguments), is_right);
    }
}

#[test]
fn retina_plays_with_sha_256() {
    tools::require_ffmpeg();
    let source = Source::with_user("rtsp-retina");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let url: rtsp_types::Url = source.players.url().parse().expect("a URL");
    for transport in [
        Transport::Tcp(TcpTransportOptions::default()),
        Transport::Udp(UdpTransportOptions::default()),
    ] {
        let playing = retina(&url, transport);
        let pictures = runtime.block_on(async {
            let pictures = tokio::time::timeout(LIMIT, playing).await;
            pictures.expect("pictures in time")
        });
        for (number, jpeg) in pictures.iter().enumerate() {
            source.write(number, Receiver::Retina, jpeg);
        }
        source.expect(Receiver::Retina);
    }
}

async fn retina(url: &rtsp_types::Url, transport: Transport) -> Vec<Vec<u8>> {
    let credentials = Credentials {
        username: "anna".to_owned(),
        password: "right".to_owned(),
    };
    let options = SessionOptions::default().creds(Some(credentials));
    let mut session = Session::describe(url.clone(), options)
        .await
        .expect("a description");
    session
        .setup(0, SetupOptions::default().transport(transport))
        .await
        .expect("a session");
    let playing = session
        .play(PlayOptions::default())
        .await
        .expect("a stream");
    let mut playing = playing.demuxed().expect("a codec");
    let mut pictures = Vec::new();
    while pictures.len() < PICTURES {
        match playing.next().await.expect("no end").expect("no error") {
            CodecItem::VideoFrame(frame) => {
                assert_eq!(frame.loss(), 0);
                pictures.push(frame.into_data());
            }
            CodecItem::Rtcp(_) => {}
            other => panic!("{other:?}"),
        }
    }
    pictures
}

/// Writes the packets that aiortsp gets, each behind its length.
const AIORTSP: &str = "\
import asyncio, sys
from aiortsp.rtsp.reader import RTSPReader
async def main():
    frames = 0
    with open('packets', 'wb') as file:
        async with RTSPReader(sys.argv[1]) as reader:
            async for packet in reader.iter_packets():
                octets = bytes(packet)
                file.write(len(octets).to_bytes(2) + octets)
                frames += packet.m
                if frames == int(sys.argv[2]):
                    return
asyncio.run(main())
";

#[test]
fn aiortsp_plays() {
    tools::require_ffmpeg();
    tools::newest_ffmpeg();
    let source = Source::with_user("rtsp-aiortsp");
    for scheme in ["rtspt://", "rtsp://"] {
        let url = source.url("anna:right@").replace("rtsp://", scheme);
        aiortsp(&source, &url);
    }
}

/// It plays `url`.
fn aiortsp(source: &Source, url: &str) {
    let frames = PICTURES.to_string();
    assert!(source.run(VENV_PYTHON, &["-c", AIORTSP, url, &frames]));
    let octets = fs::read(source.folder.path.join("packets")).expect("packets");
    let (mut rest, mut packets) = (&octets[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (packet, after) = after.split_at(u16::from_be_bytes(*length).into());
        packets.push(packet.to_vec());
        rest = after;
    }
    let time = |packet: &[u8]| headers(packet).0.timestamp;
    let frames = packets.chunk_by(|one, next| time(one) == time(next));
    for (number, frame) in frames.enumerate() {
        let jpeg = try_depacketize(frame).expect("a picture");
        source.write(number, Receiver::Retina, &jpeg);
    }
    source.expect(Receiver::Retina);
}

#[test]
fn live555_plays() {
    tools::require_ffmpeg();
    tools::require_live555();
    let source = Source::with_user("rtsp-live555");
    let (url, pictures) = (source.url(""), PICTURES.to_string());
    for transport in ["tcp", "udp"] {
        let arguments = [&url, ".", "anna", "right", &pictures, transport];
        assert!(source.run(LIVE555, &arguments), "{transport}");
        for number in 0..PICTURES {
            let path = source.folder.path.join(format!("{number:06}.jpg"));
            let jpeg = fs::read(&path).expect("a picture");
            fs::remove_file(path).expect("a file");
            source.write(number, Receiver::Live555, &jpeg);
        }
        source.expect(Receiver::Live555);
    }
    let arguments = [&url, ".", "anna", "wrong", "1", "tcp"];
    assert!(!source.run(LIVE555, &arguments));
}
