//! Configuration files as editors, cards and accidents make them: each is accepted, or refused with an exit code that
//! says whether it was read, and one short error that names the file.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "support/folder.rs"]
mod folder;

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use folder::Folder;

const GOOD: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:8\"\n";
/// Exit code for what was read and is wrong (EX_CONFIG of sysexits.h): systemd does not try again.
const WRONG: i32 = 78;
/// Exit code for what could not be read: systemd tries again.
const UNREAD: i32 = 1;
/// A user that owns nothing, for tests that run as root, whom permissions do not bind.
const NOBODY: u32 = 65_534;
/// How long a program may take that has only to say what is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most octets of an error, besides the file's path.
const READABLE: usize = 1000;
const MEGABYTE: usize = 1_000_000;

/// What the program said and how it ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn framewire<S: AsRef<OsStr>>(arguments: &[S]) -> Ended {
    finish(Command::new(env!("CARGO_BIN_EXE_framewire")).args(arguments))
}

/// Runs to the end, which must come soon and with little to read.
fn finish(command: &mut Command) -> Ended {
    let command = command.stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("framewire starts");
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None if begin.elapsed() > PATIENCE => {
                child.kill().expect("killed");
                panic!("{command:?} hangs");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let text = |pipe: &mut dyn Read| {
        let mut octets = Vec::new();
        pipe.read_to_end(&mut octets).expect("a pipe");
        String::from_utf8(octets).expect("UTF-8")
    };
    Ended {
        code: status.code(),
        stdout: text(&mut child.stdout.take().expect("stdout")),
        stderr: text(&mut child.stderr.take().expect("stderr")),
    }
}

/// Refused by each command that reads a configuration, with `said` in the error.
fn assert_refused(path: &Path, code: i32, said: &str) {
    for command in ["check", "run", "sdp"] {
        let arguments = [command.as_ref(), "--config".as_ref(), path.as_os_str()];
        assert_error(&framewire(&arguments), path, code, said);
    }
}

fn assert_error(ended: &Ended, path: &Path, code: i32, said: &str) {
    let stderr = &ended.stderr;
    assert_eq!(ended.code, Some(code), "{stderr}");
    assert_eq!(ended.stdout, "");
    let file = format!("framewire: {}:", path.display());
    assert!(stderr.starts_with(&file), "{path:?}: {stderr}");
    assert!(stderr.contains(said), "{said}: {stderr}");
    assert!(stderr.len() < file.len() + READABLE, "{stderr}");
    // The message, and the line in question.
    assert!(stderr.lines().count() <= 2, "{stderr}");
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!stderr.contains(control), "{stderr:?}");
}

#[test]
fn what_editors_do_is_accepted() {
    let folder = Folder::new("editors");
    let crlf = GOOD.replace('\n', "\r\n");
    let tabs = GOOD.replace(" = ", "\t=\t").replace("name", "\tname");
    let no_last_line_end = GOOD.trim_end().to_owned();
    let all = format!("\u{FEFF}{}", tabs.replace('\n', "\r\n"));
    for text in [crlf, format!("\u{FEFF}{GOOD}"), tabs, no_last_line_end, all] {
        let path = folder.write("config.toml", &text);
        let ended = framewire(&["check", "--config", &path]);
        assert_eq!((ended.code, &*ended.stdout), (Some(0), "ok\n"), "{ended:?}");
    }
}

/// Octets without a pattern (xorshift), from `first` through `last`.
fn garbage(first: u8, last: u8) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let octet = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let span = u64::from(last - first) + 1;
        first + u8::try_from(state % span).expect("an octet")
    };
    (0..MEGABYTE).map(octet).collect()
}

