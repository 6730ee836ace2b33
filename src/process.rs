//! What the kernel says of this process: memory, processor time, open files.
//! proc_pid_status(5), proc_pid_fd(5), getrusage(2), getrlimit(2).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::stat::Mode;
use nix::sys::time::{TimeVal, TimeValLike};

use crate::clocks::{Reading, monotonic_now};

/// More than the kernel says in `status`.
const STATUS_OCTETS: usize = 8192;

/// Opened once: the sandbox has no way to /proc.
static FILES: OnceLock<Files> = OnceLock::new();

/// What is kept open. A file that is not there is left out.
#[derive(Debug)]
struct Files {
    /// On the monotonic clock.
    start: Duration,
    status: Option<File>,
    descriptors: Option<Mutex<Dir>>,
}

/// The figures at one moment; `None` where the kernel does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Of all threads, for the program and in the kernel.
    pub cpu: Option<Duration>,
    /// Octets in memory.
    pub resident: Option<u64>,
    /// Octets of all mappings.
    pub mapped: Option<u64>,
    /// Open descriptors.
    pub descriptors: Option<usize>,
    /// As many may be open.
    pub most_descriptors: Option<u64>,
    /// When the program started, since 1970.
    pub start: Duration,
}

/// The program has just started, and no sandbox is in the way yet.
pub fn begin() {
    files();
}

fn files() -> &'static Files {
    FILES.get_or_init(|| Files {
        start: monotonic_now(),
        status: File::open("/proc/self/status").ok(),
        descriptors: Dir::open(
            "/proc/self/fd",
            OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .ok()
        .map(Mutex::new),
    })
}

impl Figures {
    /// Now.
    pub fn now() -> Self {
        let files = files();
        let status = files.status.as_ref().and_then(read).unwrap_or_default();
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
        let limit = getrlimit(Resource::RLIMIT_NOFILE).ok();
        // Limits are as wide as a machine's words.
        let limit = limit.and_then(|(soft, _)| u64::try_from(u128::from(soft)).ok());
        Self {
            cpu: usage.map(|usage| duration(usage.user_time()) + duration(usage.system_time())),
            resident: octets(&status, "VmRSS:"),
            mapped: octets(&status, "VmSize:"),
            descriptors: files.descriptors.as_ref().map(count),
            most_descriptors: limit,
            start: Reading::now().unix_of(files.start),
        }
    }
}

fn read(file: &File) -> Option<String> {
    let mut octets = vec![0; STATUS_OCTETS];
    let length = file.read_at(&mut octets, 0).ok()?;
    octets.truncate(length);
    String::from_utf8(octets).ok()
}

/// The octets of a line such as `VmRSS:      5164 kB`.
fn octets(status: &str, label: &str) -> Option<u64> {
    let mut lines = status.lines();
    let rest = lines.find_map(|line| line.strip_prefix(label))?;
    let kilobytes: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn count(descriptors: &Mutex<Dir>) -> usize {
    let mut descriptors = descriptors.lock().unwrap_or_else(PoisonError::into_inner);
    let entries = descriptors.iter().flatten();
    entries
        .filter(|entry| !entry.file_name().to_bytes().starts_with(b"."))
        .count()
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_it_counts() {
        begin();
        let before = Figures::now();
        let held: Vec<File> = (0..50).map(|_| File::open("/dev/null").unwrap()).collect();
        let after = Figures::now();
        // Other tests open and close some at the same time.
        let more = after
            .descriptors
            .unwrap()
            .abs_diff(before.descriptors.unwrap());
        assert!((25..75).contains(&more), "{before:?} {after:?}");
        drop(held);
        assert!(after.resident.unwrap() > 1 << 20 && after.mapped >= after.resident);
        assert!(after.cpu.unwrap() > Duration::ZERO);
        let age = Reading::now().unix - after.start;
        assert!(age < Duration::from_secs(600), "{age:?}");
    }

    #[test]
    fn memory_is_read_in_kilobytes() {
        let status = "VmSize:\t   12345 kB\nVmRSS:\t     678 kB\nVmData:\t x kB\n";
        assert_eq!(octets(status, "VmRSS:"), Some(678 * 1024));
        assert_eq!(octets(status, "VmData:"), None);
        assert_eq!(octets(status, "VmSwap:"), None);
    }
}
