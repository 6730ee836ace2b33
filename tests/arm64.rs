//! The static binaries: small, and really static; and the one for 64-bit ARM and that for Debian's armhf, which is
//! linked with glibc, stream the right pixels. Those run under qemu's user emulation: the program and its libc are
//! ARM's, the kernel is the host's. (A whole ARM machine is `LAB_ARCH=aarch64 cargo test --test lab`.)
//!
//! Run by `cargo test --test arm64`; needs the rust targets below and the Debian packages qemu-user-static,
//! gcc-arm-linux-gnueabihf and libc6-dev-armhf-cross.
#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and prints what it measured; its numbers are small"
)]

#[expect(dead_code, reason = "the interop suite uses the rest")]
#[path = "interop/process.rs"]
mod process;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use process::Process;
use serde_json::Value;
use support::frames::{Picture, Sampling, Tables};
use support::receive::{depacketize, headers, pixels};

/// A program with this much in it fits into any boot image, and a change that pulls in a C library shows.
const LARGEST: u64 = 3_200_000; // octets

const EMULATOR_PACKAGE: &str = "qemu-user-static";
/// The emulated CPU takes a good part of a second for some pictures, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A rust target, the machine of its ELF files (e_machine of the gABI), and what runs them if the host does not.
struct Target {
    triple: &'static str,
    machine: u16,
    emulator: &'static [&'static str],
}

const X86_64: Target = Target {
    triple: "x86_64-unknown-linux-musl",
    machine: 62,
    emulator: &[],
};
const AARCH64: Target = Target {
    triple: "aarch64-unknown-linux-musl",
    machine: 183,
    emulator: &["qemu-aarch64-static"],
};
/// With glibc and where libc6-armhf-cross has put that.
const ARMHF: Target = Target {
    triple: "armv7-unknown-linux-gnueabihf",
    machine: 40,
    emulator: &["qemu-arm-static", "-L", "/usr/arm-linux-gnueabihf"],
};
/// Those whose streams are received here.
const EMULATED: [&Target; 2] = [&AARCH64, &ARMHF];

impl Target {
    /// Builds as a user does: no linker, no flags. Nothing happens when that has been done.
    fn build(&self) -> PathBuf {
        // target/, wherever cargo was told to have it
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
        let target = target.expect("a target directory");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--release", "--locked"])
            .args(["--target", self.triple, "--target-dir"])
            .arg(target);
        // Its messages go to the terminal: they are the reason when it fails.
        let status = cargo.status().expect("cargo runs");
        assert!(
            status.success(),
            "no binary: rustup target add {}?",
            self.triple
        );
        target.join(self.triple).join("release").join("framewire")
    }

    /// The command that runs the binary.
    fn emulated(&self) -> Command {
        let mut words = self.emulator.iter();
        let emulator = words.next().expect("an emulator");
        let mut try_out = Command::new(emulator);
        try_out.arg("--version").stdout(Stdio::null());
        let runs = try_out.status().is_ok_and(|status| status.success());
        assert!(
            runs,
            "{emulator} is missing: install the Debian package {EMULATOR_PACKAGE}"
        );
        let mut command = Command::new(emulator);
        command.args(words).arg(self.build());
        command
    }
}

#[test]
fn the_binaries_are_small_and_static() {
    for target in [&X86_64, &AARCH64] {
        let file = fs::read(target.build()).expect("the binary can be read");
        let size = file.len() as u64;
        println!("{}: {size} octets", target.triple);
        assert!(size <= LARGEST, "{}: {size} octets", target.triple);
        let elf = Elf(&file);
        assert_eq!(elf.machine(), target.machine, "{}", target.triple);
        assert!(!elf.wants_a_loader(), "{}: has PT_INTERP", target.triple);
        assert!(!elf.wants_libraries(), "{}: has DT_NEEDED", target.triple);
        assert!(!elf.has_symbols(), "{}: not stripped", target.triple);
    }
}

/// A 64-bit little-endian ELF file (System V gABI, chapters 4 and 5).
struct Elf<'a>(&'a [u8]);

impl<'a> Elf<'a> {
    const CLASS_64_LITTLE_ENDIAN: [u8; 6] = [0x7F, b'E', b'L', b'F', 2, 1];
    const PT_DYNAMIC: u32 = 2;
    const PT_INTERP: u32 = 3;
    const SHT_SYMTAB: u32 = 2;
    const DT_NEEDED: u64 = 1;
    const DYNAMIC_ENTRY: usize = 16; // octets

    fn machine(&self) -> u16 {
        assert!(self.0.starts_with(&Self::CLASS_64_LITTLE_ENDIAN));
        half(self.0, 18)
    }

