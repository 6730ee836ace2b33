//! The tables that a receiver knows by heart: Annex K's quantization tables by quality, and its Huffman tables.
//! ITU-T T.81 annex K.1 and K.3; RFC 2435 4.2 and appendix A.

/// Values of a quantization table, 8 bit each, in zig-zag order.
pub const TABLE_OCTETS: usize = 64;

/// Annex K table K.1 (luminance) in zig-zag order.
const LUMINANCE: [u8; TABLE_OCTETS] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
    29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81,
    87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/// Annex K table K.2 (chrominance) in zig-zag order.
const CHROMINANCE: [u8; TABLE_OCTETS] = [
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// The two tables of an image, luminance then chrominance, zig-zag order, as RFC 2435 3.1.8 sends them.
pub type Tables = [[u8; TABLE_OCTETS]; 2];

/// Highest Q that stands for scaled Annex K tables (RFC 2435 4.2).
pub const MAX_STANDARD_Q: u8 = 99;

/// Annex K's tables scaled for Q = 1..=99 at index Q - 1.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: a wrong index does not build"
)]
static SCALED: [Tables; MAX_STANDARD_Q as usize] = {
    let mut all = [[[0; TABLE_OCTETS]; 2]; MAX_STANDARD_Q as usize];
    let mut q = 1;
    while q <= MAX_STANDARD_Q {
        all[q as usize - 1] = [scaled(&LUMINANCE, q), scaled(&CHROMINANCE, q)];
        q += 1;
    }
    all
};

/// The Independent JPEG Group's scaling, RFC 2435 appendix A.
#[expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which has no `get` and no `try_from`; the value is 1..=255"
)]
const fn scaled(table: &[u8; TABLE_OCTETS], q: u8) -> [u8; TABLE_OCTETS] {
    let factor = if q < 50 {
        5000 / q as u32
    } else {
        200 - 2 * q as u32
    };
    let mut out = [0; TABLE_OCTETS];
    let mut i = 0;
    while i < TABLE_OCTETS {
        let value = (table[i] as u32 * factor + 50) / 100;
        out[i] = if value < 1 {
            1
        } else if value > 255 {
            255
        } else {
            value as u8
        };
        i += 1;
    }
    out
}

/// The first value of each of [`SCALED`]: it tells most of them apart, and all are side by side.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: a wrong index does not build"
)]
static FIRST_VALUES: [u8; MAX_STANDARD_Q as usize] = {
    let mut all = [0; MAX_STANDARD_Q as usize];
    let mut index = 0;
    while index < all.len() {
        all[index] = SCALED[index][0][0];
        index += 1;
    }
    all
};

/// The Q of 1..=99 whose scaled Annex K tables equal `tables` exactly, if there is one.
pub fn standard_q(tables: &Tables) -> Option<u8> {
    let [[first_value, ..], _] = tables;
    (1..=MAX_STANDARD_Q)
        .zip(FIRST_VALUES.iter().zip(&SCALED))
        .find(|(_, (first, candidate))| *first == first_value && *candidate == tables)
        .map(|(q, _)| q)
}

/// A Huffman table as DHT carries it: 16 code counts, then the values (B.2.4.2).
type HuffmanTable = &'static [u8];

/// Annex K tables K.3 and K.4: DC luminance and chrominance.
pub(super) const DC: [HuffmanTable; 2] = [
    &[
        0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ],
    &[
        0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ],
];

/// Annex K tables K.5 and K.6: AC luminance and chrominance.
pub(super) const AC: [HuffmanTable; 2] = [
    &[
        0x00, 0x02, 0x01, 0x03, 0x03, 0x02, 0x04, 0x03, 0x05, 0x05, 0x04, 0x04, 0x00, 0x00, 0x01,
        0x7d, 0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51,
        0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15,
        0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a,
        0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
        0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63,
        0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
        0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
        0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
        0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2,
        0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
        0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
    &[
        0x00, 0x02, 0x01, 0x02, 0x04, 0x04, 0x03, 0x04, 0x07, 0x05, 0x04, 0x04, 0x00, 0x01, 0x02,
        0x77, 0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07,
        0x61, 0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23,
        0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17,
        0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43,
        0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a,
        0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79,
        0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3,
        0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
        0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6,
        0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
];

/// Whether a picture component is coded as luminance or chrominance: index into Annex K's pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first component, Y.
    Luminance,
    /// The second and third, Cb and Cr.
    Chrominance,
}

/// The class of a Huffman table, DHT's Tc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Differences of the DC coefficient.
    Dc,
    /// AC coefficients.
    Ac,
}

/// Annex K's Huffman table as DHT carries it: 16 code counts, then the values.
pub fn huffman(class: Class, kind: Kind) -> &'static [u8] {
    let [luminance, chrominance] = match class {
        Class::Dc => DC,
        Class::Ac => AC,
    };
    match kind {
        Kind::Luminance => luminance,
        Kind::Chrominance => chrominance,
    }
}

/// Fewest bits of a block that is coded with these two tables, 16 counts and the values each.
pub fn least_bits(dc: &[u8], ac: &[u8]) -> u32 {
    /// The code for a DC difference of 0, which has no further bits; for the end of a block.
    const NOTHING: u8 = 0;
    /// Without an end, a block is at least four codes: three times 16 zeros, and a value after 15 more.
    const CODES: u32 = 4;
    let of_nothing =
        |table| lengths(table).find_map(|(length, value)| (value == NOTHING).then_some(length));
    let shortest = |table| lengths(table).next().map_or(1, |(length, _)| length);
    // Any other difference has at least one bit more than its code.
    let dc = of_nothing(dc).unwrap_or(u32::MAX).min(shortest(dc) + 1);
    let ac = of_nothing(ac)
        .unwrap_or(u32::MAX)
        .min(CODES * shortest(ac) + 1);
    dc + ac
}

