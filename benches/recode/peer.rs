//! libjpeg as a program of its own, so that nothing of framewire needs a C compiler: built here, then asked line by line.
//! `libjpeg.c` says what it does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::folder::Folder;

/// Transcodes one picture, as often as it is asked.
pub struct Libjpeg {
    /// The picture with the best Huffman tables for it.
    pub optimised: Vec<u8>,
    /// The same with Annex K's.
    pub standard: Vec<u8>,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: Folder,
}

impl Libjpeg {
    pub fn new(name: &str, jpeg: &[u8]) -> Self {
        let program = build();
        let folder = Folder::new(&format!("recode-{name}"));
        let path = |name: &str| folder.0.join(name);
        fs::write(path("in.jpg"), jpeg).expect("a file");
        let optimise = Command::new(&program)
            .args([
                "optimise".as_ref(),
                path("in.jpg").as_os_str(),
                path("best.jpg").as_os_str(),
            ])
            .status();
        assert!(optimise.expect("the program runs").success());
        let mut child = Command::new(&program)
            .args([
                "transcode".as_ref(),
                path("best.jpg").as_os_str(),
                path("standard.jpg").as_os_str(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut peer = Self {
            optimised: fs::read(path("best.jpg")).expect("a picture"),
            standard: Vec::new(),
            questions: child.stdin.take(),
            child,
            answers,
            folder,
        };
        peer.transcode();
        peer.standard = fs::read(peer.folder.0.join("standard.jpg")).expect("a picture");
        peer
    }

    /// CPU time of once more, in microseconds.
    pub fn transcode(&mut self) -> f64 {
        let questions = self.questions.as_mut().expect("a pipe");
        questions.write_all(b"\n").expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer.trim().parse::<f64>().expect("nanoseconds") / 1e3
    }
}

impl Drop for Libjpeg {
    fn drop(&mut self) {
        // It ends at the end of its input.
        self.questions = None;
        let _ = self.child.wait();
    }
}

/// Compiles the program into target/.
fn build() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/recode/libjpeg.c");
    let program = std::env::current_exe()
        .expect("a path")
        .with_file_name("libjpeg");
    let status = Command::new("gcc")
        .args(["-O2", "-o"])
        .arg(&program)
        .arg(source)
        .arg("-ljpeg")
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "libjpeg is missing: install the Debian packages gcc and libjpeg62-turbo-dev"
    );
    program
}