#[test]
fn what_is_no_configuration_is_refused_in_two_lines() {
    let folder = Folder::new("garbage");
    let quoted = |value: &str| GOOD.replace("\"front\"", value).into_bytes();
    let long = "x".repeat(MEGABYTE);
    let wide = "ä".repeat(MEGABYTE / 2);
    let deep = |open: &str| format!("a = {}", open.repeat(MEGABYTE / open.len())).into_bytes();
    let bom = "\u{FEFF}".repeat(MEGABYTE / 3).into_bytes();
    for (octets, said) in [
        (
            quoted("\u{201C}front\u{201D}"),
            ":2:8: a typographic quote \u{201C}",
        ),
        (
            quoted("\u{2018}front\u{2019}"),
            ":2:8: a typographic quote \u{2018}",
        ),
        (Vec::new(), ":1:1: no camera"),
        (b"\n\n\n".to_vec(), ":1:1: no camera"),
        (vec![0; 4096], ":1:1: a NUL character"),
        (vec![0; MEGABYTE], ":1:1: a NUL character"),
        (
            GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ":1:2: a NUL character",
        ),
        (garbage(0, 255), "not UTF-8 text"),
        (garbage(b' ', b'~'), ":1:"),
        (garbage(b'\t', b'~'), ":1:"),
        (garbage(1, 127), ":1:"),
        (garbage(0, 127), "a NUL character"),
        (bom, ":1:"),
        (long.clone().into_bytes(), ":1:1000001:"),
        (wide.into_bytes(), ":1:500001:"),
        (
            quoted(&format!("\"{long}\"")),
            "expected a camera name of 1 to 32",
        ),
        (
            quoted(&format!("\"a\"\n{long} = 1")),
            "expected one of `name`",
        ),
        (
            format!("[log]\nlevel = \"{long}\"").into_bytes(),
            "or \"trace\"",
        ),
        (
            format!("{GOOD}mtu = {}", "9".repeat(MEGABYTE)).into_bytes(),
            ":6:7:",
        ),
        (deep("["), "recurs"),
        (deep("{a="), "recurs"),
        (deep("a.").split_off(4), ":1:"),
        (b"[[".repeat(MEGABYTE / 2), ":1:"),
        (b"[a]\n".repeat(MEGABYTE / 4), ":2:2:"),
        (vec![b'#'; (1 << 20) + 1], "larger than any configuration"),
    ] {
        assert_refused(folder.write("config.toml", octets).as_ref(), WRONG, said);
    }
}

#[test]
fn the_largest_file_is_still_read() {
    let folder = Folder::new("largest");
    let mut octets = GOOD.as_bytes().to_vec();
    octets.resize(1 << 20, b'#');
    let path = folder.write("config.toml", octets);
    assert_eq!(framewire(&["check", "--config", &path]).stdout, "ok\n");
}

#[test]
fn what_is_no_file_is_refused_without_reading_it() {
    let folder = Folder::new("no-file");
    let beside = |name: &str| folder.0.join(name);
    nix::unistd::mkfifo(&beside("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    symlink("loop", beside("loop")).expect("a link");
    symlink("nowhere", beside("dangling")).expect("a link");
    let huge = File::create(beside("huge")).expect("a file");
    huge.set_len(1 << 36).expect("a sparse file");
    for (path, said) in [
        (beside("missing.toml"), "No such file"),
        (beside("missing/config.toml"), "No such file"),
        (beside("dangling"), "No such file"),
        (beside("loop"), "symbolic links"),
        (beside("huge/config.toml"), "Not a directory"),
        (beside(&"x".repeat(300)), "File name too long"),
        (folder.0.clone(), "not a file"),
        (beside("pipe"), "not a file"),
        ("/dev/zero".into(), "not a file"),
        ("/dev/null".into(), "not a file"),
    ] {
        assert_refused(&path, UNREAD, said);
    }
    assert_refused(&beside("huge"), WRONG, "larger than any configuration");
    // In place of the file that is looked for without --config.
    fs::create_dir(beside("config.toml")).expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    let ended = finish(command.arg("check").current_dir(&folder.0));
    assert_error(&ended, "config.toml".as_ref(), UNREAD, "not a file");
}

/// A folder with a copy of the program that a user without privileges may run.
struct Unprivileged {
    folder: Folder,
    program: PathBuf,
}

impl Unprivileged {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let program = folder.0.join("framewire");
        // By another process: a program that this one has open for writing cannot be run, and a child that is
        // being started in another thread may hold the file open for a moment.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_framewire")).arg(&program);
        assert!(copy.status().expect("cp runs").success());
        let this = Self { folder, program };
        this.set_mode("", 0o755);
        this.set_mode("framewire", 0o755);
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).expect("permissions");
    }

    /// A configuration that everybody may read.
    fn write_config(&self, name: &str) -> PathBuf {
        let path = self.folder.write(name, GOOD);
        self.set_mode(name, 0o644);
        path.into()
    }

    /// A folder that everybody may enter and, by `mode`, change.
    fn make_folder(&self, name: &str, mode: u32) -> PathBuf {
        fs::create_dir(self.path(name)).expect("a folder");
        self.set_mode(name, mode);
        self.path(name)
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir("/");
        // Its own place, not one of whoever runs the test.
        command
            .env("HOME", &self.folder.0)
            .env_remove("XDG_STATE_HOME");
        if fs::metadata(&self.program).expect("a program").uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        finish(&mut command)
    }

    fn prepare(&self, config: &Path, state: &Path, root: &Path) -> Ended {
        let [config, state, root] = [config, state, root].map(Path::as_os_str);
        let [with, keep, below] = ["--config", "--state", "--root"].map(OsStr::new);
        self.run(&["prepare".as_ref(), with, config, keep, state, below, root])
    }
}

