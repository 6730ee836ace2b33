//! Reads the bits of an entropy-coded scan, without the zeros behind 0xFF, up to the next marker.
//! ITU-T T.81 F.1.2.3 (stuffed zeros), E.1.4 (restart markers).

use super::super::markers::{PREFIX, code};
use super::codes::WINDOW;
use super::fault::{Corrupt, Fault};

/// Bits of the buffer.
const BITS: u32 = u64::BITS;
/// Bits that a filled one has at least; it is filled by whole octets.
const FILLED: u32 = BITS - 8;
/// Restart markers are numbered modulo 8.
const RESTART_NUMBERS: u32 = 8;

/// A place in a scan. It is passed by value, so that it stays in registers.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    scan: &'a [u8],
    /// Where the next octet comes from.
    at: usize,
    /// The next bits, from the top; behind `count` there may be more of them.
    bits: u64,
    /// How many bits are there.
    count: u32,
    /// How many of them are zeros made up behind the end of an interval.
    made_up: u32,
}

impl<'a> Reader<'a> {
    /// At the start of `scan`.
    pub fn new(scan: &'a [u8]) -> Self {
        Self {
            scan,
            at: 0,
            bits: 0,
            count: 0,
            made_up: 0,
        }
    }

    /// The damage that was found here.
    #[cold]
    pub fn corrupt(self, fault: Fault) -> Corrupt {
        Corrupt {
            offset: self.at,
            fault,
        }
    }

    /// Fills the buffer to 56 bits at least, unless there is a 0xFF, or the end of the scan.
    #[inline(always)]
    pub fn fill(&mut self) -> bool {
        let Some(octets) = self.scan.get(self.at..).and_then(<[u8]>::first_chunk::<8>) else {
            return false;
        };
        let next = u64::from_be_bytes(*octets);
        if has_prefix(next) {
            return false;
        }
        self.bits |= next.wrapping_shr(self.count);
        // Up to 7.
        self.at += ((BITS - 1 - self.count) >> 3) as usize;
        self.count |= FILLED;
        true
    }

    /// Sees to it that there are 56 bits at least.
    pub fn refill(&mut self) -> Result<(), Corrupt> {
        if !self.fill() {
            self.fill_by_octets();
        }
        // Some of the made-up bits must have been used by now.
        if self.made_up > self.count {
            return Err(self.corrupt(Fault::Truncated));
        }
        Ok(())
    }

    fn fill_by_octets(&mut self) {
        self.bits &= !(u64::MAX >> self.count);
        while self.count < FILLED {
            let rest = self.scan.get(self.at..).unwrap_or_default();
            let octet = match *rest {
                [PREFIX, 0, ..] => {
                    self.at += 2;
                    PREFIX
                }
                [] | [PREFIX, ..] => {
                    self.made_up += 8;
                    0
                }
                [octet, ..] => {
                    self.at += 1;
                    octet
                }
            };
            self.bits |= u64::from(octet) << (FILLED - self.count);
            self.count += 8;
        }
    }

    /// The next bits, for a look-up.
    #[inline(always)]
    pub fn window(self) -> usize {
        // So few that they fit.
        (self.bits >> (BITS - WINDOW)) as usize
    }

    /// The next 16 bits.
    pub fn next_16(self) -> u16 {
        let [high, low, ..] = self.bits.to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// Passes the next bits, whose number is in the low 6 bits of `length`, without counting them.
    #[inline(always)]
    pub fn skip(&mut self, length: u32) {
        self.bits = self.bits.wrapping_shl(length);
    }

    /// Counts bits that were passed, and were there.
    #[inline(always)]
    pub fn count_skipped(&mut self, count: u32) {
        self.count = self.count.wrapping_sub(count);
    }

    /// Takes the next `length` bits, 0 to 31.
    #[inline(always)]
    pub fn take(&mut self, length: u32) -> u32 {
        // In two steps, because all 64 are too many for one.
        let bits = self.bits >> 32 >> (32 - length);
        self.skip(length);
        self.count_skipped(length);
        // 31 bits at most are left.
        bits as u32
    }

    /// Behind the restart marker after `count` others, which must be next.
    pub fn behind_restart(self, count: u32) -> Result<Self, Corrupt> {
        let number = u8::try_from(count % RESTART_NUMBERS).unwrap_or(0);
        let at = self.behind_marker(code::RST0 + number, Fault::Restart)?;
        Ok(Self {
            at,
            ..Self::new(self.scan)
        })
    }

    /// Checks that nothing is left but EOI.
    pub fn end(self) -> Result<(), Corrupt> {
        self.behind_marker(code::EOI, Fault::End).map(drop)
    }

    fn behind_marker(self, marker: u8, fault: Fault) -> Result<usize, Corrupt> {
        let Some(left) = self.count.checked_sub(self.made_up) else {
            return Err(self.corrupt(Fault::Truncated));
        };
        let rest = self.scan.get(self.at..).unwrap_or_default();
        let fill = rest.iter().take_while(|&&octet| octet == PREFIX).count();
        // Less than an octet is padding.
        if left < 8 && fill > 0 && rest.get(fill) == Some(&marker) {
            Ok(self.at + fill + 1)
        } else {
            Err(self.corrupt(fault))
        }
    }
}

/// Whether an octet is 0xFF: then its complement is zero, and a borrow goes through its top bit.
#[inline(always)]
pub const fn has_prefix(octets: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // A zero of `!octets`: (x - 1) & !x & 0x80.
    (!octets).wrapping_sub(ONES) & octets & TOPS != 0
}
