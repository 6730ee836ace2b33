//! `[http]`: where the door for people listens, and by which names it is called.

use std::net::SocketAddr;

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
