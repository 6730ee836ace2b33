//! A picture as a file: with the headers that a receiver of RTP/JPEG makes for it, and Annex K's Huffman tables.
//! RFC 2435 appendix B; ITU-T T.81 B.2 (segments).

use super::carry::Carried;
use super::extension;
use crate::jpeg::markers::{PREFIX, code};
use crate::jpeg::tables::{self, Class, Kind, TABLE_OCTETS};

/// Octets of all segments before the scan, at most: two quantization tables, SOF, four Huffman tables, DRI, SOS.
const HEADERS: usize = 640;

impl Carried<'_> {
    /// Writes the picture as a JPEG file, from SOI through EOI, into `file` instead of what is in it.
    pub fn write_file(&self, file: &mut Vec<u8>) {
        let octets = HEADERS + self.scan.len();
        if file.capacity() < octets {
            // Room for larger ones too. Memory that nobody has touched is none yet.
            *file = Vec::with_capacity(octets + octets / 4);
        }
        file.clear();
        file.extend([PREFIX, code::SOI]);
        for (slot, table) in (0..).zip(&self.tables) {
            segment(file, code::DQT, 1 + TABLE_OCTETS, slot, table);
        }
        file.extend(extension::frame_header(
            self.width,
            self.height,
            self.sampling,
        ));
        for (slot, kind) in (0..).zip([Kind::Luminance, Kind::Chrominance]) {
            for (class, of_class) in [(Class::Dc, 0x00), (Class::Ac, 0x10)] {
                let table = tables::huffman(class, kind);
                segment(file, code::DHT, 1 + table.len(), of_class | slot, table);
            }
        }
        if self.restart_interval > 0 {
            let [high, low] = self.restart_interval.to_be_bytes();
            segment(file, code::DRI, 2, high, &[low]);
        }
        file.extend(extension::SCAN_HEADER);
        file.extend_from_slice(self.scan);
    }
}

/// A marker segment whose `length` octets are `first` and the `rest`.
fn segment(file: &mut Vec<u8>, marker: u8, length: usize, first: u8, rest: &[u8]) {
    /// The length counts itself.
    const OWN: usize = 2;
    file.extend([PREFIX, marker]);
    let length = u16::try_from(OWN + length).unwrap_or(u16::MAX);
    file.extend(length.to_be_bytes());
    file.push(first);
    file.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::super::carry::{Sampling, carry};
    use super::*;
    use crate::jpeg::Image;

    #[test]
    fn what_is_read_from_the_file_is_what_was_written() {
        for (sampling, restart_interval) in [(Sampling::Yuv422, 0), (Sampling::Yuv420, 513)] {
            // One MCU of nothing: each block is the codes for no difference, and for its end.
            let scan: &[u8] = match sampling {
                Sampling::Yuv422 => &[0x28, 0xA0, 0x0F, 0xFF, 0xD9],
                Sampling::Yuv420 => &[0x28, 0xA2, 0x8A, 0x00, 0xFF, 0xD9],
            };
            let written = Carried {
                width: 16,
                height: 8,
                sampling,
                tables: [[7; TABLE_OCTETS], [9; TABLE_OCTETS]],
                restart_interval,
                scan,
            };
            let mut file = vec![1, 2, 3];
            written.write_file(&mut file);
            assert!(file.len() <= HEADERS + scan.len());
            // The next one of this size needs no other memory.
            let (memory, content) = (file.as_ptr(), file.clone());
            written.write_file(&mut file);
            assert_eq!((file.as_ptr(), &file), (memory, &content));
            let image = Image::parse(&file).unwrap();
            let read = carry(&image).unwrap();
            assert_eq!(
                (read.width, read.height, read.sampling, read.tables),
                (written.width, written.height, sampling, written.tables)
            );
            assert_eq!(read.restart_interval, restart_interval);
            assert_eq!(read.scan, scan);
        }
    }
}
