//! The door with a user, as programs that people have come in.

use std::process::Command;

use framewire::config::{User, UserName};

use crate::process::Process;
use crate::support::folder::Folder;
use crate::support::http::Door;
use crate::support::program::LONG;
use crate::tools::{
    CURL, FFMPEG, GST_LAUNCH, PYTHON, require_curl, require_ffmpeg, require_gstreamer,
};

const DEMO: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n";

/// Fetches a page with Python's standard library, which answers Digest and Basic in ways of its own.
const URLLIB: &str = "\
import sys, urllib.request
url, name, password, kind = sys.argv[1:]
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, url, name, password)
handler = getattr(urllib.request, f'HTTP{kind}AuthHandler')(passwords)
with urllib.request.build_opener(handler).open(url, timeout=20) as answer:
    sys.stdout.write(answer.read().decode())
";

struct Visit {
    folder: Folder,
    door: Door,
}

impl Visit {
    fn to(name: &str) -> Self {
        let folder = Folder::new(name);
        let user = User::new(UserName::new("anna").expect("a name"), "right");
        let (md5, sha256) = (user.md5.as_str(), user.sha256.as_str());
        let user = format!("[[user]]\nname = \"anna\"\nmd5 = \"{md5}\"\nsha256 = \"{sha256}\"\n");
        let door = Door::open(&folder, &format!("{DEMO}{user}"));
        Self { folder, door }
    }

    fn url(&self, credentials: &str, target: &str) -> String {
        format!("http://{credentials}127.0.0.1:{}{target}", self.door.port)
    }

    /// Whether the program comes in, and what it prints.
    fn run(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        let mut process = Process::spawn("visitor", command.args(arguments), &self.folder.0);
        let is_well = process.wait(LONG).success();
        (is_well, process.stdout())
    }
}

#[test]
fn curl_comes_in_by_each_way() {
    require_curl();
    let visit = Visit::to("interop-users-curl");
    let url = visit.url("", "/api/status");
    for way in ["--digest", "--basic", "--anyauth"] {
        for (user, code) in [
            ("anna:right", "200"),
            ("anna:wrong", "401"),
            ("otto:right", "401"),
        ] {
            let file = "/dev/null";
            let arguments = [
                "-sS",
                way,
                "-u",
                user,
                "-o",
                file,
                "-w",
                "%{http_code}",
                &url,
            ];
            let (_, printed) = visit.run(CURL, &arguments);
            assert_eq!(printed, code, "{way} {user}");
        }
    }
}

#[test]
fn python_comes_in_by_digest_and_by_basic() {
    let visit = Visit::to("interop-users-python");
    let url = visit.url("", "/api/status");
    for way in ["Digest", "Basic"] {
        let visit = |password| visit.run(PYTHON, &["-c", URLLIB, &url, "anna", password, way]);
        let (is_well, printed) = visit("right");
        assert!(
            is_well && printed.contains("\"cameras\""),
            "{way}: {printed}"
        );
        assert!(!visit("wrong").0, "{way}");
    }
}

#[test]
fn ffmpeg_comes_in_and_reads_the_stream() {
    require_ffmpeg();
    let visit = Visit::to("interop-users-ffmpeg");
    for (credentials, is_let_in) in [("anna:right@", true), ("anna:wrong@", false), ("", false)] {
        let url = visit.url(credentials, "/front/stream.mjpg");
        let input = ["-nostdin", "-v", "error", "-i", &url];
        let arguments = [&input[..], &["-frames:v", "5", "-f", "null", "-"]].concat();
        let (is_well, _) = visit.run(FFMPEG, &arguments);
        assert_eq!(is_well, is_let_in, "{credentials}");
    }
}

#[test]
fn gstreamer_comes_in_and_reads_the_stream() {
    require_gstreamer();
    let visit = Visit::to("interop-users-gstreamer");
    let location = format!("location={}", visit.url("", "/front/stream.mjpg"));
    for (password, is_let_in) in [("right", true), ("wrong", false)] {
        let password = format!("user-pw={password}");
        let source = [
            "-q",
            "souphttpsrc",
            &location,
            "user-id=anna",
            &password,
            "num-buffers=20",
        ];
        let rest = ["!", "multipartdemux", "!", "jpegdec", "!", "fakesink"];
        let (is_well, _) = visit.run(GST_LAUNCH, &[&source[..], &rest].concat());
        assert_eq!(is_well, is_let_in, "{password}");
    }
}
