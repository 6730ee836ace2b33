//! Prometheus' own checker reads `/metrics`, and finds nothing to object to.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::folder::Folder;
use crate::support::http::Door;
use crate::support::program::receiver;
use crate::tools::{self, PROMTOOL};

/// What it says about `text`, and whether that is nothing.
fn check(folder: &Folder, text: &str) -> (bool, String) {
    let file = folder.write("metrics.txt", text);
    let output = Command::new(PROMTOOL)
        .args(["check", "metrics"])
        .stdin(Stdio::from(File::open(file).expect("a file")))
        .output()
        .expect("promtool runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success() && said.is_empty(), said)
}

#[test]
fn promtool_has_no_objection() {
    tools::require_promtool();
    let folder = Folder::new("metrics-promtool");
    let (_receiver, port) = receiver();
    let demo = "[[camera]]\nname = \"0-front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n";
    let outputs: String = [format!("127.0.0.1:{port}"), "[::1%lo]:5004".to_owned()]
        .iter()
        .map(|to| format!("[[camera.rtp]]\ndestination = \"{to}\"\n"))
        .collect();
    let rear = demo.replace("0-front", "rear");
    let door = Door::open(&folder, &format!("{demo}{outputs}{rear}"));
    let text = door.get("/metrics").text();
    let (is_clean, said) = check(&folder, &text);
    assert!(is_clean, "{said}");
    door.waits_for("streaming");
    let text = door.get("/metrics").text();
    let (is_clean, said) = check(&folder, &text);
    assert!(is_clean, "{said}");
    // It would have something to say of what is wrong.
    let wrong = text.replace("_sent_bytes_total", "_sent_kilobytes");
    assert!(!check(&folder, &wrong).0);
}
