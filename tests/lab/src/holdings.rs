//! What a process holds: threads, open files, mappings, memory.
//! proc(5): fd, smaps, task.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Memory may differ by so much, however long a run lasts: the allocator may need one more group of blocks of some
/// size when two moments are not quite the same. And a camera has the tables with which suspicious pictures are looked
/// through from its first one on.
const SLACK: usize = 64 + 2 * 96; // kilobytes
/// And pages of the program that were not needed before.
const SLACK_RESIDENT: usize = 256; // kilobytes
const SLACK_MAPPINGS: usize = 3;

#[derive(Debug, Default)]
pub struct Holdings {
    pub threads: usize,
    pub files: usize,
    pub mappings: Vec<String>,
    /// Kilobytes of the process alone: neither a file's pages nor a driver's.
    pub own: usize,
    /// Kilobytes in memory: of drivers' buffers, and of all else.
    pub buffers: usize,
    pub resident: usize,
}

impl Holdings {
    pub fn of(pid: u32) -> io::Result<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let entries = |name| Ok::<_, io::Error>(fs::read_dir(folder.join(name))?.count());
        let mut holdings = Self {
            threads: entries("task")?,
            files: entries("fd")?,
            ..Self::default()
        };
        holdings.count_pages(&fs::read_to_string(folder.join("smaps"))?);
        Ok(holdings)
    }

    /// Page by page, and not by the counts in `status`: in Linux 6.1 every thread keeps a part of these to itself for a
    /// number of page faults, also for the many pages that a driver maps. They may be wrong by hundreds of kilobytes.
    fn count_pages(&mut self, smaps: &str) {
        let mut is_buffer = false;
        for line in smaps.lines() {
            self.own += field(line, "Anonymous:").unwrap_or(0);
            match field(line, "Rss:") {
                Some(pages) if is_buffer => self.buffers += pages,
                Some(pages) => self.resident += pages,
                // `7f12a000-7f12b000 rw-s 00000000 00:05 123 /dev/video0` begins a mapping; `Size: 4 kB` is about it.
                None if line
                    .split(' ')
                    .next()
                    .is_some_and(|range| range.contains('-')) =>
                {
                    is_buffer = line.contains("/dev/video");
                    self.mappings.push(line.to_owned());
                }
                None => {}
            }
        }
    }

    /// At a later moment of the same kind it must not hold more.
    pub fn must_not_grow(&self, after: &Self) -> Result<(), String> {
        let same = (after.threads, after.files) == (self.threads, self.files)
            && after.mappings.len() <= self.mappings.len() + SLACK_MAPPINGS
            && after.own <= self.own + SLACK
            && after.buffers == self.buffers
            && after.resident <= self.resident + SLACK_RESIDENT;
        match same {
            true => Ok(()),
            false => Err(format!("it holds {after:?}, before {self:?}")),
        }
    }
}

/// The number of a line `name  number kB`.
fn field(lines: &str, name: &str) -> Option<usize> {
    let mut lines = lines.lines();
    let text = lines.find_map(|line| line.strip_prefix(name)?.split_whitespace().next())?;
    text.parse().ok()
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "threads={} files={} mappings={} own={}kB resident={}kB+{}kB",
            self.threads,
            self.files,
            self.mappings.len(),
            self.own,
            self.resident,
            self.buffers
        )
    }
}
