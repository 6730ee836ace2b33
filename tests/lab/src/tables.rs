//! The quantization tables that a Q below 100 stands for.
//! RFC 2435 appendix A; ITU T.81 annex K, tables K.1 and K.2; zig-zag order of figure A.6.

/// Row by row, as annex K prints them.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Table K.2: this corner, and 99 everywhere else.
const CHROMA_CORNER: [[u8; 4]; 4] = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
];

/// Luma and chroma tables in zig-zag order, as a DQT segment holds them; `None` for Q outside 1..=99.
pub fn scaled(q: u8) -> Option<([u8; 64], [u8; 64])> {
    let scale = match u32::from(q) {
        q @ 1..50 => 5000 / q,
        q @ 50..=99 => 200 - 2 * q,
        _ => return None,
    };
    let scaled = |value: u8| ((u32::from(value) * scale + 50) / 100).clamp(1, 255) as u8;
    let chroma =
        |row: usize, column: usize| match CHROMA_CORNER.get(row).and_then(|r| r.get(column)) {
            Some(&value) => value,
            None => 99,
        };
    let path = zig_zag();
    Some((
        path.map(|(row, column)| scaled(LUMA[8 * row + column])),
        path.map(|(row, column)| scaled(chroma(row, column))),
    ))
}

/// Rows and columns along the diagonals, whose direction alternates.
fn zig_zag() -> [(usize, usize); 64] {
    let mut path = [(0, 0); 64];
    let cells = (0..15).flat_map(|diagonal: usize| {
        let along = diagonal.saturating_sub(7)..=diagonal.min(7);
        let up = diagonal.is_multiple_of(2);
        along.map(move |i| {
            if up {
                (diagonal - i, i)
            } else {
                (i, diagonal - i)
            }
        })
    });
    path.iter_mut()
        .zip(cells)
        .for_each(|(place, cell)| *place = cell);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_begins_and_ends_as_in_figure_a_6() {
        let path = zig_zag();
        assert_eq!(path[..6], [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2)]);
        assert_eq!(path[61..], [(6, 7), (7, 6), (7, 7)]);
    }

    #[test]
    fn q_50_is_annex_k_itself() {
        let (luma, chroma) = scaled(50).expect("a table");
        assert_eq!(luma[..10], [16, 11, 12, 14, 12, 10, 16, 14, 13, 14]);
        assert_eq!(chroma[..10], [17, 18, 18, 24, 21, 24, 47, 26, 26, 47]);
        assert_eq!(scaled(0), None);
        assert_eq!(scaled(128), None);
    }
}
