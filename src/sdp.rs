//! What a player needs to know about the streams: the session description.
//! RFC 8866 (SDP), RFC 3551 6 (payload type 26).

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use nix::unistd::gethostname;
use sdp_types::{
    AddrType, Attribute, Connection, Media, MediaType, NetType, Origin, Session, Time,
    TransportProto,
};

use crate::config::{Fps, Rtcp, Ttl};
use crate::rtp::carry::MAX_SIZE;
use crate::rtp::clock::CLOCK_RATE;
use crate::rtp::extension::{NTP_64_ID, NTP_64_URI};
use crate::rtp::header::PAYLOAD_TYPE_JPEG;

/// Who this machine is (machine-id(5)). It goes into a hash only.
const MACHINE_ID: &str = "/etc/machine-id";

/// One stream of a description.
#[derive(Debug, Clone)]
pub struct Stream<'a> {
    /// The camera's name.
    pub name: &'a str,
    /// Where its packets go.
    pub destination: SocketAddr,
    /// Its frame rate, where it is known.
    pub fps: Fps,
    /// How far its packets go when it is multicast.
    pub ttl: Ttl,
    /// Where its reports go.
    pub rtcp: Rtcp,
    /// Whether each frame brings the time of its capture.
    pub absolute_time: bool,
    /// Width and height of its pictures in pixels, where they are known.
    pub size: Option<(u16, u16)>,
}

impl Stream<'_> {
    /// The size, where the packets themselves have no room for it.
    pub fn large(&self) -> Option<(u16, u16)> {
        self.size
            .filter(|&(width, height)| width.max(height) > MAX_SIZE)
    }
}

/// The description of `streams`, one media section each; lines end in CR LF (RFC 8866 5).
pub fn describe(streams: &[Stream]) -> String {
    let origin = streams
        .first()
        .map_or(IpAddr::from([127, 0, 0, 1]), |stream| {
            local_address(stream.destination)
        });
    with_id(session(streams, origin))
}

/// The description of a live `stream` that a client of the address `origin` sets up by itself, as `track`
/// (RFC 2326 C.1).
pub fn describe_controlled(stream: &Stream, origin: IpAddr, track: &str) -> String {
    let mut session = session(std::slice::from_ref(stream), origin);
    let control = |value: &str| attribute("control", Some(value.to_owned()));
    let live = attribute("range", Some("npt=now-".to_owned()));
    session.attributes.extend([control("*"), live]);
    for media in &mut session.medias {
        media.attributes.push(control(track));
    }
    with_id(session)
}

fn session(streams: &[Stream], origin: IpAddr) -> Session {
    let origin = Origin {
        username: None,
        sess_id: String::new(),
        sess_version: 0,
        nettype: NetType::In,
        addrtype: address_type(origin),
        unicast_address: origin.to_string(),
    };
    Session {
        times: vec![Time {
            start_time: 0,
            stop_time: 0,
            repeats: Vec::new(),
        }],
        attributes: vec![attribute("recvonly", None)],
        medias: streams.iter().map(media).collect(),
        ..Session::new(origin, session_name(streams))
    }
}

fn with_id(mut session: Session) -> String {
    session.origin.sess_id = session_id(&text(&session)).to_string();
    text(&session)
}

