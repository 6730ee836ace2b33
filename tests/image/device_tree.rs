//! Reads flattened device trees: which devices a board has.
//! Devicetree Specification 0.4, chapter 5.

use crate::tool::Failure;

const MAGIC: u32 = 0xd00d_feed;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// The `compatible` names of one device, the most exact first.
pub type Names = Vec<String>;

struct Node {
    enabled: bool,
    names: Names,
}

/// Of every device that is enabled, and whose buses are.
pub fn devices(tree: &[u8]) -> Result<Vec<Names>, Failure> {
    let mut blob = Blob { tree, at: 0 };
    if blob.word()? != MAGIC {
        return Err("not a device tree".into());
    }
    let (structure, strings) = (blob.word_at(8)?, blob.word_at(12)?);
    blob.at = structure as usize;
    let (mut open, mut devices): (Vec<Node>, Vec<Names>) = (Vec::new(), Vec::new());
    loop {
        match blob.word()? {
            BEGIN_NODE => {
                let name = text(tree, blob.at)?;
                blob.skip(name.len() + 1);
                open.push(Node {
                    enabled: true,
                    names: Vec::new(),
                });
            }
            PROPERTY => {
                let (length, name) = (blob.word()? as usize, blob.word()?);
                let value = tree.get(blob.at..blob.at + length).ok_or("cut off")?;
                blob.skip(length);
                let node = open.last_mut().ok_or("a property of nothing")?;
                match text(tree, (strings + name) as usize)? {
                    "compatible" => node.names = list(value)?,
                    "status" => node.enabled = matches!(value, b"okay\0" | b"ok\0"),
                    _ => {}
                }
            }
            END_NODE => {
                let node = open.pop().ok_or("an end of nothing")?;
                let enabled = node.enabled && open.iter().all(|bus| bus.enabled);
                if enabled && !node.names.is_empty() {
                    devices.push(node.names);
                }
            }
            NOP => {}
            END => return Ok(devices),
            token => return Err(format!("a device tree with the token {token}").into()),
        }
    }
}

struct Blob<'a> {
    tree: &'a [u8],
    at: usize,
}

impl Blob<'_> {
    fn word(&mut self) -> Result<u32, Failure> {
        let word = self.word_at(self.at)?;
        self.at += 4;
        Ok(word)
    }

    fn word_at(&self, at: usize) -> Result<u32, Failure> {
        let octets = self.tree.get(at..at + 4).ok_or("cut off")?;
        Ok(u32::from_be_bytes(octets.try_into()?))
    }

    /// What follows begins at a multiple of four octets.
    fn skip(&mut self, octets: usize) {
        self.at = (self.at + octets).next_multiple_of(4);
    }
}

fn text(tree: &[u8], at: usize) -> Result<&str, Failure> {
    let rest = tree.get(at..).ok_or("cut off")?;
    let end = rest.iter().position(|&octet| octet == 0).ok_or("cut off")?;
    Ok(std::str::from_utf8(&rest[..end])?)
}

fn list(value: &[u8]) -> Result<Names, Failure> {
    let text = std::str::from_utf8(value)?.trim_end_matches('\0');
    Ok(text.split('\0').map(str::to_owned).collect())
}
