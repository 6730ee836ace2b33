//! The completions of the shells against the program: what they offer exists, and what exists they offer.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command as Process;

use framewire::cli::{COMMANDS, Command, HELP, OPTIONS};

const BASH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/systemd/completions/framewire.bash"
);
const FILES: [(&str, &str); 3] = [
    (
        "bash",
        include_str!("../systemd/completions/framewire.bash"),
    ),
    ("zsh", include_str!("../systemd/completions/_framewire")),
    (
        "fish",
        include_str!("../systemd/completions/framewire.fish"),
    ),
];

/// The first word of each entry of a list in the help.
fn listed(title: &str) -> BTreeSet<String> {
    let (_, list) = HELP.split_once(&format!("{title}:\n")).unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("  "));
    let entries = lines.filter(|line| !line.starts_with(' '));
    entries
        .map(|entry| {
            let words = entry.split(' ');
            let mut words = words.filter(|word| !word.ends_with(','));
            words.next().unwrap().trim_start_matches('-').to_owned()
        })
        .collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The words of `text` that follow `before`.
fn words_after(text: &str, before: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    text.split(before)
        .skip(1)
        .map(|rest| rest.split(|c| !is_part(c)).next().unwrap().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn the_program_knows_what_its_help_lists() {
    assert_eq!(listed("Commands"), set(&COMMANDS));
    assert_eq!(listed("Options"), set(&OPTIONS));
}

#[test]
fn each_shell_is_told_every_command_and_option_and_no_other() {
    for (shell, text) in FILES {
        let options = match shell {
            "fish" => words_after(&text.replace("set -l", ""), " -l "),
            _ => words_after(text, "--"),
        };
        assert_eq!(options, set(&OPTIONS), "{shell}");
        let commands = match shell {
            "bash" => words_of(text, "local commands=\""),
            "zsh" => words_after(text, "        '")
                .into_iter()
                .filter(|word| text.contains(&format!("'{word}:")))
                .collect(),
            _ => words_of(text, "set -l commands "),
        };
        assert_eq!(commands, set(&COMMANDS), "{shell}");
        if shell == "fish" {
            assert_eq!(words_after(text, "from $commands\" -a "), commands);
        }
    }
}

/// Those of the line that begins with `start`.
fn words_of(text: &str, start: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(start).unwrap();
    let line = rest.lines().next().unwrap().trim_end_matches('"');
    line.split(' ').map(str::to_owned).collect()
}

/// What bash offers after `words`, of which the last is not finished.
fn offered(words: &[&str]) -> BTreeSet<String> {
    let script = format!(
        "source {BASH}; compopt() {{ :; }}; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _framewire; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = Process::new("bash")
        .args(["-c", &script, "bash"])
        .args(words)
        .output()
        .expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[test]
fn bash_offers_each_command_the_options_that_it_takes() {
    assert_eq!(offered(&["framewire", ""]), set(&COMMANDS));
    assert_eq!(
        offered(&["framewire", "d"]),
        set(&["demo", "devices", "doctor"])
    );
    assert_eq!(
        offered(&["framewire", "help", "d"]),
        set(&["demo", "devices", "doctor"])
    );
    for command in COMMANDS {
        let takes = |option: &&str| {
            let value = match *option {
                "json" | "no-http" | "no-rtsp" | "help" | "version" => "",
                "device" => "auto",
                "to" => "h:2",
                "http" | "rtsp" => "127.0.0.1:80",
                "size" => "640x480",
                _ => "1",
            };
            // What goes together with others only.
            let others = match (command, *option) {
                ("run", "to" | "size" | "fps" | "http" | "rtsp") => "--device auto",
                ("prepare", "state" | "root") => "--config x",
                _ => "",
            };
            let line = format!("{command} --{option} {value} {others}");
            Command::parse(line.split_whitespace().map(OsString::from)).is_ok()
        };
        let taken = OPTIONS.iter().filter(|option| takes(option));
        let taken: BTreeSet<_> = taken.map(|option| format!("--{option}")).collect();
        assert_eq!(offered(&["framewire", command, "--"]), taken, "{command}");
    }
    for words in [&["run", "--device"][..], &["doctor"]] {
        let devices = offered(&[&["framewire"], words, &[""]].concat());
        assert!(devices.is_superset(&set(&["auto", "demo"])), "{devices:?}");
    }
    let file = format!("{}/Cargo.to", env!("CARGO_MANIFEST_DIR"));
    for command in ["run", "check"] {
        let found = offered(&["framewire", command, &file]);
        assert_eq!(found, set(&[&format!("{file}ml")]), "{command}");
    }
}
