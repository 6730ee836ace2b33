//! The depacketizer must accept what the RFCs say and refuse everything else: the lab's verdicts rest on it.

use super::*;

const PIECE: usize = 100; // octets of scan in a packet
const TABLES: usize = 132; // octets of the table header with both tables

/// Frames of 350 octets of scan each, Q 255: four packets of equal length but the last.
fn frames(count: u16) -> Vec<Datagram> {
    let scan: Vec<u8> = (0..=u8::MAX).cycle().take(350).collect();
    let mut datagrams = Vec::new();
    for frame in 0..count {
        let mut offset = 0;
        while offset < scan.len() {
            let first = offset == 0;
            // The first packet carries the tables in place of scan.
            let room = PIECE + TABLES - if first { TABLES } else { 0 };
            let end = (offset + room).min(scan.len());
            let mut octets = vec![0x80, 26 | u8::from(end == scan.len()) << 7];
            let number = u16::try_from(datagrams.len()).expect("few packets");
            octets.extend(65_534_u16.wrapping_add(number).to_be_bytes());
            octets.extend((u32::from(frame) * 3000).to_be_bytes());
            octets.extend([1, 2, 3, 4]);
            octets.extend(u32::try_from(offset).expect("below 350").to_be_bytes());
            octets.extend([1, 255, 80, 60]);
            if first {
                octets.extend([0, 0, 0, 128]);
                octets.extend([[7; 64], [9; 64]].concat());
            }
            octets.extend(&scan[offset..end]);
            datagrams.push(Datagram {
                at: Instant::now(),
                octets,
            });
            offset = end;
        }
    }
    datagrams
}

fn changed(change: impl FnOnce(&mut Vec<Datagram>)) -> Reception {
    let mut datagrams = frames(2);
    change(&mut datagrams);
    depacketize(&datagrams)
}

#[test]
fn whole_frames_are_rebuilt_across_the_wrap_of_the_sequence_number() {
    let reception = depacketize(&frames(3));
    assert_eq!(reception.violations, Vec::<String>::new());
    assert_eq!(
        (
            reception.pictures.len(),
            reception.lost_packets,
            reception.incomplete
        ),
        (3, 0, 0)
    );
    let picture = &reception.pictures[1].picture;
    assert_eq!(
        (picture.width, picture.height, picture.sampling),
        (640, 480, 1)
    );
    assert_eq!((picture.luma, picture.chroma), ([7; 64], [9; 64]));
    assert!(
        picture
            .scan
            .iter()
            .zip((0..=u8::MAX).cycle())
            .all(|(&octet, expected)| octet == expected)
    );
    assert_eq!(picture.scan.len(), 350);
}

#[test]
fn a_lost_packet_is_counted_and_its_frame_is_not_delivered() {
    for victim in 0..3 {
        let reception = changed(|datagrams| drop(datagrams.remove(victim)));
        assert_eq!(reception.pictures.len(), 1, "packet {victim}");
        assert_eq!(reception.incomplete, 1, "packet {victim}");
        assert_eq!(
            reception.lost_packets,
            usize::from(victim > 0),
            "packet {victim}"
        );
    }
}

#[test]
fn a_missing_marker_is_an_incomplete_frame() {
    let reception = changed(|datagrams| datagrams.iter_mut().for_each(|d| d.octets[1] &= 0x7F));
    assert_eq!((reception.pictures.len(), reception.incomplete), (0, 2));
}

#[test]
fn a_wrong_offset_is_an_incomplete_frame() {
    let reception = changed(|datagrams| datagrams[1].octets[15] += 1);
    assert_eq!((reception.pictures.len(), reception.incomplete), (1, 1));
}

#[test]
fn headers_that_break_the_rules_are_violations() {
    type Change = fn(&mut Vec<Datagram>);
    let changes: [(&str, Change); 10] = [
        ("version", |d| d[1].octets[0] = 0x40),
        ("extension", |d| d[1].octets[0] |= 0x10),
        ("padding", |d| d[1].octets[0] |= 0x20),
        ("payload type", |d| d[1].octets[1] = 96),
        ("SSRC", |d| d[1].octets[8] ^= 1),
        ("Q within a frame", |d| d[1].octets[17] = 254),
        ("width within a frame", |d| d[1].octets[18] = 1),
        ("table length", |d| d[0].octets[23] = 64),
        ("timestamp of another frame", |d| {
            let timestamp: [u8; 4] = d[0].octets[4..8].try_into().expect("four octets");
            d.iter_mut()
                .for_each(|d| d.octets[4..8].copy_from_slice(&timestamp));
        }),
        ("unequal length", |d| {
            let octet = d[1].octets.pop().expect("an octet");
            d[2].octets.insert(20, octet);
            d[2].octets[15] -= 1;
        }),
    ];
    for (name, change) in changes {
        let reception = changed(change);
        assert!(!reception.violations.is_empty(), "{name}");
    }
}
