//! Asks the neighbours for a name that ends in `.local`.
//! RFC 6762 5.1 (one-shot queries), 6.7 (their answers), 11 (whose answers count).
//!
//! A C library may know nothing of such names: musl has no modules for it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{BindToDevice, IpMulticastTtl, Ipv6MulticastHops};

use crate::config::Destination;
use crate::dns::{A, AAAA, Message, Name, Question, RESPONSE};
use crate::neighbours::{self, GROUP_V4, GROUP_V6, HOPS, MAX_MESSAGE_OCTETS, PORT};
use crate::random::random;

/// It is asked so often, so long after each other (RFC 6762 5.2).
const QUESTIONS: u32 = 3;
const INTERVAL: Duration = Duration::from_secs(1);
/// How long other addresses are waited for after the first has come: the other family's, mostly.
const FURTHER: Duration = Duration::from_millis(250);
/// More addresses and datagrams a turn are not looked at.
const MAX_ADDRESSES: usize = 16;
const MAX_DATAGRAMS: usize = 64;

/// Whether `host` is a name that is asked for in this way (RFC 6762 3).
pub fn is_local(host: &str) -> bool {
    let labels = host.strip_suffix('.').unwrap_or(host).rsplit_once('.');
    labels.is_some_and(|(_, last)| last.eq_ignore_ascii_case("local"))
}

/// The addresses that hosts on the link have for `destination`, at least one; on `interface`, or on all that know
/// multicast. IPv4 comes first, which players listen to unless they are told otherwise. Takes up to three seconds.
pub fn resolve(destination: &Destination, interface: Option<&str>) -> io::Result<Vec<SocketAddr>> {
    let query = Query::new(&destination.host)?;
    let interfaces = match interface {
        Some(name) => vec![name.to_owned()],
        None => neighbours::interfaces()?
            .into_iter()
            .map(|interface| interface.name)
            .collect(),
    };
    let askers: Vec<Asker> = interfaces
        .iter()
        .flat_map(|name| [GROUP_V4.into(), GROUP_V6.into()].map(|group| Asker::new(name, group)))
        .filter_map(Result::ok)
        .collect();
    let mut found = Vec::new();
    for _ in 0..QUESTIONS {
        askers.iter().for_each(|asker| asker.ask(&query));
        listen(&askers, &query, INTERVAL, &mut found)?;
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        let message = "nobody answers for this name (multicast DNS)";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    found
        .iter_mut()
        .for_each(|address| address.set_port(destination.port));
    found.sort_by_key(rank);
    Ok(found)
}

fn rank(address: &SocketAddr) -> u8 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(address) if !address.ip().is_unicast_link_local() => 1,
        SocketAddr::V6(_) => 2,
    }
}

/// Collects answers for `limit`, or until a little after the first.
fn listen(
    askers: &[Asker],
    query: &Query,
    limit: Duration,
    found: &mut Vec<SocketAddr>,
) -> io::Result<()> {
    let mut end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let fds = askers.iter().map(|asker| asker.socket.as_fd());
        let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // Rounded up, so that it does not spin at the end.
        let left = left + Duration::from_millis(1);
        poll(
            &mut fds,
            PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO),
        )?;
        let knew_none = found.is_empty();
        askers.iter().for_each(|asker| asker.hear(query, found));
        if knew_none && !found.is_empty() {
            end = end.min(Instant::now() + FURTHER);
        }
    }
}

/// What is asked, and what its answers are known by.
struct Query {
    id: u16,
    name: Name,
    /// A question for each family: not every responder reads a second one in a message.
    messages: [Vec<u8>; 2],
}

