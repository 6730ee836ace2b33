//! `framewire password`, by a pipe and at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use nix::pty::openpty;
use nix::sys::signal::Signal;
use nix::sys::termios::{LocalFlags, tcgetattr};

use super::answers::block;
use super::support::program::{command, send, text};

/// Exit code, what it prints, what it complains of.
type Ended = (Option<i32>, String, String);

fn piped(name: &str, line: &[u8]) -> Ended {
    let mut command = command(&["password", name]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.expect("framewire starts");
    // It may have ended without reading.
    let _ = child.stdin.take().expect("a pipe").write_all(line);
    let output = child.wait_with_output().expect("framewire runs");
    let code = output.status.code();
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_line_from_a_pipe_becomes_a_block() {
    let fine = (Some(0), block("anna", "right"), String::new());
    assert_eq!(piped("anna", b"right\n"), fine);
    assert_eq!(piped("anna", b"right"), fine);
    for (name, line, code, problem) in [
        ("anna", &b""[..], 1, "no password"),
        ("anna", &[b'x'; 100_000], 1, "at most 256 octets"),
        ("anna", b"\xff\n", 1, "UTF-8"),
        ("a:b", b"right\n", 78, "1 to 64 ASCII characters"),
    ] {
        let (ended, out, complaint) = piped(name, line);
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{complaint}");
        assert!(complaint.contains(problem), "{complaint}");
    }
}

fn shows_what_is_typed(terminal: &OwnedFd) -> bool {
    let settings = tcgetattr(terminal.as_fd()).expect("settings");
    settings.local_flags.contains(LocalFlags::ECHO)
}

/// The program at a terminal of its own.
struct AtTerminal {
    child: Child,
    keyboard: File,
    terminal: OwnedFd,
}

impl AtTerminal {
    fn start() -> Self {
        let pty = openpty(None, None).expect("a terminal");
        assert!(shows_what_is_typed(&pty.slave));
        let stdin = pty.slave.try_clone().expect("the terminal");
        let mut command = command(&["password", "anna"]);
        command.stdin(stdin).stdout(Stdio::piped());
        let child = command.stderr(Stdio::piped()).spawn();
        Self {
            child: child.expect("framewire starts"),
            keyboard: pty.master.into(),
            terminal: pty.slave,
        }
    }

    fn shows_what_is_typed(&self) -> bool {
        shows_what_is_typed(&self.terminal)
    }

    /// Waits for the question, which ends so.
    fn is_asked(&mut self, question: &str) {
        let questions = self.child.stderr.as_mut().expect("a pipe");
        let mut asked = String::new();
        while !asked.ends_with(question) {
            let mut octet = [0];
            questions.read_exact(&mut octet).expect("a question");
            asked.push(octet[0].into());
        }
    }

    fn types(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.keyboard.write_all(line.as_bytes()).expect("keys");
    }

    fn ends(&mut self) -> Ended {
        let (mut out, mut complaint) = (String::new(), String::new());
        let stdout = self.child.stdout.as_mut().expect("a pipe");
        stdout.read_to_string(&mut out).expect("text");
        let stderr = self.child.stderr.as_mut().expect("a pipe");
        stderr.read_to_string(&mut complaint).expect("text");
        (self.child.wait().expect("an end").code(), out, complaint)
    }
}

#[test]
fn at_a_terminal_it_asks_twice_and_shows_nothing() {
    for (again, code) in [("right", 0), ("other", 1)] {
        let mut program = AtTerminal::start();
        program.is_asked("Password of anna: ");
        assert!(!program.shows_what_is_typed());
        program.types("right");
        program.is_asked("The same again: ");
        program.types(again);
        let (ended, out, complaint) = program.ends();
        assert_eq!(ended, Some(code), "{complaint}");
        let expected = if code == 0 {
            block("anna", "right")
        } else {
            String::new()
        };
        assert_eq!(out, expected);
        assert_eq!(complaint.contains("differ"), code == 1, "{complaint}");
        assert!(program.shows_what_is_typed());
        // The ends of the lines, and nothing else.
        let mut shown = [0; 4];
        program.keyboard.read_exact(&mut shown).expect("two ends");
        assert_eq!(&shown, b"\r\n\r\n");
    }
}

#[test]
fn a_terminal_shows_again_what_is_typed_after_a_signal() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut program = AtTerminal::start();
        program.is_asked("Password of anna: ");
        send(signal, &program.child);
        let status = program.child.wait().expect("an end");
        assert_eq!(status.signal(), Some(signal as i32));
        assert!(program.shows_what_is_typed());
    }
}
