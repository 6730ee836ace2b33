//! A decoder and an encoder of scans, bit by bit and as plain as can be, to compare with.
//! ITU-T T.81 annexes C, F.1.2, F.2.2.

use std::collections::HashMap;

/// A block's coefficients in zig-zag order, DC itself and not its difference.
pub type Block = [i32; 64];

/// 16 counts, then the symbols.
pub type Table = Vec<u8>;

/// A component: blocks of an MCU across and down, its tables, its blocks row by row with those that fill MCUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub across: usize,
    pub down: usize,
    pub dc: Table,
    pub ac: Table,
    pub blocks: Vec<Block>,
}

/// A picture's coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub mcus_across: usize,
    pub mcus_down: usize,
    /// 0 = no markers.
    pub interval: usize,
    pub components: Vec<Component>,
}

impl Picture {
    /// Component and place of each block, MCU by MCU.
    pub fn mcus(&self) -> Vec<Vec<(usize, usize)>> {
        let mut mcus = Vec::new();
        for row in 0..self.mcus_down {
            for column in 0..self.mcus_across {
                let mut mcu = Vec::new();
                for (index, component) in self.components.iter().enumerate() {
                    let width = self.mcus_across * component.across;
                    for y in 0..component.down {
                        for x in 0..component.across {
                            let line = row * component.down + y;
                            mcu.push((index, line * width + column * component.across + x));
                        }
                    }
                }
                mcus.push(mcu);
            }
        }
        mcus
    }

    fn restarts_before(&self, mcu: usize) -> bool {
        mcu > 0 && self.interval > 0 && mcu.is_multiple_of(self.interval)
    }

    /// The scan, through EOI.
    pub fn encode(&self) -> Vec<u8> {
        let codes: Vec<_> = self
            .components
            .iter()
            .map(|each| (codes(&each.dc), codes(&each.ac)))
            .collect();
        let mut bits = String::new();
        let mut scan = Vec::new();
        let mut last = vec![0; self.components.len()];
        let mut restarts = 0;
        for (number, mcu) in self.mcus().into_iter().enumerate() {
            if self.restarts_before(number) {
                append(&mut scan, &mut bits);
                scan.extend([0xFF, 0xD0 + restarts % 8]);
                restarts += 1;
                last.fill(0);
            }
            for (index, place) in mcu {
                let block = &self.components[index].blocks[place];
                let (dc, ac) = &codes[index];
                let difference = block[0] - last[index];
                last[index] = block[0];
                let (size, amplitude) = amplitude(difference);
                bits += &dc[&size];
                bits += &amplitude;
                encode_ac(block, ac, &mut bits);
            }
        }
        append(&mut scan, &mut bits);
        scan.extend([0xFF, 0xD9]);
        scan
    }

    /// The same picture with the coefficients of `scan`; `None` when it is not exactly such a scan.
    pub fn decode(&self, scan: &[u8]) -> Option<Self> {
        let mut picture = self.clone();
        let by_code = |table: &Table| -> HashMap<String, u8> {
            let codes = codes(table).into_iter();
            codes.map(|(symbol, code)| (code, symbol)).collect()
        };
        let tables: Vec<_> = self
            .components
            .iter()
            .map(|each| (by_code(&each.dc), by_code(&each.ac)))
            .collect();
        let mut rest = scan;
        let (mut bits, mut marker) = interval(&mut rest)?;
        let mut bits_left = bits.as_str();
        let mut last = vec![0; self.components.len()];
        let mut restarts = 0;
        for (number, mcu) in self.mcus().into_iter().enumerate() {
            if self.restarts_before(number) {
                if bits_left.len() >= 8 || marker != 0xD0 + restarts % 8 {
                    return None;
                }
                restarts += 1;
                (bits, marker) = interval(&mut rest)?;
                bits_left = bits.as_str();
                last.fill(0);
            }
            for (index, place) in mcu {
                let (dc, ac) = &tables[index];
                let block = decode_block(&mut bits_left, (dc, ac), &mut last[index])?;
                picture.components[index].blocks[place] = block;
            }
        }
        (bits_left.len() < 8 && marker == 0xD9).then_some(picture)
    }
}

