//! Packs the initramfs: a cpio archive in the "newc" format.
//! Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel.

use std::num::TryFromIntError;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

#[derive(Default)]
pub struct Archive {
    octets: Vec<u8>,
    entries: u32,
}

impl Archive {
    pub fn directory(&mut self, name: &str) {
        self.entry(name, DIRECTORY, 0, &[]);
    }

    pub fn file(&mut self, name: &str, program: bool, data: &[u8]) -> Result<(), TryFromIntError> {
        let mode = if program { PROGRAM } else { FILE };
        self.entry(name, mode, u32::try_from(data.len())?, data);
        Ok(())
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, 0, &[]);
        self.octets
    }

    fn entry(&mut self, name: &str, mode: u32, size: u32, data: &[u8]) {
        self.entries += 1;
        let name_size = name.len() as u32 + 1; // names are ours and short
        // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name's length, checksum
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        self.octets.extend_from_slice(b"070701");
        for field in fields {
            self.octets
                .extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.octets.extend_from_slice(name.as_bytes());
        self.octets.push(0);
        self.align();
        self.octets.extend_from_slice(data);
        self.align();
    }

    fn align(&mut self) {
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
    }
}