    fn wants_a_loader(&self) -> bool {
        self.segments().any(|s| word(s, 0) == Self::PT_INTERP)
    }

    /// A position-independent program has a dynamic section even if it is static; it then names no library.
    fn wants_libraries(&self) -> bool {
        self.segments()
            .filter(|segment| word(segment, 0) == Self::PT_DYNAMIC)
            .flat_map(|segment| {
                let (start, octets) = (offset(segment, 8), offset(segment, 32));
                self.0[start..start + octets].chunks_exact(Self::DYNAMIC_ENTRY)
            })
            .any(|entry| long(entry, 0) == Self::DT_NEEDED)
    }

    fn has_symbols(&self) -> bool {
        self.table(40, 58).any(|s| word(s, 4) == Self::SHT_SYMTAB)
    }

    fn segments(&self) -> impl Iterator<Item = &'a [u8]> {
        self.table(32, 54)
    }

    /// The entries of the table whose place is at one octet of the header; their size and number are at another.
    fn table(&self, place: usize, shape: usize) -> impl Iterator<Item = &'a [u8]> {
        let start = offset(self.0, place);
        let size = usize::from(half(self.0, shape));
        let count = usize::from(half(self.0, shape + 2));
        let entries = &self.0[start..start + size * count];
        assert!(count > 0, "an ELF file without the table at {place}");
        entries.chunks_exact(size)
    }
}

fn half(octets: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(octets[at..at + 2].try_into().expect("2 octets"))
}

fn word(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets[at..at + 4].try_into().expect("4 octets"))
}

fn long(octets: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(octets[at..at + 8].try_into().expect("8 octets"))
}

fn offset(octets: &[u8], at: usize) -> usize {
    usize::try_from(long(octets, at)).expect("an offset in the file")
}

/// A receiver on the host, and the frames it gets from framewire on ARM.
struct Receiver {
    socket: UdpSocket,
    folder: PathBuf,
}

impl Receiver {
    const BUFFER: usize = 4 << 20; // octets: several frames, where the kernel allows it

    fn new(name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        setsockopt(&socket, sockopt::RcvBuf, &Self::BUFFER).expect("a receive buffer");
        let patience = Some(PATIENCE);
        socket.set_read_timeout(patience).expect("a time-out");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("arm64-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        Self { socket, folder }
    }

    fn address(&self) -> String {
        self.socket.local_addr().expect("an address").to_string()
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, octets).expect("a file");
        path
    }

    /// Runs framewire until it has sent so many frames; returns them as reassembled.
    fn receive(&self, target: &Target, arguments: &[&str], frames: usize) -> Vec<Vec<u8>> {
        let mut command = target.emulated();
        command.args(arguments);
        command.args(["--json", "--frames", &frames.to_string()]);
        let mut process = Process::spawn("framewire", &mut command, &self.folder);
        let received = (0..frames).map(|number| self.frame(number, &process));
        let received = received.collect();
        process.expect_success(PATIENCE);
        let report: Value = serde_json::from_str(&process.stdout()).expect("a report in JSON");
        let camera = &report["cameras"][0];
        assert_eq!(camera["frames_sent"], frames, "{report}");
        assert_eq!(camera["send_errors"], 0, "{report}");
        received
    }

    fn frame(&self, number: usize, process: &Process) -> Vec<u8> {
        let mut packets = Vec::new();
        let mut buffer = [0; 9000];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| {
                panic!("no frame {number}: {error}\n{}", process.stderr());
            });
            packets.push(buffer[..length].to_vec());
            if headers(&buffer[..length]).0.marker {
                return depacketize(&packets);
            }
        }
    }
}

/// Annex K tables; a smaller picture with other sampling, restart markers, tables of its own; and a small packet size.
#[test]
fn replayed_files_arrive_with_identical_pixels() {
    const LOOPS: usize = 2;
    let hd = Picture {
        width: 1280,
        height: 720,
        ..Picture::DEFAULT
    };
    let foreign = Picture {
        sampling: Sampling::S420,
        restart_interval: Some(7),
        tables: Tables::Foreign,
        seed: 2,
        ..Picture::DEFAULT
    };
    let pictures = [hd, Picture { seed: 3, ..hd }, foreign].map(|picture| picture.encode());
    let receiver = Receiver::new("replay");
    for (number, picture) in pictures.iter().enumerate() {
        receiver.write(&format!("frames/{number}.jpg"), picture);
    }
    let config = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = 5\n\
         [[camera.rtp]]\ndestination = \"{}\"\nmtu = 1200\n",
        receiver.folder.join("frames").display(),
        receiver.address()
    );
    let config = receiver.write("config.toml", config.as_bytes());
    let config = config.to_str().expect("a path in UTF-8");

    let expected = pictures.each_ref().map(|picture| pixels(picture));
    for target in EMULATED {
        let arguments = ["run", "--config", config];
        let frames = receiver.receive(target, &arguments, LOOPS * pictures.len());
        let seen: BTreeSet<usize> = frames
            .iter()
            .map(|frame| {
                let frame = pixels(frame);
                let same = expected.iter().position(|picture| *picture == frame);
                same.expect("each frame has the pixels of one of the files")
            })
            .collect();
        // Not their order: on a busy machine a frame may be superseded by a newer one.
        assert_eq!(seen.len(), pictures.len(), "{}", target.triple);
    }
}