/// The codes of a table, shortest first: length in bits, value.
fn lengths(table: &[u8]) -> impl Iterator<Item = (u32, u8)> {
    let (counts, values) = table.split_at_checked(16).unwrap_or_default();
    let lengths = (1..)
        .zip(counts)
        .flat_map(|(length, &count)| std::iter::repeat_n(length, count.into()));
    lengths.zip(values.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `MakeTables` of RFC 2435 appendix A makes of some Q. Its tables are in row order, these in zig-zag
    /// order, as 3.1.8 sends them.
    const MADE: [(u8, Tables); 4] = [
        (
            10,
            [
                [
                    80, 55, 60, 70, 60, 50, 80, 70, 65, 70, 90, 85, 80, 95, 120, 200, 130, 120,
                    110, 110, 120, 245, 175, 185, 145, 200, 255, 255, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                ],
                [
                    85, 90, 90, 120, 105, 120, 235, 130, 130, 235, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                ],
            ],
        ),
        (
            50,
            [
                [
                    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22,
                    24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68,
                    87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112,
                    100, 120, 92, 101, 103, 99,
                ],
                [
                    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99,
                    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                    99, 99, 99, 99,
                ],
            ],
        ),
        (
            75,
            [
                [
                    8, 6, 6, 7, 6, 5, 8, 7, 7, 7, 9, 9, 8, 10, 12, 20, 13, 12, 11, 11, 12, 25, 18,
                    19, 15, 20, 29, 26, 31, 30, 29, 26, 28, 28, 32, 36, 46, 39, 32, 34, 44, 35, 28,
                    28, 40, 55, 41, 44, 48, 49, 52, 52, 52, 31, 39, 57, 61, 56, 50, 60, 46, 51, 52,
                    50,
                ],
                [
                    9, 9, 9, 12, 11, 12, 24, 13, 13, 24, 50, 33, 28, 33, 50, 50, 50, 50, 50, 50,
                    50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50,
                    50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50,
                    50, 50, 50, 50,
                ],
            ],
        ),
        (
            99,
            [
                [
                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2,
                    2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                ],
                [
                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                ],
            ],
        ),
    ];

    /// The same for Q = 1..=99: of each the sum of all 128 values, each times its place from 1 on.
    const SUMS: [u32; 99] = [
        2105280, 2105250, 2103342, 2091891, 2071725, 2045213, 2024827, 2008349, 1993896, 1979670,
        1964747, 1946997, 1928491, 1909235, 1890712, 1872848, 1856198, 1839023, 1823664, 1771290,
        1689192, 1613635, 1543690, 1479536, 1422430, 1365324, 1314885, 1264667, 1221859, 1178995,
        1143056, 1107273, 1071535, 1047686, 1012377, 983382, 961624, 933263, 911786, 890689,
        861722, 847603, 825966, 804230, 789880, 768321, 754169, 739923, 725270, 711215, 697160,
        682507, 668261, 654109, 639536, 625243, 610777, 596464, 582152, 568048, 553452, 539390,
        524920, 510644, 496375, 481968, 467780, 453396, 439048, 424698, 410053, 396058, 381757,
        367165, 358903, 344050, 329458, 315157, 301162, 286517, 272167, 257819, 243435, 229247,
        214989, 200571, 186295, 171825, 157763, 143167, 129063, 114751, 100438, 85972, 71828,
        57106, 42954, 28724, 14658,
    ];

    fn sum(tables: &Tables) -> u32 {
        let values = tables.as_flattened().iter();
        (1..)
            .zip(values)
            .map(|(place, &value)| place * u32::from(value))
            .sum()
    }

    #[test]
    fn tables_are_those_of_the_rfc() {
        for (q, made) in &MADE {
            assert_eq!(standard_q(made), Some(*q));
        }
        assert_eq!(standard_q(&[[255; TABLE_OCTETS]; 2]), Some(1));
        for ((q, tables), expected) in (1..).zip(&SCALED).zip(SUMS) {
            assert_eq!(sum(tables), expected, "Q {q}");
            assert_eq!(standard_q(tables), Some(q));
        }
    }

    #[test]
    fn one_value_more_or_less_is_no_standard_quality() {
        let (_, made) = MADE[2];
        for place in 0..2 * TABLE_OCTETS {
            let mut other = made;
            other.as_flattened_mut()[place] += 1;
            assert_eq!(standard_q(&other), None, "place {place}");
        }
        assert_eq!(standard_q(&[[1; TABLE_OCTETS]; 2]), None, "Q 100");
        let [luminance, chrominance] = made;
        assert_eq!(standard_q(&[chrominance, luminance]), None);
    }

    #[test]
    fn code_counts_agree_with_the_values() {
        for class in [Class::Dc, Class::Ac] {
            for kind in [Kind::Luminance, Kind::Chrominance] {
                let (counts, values) = huffman(class, kind).split_at(16);
                let sum: usize = counts.iter().map(|&count| usize::from(count)).sum();
                assert_eq!(sum, values.len(), "{class:?} {kind:?}");
            }
        }
    }
}
