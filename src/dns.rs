//! DNS messages, as far as multicast DNS needs them: read from any octets, and written.
//! RFC 1035 3 and 4.1 (format), RFC 6762 18 (what multicast DNS makes of it), RFC 4034 4.1 (NSEC).

/// Types of records (RFC 1035 3.2.2, RFC 3596 2.1, RFC 2782, RFC 4034 4), and any of them.
pub const A: u16 = 1;
/// A name that another one leads to.
pub const PTR: u16 = 12;
/// Texts.
pub const TXT: u16 = 16;
/// An IPv6 address.
pub const AAAA: u16 = 28;
/// Host and port of a service.
pub const SRV: u16 = 33;
/// What a name has, and that it has nothing else.
pub const NSEC: u16 = 47;
/// In questions: all that a name has.
pub const ANY: u16 = 255;

/// The class of all that is asked and answered here.
const INTERNET: u16 = 1;
/// In questions: an answer to one alone will do. In records: all others of the name and type are out of date.
const TOP_BIT: u16 = 0x8000;

/// Flags of a message: it answers, it is the owner's word, more is to come.
pub const RESPONSE: u16 = 0x8000;
/// The owner of a name says so.
pub const AUTHORITATIVE: u16 = 0x0400;
/// More of what is known follows in another message.
pub const TRUNCATED: u16 = 0x0200;

/// Most octets of a label and of a name (RFC 1035 2.3.4).
const MAX_LABEL_OCTETS: usize = 63;
const MAX_NAME_OCTETS: usize = 255;
/// An octet with these bits begins a pointer to an earlier name; what is left of it is where.
const POINTER: u8 = 0xC0;
/// More questions and records of one message are not read.
const MAX_QUESTIONS: usize = 32;
const MAX_RECORDS: usize = 256;

/// A name: its labels, each behind its length, and a 0. Capitals do not count.
#[derive(Debug, Clone)]
pub struct Name(Vec<u8>);

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Lengths are no letters.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Name {
    /// The name `first` and `rest`, whose dots are between labels; `first` may have dots of its own.
    pub fn new(first: &str, rest: &str) -> Option<Self> {
        let mut octets = Vec::new();
        for label in std::iter::once(first).chain(rest.split('.')) {
            let length = u8::try_from(label.len()).ok()?;
            if label.is_empty() || label.len() > MAX_LABEL_OCTETS {
                return None;
            }
            octets.push(length);
            octets.extend(label.as_bytes());
        }
        octets.push(0);
        (octets.len() <= MAX_NAME_OCTETS).then_some(Self(octets))
    }

    /// As on the wire.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// About whom.
    pub name: Name,
    /// The type of records.
    pub kind: u16,
    /// Whether an answer to the asker alone will do.
    pub to_one: bool,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Record {
    /// About whom.
    pub name: Name,
    /// What it says.
    pub kind: u16,
    /// Whether nobody else says anything of the name and type.
    pub is_unique: bool,
    /// How long it may be kept, in seconds; 0 = it is none any more.
    pub ttl: u32,
    /// Its octets; names among them in full.
    pub data: Vec<u8>,
}

impl Record {
    /// Whether both say the same of the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let place = place_of_name(self.kind).unwrap_or(self.data.len());
        let parts = |record: &Self| {
            let (before, name) = record.data.split_at_checked(place)?;
            Some((before.to_vec(), name.to_ascii_lowercase()))
        };
        self.kind == other.kind && self.name == other.name && parts(self) == parts(other)
    }
}

/// A message.
#[derive(Debug, Default)]
pub struct Message {
    /// What an asker knows its answer by.
    pub id: u16,
    /// Flags such as [`RESPONSE`].
    pub flags: u16,
    /// What is asked for.
    pub questions: Vec<Question>,
    /// What is answered; in a query what is known.
    pub answers: Vec<Record>,
    /// In a query: what the asker wants to say by the names that it asks for.
    pub wanted: Vec<Record>,
    /// What belongs to the answers.
    pub more: Vec<Record>,
}

impl Message {
    /// Reads `octets`; `None` when they are no message. Records of other classes are left out.
    pub fn read(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader { octets, at: 0 };
        let [id, flags] = [reader.u16()?, reader.u16()?];
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        let [questions, answers, wanted, more] = counts.map(usize::from);
        let mut message = Self {
            id,
            flags,
            ..Self::default()
        };
        for number in 0..questions {
            let question = reader.question()?;
            if number < MAX_QUESTIONS {
                message.questions.push(question);
            }
        }
        let mut left = MAX_RECORDS;
        let mut records = |count: usize| {
            let mut records = Vec::new();
            for _ in 0..count.min(left) {
                records.extend(reader.record()?);
            }
            // The rest is not looked at, and so there is none behind it either.
            left = left.saturating_sub(count);
            Some(records)
        };
        message.answers = records(answers)?;
        message.wanted = records(wanted)?;
        message.more = records(more)?;
        Some(message)
    }