#[test]
fn the_demo_shows_its_pattern() {
    const FRAMES: usize = 4;
    let receiver = Receiver::new("demo");
    for target in EMULATED {
        let frames = receiver.receive(target, &["demo", "--to", &receiver.address()], FRAMES);
        let shifts = frames.iter().map(|frame| Pattern::of(frame).verify());
        let shifts: Vec<usize> = shifts.collect();
        assert!(
            shifts.is_sorted_by(|one, next| one < next),
            "the bars move on from frame to frame: {shifts:?}"
        );
    }
}

/// A received frame of the demo, by its samples.
struct Pattern(Vec<u8>);

impl Pattern {
    const WIDTH: usize = 1280;
    const HEIGHT: usize = 720;
    /// Y, Cb, Cr of 75 % colour bars by ITU-R BT.601 in the full range of JFIF, worked out from R, G and B.
    const BARS: [[u8; 3]; 8] = [
        [191, 128, 128],
        [169, 32, 143],
        [134, 160, 32],
        [112, 64, 48],
        [79, 192, 208],
        [57, 96, 223],
        [22, 224, 112],
        [0, 128, 128],
    ];
    /// Of a sample, by quantization and rounding.
    const TOLERANCE: u8 = 4;

    fn of(jpeg: &[u8]) -> Self {
        let (width, height, samples) = pixels(jpeg);
        assert_eq!((width, height), (Self::WIDTH, Self::HEIGHT));
        Self(samples)
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * Self::WIDTH + x) * 3;
        self.0[start..start + 3].try_into().expect("Y, Cb, Cr")
    }

    fn expect(&self, x: usize, y: usize, wanted: [u8; 3]) {
        let found = self.at(x, y);
        let mut pairs = found.iter().zip(wanted);
        let close = pairs.all(|(sample, wanted)| sample.abs_diff(wanted) <= Self::TOLERANCE);
        assert!(close, "{found:?} at {x}, {y}, and not {wanted:?}");
    }

    /// Checks bars, ramp and text; returns by how many pixels the bars have moved.
    fn verify(&self) -> usize {
        const BELOW_THE_TEXT: usize = 400;
        const RAMP: usize = 600;
        const SHADES: usize = 24; // three times as many as there are bars
        const GREY: u8 = 95; // between the black of the last bar and the white of the first
        let row = (0..Self::WIDTH).rev();
        let shift = row
            .take_while(|&x| self.at(x, BELOW_THE_TEXT)[0] > GREY)
            .count();
        let bar = Self::WIDTH / Self::BARS.len();
        for (number, &colour) in Self::BARS.iter().enumerate() {
            let middle = bar * number + bar / 2 + Self::WIDTH - shift;
            self.expect(middle % Self::WIDTH, BELOW_THE_TEXT, colour);
        }
        let ramp: BTreeSet<u8> = (0..Self::WIDTH)
            .map(|x| {
                let [luma, ..] = self.at(x, RAMP);
                self.expect(x, RAMP, [luma, 128, 128]);
                luma
            })
            .collect();
        assert!(ramp.len() >= SHADES, "a ramp of {} shades", ramp.len());
        self.verify_text();
        shift
    }

    /// Two lines in the upper left corner: a counter of 8 digits, and below it the time of day.
    fn verify_text(&self) {
        const LIT: u8 = 215; // brighter than any bar
        const LINES: [std::ops::Range<usize>; 2] = [52..143, 169..260];
        const TEXT: std::ops::Range<usize> = 52..676;
        for line in LINES {
            let lit = line
                .clone()
                .flat_map(|y| TEXT.map(move |x| (x, y)))
                .filter(|&(x, y)| self.at(x, y)[0] > LIT)
                .count();
            let share = lit * 100 / (line.len() * TEXT.len());
            assert!((15..60).contains(&share), "{share} % of {line:?} are lit");
        }
    }
}
