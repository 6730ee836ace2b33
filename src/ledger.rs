//! What receivers know each stream by, kept in a file that outlives the process: after a restart or a crash the streams
//! go on, and no viewer takes them for others. RFC 3550 5.1 (SSRC, sequence number, timestamp), 8.2 (collisions).
//!
//! The file is written by write(2), not mapped: a mapping ends the process when somebody shortens the file.

mod record;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use tracing::{debug, info, warn};

use crate::clocks::monotonic_now;
use crate::{cname, config};
use record::{RECORD_OCTETS, Record};

pub use record::Identity;

/// Most streams that are remembered: sixteen cameras with as many outputs as each may have. 86 kB.
const MAX_RECORDS: usize = 16 * config::MAX_OUTPUTS;
/// The number of this boot; not visible in every sandbox.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Only the owner reads and writes it.
const MODE: u32 = 0o600;

/// The file, shared by all cameras.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    path: PathBuf,
    boot: [u8; 16],
    /// Which records have an [`Entry`] in this process; the file's locks tell of other processes.
    taken: Vec<AtomicBool>,
}

impl Ledger {
    /// The file in the run-time folder of the service or of the user; `None` where there is none, or where it cannot
    /// be used. Before the sandbox closes.
    pub fn open() -> Option<Arc<Self>> {
        let path = locate(|name| std::env::var_os(name))?;
        match Self::open_at(&path) {
            Ok(ledger) => {
                ledger.keep_cname();
                Some(Arc::new(ledger))
            }
            Err(error) => {
                warn!(
                    "{}: {error}: after a restart its streams are new ones",
                    path.display()
                );
                None
            }
        }
    }

    fn open_at(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        options
            .mode(MODE)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        // A camera's thread writes it: nothing on a disk.
        if fstatfs(&file)?.filesystem_type() != TMPFS_MAGIC {
            return Err(io::Error::other("not in memory (tmpfs)"));
        }
        let boot = fs::read_to_string(BOOT_ID).unwrap_or_default();
        let ledger = Self {
            file,
            path: path.to_owned(),
            boot: record::boot(&boot),
            taken: (0..MAX_RECORDS).map(|_| AtomicBool::new(false)).collect(),
        };
        ledger.sweep();
        Ok(ledger)
    }

    /// The entry of `output` of the camera `name`, with what is known from before; `None` when another process has
    /// it, or there is no room.
    pub fn claim(
        self: &Arc<Self>,
        name: &str,
        output: &config::Output,
    ) -> Option<(Entry, Option<Identity>)> {
        let key = record::key(name, output);
        let records = self.records();
        let is_mine = |record: &Option<Record>| record.is_some_and(|record| record.key == key);
        if let Some(index) = records.iter().position(is_mine) {
            let Some(entry) = self.entry(index, key) else {
                let destination = &output.destination;
                info!(
                    "{name}: {destination}: another framewire sends that stream: after a restart this one is a new stream"
                );
                return None;
            };
            // It may be another's since it was read.
            if let Some(record) = self.record(index).filter(|record| record.key == key) {
                return Some((entry, Some(record.identity)));
            }
        }
        // Free ones first, then those that were written longest ago.
        let mut others: Vec<_> = (0..MAX_RECORDS).collect();
        others.sort_by_key(|&index| {
            records
                .get(index)
                .copied()
                .flatten()
                .map(|record| record.written)
        });
        let free = others.into_iter().find_map(|index| self.entry(index, key));
        free.map(|entry| (entry, None))
    }

    /// The record `index` for this process alone.
    fn entry(self: &Arc<Self>, index: usize, key: u64) -> Option<Entry> {
        self.take(index).then(|| Entry {
            ledger: self.clone(),
            index,
            key,
        })
    }

    /// Erases what is of no use: the records of another boot, and what no framewire has written.
    fn sweep(&self) {
        let mut erased = 0;
        for (index, octets) in self.octets().chunks(RECORD_OCTETS).enumerate() {
            let is_empty = octets.iter().all(|&octet| octet == 0);
            if !is_empty && self.read(octets).is_none() && self.take(index) {
                erased += 1;
                self.erase(index);
                self.release(index);
            }
        }
        if erased > 0 {
            info!(
                "{}: {erased} entries of another boot, foreign or damaged: ignored",
                self.path.display()
            );
        }
    }

