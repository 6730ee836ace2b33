//! Messages of multicast DNS, made of our records.
//! RFC 6762 6 (answers), 6.7 (to those who know no multicast), 8.1 (probes), 17 (sizes), 18 (fields).

use super::records::Records;
use crate::dns::{ANY, AUTHORITATIVE, Message, Question, RESPONSE, Record};

/// Records of a message, and names of a probe: with usual names they fit into a packet of Ethernet.
const MAX_RECORDS: usize = 20;
const MAX_NAMES: usize = 8;
/// Longest that those who know no multicast DNS may keep an answer, in seconds.
const TTL_OF_LEGACY: u32 = 10;

/// The octets of a message.
pub type Octets = Vec<u8>;

/// Messages that say the `answers`, with as much of what belongs to them as the last has room for.
pub fn responses(records: &Records, answers: &[usize], more: &[usize]) -> Vec<Octets> {
    let count = answers.len().div_ceil(MAX_RECORDS);
    let chunks = answers.chunks(MAX_RECORDS).enumerate();
    let messages = chunks.map(|(number, chunk)| {
        let more = if number + 1 == count { more } else { &[] };
        response(records, chunk, more).write()
    });
    messages.collect()
}

/// The answer of a plain name server to the `query`.
pub fn legacy_response(
    query: &Message,
    records: &Records,
    answers: &[usize],
    more: &[usize],
) -> Octets {
    let mut message = response(records, answers, more);
    message.id = query.id;
    message.questions = query.questions.clone();
    for record in message.answers.iter_mut().chain(&mut message.more) {
        record.is_unique = false;
        record.ttl = record.ttl.min(TTL_OF_LEGACY);
    }
    message.write()
}

/// One with as many of these as it has room for.
fn response(records: &Records, answers: &[usize], more: &[usize]) -> Message {
    let mut left = answers.iter().chain(more).take(MAX_RECORDS);
    let chosen = |&index: &usize| records.all().get(index).cloned();
    Message {
        flags: RESPONSE | AUTHORITATIVE,
        answers: left
            .by_ref()
            .take(answers.len())
            .filter_map(chosen)
            .collect(),
        more: left.filter_map(chosen).collect(),
        ..Message::default()
    }
}

/// Messages that say that the `ended` are none any more (RFC 6762 10.1).
pub fn good_byes(mut ended: Vec<Record>) -> Vec<Octets> {
    for record in &mut ended {
        (record.ttl, record.is_unique) = (0, false);
    }
    let messages = ended.chunks(MAX_RECORDS).map(|chunk| {
        let message = Message {
            flags: RESPONSE | AUTHORITATIVE,
            answers: chunk.to_vec(),
            ..Message::default()
        };
        message.write()
    });
    messages.collect()
}

/// Questions whether somebody has our names, with what we would say by them.
pub fn probes(records: &Records) -> Vec<Octets> {
    let names: Vec<_> = records.unique_names().collect();
    let messages = names.chunks(MAX_NAMES).map(|names| {
        let mut message = Message::default();
        for &name in names {
            message.questions.push(Question {
                name: name.clone(),
                kind: ANY,
                // Our sockets hear only what is said to all.
                to_one: false,
            });
            let wanted = records.by(name).into_iter().cloned();
            message.wanted.extend(wanted.map(|record| Record {
                is_unique: false,
                ..record
            }));
        }
        message.write()
    });
    messages.collect()
}