fn text(session: &Session) -> String {
    let mut octets = Vec::new();
    // Writing to memory does not fail.
    let _ = session.write(&mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

/// A number that is this session's alone: of this machine and of what the description says (RFC 8866 5.2). The same
/// description has the same number each time; one that says something else is another session's.
fn session_id(description: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Two machines may have one private address. Where it has no identity, its host name has to do.
    match fs::read(MACHINE_ID) {
        Ok(id) if !id.is_empty() => id.hash(&mut hasher),
        _ => gethostname().unwrap_or_default().hash(&mut hasher),
    }
    description.hash(&mut hasher);
    // Some players keep it in a signed number.
    hasher.finish() >> 1
}

fn session_name(streams: &[Stream]) -> String {
    let names: Vec<&str> = streams.iter().map(|stream| stream.name).collect();
    format!("framewire {}", names.join(", "))
}

fn media(stream: &Stream) -> Media {
    let address = stream.destination.ip();
    let ttl = match address {
        IpAddr::V4(v4) if v4.is_multicast() => format!("/{}", stream.ttl.get()),
        _ => String::new(),
    };
    let rtpmap = format!("{PAYLOAD_TYPE_JPEG} JPEG/{CLOCK_RATE}");
    let mut attributes = vec![attribute("rtpmap", Some(rtpmap))];
    if stream.fps.millihertz().is_some() {
        attributes.push(attribute("framerate", Some(stream.fps.to_string())));
    }
    if stream.rtcp == Rtcp::Mux {
        attributes.push(attribute("rtcp-mux", None)); // RFC 5761 5.1.1
    }
    if stream.absolute_time {
        let extension = format!("{NTP_64_ID} {NTP_64_URI}");
        attributes.push(attribute("extmap", Some(extension))); // RFC 8285 5
    }
    if let Some((width, height)) = stream.large() {
        // Some receivers read the one, some the other. Smaller pictures say their size themselves.
        attributes.push(attribute("x-dimensions", Some(format!("{width},{height}"))));
        let framesize = format!("{PAYLOAD_TYPE_JPEG} {width}-{height}"); // 3GPP TS 26.234 5.3.3.1
        attributes.push(attribute("framesize", Some(framesize)));
    }
    attributes.extend(rtcp_port(stream).map(|port| attribute("rtcp", Some(port.to_string()))));
    Media {
        media_title: Some(stream.name.to_owned()),
        connections: vec![Connection {
            nettype: NetType::In,
            addrtype: address_type(address),
            connection_address: format!("{address}{ttl}"),
        }],
        attributes,
        ..Media::new(
            MediaType::Video,
            stream.destination.port(),
            TransportProto::RtpAvp,
            PAYLOAD_TYPE_JPEG,
        )
    }
}

/// The port of the reports, where receivers may guess another: below an odd port (RFC 3550 11, RFC 3605 2.1).
fn rtcp_port(stream: &Stream) -> Option<u16> {
    let port = stream.destination.port();
    let above = port.checked_add(1)?;
    (stream.rtcp == Rtcp::On && port % 2 == 1).then_some(above)
}

fn attribute(name: &str, value: Option<String>) -> Attribute {
    Attribute {
        attribute: name.to_owned(),
        value,
    }
}

fn address_type(address: IpAddr) -> AddrType {
    match address {
        IpAddr::V4(_) => AddrType::Ip4,
        IpAddr::V6(_) => AddrType::Ip6,
    }
}

/// The address that packets to `destination` come from; nothing is sent to find it out.
fn local_address(destination: SocketAddr) -> IpAddr {
    let any: SocketAddr = match destination {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    UdpSocket::bind(any)
        .and_then(|socket| {
            socket.connect(destination)?;
            socket.local_addr()
        })
        .map_or(any.ip(), |local| local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(destination: &str) -> String {
        describe(&[Stream {
            name: "front",
            destination: destination.parse().unwrap(),
            fps: Fps::default(),
            ttl: Ttl::default(),
            rtcp: Rtcp::default(),
            absolute_time: false,
            size: None,
        }])
    }

    #[test]
    fn a_unicast_description_has_these_lines() {
        let description = description("127.0.0.1:5004");
        let id = session_id_of(&description);
        assert_eq!(
            description,
            format!(
                "v=0\r\no=- {id} 0 IN IP4 127.0.0.1\r\ns=framewire front\r\nt=0 0\r\na=recvonly\r\n\
                 m=video 5004 RTP/AVP 26\r\ni=front\r\nc=IN IP4 127.0.0.1\r\n\
                 a=rtpmap:26 JPEG/90000\r\na=framerate:30\r\n"
            )
        );
    }

    #[test]
    fn one_that_is_set_up_by_the_client_says_how() {
        let stream = Stream {
            name: "front",
            destination: "0.0.0.0:0".parse().unwrap(),
            fps: Fps::default(),
            ttl: Ttl::default(),
            rtcp: Rtcp::default(),
            absolute_time: false,
            size: None,
        };
        let description = describe_controlled(&stream, [192, 0, 2, 1].into(), "trackID=0");
        let id = session_id_of(&description);
        assert_eq!(
            description,
            format!(
                "v=0\r\no=- {id} 0 IN IP4 192.0.2.1\r\ns=framewire front\r\nt=0 0\r\na=recvonly\r\n\
                 a=control:*\r\na=range:npt=now-\r\nm=video 0 RTP/AVP 26\r\ni=front\r\nc=IN IP4 0.0.0.0\r\n\
                 a=rtpmap:26 JPEG/90000\r\na=framerate:30\r\na=control:trackID=0\r\n"
            )
        );
    }

    fn session_id_of(description: &str) -> u64 {
        let (_, rest) = description.split_once("o=- ").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn each_session_has_its_own_number_and_keeps_it() {
        let of = |destination: &str| session_id_of(&description(destination));
        let id = of("127.0.0.1:5004");
        assert_eq!(of("127.0.0.1:5004"), id);
        assert_ne!(of("127.0.0.1:5006"), id);
        assert_ne!(of("127.0.0.2:5004"), id);
        assert!(i64::try_from(id).is_ok_and(|id| id > 0));
    }

    #[test]
    fn what_an_output_has_is_said() {
        let all = describe(&[Stream {
            name: "front",
            destination: "127.0.0.1:5004".parse().unwrap(),
            fps: Fps::default(),
            ttl: Ttl::default(),
            rtcp: Rtcp::Mux,
            absolute_time: true,
            size: Some((2592, 1944)),
        }]);
        let lines = "a=rtcp-mux\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ntp-64\r\n\
                     a=x-dimensions:2592,1944\r\na=framesize:26 2592-1944\r\n";
        assert!(all.ends_with(lines), "{all}");
    }

    #[test]
    fn a_size_is_said_where_packets_cannot() {
        for (size, is_said) in [
            (None, false),
            (Some((2040, 2040)), false),
            (Some((2048, 480)), true),
            (Some((480, 2048)), true),
        ] {
            let text = describe(&[Stream {
                name: "front",
                destination: "127.0.0.1:5004".parse().unwrap(),
                fps: Fps::default(),
                ttl: Ttl::default(),
                rtcp: Rtcp::default(),
                absolute_time: false,
                size,
            }]);
            assert_eq!(text.contains("a=x-dimensions:"), is_said, "{text}");
            assert_eq!(text.contains("a=framesize:26 "), is_said, "{text}");
        }
    }

    #[test]
    fn the_port_of_reports_is_said_where_it_is_not_the_usual_one() {
        assert!(description("127.0.0.1:5005").ends_with("a=rtcp:5006\r\n"));
        assert!(!description("127.0.0.1:65535").contains("a=rtcp:"));
        let muxed = describe(&[Stream {
            name: "front",
            destination: "127.0.0.1:5005".parse().unwrap(),
            fps: Fps::default(),
            ttl: Ttl::default(),
            rtcp: Rtcp::Mux,
            absolute_time: false,
            size: None,
        }]);
        assert!(!muxed.contains("a=rtcp:"), "{muxed}");
    }

    #[test]
    fn multicast_has_a_ttl_in_ipv4_only() {
        assert!(description("239.1.2.3:5004").contains("c=IN IP4 239.1.2.3/1\r\n"));
        assert!(description("[ff15::1]:5004").contains("c=IN IP6 ff15::1\r\n"));
    }
}
