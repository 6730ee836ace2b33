//! `[http]`: where the door for people listens, and by which names it is called.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};

/// Most addresses of one door.
const MAX_ADDRESSES: usize = 8;

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Http {
    /// Addresses that it listens on, at least one.
    pub listen: Listen,
    /// Host names, besides that of the machine, that requests may ask for.
    #[serde(default)]
    pub names: Vec<String>,
}

/// Addresses and TCP ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(Vec<SocketAddr>);

impl Listen {
    /// One address.
    pub fn on(address: SocketAddr) -> Self {
        Self(vec![address])
    }

    /// All of them.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }

    /// The port for other machines; `None` when only this one is let in.
    pub fn port_for_others(&self) -> Option<u16> {
        let is_open = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
        self.0.iter().find(is_open).map(SocketAddr::port)
    }

    /// The port for who comes to `own`, an address of this machine.
    pub fn port_at(&self, own: IpAddr) -> Option<u16> {
        let is_there = |address: &&SocketAddr| match (address.ip().to_canonical(), own) {
            // Linux lets IPv4 in there too.
            (IpAddr::V6(any), _) if any.is_unspecified() => true,
            (IpAddr::V4(any), IpAddr::V4(_)) if any.is_unspecified() => true,
            (address, own) => address == own,
        };
        self.0.iter().find(is_there).map(SocketAddr::port)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Addresses;
        impl<'de> Visitor<'de> for Addresses {
            type Value = Listen;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(
                    "an address and a port such as \"127.0.0.1:8080\" or \"[::]:80\", or a list of up to 8 of them",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Listen, E> {
                Ok(Listen(vec![address(text).ok_or_else(|| {
                    E::invalid_value(Unexpected::Str(text), &self)
                })?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listen, A::Error> {
                let mut addresses = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    let invalid = || de::Error::invalid_value(Unexpected::Str(&text), &self);
                    addresses.push(address(&text).ok_or_else(invalid)?);
                }
                if (1..=MAX_ADDRESSES).contains(&addresses.len()) {
                    Ok(Listen(addresses))
                } else {
                    Err(de::Error::invalid_length(addresses.len(), &self))
                }
            }
        }
        deserializer.deserialize_any(Addresses)
    }
}

/// `text` as an address and a port that can be listened on.
pub fn address(text: &str) -> Option<SocketAddr> {
    text.parse()
        .ok()
        .filter(|address: &SocketAddr| address.port() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_at_the_addresses_that_are_listened_on() {
        let listen =
            |texts: &[&str]| Listen(texts.iter().map(|each| each.parse().unwrap()).collect());
        for (texts, own, port) in [
            (&["0.0.0.0:80"][..], "192.0.2.1", Some(80)),
            (&["0.0.0.0:80"], "2001:db8::1", None),
            (&["[::]:80"], "192.0.2.1", Some(80)),
            (&["[::]:80"], "2001:db8::1", Some(80)),
            (&["127.0.0.1:80", "192.0.2.1:81"], "192.0.2.1", Some(81)),
            (&["127.0.0.1:80", "192.0.2.1:81"], "192.0.2.2", None),
            (&["[::ffff:192.0.2.1]:80"], "192.0.2.1", Some(80)),
        ] {
            let own = own.parse().unwrap();
            assert_eq!(listen(texts).port_at(own), port, "{texts:?} {own}");
        }
    }
}
