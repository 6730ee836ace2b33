//! Power cuts at every moment of a boot: from the log of all writes the card is made as it was after each of them, and
//! as it was when of those that the card had not yet been told to finish only one was done. Each is looked at.
//! Documentation/admin-guide/device-mapper/log-writes.rst of the Linux kernel; UEFI 2.10, 5.3 (GPT).

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::card::Card;
use crate::check;
use crate::tool::{Failure, output};

const SECTOR: usize = 512; // octets, of the card and of the log
const MAGIC: u64 = 0x006a_7366_7773_6872;
const FLUSH: u64 = 1;
const BOOT: usize = 0; // the first partition
const STATE: usize = 1;

/// What every card must hold.
pub struct Look<'a> {
    /// config.toml on the boot partition.
    pub config: &'a str,
    /// The last good configuration: one of these.
    pub kept: &'a [Option<&'a str>],
}

/// What was written in one boot.
pub struct Cuts {
    before: PathBuf,
    writes: Vec<Write>,
    /// How many cards were looked at: cut short on the boot partition, and on the state partition.
    looked_at: [usize; 2],
    /// Of the writes those up to the middle of what went to the boot partition.
    half: usize,
}

/// One entry of the log.
struct Write {
    at: u64,
    octets: Vec<u8>,
    /// The card was told to finish all that came before.
    flush: bool,
}

impl Cuts {
    pub fn of(before: &Path, log: &Path, look: &Look) -> Result<Self, Failure> {
        let mut cuts = Self {
            before: before.to_owned(),
            writes: writes(log)?,
            looked_at: [0; 2],
            half: 0,
        };
        let boot = place(before, BOOT)?;
        let numbers = 0..cuts.writes.len();
        let on_boot: Vec<usize> = numbers
            .filter(|&number| boot.contains(&cuts.writes[number].at))
            .collect();
        cuts.half = on_boot.get(on_boot.len() / 2).map_or(0, |at| at + 1);
        cuts.looked_at = [
            cuts.each(BOOT, |file| look.boot(file))?,
            cuts.each(STATE, |file| look.state(file))?,
        ];
        Ok(cuts)
    }

    /// Calls `look` with the partition as each power cut would have left it; returns how many there are.
    fn each(
        &self,
        partition: usize,
        look: impl Fn(&Path) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        let place = place(&self.before, partition)?;
        let [durable, current, single] =
            ["durable", "current", "single"].map(|name| self.before.with_extension(name));
        extract(&self.before, &place, &durable)?;
        fs::copy(&durable, &current)?;
        let (mut pending, mut cuts) = (0, 0);
        for write in &self.writes {
            if place.contains(&write.at) {
                write.to(&current, place.start)?;
                look(&current)?;
                cuts += 1;
                if pending > 0 {
                    fs::copy(&durable, &single)?;
                    write.to(&single, place.start)?;
                    look(&single)?;
                    cuts += 1;
                }
                pending += 1;
            }
            if write.flush && pending > 0 {
                fs::copy(&current, &durable)?;
                pending = 0;
            }
        }
        for file in [durable, current, single] {
            let _ = fs::remove_file(file);
        }
        Ok(cuts)
    }

    /// Makes the card as it was when half of what was written to the boot partition had reached it.
    pub fn put_half_written(&self, card: &Card) -> Result<(), Failure> {
        check(self.half > 0, || {
            "nothing was written to the boot partition".into()
        })?;
        fs::copy(&self.before, &card.image)?;
        let done = self.writes.iter().take(self.half);
        done.filter(|write| !write.octets.is_empty())
            .try_for_each(|write| Ok(write.to(&card.image, 0)?))
    }
}

impl fmt::Display for Cuts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [boot, state] = self.looked_at;
        write!(
            f,
            "power cuts: {boot} on the boot partition, {state} on the state partition, nothing lost"
        )
    }
}

impl Write {
    fn to(&self, file: &Path, start: u64) -> io::Result<()> {
        let file = File::options().write(true).open(file)?;
        file.write_all_at(&self.octets, self.at - start)
    }
}