/// Fills the bits up with ones, and stuffs zeros.
fn append(scan: &mut Vec<u8>, bits: &mut String) {
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for octet in bits.as_bytes().chunks(8) {
        let text = std::str::from_utf8(octet).expect("digits");
        let octet = u8::from_str_radix(text, 2).expect("binary");
        scan.push(octet);
        if octet == 0xFF {
            scan.push(0);
        }
    }
    bits.clear();
}

/// The bits up to the next marker, and that marker's code.
fn interval(rest: &mut &[u8]) -> Option<(String, u8)> {
    let mut bits = String::new();
    loop {
        match **rest {
            [0xFF, 0, ref behind @ ..] => {
                bits += "11111111";
                *rest = behind;
            }
            [0xFF, ..] => {
                let fill = rest.iter().take_while(|&&octet| octet == 0xFF).count();
                let code = *rest.get(fill)?;
                *rest = &rest[fill + 1..];
                return Some((bits, code));
            }
            [octet, ref behind @ ..] => {
                bits += &format!("{octet:08b}");
                *rest = behind;
            }
            [] => return None,
        }
    }
}

/// The code of each symbol, in digits.
fn codes(table: &Table) -> HashMap<u8, String> {
    let mut codes = HashMap::new();
    let (mut code, mut at) = (0_u32, 16);
    for length in 1..=16 {
        for _ in 0..table[length - 1] {
            codes.insert(table[at], format!("{code:0length$b}"));
            (code, at) = (code + 1, at + 1);
        }
        code <<= 1;
    }
    codes
}

fn amplitude(value: i32) -> (u8, String) {
    if value == 0 {
        return (0, String::new());
    }
    let digits = format!("{:b}", value.unsigned_abs());
    let size = u8::try_from(digits.len()).expect("few");
    let other = |digit| if digit == '0' { '1' } else { '0' };
    match value {
        1.. => (size, digits),
        _ => (size, digits.chars().map(other).collect()),
    }
}

fn encode_ac(block: &Block, codes: &HashMap<u8, String>, bits: &mut String) {
    let mut run = 0_u8;
    for &value in &block[1..] {
        if value == 0 {
            run += 1;
            continue;
        }
        while run > 15 {
            *bits += &codes[&0xF0];
            run -= 16;
        }
        let (size, amplitude) = amplitude(value);
        *bits += &codes[&(run << 4 | size)];
        *bits += &amplitude;
        run = 0;
    }
    if run > 0 {
        *bits += &codes[&0];
    }
}

fn take<'a>(bits: &mut &'a str, count: usize) -> Option<&'a str> {
    let (taken, rest) = bits.split_at_checked(count)?;
    *bits = rest;
    Some(taken)
}

fn symbol(bits: &mut &str, codes: &HashMap<String, u8>) -> Option<u8> {
    (1..=16).find_map(|length| {
        let symbol = codes.get(bits.get(..length)?)?;
        *bits = &bits[length..];
        Some(*symbol)
    })
}

fn value(bits: &mut &str, size: u8) -> Option<i32> {
    let digits = take(bits, size.into())?;
    if size == 0 {
        return Some(0);
    }
    let value = i32::from_str_radix(digits, 2).ok()?;
    Some(if digits.starts_with('1') {
        value
    } else {
        value - (1 << size) + 1
    })
}

type Codes = HashMap<String, u8>;

fn decode_block(bits: &mut &str, (dc, ac): (&Codes, &Codes), last: &mut i32) -> Option<Block> {
    let mut block = [0; 64];
    let size = symbol(bits, dc)?;
    if size > 11 {
        return None;
    }
    *last += value(bits, size)?;
    block[0] = *last;
    let mut at = 1;
    while at < 64 {
        let symbol = symbol(bits, ac)?;
        let (run, size) = (usize::from(symbol >> 4), symbol & 0x0F);
        match (run, size) {
            (0, 0) => return Some(block),
            (15, 0) => at += 16,
            (_, 1..=10) => {
                *block.get_mut(at + run)? = value(bits, size)?;
                at += run + 1;
            }
            _ => return None,
        }
    }
    (at == 64).then_some(block)
}
