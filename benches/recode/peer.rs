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
    keeping: Worker,
    returning: Worker,
}

/// What becomes of the memory of a picture, several megabytes of coefficients.
#[derive(Clone, Copy)]
pub enum Memory {
    /// The C library keeps it for the next one, as that of GNU does after some pictures.
    Kept,
    /// It goes back to the system, as it does with musl, and where a program ends after a picture.
    Returned,
}

impl Libjpeg {
    pub fn new(name: &str, jpeg: &[u8]) -> Self {
        let program = build();
        let folder = Folder::new(&format!("recode-{name}"));
        let path = |name: &str| folder.0.join(name);
        fs::write(path("in.jpg"), jpeg).expect("a file");
        let [from, best, standard] = ["in.jpg", "best.jpg", "standard.jpg"].map(path);
        let optimise = Command::new(&program)
            .arg("optimise")
            .args([&from, &best])
            .status();
        assert!(optimise.expect("the program runs").success());
        let [keeping, returning] = [Memory::Kept, Memory::Returned].map(|memory| {
            let mut worker = Worker::new(&program, [&best, &standard], memory);
            // Its first answer comes when the file is there.
            worker.transcode();
            worker
        });
        Self {
            optimised: fs::read(best).expect("a picture"),
            standard: fs::read(standard).expect("a picture"),
            keeping,
            returning,
        }
    }

    /// CPU time of once more, in microseconds.
    pub fn transcode(&mut self, memory: Memory) -> f64 {
        match memory {
            Memory::Kept => self.keeping.transcode(),
            Memory::Returned => self.returning.transcode(),
        }
    }
}

/// The program that is asked.
struct Worker {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn new(program: &Path, files: [&Path; 2], memory: Memory) -> Self {
        let mut command = Command::new(program);
        command.arg("transcode").args(files);
        if let Memory::Returned = memory {
            // From this size on each block comes from the system (mallopt(3)): the usual value, which then stays.
            command.env("MALLOC_MMAP_THRESHOLD_", "131072");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        Self {
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    fn transcode(&mut self) -> f64 {
        let questions = self.questions.as_mut().expect("a pipe");
        questions.write_all(b"\n").expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer.trim().parse::<f64>().expect("nanoseconds") / 1e3
    }
}

impl Drop for Worker {
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
