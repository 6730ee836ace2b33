//! The command line as people type it: without options, without a file, into a pipe that closes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::fs::File;
use std::io::pipe;
use std::net::UdpSocket;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use framewire::cli::HELP;
use support::folder::Folder;
use support::receive::headers;

/// Longest wait for a packet.
const LONG: Duration = Duration::from_secs(60);
const CONFIG: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn framewire(arguments: &[&str]) -> Output {
    command(arguments).output().expect("framewire runs")
}

fn into(stdout: Stdio, arguments: &[&str]) -> Output {
    let mut command = command(arguments);
    command.stdout(stdout).stderr(Stdio::piped());
    command.output().expect("framewire runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn a_file_needs_no_option() {
    let folder = Folder::new("typed-file");
    let config = folder.write("front.toml", CONFIG);
    let checked = framewire(&["check", &config]);
    assert_eq!(
        (checked.status.code(), &*text(&checked.stdout)),
        (Some(0), "ok\n")
    );
    let run = framewire(&["run", &config, "--frames", "2"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert!(text(&run.stdout).starts_with("front: "));
    let missing = framewire(&["check", "/nowhere/front.toml"]);
    let stderr = text(&missing.stderr);
    assert!(
        stderr.starts_with("framewire: /nowhere/front.toml: "),
        "{stderr}"
    );
    assert_eq!(text(&framewire(&["help"]).stdout), HELP);
}

#[test]
fn a_camera_needs_no_file() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(LONG)).expect("a time-out");
    let port = socket.local_addr().expect("an address").port();
    let to = format!("127.0.0.1:{port}");
    let output = framewire(&[
        "run", "--device", "demo", "--to", &to, "--size", "320x240", "--fps", "50", "--frames", "2",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stderr = text(&output.stderr);
    assert!(stderr.contains(", no configuration file\n"), "{stderr}");
    let stdout = text(&output.stdout);
    for part in [
        &format!("Streaming a test pattern, 320x240 at 50 fps, as RTP/JPEG to {to}."),
        &format!("rtp://{to}\n"),
        "mpv --profile=low-latency --untimed demo.sdp\n",
        "a=framerate:50\n",
    ] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).expect("a packet");
    let (_, jpeg, ..) = headers(&octets[..length]);
    // In blocks of 8 pixels.
    assert_eq!((jpeg.width, jpeg.height), (40, 30));
}

#[test]
fn json_stays_alone_on_stdout() {
    let output = framewire(&[
        "run",
        "--device=demo",
        "--to=127.0.0.1:8",
        "--frames=1",
        "--json",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["cameras"][0]["name"], "demo");
    assert!(text(&output.stderr).contains("Streaming a test pattern"));
}

#[test]
fn a_pipe_that_closes_ends_it_silently() {
    let folder = Folder::new("closed-reader");
    let config = folder.write("config.toml", CONFIG);
    for arguments in [
        &["sdp", "--config", &config][..],
        &["check", &config],
        &["devices"],
        &["--help"],
        &["--version"],
        &["demo", "--frames", "1"],
        &["run", &config, "--frames", "1", "--json"],
    ] {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let output = into(writer.into(), arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("pipe"), "{arguments:?}: {stderr}");
        let full = File::options().write(true).open("/dev/full").expect("it");
        let output = into(full.into(), arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("No space left"), "{arguments:?}: {stderr}");
    }
}
