//! Octets on their way to one client: those that are its own, and slices of a picture that all have in common. They
//! leave whole, or the connection ends.

use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;
use heapless::Vec as Slices;

/// Most slices of one system call: two of a packet each.
const MAX_SLICES: usize = 256;

/// What leaves together.
#[derive(Debug, Default)]
pub struct Parcel {
    own: Vec<u8>,
    picture: Bytes,
    pieces: Vec<Piece>,
    /// Pieces that have left whole.
    left: usize,
    /// Octets that have left of the next.
    left_of_next: usize,
}

/// Octets of the client's own, and of the picture behind them.
#[derive(Debug)]
struct Piece {
    own: Range<usize>,
    shared: Range<usize>,
}

impl Parcel {
    /// Empties it, for octets of its own and slices of `picture`.
    pub fn begin(&mut self, picture: Bytes) {
        self.own.clear();
        self.pieces.clear();
        (self.picture, self.left, self.left_of_next) = (picture, 0, 0);
    }

    /// Adds what `write` writes, and then octets of the picture.
    pub fn add(&mut self, shared: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.own.len();
        write(&mut self.own);
        self.pieces.push(Piece {
            own: start..self.own.len(),
            shared,
        });
    }

    /// What is to leave next, as far as it fits into one system call; nothing when all has left.
    pub fn next(&self) -> Slices<IoSlice<'_>, MAX_SLICES> {
        let mut slices = Slices::new();
        let mut left = self.left_of_next;
        for piece in self.pieces.iter().skip(self.left) {
            let own = self.own.get(piece.own.clone()).unwrap_or_default();
            let shared = self.picture.get(piece.shared.clone()).unwrap_or_default();
            for octets in [own, shared] {
                let rest = octets.get(left..).unwrap_or_default();
                left = left.saturating_sub(octets.len());
                if !rest.is_empty() && slices.push(IoSlice::new(rest)).is_err() {
                    return slices;
                }
            }
        }
        slices
    }

    /// So many octets of [`Self::next`] have left.
    pub fn advance(&mut self, octets: usize) {
        self.left_of_next += octets;
        while let Some(piece) = self.pieces.get(self.left)
            && self.left_of_next >= piece.own.len() + piece.shared.len()
        {
            self.left_of_next -= piece.own.len() + piece.shared.len();
            self.left += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_octets_leave_in_order_however_few_at_a_time() {
        let picture: Bytes = (0..=255u8).cycle().take(5000).collect::<Vec<u8>>().into();
        let mut expected = Vec::new();
        let mut parcel = Parcel::default();
        parcel.begin(picture.clone());
        for number in 0..200u8 {
            let shared = usize::from(number) * 20..usize::from(number) * 20 + 17;
            let own = [number, 0xFF];
            expected.extend(own);
            expected.extend(&picture[shared.clone()]);
            parcel.add(shared, |octets| octets.extend(own));
        }
        parcel.add(0..0, |octets| octets.extend(b"the end"));
        expected.extend(b"the end");
        for step in [1, 2, 19, 20, 1000, usize::MAX] {
            (parcel.left, parcel.left_of_next) = (0, 0);
            let mut left: Vec<u8> = Vec::new();
            loop {
                let octets: Vec<u8> = parcel
                    .next()
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect();
                if octets.is_empty() {
                    break;
                }
                let taken = step.min(octets.len());
                left.extend(&octets[..taken]);
                parcel.advance(taken);
            }
            assert_eq!(left, expected, "{step}");
        }
    }
}
