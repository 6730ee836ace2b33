//! What the camera delivers by who receives: one test for each pair, and the table of them in docs/receivers.md.

use crate::cases::{self, Case};
use crate::exchange::{self, Seen};
use crate::receiver::Receiver;
use crate::recoded_cases;
use std::fmt::Write as _;
use std::fs;
use std::panic::catch_unwind;
use std::sync::OnceLock;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/receivers.md");
/// The lines around the table.
const BEGIN: &str = "<!-- written by `cargo test --test interop`: begin -->\n";
const END: &str = "<!-- end -->\n";

const COLUMNS: [&str; 4] = ["GStreamer", "FFmpeg", "live555", "retina"];

/// What was seen in a row, column by column; a text where it was neither good nor nothing.
type Cells = [OnceLock<Result<Seen, String>>; COLUMNS.len()];

struct Row {
    name: &'static str,
    /// What the camera delivers.
    input: &'static str,
    case: fn() -> Case,
    cells: Cells,
}

impl Row {
    const fn new(name: &'static str, input: &'static str, case: fn() -> Case) -> Self {
        Self {
            name,
            input,
            case,
            cells: [const { OnceLock::new() }; COLUMNS.len()],
        }
    }

    /// What is seen in this column; it happens once, whoever asks first.
    fn cell(&self, column: usize) -> &Result<Seen, String> {
        self.cells[column].get_or_init(|| {
            catch_unwind(|| {
                let case = (self.case)();
                exchange::run(receiver(column, &case), &case)
            })
            .map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref().map(|&text: &&str| text.to_owned()));
                text.unwrap_or_default()
            })
        })
    }
}

fn receiver(column: usize, case: &Case) -> Receiver {
    match COLUMNS[column] {
        // The packets have no room for the size.
        "GStreamer" if case.is_large() => Receiver::GStreamerSize,
        "GStreamer" => Receiver::GStreamer,
        "FFmpeg" => Receiver::FfmpegSdp,
        "live555" => Receiver::Live555,
        _ => Receiver::Retina,
    }
}

/// The rows of the table, and a test for each receiver and row.
macro_rules! rows {
    ($($place:ident::$case:ident: $input:literal,)+) => {
        static ROWS: [Row; [$($input),+].len()] = [$(Row::new(stringify!($case), $input, $place::$case)),+];

        rows!(@column gstreamer 0 $($case)+);
        rows!(@column ffmpeg 1 $($case)+);
        rows!(@column live555 2 $($case)+);
        rows!(@column retina 3 $($case)+);
    };
    (@column $column:ident $number:literal $($case:ident)+) => {
        mod $column {
            $(
                #[test]
                fn $case() {
                    super::expect_verdict(stringify!($case), $number);
                }
            )+
        }
    };
}

rows! {
    cases::sampling_422: "4:2:2, 640x480",
    cases::sampling_420: "4:2:0, 640x480",
    cases::smallest: "16x16, 4:2:0",
    cases::odd_size_422: "650x483, 4:2:2; shown as 656x488",
    cases::odd_size_420: "650x483, 4:2:0; shown as 656x488",
    cases::full_hd: "1920x1080, 4:2:2",
    cases::beyond_2040_still: "2592x1944, 4:2:2",
    cases::beyond_2040_uhd: "3840x2160, 4:2:0",
    cases::small_mtu: "`mtu = 576`",
    cases::jumbo_mtu: "`mtu = 9000`",
    cases::restart_422: "restart markers after each row, 4:2:2",
    cases::restart_420: "restart markers after each 7 units, 4:2:0",
    recoded_cases::restarts_removed_422: "the same with `restart-markers = \"remove\"`, 4:2:2",
    recoded_cases::restarts_removed_420: "the same, 4:2:0, with Huffman tables of its own",
    recoded_cases::own_huffman_422: "Huffman tables of its own, 4:2:2",
    recoded_cases::own_huffman_420: "the same with restart markers, 4:2:0",
    recoded_cases::grey: "grey",
    recoded_cases::grey_odd: "grey, 643x483, with restart markers",
    recoded_cases::two_rows: "4:2:2 as 22 12 12",
    recoded_cases::two_rows_own_huffman: "the same with Huffman tables of its own",
    cases::without_dht: "no Huffman tables",
    cases::lowest_quality: "quality 1",
    cases::highest_quality: "quality 100",
    cases::foreign_tables: "quantization tables of its own",
    cases::one_table_for_all: "one quantization table for all components",
    cases::sixteen_bit_tables: "quantization tables of 16 bits",
    cases::swapped_tables: "tables with unusual numbers, several in one segment",
    cases::like_a_c920: "three quantization tables, restart markers, no Huffman tables, padding: Logitech C920",
    cases::segments_like_markers: "a thumbnail, and comments that look like markers",
    cases::fill_octets: "fill octets before markers",
    cases::padding_after_eoi: "padding behind the picture",
    cases::stale_tail: "the tail of an older picture behind the picture",
    cases::two_in_one_buffer: "two pictures in one buffer; the first is shown",
    cases::tolerated_habits: "all habits that JPEG forbids and framewire tolerates",
}

fn expect_verdict(name: &str, column: usize) {
    let row = ROWS.iter().find(|row| row.name == name);
    let row = row.expect("a row for each test");
    if let Err(text) = row.cell(column) {
        panic!("{}, {}: {text}", row.input, COLUMNS[column]);
    }
}

/// The table, unless something else went wrong.
fn table() -> Result<String, String> {
    let mut table = format!("| the camera delivers | {} |\n", COLUMNS.join(" | "));
    table += &"|---".repeat(1 + COLUMNS.len());
    table += "|\n";
    let mut failures = String::new();
    for row in &ROWS {
        write!(table, "| {} |", row.input).expect("memory");
        for (column, name) in COLUMNS.iter().enumerate() {
            let word = match row.cell(column) {
                Ok(Seen::Identical) => "yes",
                Ok(Seen::Nothing) => "no",
                Err(_) => {
                    writeln!(failures, "{}, {name}", row.input).expect("memory");
                    ""
                }
            };
            write!(table, " {word} |").expect("memory");
        }
        table.push('\n');
    }
    match failures.is_empty() {
        true => Ok(table),
        false => Err(failures),
    }
}

#[test]
fn the_page_says_what_was_seen() {
    let seen = table().unwrap_or_else(|failures| panic!("these have failed:\n{failures}"));
    let page = fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (said, after) = rest.split_once(END).expect("where the table ends");
    let seen = format!("\n{seen}\n");
    if said != seen {
        fs::write(PAGE, format!("{before}{BEGIN}{seen}{END}{after}")).expect("the page is written");
        panic!("{PAGE} said something else; now it says what was seen: look at it, and commit it");
    }
}