impl Look<'_> {
    fn boot(&self, file: &Path) -> Result<(), Failure> {
        let mut mtype = Command::new("mtype");
        let config = output(mtype.arg("-i").arg(file).arg("::config.toml"), "mtools")?;
        check(config == self.config.as_bytes(), || {
            "a power cut changes config.toml".into()
        })?;
        // Of files it names those that are damaged: one that was being written, and no other.
        let fsck = output_of(Command::new("fsck.fat").arg("-n").arg(file))?;
        let found = String::from_utf8_lossy(&fsck.stdout);
        let report = file.display().to_string();
        let damaged = found
            .lines()
            .filter(|line| line.starts_with('/') && !line.starts_with(&report))
            .find(|line| !line.starts_with("/framewire-error.txt"));
        check(damaged.is_none() && fsck.status.code() < Some(2), || {
            format!("a power cut damages the boot partition: {found}")
        })
    }

    fn state(&self, file: &Path) -> Result<(), Failure> {
        let held = last_good(file)?;
        check(self.kept.contains(&held.as_deref()), || {
            format!("a power cut leaves another last good configuration: {held:?}")
        })
    }
}

/// What a state partition holds as the kernel sees it: after a replay of the journal, but without any repair.
pub fn last_good(partition: &Path) -> Result<Option<String>, Failure> {
    let replayed = partition.with_extension("replayed");
    fs::copy(partition, &replayed)?;
    let mut replay = Command::new("e2fsck");
    output_of(replay.args(["-y", "-E", "journal_only"]).arg(&replayed))?;
    let fsck = output_of(Command::new("e2fsck").arg("-fn").arg(&replayed))?;
    check(fsck.status.success(), || {
        format!("the state partition is damaged: {fsck:?}")
    })?;
    let mut cat = Command::new("debugfs");
    let found = output_of(cat.args(["-R", "cat /config.toml"]).arg(&replayed))?;
    fs::remove_file(&replayed)?;
    let missing = String::from_utf8_lossy(&found.stderr).contains("File not found");
    let held = String::from_utf8(found.stdout)?;
    Ok((!missing).then_some(held))
}

/// Runs a program whose exit code says something other than success.
fn output_of(command: &mut Command) -> Result<Output, Failure> {
    let program = command.get_program().to_owned();
    let failed = |error| format!("{}: {error}", program.display());
    Ok(command.output().map_err(failed)?)
}

/// The octets of a partition, by its number in the table.
fn place(card: &Path, partition: usize) -> Result<Range<u64>, Failure> {
    let mut entry = [0; 128];
    let at = 2 * SECTOR + partition * entry.len();
    File::open(card)?.read_exact_at(&mut entry, at as u64)?;
    let (first, last) = (long(&entry, 32)?, long(&entry, 40)?);
    Ok(first * SECTOR as u64..(last + 1) * SECTOR as u64)
}

pub fn extract(card: &Path, place: &Range<u64>, file: &Path) -> Result<(), Failure> {
    let mut card = File::open(card)?;
    card.seek(SeekFrom::Start(place.start))?;
    let mut partition = card.take(place.end - place.start);
    io::copy(&mut partition, &mut File::create(file)?)?;
    Ok(())
}

fn writes(log: &Path) -> Result<Vec<Write>, Failure> {
    let log = fs::read(log)?;
    check(long(&log, 0)? == MAGIC, || {
        "qemu has logged no writes".into()
    })?;
    let mut at = SECTOR;
    let mut writes = Vec::new();
    for _ in 0..long(&log, 16)? {
        let (sector, sectors) = (long(&log, at)?, long(&log, at + 8)?);
        let flags = long(&log, at + 16)?;
        at += SECTOR;
        let length = usize::try_from(sectors)? * SECTOR;
        let octets = log.get(at..at + length).ok_or("the log is cut short")?;
        at += length;
        writes.push(Write {
            at: sector * SECTOR as u64,
            octets: octets.to_vec(),
            flush: flags & FLUSH != 0,
        });
    }
    Ok(writes)
}

fn long(octets: &[u8], at: usize) -> Result<u64, Failure> {
    let field = octets.get(at..at + 8).ok_or("a short table or log")?;
    Ok(u64::from_le_bytes(field.try_into()?))
}
