//! The foreign programs of the suite, and which Debian package to install if one is missing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub const GST_LAUNCH: &str = "gst-launch-1.0";
pub const FFMPEG: &str = "ffmpeg";
pub const CURL: &str = "curl";
pub const MPV: &str = "mpv";
/// That of tests/run, with packages that Debian does not have.
pub const VENV_PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
pub const PROMTOOL: &str = "promtool";
/// Made by [`LIVE555_BUILD`].
pub const LIVE555: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/live555/receive");
/// Debian's, which has GStreamer.
pub const PYTHON: &str = "/usr/bin/python3";

const LIVE555_BUILD: &str = "tests/interop/live555/build";
const GST_INSPECT: &str = "gst-inspect-1.0";
const GST_TOOLS_PACKAGE: &str = "gstreamer1.0-tools";
const FFMPEG_PACKAGE: &str = "ffmpeg";
const PROMTOOL_PACKAGE: &str = "prometheus";
const CURL_PACKAGE: &str = "curl";
const MPV_PACKAGE: &str = "mpv";
/// The newest FFmpeg that PyPI has, and a player in Python.
const VENV_PACKAGES: &str = "imageio-ffmpeg==0.8.1 aiortsp==1.4.0";
const PYTHON_GST_PACKAGE: &str = "python3-gst-1.0";

/// Elements of the pipelines, and the package of each.
const GST_ELEMENTS: [(&str, &str); 11] = [
    ("filesrc", "libgstreamer1.0-0"),
    ("udpsrc", "gstreamer1.0-plugins-good"),
    ("rtspsrc", "gstreamer1.0-plugins-good"),
    ("sdpdemux", "gstreamer1.0-plugins-bad"),
    ("souphttpsrc", "gstreamer1.0-plugins-good"),
    ("multipartdemux", "gstreamer1.0-plugins-good"),
    ("rtpbin", "gstreamer1.0-plugins-good"),
    ("rtphdrextntp64", "gstreamer1.0-plugins-good"),
    ("rtpjpegdepay", "gstreamer1.0-plugins-good"),
    ("jpegdec", "gstreamer1.0-plugins-good"),
    ("multifilesink", "gstreamer1.0-plugins-good"),
];

/// Panics with the package to install, if GStreamer is not complete.
pub fn require_gstreamer() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    demand(MISSING.get_or_init(|| {
        let programs = [GST_LAUNCH, GST_INSPECT].map(|program| (program, GST_TOOLS_PACKAGE));
        let program = programs
            .into_iter()
            .find(|(program, _)| !runs(program, &["--version"]));
        let element = || {
            GST_ELEMENTS
                .into_iter()
                .find(|(element, _)| !runs(GST_INSPECT, &["--exists", element]))
        };
        program.or_else(element).map(missing)
    }));
}

/// Panics with the package to install, if GStreamer is not complete or cannot be used from Python.
pub fn require_python_gstreamer() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    require_gstreamer();
    demand(MISSING.get_or_init(|| {
        let script = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst";
        (!runs(PYTHON, &["-c", script])).then(|| missing((PYTHON, PYTHON_GST_PACKAGE)))
    }));
}

/// Panics with the package to install, if FFmpeg is not there.
pub fn require_ffmpeg() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    demand(
        MISSING.get_or_init(|| {
            (!runs(FFMPEG, &["-version"])).then(|| missing((FFMPEG, FFMPEG_PACKAGE)))
        }),
    );
}

/// Panics with the package to install, if Prometheus' checker is not there.
pub fn require_promtool() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    demand(MISSING.get_or_init(|| {
        (!runs(PROMTOOL, &["--version"])).then(|| missing((PROMTOOL, PROMTOOL_PACKAGE)))
    }));
}

/// Panics with the package to install, if curl is not there.
pub fn require_curl() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    demand(
        MISSING
            .get_or_init(|| (!runs(CURL, &["--version"])).then(|| missing((CURL, CURL_PACKAGE)))),
    );
}

/// Panics with the package to install, if mpv is not there.
pub fn require_mpv() {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    demand(
        MISSING.get_or_init(|| (!runs(MPV, &["--version"])).then(|| missing((MPV, MPV_PACKAGE)))),
    );
}

/// The newest FFmpeg; panics with the command that installs it, if it is not there.
pub fn newest_ffmpeg() -> String {
    let script = "import aiortsp, imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let output = Command::new(VENV_PYTHON).args(["-c", script]).output();
    let output = output.ok().filter(|output| output.status.success());
    let output = output.unwrap_or_else(|| {
        panic!("missing, as tests/run installs them: target/venv/bin/pip install {VENV_PACKAGES}")
    });
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// Panics with the command that builds it, if live555 is not there.
pub fn require_live555() {
    assert!(
        Path::new(LIVE555).exists(),
        "live555 is missing: run {LIVE555_BUILD}, as tests/run does"
    );
}

fn missing((what, package): (&str, &str)) -> String {
    format!("{what} is missing: install the Debian package {package}")
}

fn demand(missing: &Option<String>) {
    if let Some(message) = missing {
        panic!("{message}");
    }
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
