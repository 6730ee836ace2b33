//! What this machine says of itself on one link: its name and addresses, its page, its cameras.
//! RFC 6762 6.1 (what there is not), 10 (times to live); RFC 6763 4 to 6 and 9 (services); RFC 4034 4.1.2 (NSEC).

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::dns::{A, AAAA, ANY, NSEC, Name, PTR, Question, Record, SRV, TXT};

/// Our services are pages and streams (RFC 6763 7).
const SERVICES: [&str; 2] = ["_http", "_tcp.local"];
const IN_SERVICES: &str = "_http._tcp.local";
/// Who asks for this learns what kinds of services there are (RFC 6763 9).
const KINDS: [&str; 2] = ["_services", "_dns-sd._udp.local"];
/// Seconds that what has to do with a host name may be kept, and the rest (RFC 6762 10).
const TTL_OF_HOST: u32 = 120;
const TTL_OF_REST: u32 = 4500;
/// More cameras are not announced.
const MAX_CAMERAS: usize = 64;

/// What is said of this machine on one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name, without `.local`.
    pub host: String,
    /// What the link knows it by.
    pub addresses: Vec<IpAddr>,
    /// Where its door is.
    pub port: u16,
    /// The names of its cameras.
    pub cameras: Vec<String>,
}

/// The same as records.
pub struct Records {
    host: Name,
    all: Vec<Record>,
}

impl Records {
    /// The page is announced by the host's name, a camera by both. `None` for a name that cannot be one.
    pub fn new(said: &Said) -> Option<Self> {
        let host = Name::new(&said.host, "local")?;
        let services = Name::new(SERVICES[0], SERVICES[1])?;
        let mut all: Vec<Record> = said
            .addresses
            .iter()
            .map(|address| match address {
                IpAddr::V4(address) => unique(&host, A, TTL_OF_HOST, &address.octets()),
                IpAddr::V6(address) => unique(&host, AAAA, TTL_OF_HOST, &address.octets()),
            })
            .collect();
        let kinds: Vec<u16> = all.iter().map(|record| record.kind).collect();
        all.push(nothing_else(&host, &kinds));
        all.push(shared(&Name::new(KINDS[0], KINDS[1])?, &services));
        let page = (Name::new(&said.host, IN_SERVICES)?, "/".to_owned());
        let cameras = said.cameras.iter().take(MAX_CAMERAS).filter_map(|camera| {
            // A name that is too long is shortened.
            let long = Name::new(&format!("{} {camera}", said.host), IN_SERVICES);
            let name = long.or_else(|| Name::new(camera, IN_SERVICES))?;
            Some((name, format!("/{camera}/stream.mjpg")))
        });
        // Without priority and weight.
        let place = [&[0; 4], &said.port.to_be_bytes()[..], host.octets()].concat();
        for (service, path) in std::iter::once(page).chain(cameras) {
            let path = format!("path={path}");
            let text = [&[u8::try_from(path.len()).ok()?], path.as_bytes()].concat();
            all.push(shared(&services, &service));
            all.push(unique(&service, SRV, TTL_OF_HOST, &place));
            all.push(unique(&service, TXT, TTL_OF_REST, &text));
            all.push(nothing_else(&service, &[TXT, SRV]));
        }
        Some(Self { host, all })
    }

    /// All of them; the place of each stays.
    pub fn all(&self) -> &[Record] {
        &self.all
    }

