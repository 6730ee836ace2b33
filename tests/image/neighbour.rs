//! A machine in the same network as the booted image: a namespace of this one, at the other end of whose tap is the image's
//! network card. It leases the image its address, and asks by multicast DNS as any machine does.
//! RFC 2131 (DHCP), RFC 6762 (multicast DNS), RFC 6763 (services).

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::BindToDevice;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, Question, TYPE};
use socket2::SockRef;

use crate::namespace::Namespace;
use crate::tool::Failure;

const TAP: &str = "tap0";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// What the image gets.
pub const LEASED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 15);
/// The only network card of a machine that is started in the namespace.
const CARD: [&str; 4] = [
    "-netdev",
    "tap,id=tap,ifname=tap0,script=no,downscript=no",
    "-device",
    "virtio-net-pci,netdev=tap",
];

const SERVER: u16 = 67; // of DHCP
const CLIENT: u16 = 68;
const HEAD: usize = 240; // octets of a message before its options
const DISCOVER: u8 = 1; // kinds of messages
const OFFER: u8 = 2;
const ACK: u8 = 5;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const MDNS: u16 = 5353;
const SERVICES: &str = "_http._tcp.local";
const LARGEST: usize = 9000; // octets of an answer
const AGAIN: Duration = Duration::from_secs(1);

pub struct Neighbour(Namespace);

/// A service that somebody has announced, with the address that its host has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    pub name: String,
    pub host: String,
    pub address: SocketAddr,
    pub text: String,
}

impl Neighbour {
    pub fn new() -> Self {
        let namespace = Namespace::new("neighbour");
        namespace.ip(&format!("tuntap add dev {TAP} mode tap"));
        namespace.ip(&format!("address add {ADDRESS}/24 dev {TAP}"));
        namespace.ip(&format!("link set {TAP} up"));
        let socket = namespace.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, SERVER)));
        let socket = socket.expect("the port is free");
        setsockopt(&socket, BindToDevice, &TAP.into()).expect("the interface exists");
        socket.set_broadcast(true).expect("a socket of UDP");
        // Ends with the test.
        thread::spawn(move || lease(&socket));
        Self(namespace)
    }

    /// What starts a machine in the same network.
    pub fn machine(&self, program: &str) -> Command {
        let mut command = self.0.command(program);
        command.args(CARD);
        command
    }

    /// Does something in this network.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.enter(work)
    }

    /// Services of the kind `_http._tcp`, once there are as many as are wanted, in the order of their names.
    pub fn find(&self, wanted: usize, limit: Duration) -> Result<Vec<Service>, Failure> {
        let found = self.enter(|| find(wanted, limit));
        Ok(found?)
    }
}

/// Gives everybody who asks the same address.
fn lease(socket: &UdpSocket) -> io::Result<()> {
    let mut octets = [0; LARGEST];
    loop {
        let length = socket.recv(&mut octets)?;
        // The first option says what kind of message it is: RFC 2131 does not say so, but systemd-networkd does it.
        let Some([53, 1, kind]) = octets[..length].get(HEAD..HEAD + 3) else {
            continue;
        };
        let answer = if *kind == DISCOVER { OFFER } else { ACK };
        let mut message = octets[..HEAD].to_vec();
        message[0] = 2; // an answer
        message[16..20].copy_from_slice(&LEASED.octets());
        let (own, mask, seconds) = (ADDRESS.octets(), [255, 255, 255, 0], 3600_u32.to_be_bytes());
        message.extend([53, 1, answer]);
        for (option, value) in [(54, own), (51, seconds), (1, mask)] {
            message.extend([option, 4]);
            message.extend(value);
        }
        message.push(255);
        socket.send_to(&message, (Ipv4Addr::BROADCAST, CLIENT))?;
    }
}

fn find(wanted: usize, limit: Duration) -> io::Result<Vec<Service>> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, MDNS))?;
    socket.join_multicast_v4(&GROUP, &ADDRESS)?;
    SockRef::from(&socket).set_multicast_if_v4(&ADDRESS)?;
    socket.set_multicast_loop_v4(false)?;
    socket.set_read_timeout(Some(AGAIN))?;
    let (start, mut known) = (Instant::now(), Known::default());
    while start.elapsed() < limit {
        known.ask(&socket)?;
        let asked = Instant::now();
        while asked.elapsed() < AGAIN {
            let mut octets = [0; LARGEST];
            match socket.recv(&mut octets) {
                Ok(length) => known.learn(&octets[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            let services = known.services();
            if services.len() >= wanted {
                return Ok(services);
            }
        }
    }
    Err(io::Error::new(
        ErrorKind::TimedOut,
        format!("no {wanted} services within {limit:?}: {known:?}"),
    ))
}

/// What was answered so far.
#[derive(Debug, Default)]
struct Known {
    /// Names of services.
    names: Vec<String>,
    /// Name, host, port.
    places: Vec<(String, String, u16)>,
    /// Name, and all its texts.
    texts: Vec<(String, String)>,
    /// Host, address.
    addresses: Vec<(String, Ipv4Addr)>,
}

impl Known {
    /// For all that is not known yet.
    fn ask(&self, socket: &UdpSocket) -> io::Result<()> {
        let mut questions = vec![(SERVICES, TYPE::PTR)];
        for name in &self.names {
            questions.extend([(name.as_str(), TYPE::SRV), (name, TYPE::TXT)]);
        }
        let hosts = self.places.iter().map(|(_, host, _)| host.as_str());
        questions.extend(hosts.map(|host| (host, TYPE::A)));
        let mut query = Packet::new_query(0);
        for (name, kind) in questions {
            let name = Name::new(name).map_err(io::Error::other)?;
            query
                .questions
                .push(Question::new(name, kind.into(), CLASS::IN.into(), false));
        }
        let query = query.build_bytes_vec().map_err(io::Error::other)?;
        socket.send_to(&query, (GROUP, MDNS)).map(drop)
    }

    fn learn(&mut self, octets: &[u8]) {
        let Ok(packet) = Packet::parse(octets) else {
            return;
        };
        for record in packet.answers.iter().chain(&packet.additional_records) {
            let name = record.name.to_string();
            match &record.rdata {
                RData::PTR(service) if name == SERVICES => {
                    note(&mut self.names, service.0.to_string());
                }
                RData::SRV(place) => {
                    note(
                        &mut self.places,
                        (name, place.target.to_string(), place.port),
                    );
                }
                RData::TXT(text) => {
                    let mut pairs: Vec<String> = text
                        .attributes()
                        .into_iter()
                        .map(|(key, value)| format!("{key}={}", value.unwrap_or_default()))
                        .collect();
                    pairs.sort();
                    note(&mut self.texts, (name, pairs.join(" ")));
                }
                RData::A(address) => note(&mut self.addresses, (name, address.address.into())),
                _ => {}
            }
        }
    }

    /// Those of which all is known.
    fn services(&self) -> Vec<Service> {
        let found = self.names.iter().filter_map(|name| {
            let (_, host, port) = self.places.iter().find(|(of, ..)| of == name)?;
            let (_, text) = self.texts.iter().find(|(of, _)| of == name)?;
            let (_, address) = self.addresses.iter().find(|(of, _)| of == host)?;
            let first = name.strip_suffix(SERVICES)?.trim_end_matches('.');
            Some(Service {
                name: first.to_owned(),
                host: host.clone(),
                address: (*address, *port).into(),
                text: text.clone(),
            })
        });
        let mut found: Vec<Service> = found.collect();
        found.sort();
        found
    }
}

fn note<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
