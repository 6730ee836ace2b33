//! Runs `framewire doctor` on frames: what it says, as JSON and in words, and whether its exit code says that they can be
//! sent.

use framewire::config::{Camera, Config};
use serde_json::Value;

use crate::support::folder::Folder;
use crate::support::frames::Picture;
use crate::support::program::{framewire, text};

pub const SMALL: Picture = Picture {
    width: 160,
    height: 120,
    ..Picture::DEFAULT
};

/// What is said of a folder with these frames, each looked at once, and whether they can be sent.
pub fn said(name: &str, frames: &[Vec<u8>]) -> (Value, bool) {
    let folder = folder(name, frames);
    let output = doctor(&folder, frames.len(), &["--json"]);
    let json: Value = serde_json::from_slice(&output.0).expect("one JSON object");
    assert_eq!(json["version"], 1);
    assert_eq!(json["can_be_sent"], output.1, "{json}");
    let pictures = &json["pictures"];
    assert_eq!(pictures["looked_at"], frames.len(), "{json}");
    let kinds = ["as_they_are", "recoded", "refused"].map(|key| pictures[key].as_u64().unwrap());
    assert_eq!(kinds.iter().sum::<u64>(), frames.len() as u64, "{json}");
    (json, output.1)
}

/// The same in words.
pub fn words(name: &str, frames: &[Vec<u8>]) -> (String, bool) {
    let folder = folder(name, frames);
    let (words, can_be_sent) = doctor(&folder, frames.len(), &[]);
    let words = text(&words);
    assert!(
        words.lines().all(|line| line.chars().count() <= 110),
        "{words}"
    );
    // In one line each, however wide a terminal is.
    (
        words.split_whitespace().collect::<Vec<_>>().join(" "),
        can_be_sent,
    )
}

pub fn folder(name: &str, frames: &[Vec<u8>]) -> Folder {
    let folder = Folder::new(&format!("doctor-{name}"));
    for (number, frame) in frames.iter().enumerate() {
        folder.write(&format!("{number:03}.jpg"), frame);
    }
    folder
}

/// What is printed, and whether the exit code says that they can be sent.
fn doctor(folder: &Folder, frames: usize, arguments: &[&str]) -> (Vec<u8>, bool) {
    let device = format!("replay:{}", folder.0.display());
    let frames = frames.to_string();
    let all = ["doctor", &device, "--fps", "0", "--frames", &frames];
    let output = framewire(&[&all, arguments].concat());
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    (output.stdout, code == Some(0))
}

/// The camera that the suggested lines describe.
pub fn suggested(json: &Value) -> Camera {
    let lines = json["config"].as_str().expect("lines for config.toml");
    let config = Config::parse("suggested".as_ref(), lines.as_bytes());
    config
        .unwrap_or_else(|error| panic!("{error}: {lines}"))
        .cameras
        .remove(0)
}
