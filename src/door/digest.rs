//! Whether the answer to a challenge is right, and challenges that need not be remembered. RFC 7616 3.3 (the challenge),
//! 3.4.1 (the response).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::authorization::{Algorithm, Digest};
use crate::config::{REALM, User, hexadecimal};

/// A challenge is good for so long: whoever listens in could use an answer again for the same time.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Hexadecimal digits of the time in a nonce.
const TIME_DIGITS: usize = 16;
/// Octets of a hash that a nonce has.
const PROOF_OCTETS: usize = 16;

/// Whether `response` is that of a client who knows `user`'s password and asks with `method`.
pub fn is_right(answer: &Digest, method: &str, user: &User) -> bool {
    let response = match answer.algorithm {
        Algorithm::Md5 => response::<Md5>(answer, method, user.md5.as_str()),
        Algorithm::Sha256 => response::<Sha256>(answer, method, user.sha256.as_str()),
    };
    is_same(&response, answer.response)
}

fn response<H: sha2::Digest>(answer: &Digest, method: &str, secret: &str) -> String {
    let hash = |text: String| hexadecimal(&H::digest(text));
    let request = hash(format!("{method}:{}", answer.uri));
    let nonce = answer.nonce;
    hash(match answer.count {
        Some((nc, cnonce)) => format!("{secret}:{nonce}:{nc}:{cnonce}:auth:{request}"),
        None => format!("{secret}:{nonce}:{request}"),
    })
}

/// Takes the same time wherever they differ.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Makes nonces, and knows its own again.
pub struct Nonces {
    secret: [u8; 32],
    start: Instant,
}

impl Nonces {
    /// From a `secret` that nobody can guess.
    pub fn new(secret: [u8; 32], now: Instant) -> Self {
        Self { secret, start: now }
    }

    /// For a client at `address`.
    pub fn make(&self, address: IpAddr, now: Instant) -> String {
        let time = now.saturating_duration_since(self.start).as_secs();
        self.sign(&format!("{time:0TIME_DIGITS$x}"), address)
    }

    /// Whether `nonce` was made for a client at `address`, and not too long ago.
    pub fn is_fresh(&self, nonce: &str, address: IpAddr, now: Instant) -> bool {
        let Some((time, _)) = nonce.split_at_checked(TIME_DIGITS) else {
            return false;
        };
        let Some(seconds) = time_of(nonce) else {
            return false;
        };
        let age = now.saturating_duration_since(self.start);
        let is_young = age.saturating_sub(Duration::from_secs(seconds)) <= LIFETIME;
        is_same(&self.sign(time, address), nonce) && is_young
    }

    /// `time`, and the proof that it is ours. All that is hashed has a fixed length.
    fn sign(&self, time: &str, address: IpAddr) -> String {
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let hash = Sha256::new()
            .chain_update(self.secret)
            .chain_update(time)
            .chain_update(address.octets());
        let proof: Vec<u8> = hash.finalize().into_iter().take(PROOF_OCTETS).collect();
        format!("{time}{}", hexadecimal(&proof))
    }
}

/// When `nonce` says that it was made, in seconds.
pub fn time_of(nonce: &str) -> Option<u64> {
    let (time, _) = nonce.split_at_checked(TIME_DIGITS)?;
    u64::from_str_radix(time, 16).ok()
}

/// What a client without credentials is asked for: one field with both algorithms, the better one first. Clients that read
/// no further than one challenge, and those that take the last of several, find one that they know.
pub fn challenge(nonce: &str, is_stale: bool) -> String {
    let stale = if is_stale { ", stale=true" } else { "" };
    let one = |algorithm: &str| {
        format!(
            "Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}"
        )
    };
    format!("{}, {}", one("SHA-256"), one("MD5"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UserName;

    fn mufasa() -> User {
        User::new(UserName::new("Mufasa").unwrap(), "Circle of Life")
    }

    /// The example of RFC 7616 3.9.1, in our realm: the responses are those of Python's hashlib.
    fn answer(algorithm: Algorithm, response: &str) -> Digest<'_> {
        Digest {
            name: "Mufasa",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            uri: "/dir/index.html",
            response,
            algorithm,
            count: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
        }
    }

    #[test]
    fn the_examples_of_the_rfc_are_right() {
        let old = Digest {
            count: None,
            ..answer(Algorithm::Md5, "6955aa2e8b9e8ecdcbc53869618f4a6a")
        };
        for right in [
            answer(Algorithm::Md5, "fcb6b7f41e41684b764f2b3bc242cf59"),
            answer(
                Algorithm::Sha256,
                "1bcaf9d0a8e6a0266fb27da40c8cccb647bb7418f677fc2aee2e136a20043737",
            ),
            old,
        ] {
            assert!(is_right(&right, "GET", &mufasa()), "{right:?}");
            assert!(!is_right(&right, "HEAD", &mufasa()), "{right:?}");
            let other = User::new(UserName::new("Mufasa").unwrap(), "Circle of life");
            assert!(!is_right(&right, "GET", &other), "{right:?}");
            let elsewhere = Digest {
                uri: "/dir",
                ..right
            };
            assert!(!is_right(&elsewhere, "GET", &mufasa()), "{elsewhere:?}");
        }
        assert!(!is_right(&answer(Algorithm::Md5, ""), "GET", &mufasa()));
    }

    #[test]
    fn the_rules_are_those_of_the_rfc() {
        // Its own realm: A1 of 3.9.1, hashed by Python's hashlib.
        for (secret, expected) in [
            (
                "3d78807defe7de2157e2b0b6573a855f",
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let response = match expected.len() {
                32 => response::<Md5>(&answer(Algorithm::Md5, ""), "GET", secret),
                _ => response::<Sha256>(&answer(Algorithm::Sha256, ""), "GET", secret),
            };
            assert_eq!(response, expected);
        }
    }

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let nonces = Nonces::new([7; 32], start);
        let (here, there) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let nonce = nonces.make(here, after(100));
        for time in [100, 101, 3700] {
            assert!(nonces.is_fresh(&nonce, here, after(time)), "{time}");
        }
        assert!(!nonces.is_fresh(&nonce, here, after(3701)));
        assert!(!nonces.is_fresh(&nonce, there, after(101)));
        assert!(!Nonces::new([8; 32], start).is_fresh(&nonce, here, after(101)));
        let younger = nonce.replacen('0', "1", 1);
        for odd in [
            &younger,
            "",
            "x",
            nonce.split_at(47).0,
            &format!("{nonce}0"),
            &"é".repeat(24),
        ] {
            assert!(!nonces.is_fresh(odd, here, after(101)), "{odd}");
        }
    }
}
