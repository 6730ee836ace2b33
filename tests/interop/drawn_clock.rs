//! Reads the clock in a picture of the test pattern.

/// Columns and rows of a glyph's lines.
const COLUMNS: usize = 5;
const ROWS: usize = 7;
/// From glyph to glyph, and from line to line.
const ADVANCE: usize = 6;
const LINE: usize = 9;
/// Around the text.
const MARGIN: usize = 4;
/// The second line has the clock.
const CLOCK_ROW: usize = MARGIN + LINE;
/// Between lit and dark.
const THRESHOLD: u8 = 140;

/// The milliseconds since midnight that the luma of a picture shows.
pub fn read(luma: &[u8], width: usize) -> u64 {
    let scale = width / 96;
    let lit = |column: usize, row: usize| {
        let (x, y) = (column * scale + scale / 2, row * scale + scale / 2);
        luma[y * width + x] > THRESHOLD
    };
    // HH:MM:SS.mmm
    let digit = |place: usize| {
        let pixel = |index: usize| {
            let (column, row) = (index % COLUMNS, index / COLUMNS);
            lit(MARGIN + place * ADVANCE + column, CLOCK_ROW + row)
        };
        let glyph: String = (0..COLUMNS * ROWS)
            .map(|index| if pixel(index) { '#' } else { '.' })
            .collect();
        let number = DIGITS.iter().position(|digit| digit.concat() == glyph);
        let rows = || -> Vec<_> {
            (0..ROWS)
                .map(|row| &glyph[row * COLUMNS..][..COLUMNS])
                .collect()
        };
        number.unwrap_or_else(|| panic!("no digit at {place}: {:#?}", rows())) as u64
    };
    let pair = |place| digit(place) * 10 + digit(place + 1);
    let seconds = (pair(0) * 60 + pair(3)) * 60 + pair(6);
    seconds * 1000 + pair(9) * 10 + digit(11)
}

/// As they are drawn.
const DIGITS: [[&str; ROWS]; 10] = [
    [
        ".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###.",
    ],
    [
        "..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###.",
    ],
    [
        ".###.", "#...#", "....#", "...#.", "..#..", ".#...", "#####",
    ],
    [
        "#####", "...#.", "..#..", "...#.", "....#", "#...#", ".###.",
    ],
    [
        "...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#.",
    ],
    [
        "#####", "#....", "####.", "....#", "....#", "#...#", ".###.",
    ],
    [
        "..##.", ".#...", "#....", "####.", "#...#", "#...#", ".###.",
    ],
    [
        "#####", "....#", "...#.", "..#..", ".#...", ".#...", ".#...",
    ],
    [
        ".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###.",
    ],
    [
        ".###.", "#...#", "#...#", ".####", "....#", "...#.", ".##..",
    ],
];