impl Query {
    fn new(host: &str) -> io::Result<Self> {
        let (first, rest) = host.split_once('.').unwrap_or((host, ""));
        let name = Name::new(first, rest.strip_suffix('.').unwrap_or(rest));
        let name = name.ok_or_else(|| {
            let message = "a name with a part that is empty or too long";
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        let id = u16::from_be_bytes(random()?);
        let messages = [A, AAAA].map(|kind| {
            let question = Question {
                name: name.clone(),
                kind,
                to_one: false,
            };
            let message = Message {
                id,
                questions: vec![question],
                ..Message::default()
            };
            message.write()
        });
        Ok(Self { id, name, messages })
    }

    /// The addresses in an answer of `octets` that came by the interface with the number `zone`.
    fn read(&self, octets: &[u8], zone: u32) -> Vec<SocketAddr> {
        let message = Message::read(octets);
        let is_answer = |message: &Message| message.id == self.id && message.flags & RESPONSE != 0;
        let Some(message) = message.filter(is_answer) else {
            return Vec::new();
        };
        let records = message.answers.iter().chain(&message.more);
        records
            .filter(|record| record.name == self.name)
            .filter_map(|record| match record.kind {
                A => {
                    let octets: [u8; 4] = record.data.as_slice().try_into().ok()?;
                    Some(SocketAddr::from((octets, 0)))
                }
                AAAA => {
                    let octets: [u8; 16] = record.data.as_slice().try_into().ok()?;
                    let ip = Ipv6Addr::from(octets);
                    let zone = if ip.is_unicast_link_local() { zone } else { 0 };
                    Some(SocketAddrV6::new(ip, 0, 0, zone).into())
                }
                _ => None,
            })
            .filter(|address| !address.ip().is_unspecified() && !address.ip().is_multicast())
            .collect()
    }
}

/// A socket that asks a group by one interface.
struct Asker {
    socket: UdpSocket,
    group: SocketAddr,
    /// The number of the interface.
    zone: u32,
}

impl Asker {
    fn new(interface: &str, group: IpAddr) -> io::Result<Self> {
        let zone = if_nametoindex(interface)?;
        let (any, group) = match group {
            IpAddr::V4(group) => (
                SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                SocketAddr::from((group, PORT)),
            ),
            IpAddr::V6(group) => (
                SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
                SocketAddrV6::new(group, PORT, 0, zone).into(),
            ),
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, BindToDevice, &interface.into())?;
        match group {
            SocketAddr::V4(_) => setsockopt(&socket, IpMulticastTtl, &HOPS)?,
            SocketAddr::V6(_) => setsockopt(&socket, Ipv6MulticastHops, &HOPS.into())?,
        }
        Ok(Self {
            socket,
            group,
            zone,
        })
    }

    fn ask(&self, query: &Query) {
        for message in &query.messages {
            // An interface without an address of this family cannot; others may.
            let _ = self.socket.send_to(message, self.group);
        }
    }

    /// Adds what has been answered to `found`.
    fn hear(&self, query: &Query, found: &mut Vec<SocketAddr>) {
        for _ in 0..MAX_DATAGRAMS {
            let mut octets = [0; MAX_MESSAGE_OCTETS];
            let Ok((length, source)) = self.socket.recv_from(&mut octets) else {
                return;
            };
            if source.port() != PORT {
                continue;
            }
            let answer = octets.get(..length).unwrap_or_default();
            for address in query.read(answer, self.zone) {
                if found.len() < MAX_ADDRESSES && !found.contains(&address) {
                    found.push(address);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: u16 = 0x1234;

    fn query(host: &str) -> Query {
        Query {
            id: ID,
            ..Query::new(host).unwrap()
        }
    }

    /// An answer, octet by octet: one record for viewer.local with this type and data.
    fn answer(id: u16, flags: u8, kind: u8, data: &[u8]) -> Vec<u8> {
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend([flags, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        octets.extend(b"\x06Viewer\x05local\x00");
        octets.extend([
            0,
            kind,
            0x80,
            1,
            0,
            0,
            0,
            10,
            0,
            u8::try_from(data.len()).unwrap(),
        ]);
        octets.extend(data);
        octets
    }

    proptest! {
        #[test]
        fn any_octets_are_an_answer_or_none(octets: Vec<u8>) {
            let query = query("viewer.local");
            prop_assert!(query.read(&octets, 1).is_empty());
            // Some that pass for a response with records.
            let mut octets = octets;
            octets.splice(..0, [0x12, 0x34, RESPONSE, 0, 0, 0, 0, 3, 0, 0, 0, 3]);
            query.read(&octets, 1);
        }
    }

    #[test]
    fn a_damaged_answer_is_one_or_none() {
        let (query, good) = (
            query("viewer.local"),
            answer(ID, RESPONSE, A, &[192, 0, 2, 7]),
        );
        for (index, octet) in
            (0..good.len()).flat_map(|index| (0..=255).map(move |octet| (index, octet)))
        {
            let mut octets = good.clone();
            octets[index] = octet;
            assert!(query.read(&octets, 1).len() <= 1, "octet {index}: {octet}");
        }
    }

    const RESPONSE: u8 = 0x84;
    const A: u8 = 1;
    const AAAA: u8 = 28;

    #[test]
    fn only_names_below_local_are_asked_for() {
        for name in ["viewer.local", "viewer.local.", "a.b.LOCAL"] {
            assert!(is_local(name), "{name}");
        }
        for name in [
            "local",
            "viewer",
            "viewer.local.example",
            "xlocal",
            "10.0.0.1",
            "",
        ] {
            assert!(!is_local(name), "{name}");
        }
    }

    #[test]
    fn a_question_is_one_for_each_family() {
        let query = query("viewer.local");
        let [a, aaaa] = &query.messages[..] else {
            panic!("two messages")
        };
        for (message, kind) in [(a, A), (aaaa, AAAA)] {
            assert_eq!(message[2..12], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            let mut question = b"\x06viewer\x05local\x00\x00".to_vec();
            question.extend([kind, 0, 1]);
            assert_eq!(message[12..], question);
        }
    }

    #[test]
    fn addresses_are_taken_from_an_answer_to_the_question_only() {
        let link_local = "fe80::7".parse::<Ipv6Addr>().unwrap().octets();
        let global = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets();
        let v4 = answer(ID, RESPONSE, A, &[192, 0, 2, 7]);
        let read = |host, octets: &[u8]| -> Vec<String> {
            let addresses = query(host).read(octets, 3);
            addresses.iter().map(ToString::to_string).collect()
        };
        assert_eq!(read("viewer.LOCAL", &v4), ["192.0.2.7:0"]);
        let v6 = answer(ID, RESPONSE, AAAA, &link_local);
        assert_eq!(read("viewer.local", &v6), ["[fe80::7%3]:0"]);
        let v6 = answer(ID, RESPONSE, AAAA, &global);
        assert_eq!(read("viewer.local", &v6), ["[2001:db8::7]:0"]);
        let none: [&str; 0] = [];
        assert_eq!(read("other.local", &v4), none);
        for octets in [
            answer(ID + 1, RESPONSE, A, &[192, 0, 2, 7]),
            answer(ID, 0, A, &[192, 0, 2, 7]),
            answer(ID, RESPONSE, A, &[192, 0, 2]),
            answer(ID, RESPONSE, A, &[224, 0, 0, 1]),
            answer(ID, RESPONSE, A, &[0; 4]),
            answer(ID, RESPONSE, 16, &[3, 1, 2, 3]),
        ] {
            assert_eq!(read("viewer.local", &octets), none, "{octets:?}");
        }
        for length in 0..v4.len() {
            assert_eq!(read("viewer.local", &v4[..length]), none);
        }
    }
}
