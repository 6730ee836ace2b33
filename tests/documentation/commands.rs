//! The commands in the documentation: each runs, or is listed here with the reason why it cannot run in this test.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use framewire::cli::HELP;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::pages::{ROOT, all_pages, page};
use crate::support::folder::Folder;

/// What a command begins with, and why it does not run here.
const NOT_HERE: &[(&str, &str)] = &[
    ("tests/", "runs this test, or takes longer than all others"),
    ("cargo test", "runs this test, or is run by tests/run"),
    ("LAB_ARCH=aarch64 cargo test", "is run by tests/run"),
    ("cargo bench", "is run by tests/run"),
    ("cargo fmt", "changes files; tests/run checks the format"),
    ("cargo clippy", "is run by tests/run"),
    ("benches/", "is run by tests/run"),
    ("cargo build", "takes minutes; the suites build the same"),
    ("CROSS_CONFIG=", "needs containers"),
    ("rustup ", "changes the toolchain; is run by tests/run"),
    ("systemd/build-deb ", "is run by tests/packaging"),
    ("image/build ", "is run by the suite image"),
    (
        "sudo ",
        "changes the system; tests/packaging does so in a container",
    ),
    ("sudoedit ", "needs a person"),
    ("apt-get ", "changes the system"),
    ("dd ", "needs a card"),
    ("scp ", "needs another machine"),
    ("ssh ", "needs another machine"),
    ("journalctl ", "needs the installed service"),
    ("ffplay ", "needs a screen"),
    ("gst-launch-1.0 ", "needs a screen"),
    ("mpv ", "needs a screen"),
    ("vlc ", "needs a screen"),
    ("ffmpeg ", "needs a package; interop receives with it"),
    ("ffprobe ", "needs a package; interop receives with ffmpeg"),
    ("python3 ", "needs packages that are not Debian's"),
    (
        "/usr/bin/python3 ",
        "needs packages; interop receives with GStreamer",
    ),
    ("/usr/lib/image_publisher/", "needs ROS"),
];
/// What a command that streams without end is given before it is told to end.
const STREAMS: Duration = Duration::from_secs(3);
/// What any command may take then.
const LONGEST: Duration = Duration::from_secs(60);

/// A command and where it stands.
struct Documented {
    place: String,
    command: String,
}

/// The commands of all pages: a line of a block each, or several that end in `\`.
fn documented() -> Vec<Documented> {
    let mut commands = Vec::new();
    for page in all_pages().filter(|page| !page.name.contains("/README.md")) {
        for block in page.blocks("sh") {
            let mut whole = String::new();
            for (number, line) in (block.line..).zip(block.text.lines()) {
                let line = line.split(" #").next().unwrap().trim();
                match line.strip_suffix('\\') {
                    Some(part) => whole += part,
                    None => {
                        let command = std::mem::take(&mut whole) + line;
                        let place = format!("{}:{number}", page.name);
                        assert!(!command.is_empty(), "{place}: no command");
                        commands.push(Documented { place, command });
                    }
                }
            }
        }
    }
    commands
}

/// A folder with a configuration whose camera is always there.
fn folder() -> Folder {
    let folder = Folder::new("documented-commands");
    let config = include_str!("../../config.toml").replacen("\"auto\"  ", "\"demo\"", 1);
    assert!(config.contains("\ndevice = \"demo\""));
    folder.write("config.toml", config);
    folder
}

fn start(command: &str, folder: &Path) -> Child {
    let programs = Path::new(env!("CARGO_BIN_EXE_framewire")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("EDITOR", "true")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Whether it succeeds, by itself or when it is told to end.
fn succeeds(mut child: Child) -> bool {
    let started = Instant::now();
    let mut is_told = false;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        if started.elapsed() > STREAMS && !is_told {
            let id = Pid::from_raw(child.id().try_into().unwrap());
            kill(id, Signal::SIGTERM).unwrap();
            is_told = true;
        }
        if started.elapsed() > LONGEST {
            child.kill().unwrap();
        }
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn every_command_runs() {
    let folder = folder();
    let mut not_here: BTreeSet<&str> = NOT_HERE.iter().map(|(start, _)| *start).collect();
    let mut run = 0;
    for Documented { place, command } in documented() {
        let mut listed = NOT_HERE.iter().map(|(start, _)| *start);
        if let Some(start) = listed.find(|start| command.starts_with(start)) {
            not_here.remove(start);
            continue;
        }
        // The same program, as cargo has built it for this test.
        let command = command.replacen("cargo run --release -- ", "framewire ", 1);
        let child = start(&command, &folder.0);
        assert!(succeeds(child), "{place}: {command}");
        run += 1;
    }
    assert!(run >= 15, "{run} commands");
    assert!(not_here.is_empty(), "no command needs {not_here:?}");
}

#[test]
fn the_scripts_and_suites_that_are_named_exist() {
    for Documented { place, command } in documented() {
        let first = command.split(' ').next().unwrap();
        if let Some((folder, _)) = first.split_once('/')
            && Path::new(ROOT).join(folder).is_dir()
        {
            assert!(Path::new(ROOT).join(first).is_file(), "{place}: {command}");
        }
        if let Some((_, suite)) = command.split_once("cargo test --test ") {
            let suite = suite.split(' ').next().unwrap();
            let file = format!("tests/{suite}.rs");
            assert!(Path::new(ROOT).join(&file).is_file(), "{place}: {file}");
        }
    }
}

/// The first column of a list in the help.
fn listed(title: &str) -> impl Iterator<Item = &'static str> {
    let (_, list) = HELP.split_once(&format!("{title}:\n")).unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("  "));
    let entries = lines.filter(|line| !line.starts_with(' '));
    entries.map(|line| line.split("  ").next().unwrap())
}

#[test]
fn every_command_and_option_of_the_help_has_its_row() {
    let sections = page("docs/operation.md").sections();
    let mut sections = sections.into_iter();
    let (_, _, text) = sections
        .find(|(_, heading, _)| heading == "Commands")
        .unwrap();
    let commands = listed("Commands").map(|name| format!("`framewire {name}` |"));
    // Every command takes those that have a letter too.
    let options = listed("Options").filter(|option| !option.starts_with("-h"));
    let options = options.filter(|option| !option.starts_with("-V"));
    let rows: Vec<_> = commands
        .chain(options.map(|option| format!("| `{option}` |")))
        .collect();
    assert!(rows.len() >= 12, "{rows:?}");
    for row in rows {
        assert!(text.contains(&row), "{row}");
    }
}