#[test]
fn what_may_not_be_read_is_refused() {
    let user = Unprivileged::new("unreadable");
    user.make_folder("locked", 0o755);
    let file = user.write_config("config.toml");
    let inside = user.write_config("locked/config.toml");
    let check = |path: &Path| user.run(&["check".as_ref(), "--config".as_ref(), path.as_os_str()]);
    assert_eq!(check(&file).stdout, "ok\n");
    assert_eq!(check(&inside).stdout, "ok\n");

    user.set_mode("config.toml", 0o000);
    user.set_mode("locked", 0o000);
    assert_error(&check(&file), &file, UNREAD, "Permission denied");
    assert_error(&check(&inside), &inside, UNREAD, "Permission denied");
    user.set_mode("locked", 0o755);
}

#[test]
fn prepare_names_what_it_cannot_write() {
    let user = Unprivileged::new("unwritable");
    let config = user.write_config("config.toml");
    let root = user.make_folder("root", 0o777);
    let state = user.make_folder("state", 0o777);
    let locked = user.make_folder("locked", 0o555);
    assert_eq!(user.prepare(&config, &state, &root).stdout, "ok\n");
    fs::remove_file(state.join("config.toml")).expect("kept");

    // Without a root folder to write to nothing is in force.
    for root in [locked.clone(), locked.join("missing"), config.clone()] {
        let ended = user.prepare(&config, &state, &root);
        assert_eq!(
            (ended.code, &*ended.stdout),
            (Some(UNREAD), ""),
            "{ended:?}"
        );
        let file = root.join("run/framewire/config.toml");
        let said = format!("framewire: cannot write {}: ", file.display());
        assert!(ended.stderr.starts_with(&said), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    // Without a place for the last good one the camera streams all the same.
    for state in [locked.clone(), locked.join("missing"), config.clone()] {
        let ended = user.prepare(&config, &state, &root);
        assert_eq!((ended.code, &*ended.stdout), (Some(0), "ok\n"), "{ended:?}");
        let file = state.join("config.toml");
        let said = format!(
            "the last good configuration cannot be written: {}: ",
            file.display()
        );
        assert!(ended.stderr.contains(&said), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn prepare_falls_back_from_whatever_lies_there() {
    let user = Unprivileged::new("fall-back");
    let root = user.make_folder("root", 0o777);
    let state = user.make_folder("state", 0o777);
    let boot = user.make_folder("boot", 0o777);
    user.write_config("state/config.toml");
    let config = user.write_config("boot/config.toml");
    let complaint = boot.join("framewire-error.txt");

    fs::write(&config, garbage(b' ', b'~')).expect("garbage");
    assert_eq!(user.prepare(&config, &state, &root).code, Some(0));
    let said = fs::read_to_string(&complaint).expect("a complaint");
    assert!(
        said.contains("config.toml:1:") && said.contains("the last good"),
        "{said}"
    );
    assert!(said.len() < boot.as_os_str().len() + READABLE, "{said}");

    fs::remove_file(&config).expect("removed");
    fs::create_dir(&config).expect("a folder");
    assert_eq!(user.prepare(&config, &state, &root).code, Some(0));
    let said = fs::read_to_string(&complaint).expect("a complaint");
    assert!(said.contains("config.toml: not a file"), "{said}");

    // No boot partition at all, or one that takes no complaint.
    fs::remove_file(&complaint).expect("removed");
    user.set_mode("boot", 0o555);
    let missing = user.path("missing/config.toml");
    for config in [&missing, &config] {
        let ended = user.prepare(config, &state, &root);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        // The file, or the folder that is not there.
        let folder = config.parent().expect("a folder").display().to_string();
        let said = format!("framewire-error.txt cannot be written: {folder}");
        assert!(ended.stderr.contains(&said), "{ended:?}");
    }
    // Nor a last good one: what is wrong with the user's file is the error.
    fs::remove_file(state.join("config.toml")).expect("removed");
    let ended = user.prepare(&config, &state, &root);
    assert_eq!(ended.code, Some(UNREAD), "{ended:?}");
    assert!(
        ended.stderr.contains("config.toml: not a file"),
        "{ended:?}"
    );
    user.set_mode("boot", 0o755);
}
