//! Re-codes the scan of a test frame with Huffman tables of its own: the same coefficients in other octets.
//! ITU T.81 Annex C (codes from lengths), Annex F.1.2 (the symbols of a baseline scan).

use super::variants::{DHT, DRI, EOI, Parts, SOF0, SOS, Segment};
use std::collections::HashMap;

/// Class and destination of a table, as in DHT: Tc in the upper, Th in the lower four bits.
type TableId = u8;

/// An entropy-coded item: a code with the bits that follow it, or a restart marker.
enum Token {
    Symbol {
        table: TableId,
        symbol: u8,
        extra: u32,
    },
    Restart,
}

/// A table as DHT has it: the number of codes of each length, and the symbols in the order of their codes.
#[derive(Clone)]
struct Table {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

/// One interleaved scan with Huffman tables that give this picture's most frequent symbols the shortest codes.
pub fn optimised_huffman(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let tables = tables_of(&parts);
    let tokens = read_tokens(&parts, &tables);
    let tables: HashMap<_, _> = tables
        .iter()
        .map(|(&id, table)| (id, table.ranked(id, &tokens)))
        .collect();
    let first = parts
        .segments
        .iter()
        .position(|segment| segment.marker == DHT)
        .expect("a frame has a DHT");
    parts.segments.retain(|segment| segment.marker != DHT);
    for (id, table) in &tables {
        let payload = [&[*id], table.counts.as_slice(), &table.symbols].concat();
        parts.segments.insert(
            first,
            Segment {
                marker: DHT,
                payload,
            },
        );
    }
    parts.scan = write_tokens(&tokens, &tables);
    parts.join()
}

impl Table {
    /// The same code lengths, handed out by how often each symbol occurs: no optimum, but surely not Annex K.
    fn ranked(&self, id: TableId, tokens: &[Token]) -> Self {
        let mut uses = [0_u32; 256];
        for token in tokens {
            if let Token::Symbol { table, symbol, .. } = token
                && *table == id
            {
                uses[usize::from(*symbol)] += 1;
            }
        }
        let mut symbols = self.symbols.clone();
        symbols.sort_by_key(|&symbol| (std::cmp::Reverse(uses[usize::from(symbol)]), symbol));
        Self {
            counts: self.counts,
            symbols,
        }
    }

    /// T.81 C.2: (length, code, symbol) of each code.
    fn codes(&self) -> impl Iterator<Item = (u8, u32, u8)> {
        let mut symbols = self.symbols.iter();
        let mut code = 0;
        (1..=16).flat_map(move |length| {
            code <<= 1;
            let count = self.counts[usize::from(length) - 1];
            let first = code;
            code += u32::from(count);
            let codes = (first..).zip(symbols.by_ref().take(count.into()));
            codes
                .map(move |(code, &symbol)| (length, code, symbol))
                .collect::<Vec<_>>()
        })
    }
}

fn tables_of(parts: &Parts) -> HashMap<TableId, Table> {
    let mut tables = HashMap::new();
    for segment in parts
        .segments
        .iter()
        .filter(|segment| segment.marker == DHT)
    {
        let mut rest = segment.payload.as_slice();
        while !rest.is_empty() {
            let counts: [u8; 16] = rest[1..17].try_into().expect("16 counts");
            let end = 17
                + counts
                    .iter()
                    .map(|&count| usize::from(count))
                    .sum::<usize>();
            tables.insert(
                rest[0],
                Table {
                    counts,
                    symbols: rest[17..end].to_vec(),
                },
            );
            rest = &rest[end..];
        }
    }
    tables
}

/// What to expect in the scan: the tables of each block of an MCU in order, the MCUs, and the restart interval.
struct Layout {
    blocks: Vec<u8>, // Th of each block; DC and AC use the same destination
    mcus: usize,
    restart_interval: usize,
}

impl Layout {
    fn of(parts: &mut Parts) -> Self {
        let selectors: Vec<u8> = parts.payload_mut(SOS)[1..]
            .chunks_exact(2)
            .map(|pair| pair[1] & 0xF)
            .collect();
        let dri = parts.segments.iter().find(|segment| segment.marker == DRI);
        let restart_interval = dri.map_or(0, |dri| {
            usize::from(u16::from_be_bytes([dri.payload[0], dri.payload[1]]))
        });
        let sof = parts.payload_mut(SOF0);
        let factors: Vec<(usize, usize)> = sof[6..]
            .chunks(3)
            .map(|c| (usize::from(c[1] >> 4), usize::from(c[1] & 0xF)))
            .collect();
        let side = |at: usize| usize::from(u16::from_be_bytes([sof[at], sof[at + 1]]));
        let widest = factors
            .iter()
            .map(|factor| factor.0)
            .max()
            .expect("at least one component");
        let tallest = factors
            .iter()
            .map(|factor| factor.1)
            .max()
            .expect("at least one component");
        let blocks = factors
            .iter()
            .zip(selectors)
            .flat_map(|(&(h, v), th)| vec![th; h * v])
            .collect();
        Self {
            blocks,
            mcus: side(3).div_ceil(8 * widest) * side(1).div_ceil(8 * tallest),
            restart_interval,
        }
    }
}

fn read_tokens(parts: &Parts, tables: &HashMap<TableId, Table>) -> Vec<Token> {
    let layout = Layout::of(&mut parts.clone());
    let codes: HashMap<_, _> = tables
        .iter()
        .flat_map(|(&id, table)| {
            table
                .codes()
                .map(move |(length, code, symbol)| ((id, length, code), symbol))
        })
        .collect();
    let mut bits = Bits {
        octets: &parts.scan,
        at: 0,
        held: 0,
        count: 0,
    };
    let mut tokens = Vec::new();
    for mcu in 0..layout.mcus {
        if layout.restart_interval != 0 && mcu != 0 && mcu % layout.restart_interval == 0 {
            bits.skip_restart_marker();
            tokens.push(Token::Restart);
        }
        for &th in &layout.blocks {
            read_block(&mut bits, &codes, th, &mut tokens);
        }
    }
    tokens
}

fn read_block(
    bits: &mut Bits,
    codes: &HashMap<(TableId, u8, u32), u8>,
    th: u8,
    tokens: &mut Vec<Token>,
) {
    const AC: TableId = 0x10;
    const ZERO_RUN_16: u8 = 0xF0;
    let mut symbol_of = |table: TableId| {
        let (mut length, mut code) = (0, 0);
        let symbol = loop {
            length += 1;
            code = code << 1 | bits.take(1);
            assert!(
                length <= 16,
                "no code in table {table:#04x} at octet {}",
                bits.at
            );
            if let Some(&symbol) = codes.get(&(table, length, code)) {
                break symbol;
            }
        };
        tokens.push(Token::Symbol {
            table,
            symbol,
            extra: bits.take(symbol & 0xF),
        });
        symbol
    };
    symbol_of(th);
    let mut coefficient = 1;
    while coefficient < 64 {
        let symbol = symbol_of(AC | th);
        if symbol & 0xF == 0 && symbol != ZERO_RUN_16 {
            break; // end of block
        }
        coefficient += 1 + usize::from(symbol >> 4);
    }
}

/// Reads bits, most significant first, without the stuffed zeros.
struct Bits<'a> {
    octets: &'a [u8],
    at: usize,
    held: u32,
    count: u8,
}