    /// The streams go on under the name that they had last.
    fn keep_cname(&self) {
        let records = self.records().into_iter().flatten();
        if let Some(newest) = records.max_by_key(|record| record.written) {
            cname::keep(newest.cname);
        }
    }

    fn octets(&self) -> Vec<u8> {
        let mut octets = vec![0; MAX_RECORDS * RECORD_OCTETS];
        let length = self.file.read_at(&mut octets, 0).unwrap_or(0);
        octets.truncate(length);
        octets
    }

    /// All records of the file; `None` for those that are free.
    fn records(&self) -> Vec<Option<Record>> {
        let octets = self.octets();
        octets
            .chunks(RECORD_OCTETS)
            .map(|octets| self.read(octets))
            .collect()
    }

    fn record(&self, index: usize) -> Option<Record> {
        let mut octets = [0; RECORD_OCTETS];
        self.file.read_exact_at(&mut octets, offset(index)).ok()?;
        self.read(&octets)
    }

    /// What `octets` say, if this boot's framewire wrote them.
    fn read(&self, octets: &[u8]) -> Option<Record> {
        Record::parse(octets, &self.boot).filter(|record| record.written <= monotonic_now())
    }

    fn write(&self, index: usize, octets: &[u8]) -> io::Result<()> {
        self.file.write_all_at(octets, offset(index))
    }

    fn erase(&self, index: usize) {
        if let Err(error) = self.write(index, &[0; RECORD_OCTETS]) {
            debug!("{}: {error}", self.path.display());
        }
    }

    /// Takes a record for this process and one stream of it; false when it is taken. Never waits.
    fn take(&self, index: usize) -> bool {
        let Some(taken) = self.taken.get(index) else {
            return false;
        };
        if taken.swap(true, Ordering::AcqRel) {
            return false;
        }
        let locked = self.lock(index, libc::F_WRLCK);
        if !locked {
            taken.store(false, Ordering::Release);
        }
        locked
    }

    fn release(&self, index: usize) {
        self.lock(index, libc::F_UNLCK);
        if let Some(taken) = self.taken.get(index) {
            taken.store(false, Ordering::Release);
        }
    }

    /// Locks or unlocks the record's octets of the file, for as long as the process lives (fcntl(2), F_OFD_SETLK).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "small constants and offsets, in whatever integers the C library has for them"
    )]
    fn lock(&self, index: usize, kind: libc::c_int) -> bool {
        let lock = libc::flock {
            l_type: kind as _,
            l_whence: libc::SEEK_SET as _,
            l_start: offset(index) as _,
            l_len: RECORD_OCTETS as _,
            l_pid: 0,
        };
        fcntl(&self.file, FcntlArg::F_OFD_SETLK(&lock)).is_ok()
    }
}

/// One stream's place in the file, while this process sends it.
#[derive(Debug)]
pub struct Entry {
    ledger: Arc<Ledger>,
    index: usize,
    key: u64,
}

impl Entry {
    /// Notes what the stream is known by from now on, before anything of it is sent.
    pub fn write(&self, identity: Identity) {
        let record = Record {
            key: self.key,
            written: monotonic_now(),
            cname: cname::bits(),
            identity,
        };
        // The file is in memory, and the record's place in it was written when it was claimed.
        if let Err(error) = self
            .ledger
            .write(self.index, &record.to_octets(&self.ledger.boot))
        {
            debug!("{}: {error}", self.ledger.path.display());
        }
    }

    /// The stream has ended for its receivers: a later one is another.
    pub fn erase(&self) {
        self.ledger.erase(self.index);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.release(self.index);
    }
}

fn offset(index: usize) -> u64 {
    // At most MAX_RECORDS.
    (index * RECORD_OCTETS) as u64
}

/// Where the file is: in the service's folder, or beside other things in the user's.
fn locate(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|value| !value.is_empty());
    match folder("RUNTIME_DIRECTORY") {
        // Of several the first (systemd.exec(5)).
        Some(folders) => Some(std::env::split_paths(&folders).next()?.join("streams")),
        None => Some(PathBuf::from(folder("XDG_RUNTIME_DIR")?).join("framewire-streams")),
    }
}

#[cfg(test)]
mod tests;