    /// Those that are announced: what there is not is said when somebody asks for it.
    pub fn announced(&self) -> impl Iterator<Item = usize> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, record)| record.kind != NSEC)
            .map(|(index, _)| index)
    }

    /// Whether `record` is one of the host, and none of a service.
    pub fn is_of_host(&self, record: &Record) -> bool {
        record.name == self.host
    }

    /// The names that nobody else may have.
    pub fn unique_names(&self) -> impl Iterator<Item = &Name> {
        let unique = self.all.iter().filter(|record| record.kind == NSEC);
        unique.map(|record| &record.name)
    }

    /// What is said by `name`.
    pub fn by(&self, name: &Name) -> Vec<&Record> {
        let all = self.all.iter();
        all.filter(|record| record.name == *name && record.kind != NSEC)
            .collect()
    }

    /// Whether the record at `index` answers `question`.
    pub fn answers(&self, index: usize, question: &Question) -> bool {
        let Some(record) = self
            .all
            .get(index)
            .filter(|each| each.name == question.name)
        else {
            return false;
        };
        match record.kind {
            // Only who asks for what there is not is told so.
            NSEC => {
                let by_name = self.by(&record.name);
                question.kind != ANY && by_name.iter().all(|other| other.kind != question.kind)
            }
            kind => question.kind == ANY || question.kind == kind,
        }
    }

    /// Whether `other`, which a neighbour has said, is what only we may say, and different. While a name is only wanted,
    /// whatever the neighbour has by it counts.
    pub fn contradicts(&self, other: &Record, is_wanted: bool) -> bool {
        if other.ttl == 0 || other.kind == NSEC || !self.unique_names().any(|n| *n == other.name) {
            return false;
        }
        let own = self.by(&other.name);
        let is_known = own.iter().any(|own| own.is_same(other));
        !is_known && (is_wanted || own.iter().any(|own| own.kind == other.kind))
    }

    /// What whoever hears the records at `answers` would ask for next: of services their places and texts, of places
    /// their addresses.
    pub fn belonging_to(&self, answers: &[usize]) -> Vec<usize> {
        let heard = || answers.iter().filter_map(|&index| self.all.get(index));
        let is_named = |record: &Record| {
            let is_host = record.name == self.host;
            heard().any(|answer| match answer.kind {
                PTR => is_host || answer.data == record.name.octets(),
                SRV | A | AAAA => is_host,
                _ => false,
            })
        };
        // That there is no address of the other family spares a wait; of services nobody asks for anything besides.
        let of_host = self.by(&self.host);
        let has = |kind| of_host.iter().any(|record| record.kind == kind);
        let has_both = has(A) && has(AAAA);
        let is_idle =
            |record: &Record| record.kind == NSEC && (has_both || record.name != self.host);
        let all = self.all.iter().enumerate();
        all.filter(|(index, record)| {
            !answers.contains(index) && is_named(record) && !is_idle(record)
        })
        .map(|(index, _)| index)
        .collect()
    }
}

/// Who comes first of two that want a name, by what they want to say by it: the greater one has it (RFC 6762 8.2).
pub fn precedence(own: &[&Record], other: &[&Record]) -> Ordering {
    let sorted = |records: &[&Record]| {
        let said = records
            .iter()
            .map(|record| (record.kind, record.data.clone()));
        let mut said: Vec<_> = said.collect();
        said.sort();
        said
    };
    sorted(own).cmp(&sorted(other))
}

fn unique(name: &Name, kind: u16, ttl: u32, data: &[u8]) -> Record {
    Record {
        name: name.clone(),
        kind,
        is_unique: true,
        ttl,
        data: data.to_vec(),
    }
}

/// Others may have one of this name as well.
fn shared(name: &Name, to: &Name) -> Record {
    Record {
        is_unique: false,
        ..unique(name, PTR, TTL_OF_REST, to.octets())
    }
}

/// That `name` has no other `kinds` of records: a bit for each, all within the first 64, behind the number of the window
/// and the count of octets.
fn nothing_else(name: &Name, kinds: &[u16]) -> Record {
    let bits = kinds
        .iter()
        .fold(0, |bits: u64, kind| bits | 1 << (63 - kind));
    let bits = bits.to_be_bytes();
    let length = bits
        .iter()
        .rposition(|&octet| octet != 0)
        .map_or(1, |last| last + 1);
    let map = bits.iter().take(length).copied();
    let length = u8::try_from(length).unwrap_or(u8::MAX);
    let data: Vec<u8> = name
        .octets()
        .iter()
        .copied()
        .chain([0, length])
        .chain(map)
        .collect();
    unique(name, NSEC, TTL_OF_HOST, &data)
}
