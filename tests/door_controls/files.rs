//! Files of kept values: what `check` and the log say of them.

use super::support::folder::Folder;
use super::support::program::{command, text};

const CONFIG: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\n[camera.controls]\nbrightness = 128\n\
     [[camera.rtp]]\ndestination = \"127.0.0.1:9\"\n[[camera]]\nname = \"side\"\ndevice = \"demo\"\n\
     [[camera.rtp]]\ndestination = \"127.0.0.1:11\"\nrtcp = \"off\"\n";

#[test]
fn check_and_the_log_tell_what_is_kept() {
    let folder = Folder::new("controls-check");
    let config = folder.write("config.toml", CONFIG);
    let state = folder.0.join("state");
    std::fs::create_dir(&state).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(state.join(name), text).expect("a file");
    let front = "[[camera]]\nname = \"front\"\n[camera.controls]\n";
    write(
        "front.toml",
        &format!("{front}brightness = 100\nmode = \"Manual\"\n"),
    );
    write("side.toml", "brightness = [\n");
    write("rear.toml", "brightness = 1\n");
    write("front.toml.new", "what a power cut left behind");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        let output = command.env("STATE_DIRECTORY", &state).output();
        output.expect("framewire runs")
    };
    let said = text(&run(&["check", "--config", &config]).stdout);
    let notes: Vec<&str> = said.lines().filter(|line| line.contains("state")).collect();
    let state = state.display();
    assert_eq!(notes.len(), 4, "{said}");
    for (note, expected) in notes.iter().zip([
        format!("note: front: brightness = 100 counts instead of 128: kept in {state}/front.toml"),
        format!("note: front: mode = \"Manual\" counts: kept in {state}/front.toml"),
        format!("note: side: {state}/side.toml: "),
        format!("note: {state}/rear.toml: kept for a camera that is not configured"),
    ]) {
        assert!(note.starts_with(&expected), "{note}");
    }
    assert!(notes[2].ends_with(": nothing is kept"), "{}", notes[2]);
    // What is wrong with such a file stops nothing.
    let ended = run(&["run", "--config", &config, "--frames", "1"]);
    let log = text(&ended.stderr);
    assert!(ended.status.success(), "{log}");
    let kept = "front: instead of [camera.controls] brightness = 100, mode = \"Manual\" counts";
    for words in [kept, "side.toml: ", ": no values of controls are kept"] {
        assert!(log.contains(words), "{words}: {log}");
    }
}
