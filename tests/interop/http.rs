//! Foreign readers of the door's streams: each decodes exactly the pixels of the source.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cases;
use crate::exchange::WorkingFolder;
use crate::process::Process;
use crate::receiver::Receiver;
use crate::support::folder::Folder;
use crate::support::http::Door;
use crate::tools::{self, FFMPEG, GST_LAUNCH, PYTHON};

/// For a reader to start and to get its pictures.
const LIMIT: Duration = Duration::from_secs(30);
/// Pictures that are read.
const PICTURES: usize = 5;

/// As Home Assistant's camera of the kind MJPEG takes a picture out of a stream: from the first SOI to the EOI behind it.
const HOME_ASSISTANT: &str = "\
import sys, urllib.request
data = b''
with urllib.request.urlopen(sys.argv[1]) as stream:
    while (end := data.find(b'\\xff\\xd9')) < 0:
        data += stream.read(1024)
open('000000.jpg', 'wb').write(data[data.find(b'\\xff\\xd8'):end + 2])
";

/// A camera that replays the first picture of a case, and the folder in which readers write what they get.
struct Source {
    door: Door,
    jpeg: Vec<u8>,
    folder: WorkingFolder,
    _files: Folder,
}

impl Source {
    fn new(name: &str) -> Self {
        let case = cases::without_dht();
        let frame = case.frames.into_iter().next().expect("a frame");
        let files = Folder::new(name);
        let path = files.write("camera.jpg", &frame.spelt);
        let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{path}\"\n");
        Self {
            door: Door::open(&files, &camera),
            jpeg: frame.plain,
            folder: WorkingFolder::named(name),
            _files: files,
        }
    }

    fn url(&self, target: &str) -> String {
        format!("http://127.0.0.1:{}{target}", self.door.port)
    }

    fn read(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder.path);
        Process::run("reader", &mut command, &self.folder.path, LIMIT);
    }

    /// That the pictures in these files are that of the source, as `receiver` decodes it.
    fn expect(&self, receiver: Receiver, pictures: usize, ending: &str) {
        let expected = receiver.decode(&self.jpeg, &self.folder.path);
        for number in 0..pictures {
            let path = self.folder.path.join(format!("{number:06}.{ending}"));
            let mut octets = fs::read(path).expect("a picture");
            if ending == "jpg" {
                octets = receiver.decode(&octets, &self.folder.path);
            }
            assert!(octets == expected, "picture {number} differs");
        }
    }
}

#[test]
fn ffmpeg_reads_both_forms() {
    tools::require_ffmpeg();
    for (name, target) in [
        ("http-ffmpeg-advance", "/front/stream.mjpg"),
        ("http-ffmpeg-described", "/front/stream"),
        ("http-ffmpeg-all", "/stream"),
    ] {
        let source = Source::new(name);
        let (url, pictures) = (source.url(target), PICTURES.to_string());
        let line = format!(
            "-v error -nostdin -i {url} -fps_mode passthrough -frames:v {pictures} -c:v rawvideo -f image2 -start_number 0 %06d.raw"
        );
        source.read(FFMPEG, &line.split(' ').collect::<Vec<_>>());
        source.expect(Receiver::FfmpegSdp, PICTURES, "raw");
    }
}

#[test]
fn gstreamer_reads_both_forms() {
    tools::require_gstreamer();
    for (name, target) in [
        ("http-gstreamer-advance", "/front/stream.mjpg"),
        ("http-gstreamer-described", "/front/stream"),
    ] {
        let source = Source::new(name);
        let url = source.url(target);
        let line = format!(
            "-q souphttpsrc location={url} is-live=true ! multipartdemux ! image/jpeg ! identity eos-after={} ! jpegdec ! multifilesink location=%06d.raw",
            PICTURES + 1
        );
        source.read(GST_LAUNCH, &line.split(' ').collect::<Vec<_>>());
        source.expect(Receiver::GStreamer, PICTURES, "raw");
    }
}

#[test]
fn curl_and_home_assistant_get_a_picture() {
    tools::require_ffmpeg();
    let source = Source::new("http-curl");
    let url = source.url("/front/snapshot.jpg");
    source.read("curl", &["-sSf", "-o", "000000.jpg", &url]);
    source.expect(Receiver::FfmpegSdp, 1, "jpg");
    let url = source.url("/front/stream.mjpg");
    source.read(PYTHON, &["-c", HOME_ASSISTANT, &url]);
    source.expect(Receiver::FfmpegSdp, 1, "jpg");
}
