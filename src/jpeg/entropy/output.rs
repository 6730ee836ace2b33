//! Where the bits of a re-coded scan go: into one buffer that is used again, or nowhere.
//! ITU-T T.81 F.1.2.3 (a zero behind 0xFF, ones at the end).

use super::super::markers::PREFIX;
use super::fault::Fault;
use super::reader::has_prefix;

/// First length in octets that RTP/JPEG cannot carry (RFC 2435 3.1.2).
const LIMIT: usize = 1 << 24;
/// Octets that are collected before zeros are put behind 0xFF.
const CHUNK: usize = 2048;
/// Octets of the bit buffer.
const WORD: usize = 8;

/// Takes bits. At most 56 between two calls of [`Output::store`], which leaves less than 8.
pub trait Output {
    /// The bits that wait; by value, so that they stay in registers.
    type Bits: Copy;

    /// None.
    const NO_BITS: Self::Bits;

    /// `bits` with others behind them, whose number is in the low 6 bits of what comes with them.
    fn with(bits: Self::Bits, next: (u32, u32)) -> Self::Bits;

    /// Whether [`Output::put`] can be called.
    fn has_room(&self) -> bool;

    /// Stores all whole octets where there is room for them; so many bits were put behind the others since the last time.
    fn put(&mut self, bits: Self::Bits, count: u32) -> Self::Bits;

    /// Stores all whole octets; so many bits were put behind the others since the last time.
    fn store(&mut self, bits: Self::Bits, count: u32) -> Result<Self::Bits, Fault>;

    /// Fills the last octet and puts this marker behind it.
    fn marker(&mut self, bits: Self::Bits, code: u8) -> Result<(), Fault>;
}

/// For a scan that is only looked at.
pub struct Nowhere;

impl Output for Nowhere {
    type Bits = ();

    const NO_BITS: () = ();

    #[inline(always)]
    fn with((): (), _: (u32, u32)) {}

    #[inline(always)]
    fn has_room(&self) -> bool {
        true
    }

    #[inline(always)]
    fn put(&mut self, (): (), _: u32) {}

    #[inline(always)]
    fn store(&mut self, (): (), _: u32) -> Result<(), Fault> {
        Ok(())
    }

    fn marker(&mut self, (): (), _: u8) -> Result<(), Fault> {
        Ok(())
    }
}

/// Bits that wait to be stored: the last ones are lowest, and above them is what was stored before.
#[derive(Debug, Clone, Copy)]
pub struct Bits {
    bits: u64,
    count: u32,
}

/// A scan that is written.
#[derive(Debug)]
pub struct Written {
    scan: Vec<u8>,
    chunk: Box<[u8; CHUNK]>,
    /// Octets in the chunk.
    filled: usize,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            scan: Vec::new(),
            chunk: Box::new([0; CHUNK]),
            filled: 0,
        }
    }
}

impl Written {
    /// Begins another scan.
    pub fn clear(&mut self) {
        self.scan.clear();
        self.filled = 0;
    }

    /// What was written.
    pub fn scan(&self) -> &[u8] {
        &self.scan
    }

    /// The chunk's octets go to the scan, a zero behind each 0xFF.
    #[inline(never)]
    fn flush(&mut self) -> Result<(), Fault> {
        if self.scan.len() + 2 * CHUNK >= LIMIT {
            return Err(Fault::Size);
        }
        self.scan.reserve(2 * CHUNK);
        let octets = self.chunk.get(..self.filled).unwrap_or_default();
        let (words, rest) = octets.as_chunks::<WORD>();
        for word in words {
            if has_prefix(u64::from_ne_bytes(*word)) {
                stuff(&mut self.scan, word);
            } else {
                self.scan.extend_from_slice(word);
            }
        }
        stuff(&mut self.scan, rest);
        self.filled = 0;
        Ok(())
    }
}

fn stuff(scan: &mut Vec<u8>, octets: &[u8]) {
    for &octet in octets {
        scan.push(octet);
        if octet == PREFIX {
            scan.push(0);
        }
    }
}

impl Output for Written {
    type Bits = Bits;

    const NO_BITS: Bits = Bits { bits: 0, count: 0 };

    #[inline(always)]
    fn with(bits: Bits, (next, length): (u32, u32)) -> Bits {
        Bits {
            bits: bits.bits.wrapping_shl(length) | u64::from(next),
            ..bits
        }
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        self.filled <= CHUNK - WORD
    }

    #[inline(always)]
    fn put(&mut self, Bits { bits, count }: Bits, more: u32) -> Bits {
        let count = count + more;
        // In two steps, because all 64 are too many for one.
        let word = (bits << 1) << (63 - (count & 63));
        if let Some(place) = self.chunk.get_mut(self.filled..self.filled + WORD) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        // Up to 7.
        self.filled += (count >> 3) as usize;
        Bits {
            bits,
            count: count & 7,
        }
    }

    fn store(&mut self, bits: Bits, more: u32) -> Result<Bits, Fault> {
        if !self.has_room() {
            self.flush()?;
        }
        Ok(self.put(bits, more))
    }

    fn marker(&mut self, bits: Bits, code: u8) -> Result<(), Fault> {
        let padding = (8 - (bits.count & 7)) & 7;
        let padded = Self::with(bits, ((1 << padding) - 1, padding));
        self.store(padded, padding)?;
        self.flush()?;
        self.scan.extend_from_slice(&[PREFIX, code]);
        Ok(())
    }
}
