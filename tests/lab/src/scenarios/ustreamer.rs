//! framewire's HTTP beside ustreamer's: the same camera, the same readers, one after the other. One instruction of this
//! machine is a nanosecond, so the time that the kernel notes for a process is its instructions, and the kernel's for it.

use std::error::Error;
use std::fmt::Write;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{FULL_HD, sized};
use crate::bench::{Outcome, ensure, mjpeg_camera};
use crate::holdings::Holdings;
use crate::http::{PORT, Readers};

const READERS: [usize; 3] = [1, 8, 32];
/// Until all is as it stays: a camera that was asleep has begun, and buffers have their size.
const WARM: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(4);
/// At what it holds: the most counts.
const LOOKS: usize = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(47); // at another time of the frame each
/// Of the other's, at most.
const GOAL: u64 = 50; // percent

/// What a server took for each frame of the camera and each reader, and what it held.
struct Cost {
    instructions: u64,
    /// Frames that the slowest reader had, in thousandths a second.
    millihertz: u64,
    /// Share of the time in which the whole machine was busy, camera and readers included.
    busy: f64,
    /// Kilobytes at most, beside the driver's buffers; and those of the process alone.
    resident: u64,
    own: u64,
}

/// A server; dropping it ends it.
struct Server(Child);

impl Server {
    fn start(program: &str, arguments: &[String]) -> std::io::Result<Self> {
        let log = File::create("/tmp/server")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        let command = command.stdout(log.try_clone()?).stderr(log);
        command.spawn().map(Self)
    }

    /// Nanoseconds that all of its threads have run.
    fn ran(&self) -> std::io::Result<u64> {
        let mut ran = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().unwrap_or_default();
            ran += first.parse::<u64>().unwrap_or_default();
        }
        Ok(ran)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints what each takes, and how much of the other's that is.
pub fn ustreamer() -> Outcome {
    let (_camera, films) = mjpeg_camera(0, "BESIDE", "plain", &[sized(FULL_HD, &[30])], &[])?;
    let octets: usize = films[0].iter().map(Vec::len).sum();
    let frame = u64::try_from(octets / films[0].len())?;
    let mut facts = format!("frame={frame}");
    for readers in READERS {
        let ours = measure(framewire, "/lab/stream.mjpg", readers, frame)?;
        let theirs = measure(other, "/stream", readers, frame)?;
        for (name, cost) in [("framewire", &ours), ("ustreamer", &theirs)] {
            println!(
                "{name}: readers={readers} instructions-a-frame={} millihertz={} machine-busy={:.3} memory={}kB own={}kB",
                cost.instructions, cost.millihertz, cost.busy, cost.resident, cost.own
            );
        }
        for (what, ours, theirs) in [
            ("instructions", ours.instructions, theirs.instructions),
            ("memory", ours.resident, theirs.resident),
        ] {
            let percent = ours * 100 / theirs;
            let verdict = if percent <= GOAL { "met" } else { "MISSED" };
            write!(facts, " {what}/{readers}={percent}%:{verdict}")?;
        }
    }
    Ok(facts)
}

fn framewire() -> std::io::Result<Server> {
    let (width, height) = FULL_HD;
    let config = format!(
        "[http]\nlisten = \"127.0.0.1:{PORT}\"\n[[camera]]\nname = \"lab\"\ndevice = \"/dev/video0\"\n\
         width = {width}\nheight = {height}\nfps = 30\n"
    );
    fs::write("/tmp/http.toml", config)?;
    Server::start(
        "/bin/framewire",
        &["run", "--config", "/tmp/http.toml"].map(String::from),
    )
}

/// As its manual says for a camera's own JPEG: it passes pictures on as they are.
fn other() -> std::io::Result<Server> {
    let (width, height) = FULL_HD;
    let arguments = [
        "--device=/dev/video0",
        "--format=JPEG",
        "--encoder=HW",
        &format!("--resolution={width}x{height}"),
        "--desired-fps=30",
        "--host=127.0.0.1",
        &format!("--port={PORT}"),
    ];
    Server::start("/usr/bin/ustreamer", &arguments.map(String::from))
}

fn measure(
    start: fn() -> std::io::Result<Server>,
    path: &str,
    readers: usize,
    frame: u64,
) -> Result<Cost, Box<dyn Error>> {
    let server = start()?;
    let readers = Readers::start(path, readers)?;
    thread::sleep(WARM);
    let (octets, ran, idle, began) = (readers.octets(), server.ran()?, idle()?, Instant::now());
    thread::sleep(MEASURED);
    let took = began.elapsed();
    let (ran, idled) = (server.ran()? - ran, self::idle()? - idle);
    let came = readers.octets().into_iter().zip(octets);
    let slowest = came.map(|(now, before)| now - before).min().unwrap_or(0);
    ensure!(
        slowest > frame,
        "nothing comes: {}",
        fs::read_to_string("/tmp/server")?
    );
    let (mut resident, mut own) = (0, 0);
    for _ in 0..LOOKS {
        thread::sleep(BETWEEN_LOOKS);
        let holdings = Holdings::of(server.0.id())?;
        (resident, own) = (holdings.resident.max(resident), holdings.own.max(own));
    }
    Ok(Cost {
        instructions: ran * frame / slowest,
        millihertz: slowest * 1_000_000 / frame / u64::try_from(took.as_millis())?,
        busy: 1.0 - idled / took.as_secs_f64(),
        resident: u64::try_from(resident)?,
        own: u64::try_from(own)?,
    })
}

/// Seconds in which the machine had nothing to do, proc(5).
fn idle() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/uptime")?;
    let idle = text.split_whitespace().nth(1).ok_or("no idle time")?;
    Ok(idle.parse()?)
}