impl Bits<'_> {
    fn take(&mut self, wanted: u8) -> u32 {
        while self.count < wanted {
            let octet = self.octets[self.at];
            self.at += if octet == 0xFF { 2 } else { 1 };
            self.held = self.held << 8 | u32::from(octet);
            self.count += 8;
        }
        self.count -= wanted;
        let value = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        value
    }

    fn skip_restart_marker(&mut self) {
        (self.held, self.count) = (0, 0);
        assert!(
            matches!(self.octets[self.at + 1], 0xD0..=0xD7),
            "no restart marker at octet {}",
            self.at
        );
        self.at += 2;
    }
}

fn write_tokens(tokens: &[Token], tables: &HashMap<TableId, Table>) -> Vec<u8> {
    let codes: HashMap<_, _> = tables
        .iter()
        .flat_map(|(&id, table)| {
            table
                .codes()
                .map(move |(length, code, symbol)| ((id, symbol), (length, code)))
        })
        .collect();
    let mut scan = Scan {
        octets: Vec::new(),
        held: 0,
        count: 0,
    };
    let mut restarts = 0_u8;
    for token in tokens {
        match token {
            Token::Symbol {
                table,
                symbol,
                extra,
            } => {
                let (length, code) = codes[&(*table, *symbol)];
                scan.put(code, length);
                scan.put(*extra, symbol & 0xF);
            }
            Token::Restart => {
                scan.align();
                scan.octets.extend([0xFF, 0xD0 + restarts % 8]);
                restarts = restarts.wrapping_add(1);
            }
        }
    }
    scan.align();
    scan.octets.extend([0xFF, EOI]);
    scan.octets
}

/// Writes bits, most significant first, and stuffs a zero behind each 0xFF.
struct Scan {
    octets: Vec<u8>,
    held: u32,
    count: u8,
}

impl Scan {
    fn put(&mut self, value: u32, length: u8) {
        self.held = self.held << length | value;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the octets before this one are written"
            )]
            let octet = (self.held >> self.count) as u8;
            self.octets.push(octet);
            if octet == 0xFF {
                self.octets.push(0);
            }
            self.held &= (1 << self.count) - 1;
        }
    }

    /// Fills the last octet with ones (T.81 F.1.2.3).
    fn align(&mut self) {
        let missing = (8 - self.count) % 8;
        self.put((1 << missing) - 1, missing);
    }
}
