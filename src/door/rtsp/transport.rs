//! Which way of transport a client gets of those that it offers. RFC 2326 12.39; own, because clients write it in more ways
//! than rtsp-types reads.

use std::fmt;

/// Channels of one session on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Of the pictures.
    pub rtp: u8,
    /// Of reports.
    pub rtcp: u8,
}

impl Channels {
    /// What most clients ask for.
    const USUAL: Self = Self { rtp: 0, rtcp: 1 };

    /// `0-1`, or the first of them alone.
    fn parse(text: &str) -> Option<Self> {
        let (rtp, rtcp) = match text.split_once('-') {
            Some((rtp, rtcp)) => (rtp.parse().ok()?, rtcp.parse().ok()?),
            None => {
                let rtp: u8 = text.parse().ok()?;
                (rtp, rtp.checked_add(1)?)
            }
        };
        (rtp != rtcp).then_some(Self { rtp, rtcp })
    }
}

/// The port above this one is for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientPort(pub u16);

impl ClientPort {
    /// `5000-5001`, or the first of them alone.
    fn parse(text: &str) -> Option<Self> {
        let (rtp, rtcp) = match text.split_once('-') {
            Some((rtp, rtcp)) => (rtp, rtcp.parse().ok()),
            None => (text, None),
        };
        let rtp: u16 = rtp.parse().ok().filter(|&port| port > 0)?;
        let above = rtp.checked_add(1)?;
        (rtcp.unwrap_or(above) == above).then_some(Self(rtp))
    }
}

/// A way for packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// On the connection itself.
    Interleaved(Channels),
    /// By UDP, to this port of the client.
    Datagrams(ClientPort),
}

/// What the first offer that can be had says; `None` when none can. Where a client wants packets to go (`destination`)
/// does not count: they go to the client.
pub fn choose(field: &str) -> Option<Way> {
    outside_quotes(field, ',').find_map(way)
}

/// The way of `offer`, if it is one that can be had.
fn way(offer: &str) -> Option<Way> {
    let mut parts = outside_quotes(offer, ';').map(str::trim);
    let profile = parts.next()?;
    let is = |name: &str| profile.eq_ignore_ascii_case(name);
    let (is_tcp, is_udp) = (is("RTP/AVP/TCP"), is("RTP/AVP") || is("RTP/AVP/UDP"));
    let (mut channels, mut port) = (Some(Channels::USUAL), None);
    let mut is_unicast_play = true;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim_matches('"');
        if key.eq_ignore_ascii_case("interleaved") {
            channels = Channels::parse(value);
        }
        if key.eq_ignore_ascii_case("client_port") {
            port = ClientPort::parse(value);
        }
        let is_other_mode = key.eq_ignore_ascii_case("mode") && !value.eq_ignore_ascii_case("play");
        is_unicast_play &= !is_other_mode && !key.eq_ignore_ascii_case("multicast");
    }
    match (is_tcp, is_udp) {
        _ if !is_unicast_play => None,
        (true, _) => channels.map(Way::Interleaved),
        (_, true) => port.map(Way::Datagrams),
        _ => None,
    }
}

/// The parts of `text` between separators that are not quoted.
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

/// What was chosen, as the answer says it.
#[derive(Debug)]
pub struct Chosen {
    /// Where it comes.
    pub way: Way,
    /// The port that packets come from, if they come by UDP.
    pub server_port: Option<u16>,
    /// The synchronization source that it will have.
    pub ssrc: u32,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.way {
            Way::Interleaved(Channels { rtp, rtcp }) => {
                write!(f, "RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}")?;
            }
            Way::Datagrams(ClientPort(port)) => {
                write!(f, "RTP/AVP;unicast;client_port={port}-{}", port + 1)?;
            }
        }
        if let Some(port) = self.server_port {
            write!(f, ";server_port={port}-{}", port + 1)?;
        }
        write!(f, ";ssrc={:08X};mode=\"PLAY\"", self.ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_offer_for_this_connection_is_understood() {
        for (field, rtp, rtcp) in [
            ("RTP/AVP/TCP;unicast;interleaved=0-1", 0, 1),
            ("RTP/AVP/TCP;interleaved=4-5;mode=\"PLAY\"", 4, 5),
            ("rtp/avp/tcp; unicast; Interleaved=2 ; mode=play", 2, 3),
            ("RTP/AVP/TCP", 0, 1),
            (
                "RTP/AVP/TCP;unicast;destination=192.0.2.1;interleaved=0-1",
                0,
                1,
            ),
            (
                "RTP/AVP;unicast;client_port=70000,RTP/AVP/TCP;unicast;interleaved=6-7",
                6,
                7,
            ),
            ("X;a=\"RTP/AVP/TCP,\",RTP/AVP/TCP;interleaved=8-9", 8, 9),
        ] {
            let channels = Channels { rtp, rtcp };
            assert_eq!(choose(field), Some(Way::Interleaved(channels)), "{field}");
        }
    }

    #[test]
    fn what_clients_offer_by_udp_is_understood() {
        for (field, port) in [
            ("RTP/AVP;unicast;client_port=5000-5001", 5000),
            (
                "RTP/AVP/UDP;unicast;client_port=65534-65535;mode=play",
                65534,
            ),
            ("rtp/avp; unicast; destination=192.0.2.1; Client_Port=7", 7),
            ("RTP/AVP;multicast,RTP/AVP;client_port=9-10", 9),
        ] {
            let port = ClientPort(port);
            assert_eq!(choose(field), Some(Way::Datagrams(port)), "{field}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_not_chosen() {
        for field in [
            "",
            "RTP/AVP/UDP;unicast;client_port=70000",
            "RTP/AVP;unicast",
            "RTP/AVP;unicast;client_port=0-1",
            "RTP/AVP;unicast;client_port=5000-5000",
            "RTP/AVP;unicast;client_port=65535",
            "RTP/AVP;multicast;client_port=5000-5001",
            "RTP/AVP;multicast",
            "RTP/AVP/TCP;multicast;interleaved=0-1",
            "RTP/AVP/TCP;interleaved=0-1;mode=record",
            "RTP/AVP/TCP;interleaved=0-1;mode=\"",
            "RTP/AVP/TCP;interleaved=7-7",
            "RTP/AVP/TCP;interleaved=255",
            "RTP/AVP/TCP;interleaved=256-257",
            "RTP/AVP/TCP;interleaved=-",
            "RTP/SAVP/TCP;interleaved=0-1",
            "\"RTP/AVP/TCP",
        ] {
            assert_eq!(choose(field), None, "{field}");
        }
    }

    #[test]
    fn the_answer_has_the_way_and_the_source() {
        let mut chosen = Chosen {
            way: Way::Interleaved(Channels { rtp: 2, rtcp: 3 }),
            server_port: None,
            ssrc: 0xABC,
        };
        let expected = "RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=00000ABC;mode=\"PLAY\"";
        assert_eq!(chosen.to_string(), expected);
        chosen.way = Way::Datagrams(ClientPort(5000));
        chosen.server_port = Some(6970);
        let expected = "RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971;ssrc=00000ABC;mode=\"PLAY\"";
        assert_eq!(chosen.to_string(), expected);
    }
}
