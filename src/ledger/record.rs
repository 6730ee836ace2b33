//! A stream's record in the ledger: written whole, so that it is the old one or the new one.
//!
//! ```text
//! version 4 | key 8 | boot 16 | written 8 | CNAME 12 | SSRC 4 | clock offset 4 | sequence number 2 |
//! report port 2 | source: address 16, port 2, padding 2 | check 4
//! ```

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::random::random;
use crate::{cname, config};

/// Octets of a record.
pub const RECORD_OCTETS: usize = 84;
/// The version of the layout above.
const VERSION: [u8; 4] = *b"fws2";

/// What receivers know a stream by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its synchronization source.
    pub ssrc: u32,
    /// RTP time at the zero of the monotonic clock.
    pub clock_offset: u32,
    /// Of the next packet.
    pub sequence_number: u16,
    /// The port that its reports come from, 0 = none yet.
    pub report_port: u16,
    /// Where its packets come from.
    pub source: Option<SocketAddr>,
}

impl Identity {
    /// A new stream's, with random starts (RFC 3550 5.1). The error is that of the system's random numbers.
    pub fn random() -> io::Result<Self> {
        let [s1, s0, o3, o2, o1, o0, c3, c2, c1, c0] = random()?;
        Ok(Self {
            ssrc: u32::from_be_bytes([c3, c2, c1, c0]),
            clock_offset: u32::from_be_bytes([o3, o2, o1, o0]),
            sequence_number: u16::from_be_bytes([s1, s0]),
            report_port: 0,
            source: None,
        })
    }
}

/// An identity, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The stream by its camera and its output.
    pub key: u64,
    /// When, on the monotonic clock.
    pub written: Duration,
    /// The name of all streams of whoever wrote it.
    pub cname: cname::Bits,
    /// What was written.
    pub identity: Identity,
}

impl Record {
    /// The octets, of the boot `boot`.
    pub fn to_octets(self, boot: &[u8; 16]) -> [u8; RECORD_OCTETS] {
        let mut octets = [0; RECORD_OCTETS];
        let mut rest = octets.as_mut_slice();
        let mut put = |value: &[u8]| {
            // All together are as long as the record.
            if let Some((here, after)) = std::mem::take(&mut rest).split_at_mut_checked(value.len())
            {
                here.copy_from_slice(value);
                rest = after;
            }
        };
        let identity = self.identity;
        // Monotonic time has less than 2^64 ns in 500 years.
        let [_, _, _, _, _, _, _, _, written @ ..] = self.written.as_nanos().to_be_bytes();
        let (address, port) = match identity.source {
            Some(source) => (mapped(source.ip()), source.port()),
            None => (Ipv6Addr::UNSPECIFIED, 0),
        };
        put(&VERSION);
        put(&self.key.to_be_bytes());
        put(boot);
        put(&written);
        put(&self.cname);
        put(&identity.ssrc.to_be_bytes());
        put(&identity.clock_offset.to_be_bytes());
        put(&identity.sequence_number.to_be_bytes());
        put(&identity.report_port.to_be_bytes());
        put(&address.octets());
        put(&port.to_be_bytes());
        put(&[0; 2]);
        let check = check(&octets);
        if let Some(last) = octets.last_chunk_mut() {
            *last = check;
        }
        octets
    }

    /// The record in `octets`; `None` when it is not one as [`Self::to_octets`] writes it during the boot `boot`.
    pub fn parse(octets: &[u8], boot: &[u8; 16]) -> Option<Self> {
        let octets: &[u8; RECORD_OCTETS] = octets.try_into().ok()?;
        if octets.last_chunk() != Some(&check(octets)) {
            return None;
        }
        let mut rest = octets.as_slice();
        if *take::<4>(&mut rest)? != VERSION {
            return None;
        }
        let key = u64::from_be_bytes(*take(&mut rest)?);
        if take::<16>(&mut rest)? != boot {
            return None;
        }
        let written = Duration::from_nanos(u64::from_be_bytes(*take(&mut rest)?));
        let cname = *take(&mut rest)?;
        let ssrc = u32::from_be_bytes(*take(&mut rest)?);
        let clock_offset = u32::from_be_bytes(*take(&mut rest)?);
        let sequence_number = u16::from_be_bytes(*take(&mut rest)?);
        let report_port = u16::from_be_bytes(*take(&mut rest)?);
        let address = Ipv6Addr::from(*take::<16>(&mut rest)?).to_canonical();
        let port = u16::from_be_bytes(*take(&mut rest)?);
        Some(Self {
            key,
            written,
            cname,
            identity: Identity {
                ssrc,
                clock_offset,
                sequence_number,
                report_port,
                source: (port > 0).then(|| SocketAddr::new(address, port)),
            },
        })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (here, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(here)
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The key of `output` of the camera `name`: what makes it the same stream.
pub fn key(name: &str, output: &config::Output) -> u64 {
    let ssrc = output.ssrc.map(|ssrc| ssrc.get());
    let local_port = output.local_port.get();
    hash(format!("{name} {} {ssrc:?} {local_port}", output.destination).as_bytes())
}

/// The octets of a boot's number as the kernel writes it; zeros when it cannot be read.
pub fn boot(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}

/// The check of a record: over all of it but the place of the check.
fn check(octets: &[u8; RECORD_OCTETS]) -> [u8; 4] {
    let [.., c3, c2, c1, c0] = hash(
        octets
            .split_last_chunk::<4>()
            .map_or(&[][..], |(all, _)| all),
    )
    .to_be_bytes();
    [c3, c2, c1, c0]
}

/// FNV-1a, 64 bit: it need not resist anybody, only be the same in every version of the program.
fn hash(octets: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    octets.iter().fold(OFFSET_BASIS, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(PRIME)
    })
}