    /// Writes it; a name of a record that was there before is abbreviated, and no name in the data.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let records = [&self.answers, &self.wanted, &self.more];
        writer.u16(self.id);
        writer.u16(self.flags);
        writer.count(self.questions.len());
        for records in records {
            writer.count(records.len());
        }
        for question in &self.questions {
            writer.name(&question.name);
            writer.u16(question.kind);
            writer.class(question.to_one);
        }
        for record in records.into_iter().flatten() {
            writer.name(&record.name);
            writer.u16(record.kind);
            writer.class(record.is_unique);
            writer.octets.extend(record.ttl.to_be_bytes());
            writer.count(record.data.len());
            writer.octets.extend(&record.data);
        }
        writer.octets
    }
}

/// Where in the data of a record a name is.
fn place_of_name(kind: u16) -> Option<usize> {
    match kind {
        PTR | NSEC => Some(0),
        // Behind priority, weight and port.
        SRV => Some(6),
        _ => None,
    }
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.octets.get(self.at..)?.get(..count)?;
        self.at += count;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let octets = self.take(2)?.try_into().ok()?;
        Some(u16::from_be_bytes(octets))
    }

    fn question(&mut self) -> Option<Question> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        Some(Question {
            name,
            kind,
            to_one: class & TOP_BIT != 0,
        })
    }

    /// `Some(None)` is a record of another class.
    fn record(&mut self) -> Option<Option<Record>> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        let ttl = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        let length = self.u16()?.into();
        let start = self.at;
        let raw = self.take(length)?;
        let data = match place_of_name(kind) {
            Some(place) => {
                let before = raw.get(..place)?;
                let mut reader = Reader {
                    octets: self.octets.get(..start + length)?,
                    at: start + place,
                };
                let name = reader.name()?;
                let rest = reader.octets.get(reader.at..)?;
                [before, name.octets(), rest].concat()
            }
            None => raw.to_vec(),
        };
        let record = Record {
            name,
            kind,
            is_unique: class & TOP_BIT != 0,
            ttl,
            data,
        };
        Some((class & !TOP_BIT == INTERNET).then_some(record))
    }

    /// A name, put together; each pointer leads further back than all before, so that it comes to an end.
    fn name(&mut self) -> Option<Name> {
        let mut name = Vec::new();
        let (mut at, mut earliest, mut end) = (self.at, self.at, None);
        loop {
            let length = *self.octets.get(at)?;
            let size = usize::from(length);
            if length & POINTER == POINTER {
                end.get_or_insert(at + 2);
                let low = *self.octets.get(at + 1)?;
                at = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                if at >= earliest {
                    return None;
                }
                earliest = at;
                continue;
            }
            if size > MAX_LABEL_OCTETS {
                return None;
            }
            name.extend(self.octets.get(at..=at + size)?);
            at += 1 + size;
            if name.len() > MAX_NAME_OCTETS {
                return None;
            }
            if size == 0 {
                self.at = end.unwrap_or(at);
                return Some(Name(name));
            }
        }
    }
}

#[derive(Default)]
struct Writer {
    octets: Vec<u8>,
    /// The ends of names that are there already, and where.
    known: Vec<(Vec<u8>, u16)>,
}

impl Writer {
    fn u16(&mut self, value: u16) {
        self.octets.extend(value.to_be_bytes());
    }

    /// Never more than a message of the greatest size has.
    fn count(&mut self, value: usize) {
        self.u16(u16::try_from(value).unwrap_or(u16::MAX));
    }

    fn class(&mut self, has_top_bit: bool) {
        self.u16(INTERNET | if has_top_bit { TOP_BIT } else { 0 });
    }

    fn name(&mut self, name: &Name) {
        let mut rest = name.octets();
        while let [length, _, ..] = rest {
            if let Some((_, place)) = self.known.iter().find(|(known, _)| known == rest) {
                return self.u16(u16::from_be_bytes([POINTER, 0]) | *place);
            }
            let place = u16::try_from(self.octets.len()).unwrap_or(u16::MAX);
            if place < u16::from_be_bytes([!POINTER, 0]) {
                self.known.push((rest.to_vec(), place));
            }
            let Some((label, further)) = rest.split_at_checked(1 + usize::from(*length)) else {
                break;
            };
            self.octets.extend(label);
            rest = further;
        }
        self.octets.push(0);
    }
}

#[cfg(test)]
mod tests;
