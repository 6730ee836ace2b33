//! What was found in all pictures of a camera together.

use serde::{Serialize, Serializer};

use super::look::{Change, Huffman, Look, Quantization, Restarts, Sampling, Sending, Size, Traits};
use super::rate::Rate;
use super::tally::{Spread, Tally};
use crate::jpeg::Habit;
use crate::rtp::Refused;
use crate::stats::DropReason;

/// Most reasons that are told apart.
const MOST_REASONS: usize = 32;

/// What was found, and counted.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    pub pictures: Pictures,
    pub rate: Option<Rate>,
    pub sizes: Tally<Size>,
    pub samplings: Tally<Sampling>,
    pub quantization: Tally<Quantization>,
    pub huffman: Tally<Huffman>,
    pub restarts: Tally<Restarts>,
    /// Pictures whose tables were not those of the picture before.
    pub table_changes: TableChanges,
    pub octets: Spread,
    pub padding_octets: Spread,
    pub habits: Tally<Named>,
    pub whole: Whole,
    pub recoding: Recoding,
    pub refusals: Vec<Refusal>,
    pub packets: Spread,
    /// On the wire, with the headers of UDP and IP.
    pub packet_octets: Spread,
    /// Pictures larger than packets can say, and with restart markers, as they would be sent.
    pub large: u64,
    pub with_restarts: u64,
    #[serde(skip)]
    last_tables: Option<[u64; 2]>,
}

/// Each picture that was looked at is in one of the last three.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Pictures {
    pub looked_at: u64,
    pub as_they_are: u64,
    pub recoded: u64,
    pub refused: u64,
    /// Of those that can be sent: with `allow-missing-eoi` only.
    pub without_eoi: u64,
}

/// How often tables were others than in the picture before.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct TableChanges {
    pub quantization: u64,
    pub huffman: u64,
}

/// Something that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named(pub Habit);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("habit", self.0.name())])
    }
}

/// What the walk through every code of the scan has shown.
#[derive(Debug, Default, Serialize)]
pub struct Whole {
    pub yes: u64,
    pub no: u64,
    /// Of those that are not, so many can be sent.
    pub no_but_sendable: u64,
    /// They cannot be read so far.
    pub unknown: u64,
    /// What was seen in the first that is not.
    pub fault: Option<String>,
}

/// What is re-coded, and what that costs.
#[derive(Debug, Default, Serialize)]
pub struct Recoding {
    pub changes: Tally<Change>,
    /// Of the scans, before.
    pub octets_before: u64,
    /// And after.
    pub octets_after: u64,
}

/// Why pictures cannot be sent.
#[derive(Debug, Clone, Serialize)]
pub struct Refusal {
    /// The name that counters have for it.
    pub reason: &'static str,
    /// What was seen in the first of them.
    #[serde(serialize_with = "as_text")]
    pub first: Refused,
    pub pictures: u64,
}

fn as_text<S: Serializer>(refused: &Refused, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(refused)
}

impl Findings {
    /// One more picture.
    pub fn add(&mut self, look: &Look) {
        self.pictures.looked_at += 1;
        self.octets.add(look.octets);
        match &look.whole {
            Some(Ok(())) => self.whole.yes += 1,
            Some(Err(fault)) => {
                self.whole.no += 1;
                self.whole.fault.get_or_insert_with(|| fault.to_string());
            }
            None => self.whole.unknown += 1,
        }
        if let Some(traits) = &look.traits {
            self.add_traits(traits);
        }
        match &look.sending {
            Ok(sending) => self.add_sending(sending, look),
            Err(refused) => self.add_refusal(*refused),
        }
    }

    fn add_traits(&mut self, traits: &Traits) {
        self.sizes.add(traits.size);
        self.samplings.add(traits.sampling.clone());
        self.quantization.add(traits.quantization);
        self.huffman.add(traits.huffman);
        self.restarts.add(traits.restarts);
        self.padding_octets.add(traits.padding);
        for habit in traits.habits.iter() {
            self.habits.add(Named(habit));
        }
        let changes = &mut self.table_changes;
        if let Some([quantization, huffman]) = self.last_tables.replace(traits.tables) {
            let [now_quantization, now_huffman] = traits.tables;
            changes.quantization += u64::from(now_quantization != quantization);
            changes.huffman += u64::from(now_huffman != huffman);
        }
    }

    fn add_sending(&mut self, sending: &Sending, look: &Look) {
        match sending.change {
            None => self.pictures.as_they_are += 1,
            Some(change) => {
                self.pictures.recoded += 1;
                self.recoding.changes.add(change);
                let (before, after) = sending.scan_octets;
                self.recoding.octets_before += before as u64;
                self.recoding.octets_after += after as u64;
            }
        }
        let habits = look.traits.as_ref().map(|traits| traits.habits);
        if habits.is_some_and(|habits| habits.contains(Habit::NoEndOfImage)) {
            self.pictures.without_eoi += 1;
        }
        if matches!(look.whole, Some(Err(_))) {
            self.whole.no_but_sendable += 1;
        }
        self.packets.add(sending.packets);
        self.packet_octets.add(sending.wire_octets);
        self.large += u64::from(sending.is_large);
        self.with_restarts += u64::from(sending.has_restarts);
    }

    fn add_refusal(&mut self, refused: Refused) {
        self.pictures.refused += 1;
        let reason = DropReason::from(refused).name();
        if let Some(refusal) = self.refusals.iter_mut().find(|each| each.reason == reason) {
            refusal.pictures += 1;
        } else if self.refusals.len() < MOST_REASONS {
            self.refusals.push(Refusal {
                reason,
                first: refused,
                pictures: 1,
            });
        }
    }

    /// Why most of those that cannot be sent cannot.
    pub fn main_refusal(&self) -> Option<&Refusal> {
        self.refusals.iter().max_by_key(|each| each.pictures)
    }

    /// Pictures that can be sent.
    pub fn sendable(&self) -> u64 {
        self.pictures.as_they_are + self.pictures.recoded
    }

    /// Whether the pictures make a stream: most of them can be sent, also when so many more came `damaged`.
    pub fn make_a_stream(&self, damaged: u64) -> bool {
        self.sendable() > self.pictures.refused + damaged
    }

    /// On the wire, with the headers of UDP and IP; `None` when nothing is sent or the rate is not known.
    pub fn megabits_per_second(&self) -> Option<f64> {
        let bits = u32::try_from(8 * self.packet_octets.mean).ok()?;
        let rate = self.rate.filter(|_| bits > 0)?;
        Some((f64::from(bits) * rate.fps / 1e4).round() / 100.0)
    }
}
