//! `[[user]]`: who may come in by the door. RFC 7616 3.4.2 (A1): the file has no password, but two hashes of it.

use std::fmt::{self, Write};

use md5::Md5;
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};
use sha2::{Digest, Sha256};

use super::value::{Text, checked_text, from_text, secret};

/// What passwords are for. It goes into each hash: another one would make all of them worthless.
pub const REALM: &str = "framewire";
/// Most users: each request looks through them.
pub const MAX_USERS: usize = 64;

/// One `[[user]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Unique name.
    pub name: UserName,
    /// For players that know nothing better.
    pub md5: Md5Hash,
    /// For all others.
    pub sha256: Sha256Hash,
}

impl User {
    /// Who is called `name` and knows `password`.
    pub fn new(name: UserName, password: &str) -> Self {
        Self {
            md5: Md5Hash::of(name.as_str(), password),
            sha256: Sha256Hash::of(name.as_str(), password),
            name,
        }
    }
}

checked_text!(
    /// A user's name. Neither form of authentication has a place for all characters.
    UserName,
    |text| (1..=64).contains(&text.len())
        && (text.bytes()).all(|c| matches!(c, b' '..=b'~') && !b":\"\\".contains(&c)),
    "a user's name of 1 to 64 ASCII characters without \":\", quotes and \"\\\""
);

impl UserName {
    /// `text` as a name; the error says what one is.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        Self::parse(text)
            .ok_or("a user's name has 1 to 64 ASCII characters, without \":\", quotes and \"\\\"")
    }
}

/// Defines a hash of name, realm and password. Whoever knows it needs no password: it is never shown.
macro_rules! hash {
    ($(#[$doc:meta])* $name:ident, $algorithm:ty, $digits:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Of `name` and `password`.
            pub fn of(name: &str, password: &str) -> Self {
                let whole = format!("{name}:{REALM}:{password}");
                Self(hexadecimal(&<$algorithm>::digest(whole)))
            }

            /// In hexadecimal, in small letters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("…")
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let is_hash = |text: &str| {
                    text.len() == $digits && text.bytes().all(|c| c.is_ascii_hexdigit())
                };
                let text = secret(deserializer, $expected, is_hash)?;
                Ok(Self(text.to_ascii_lowercase()))
            }
        }
    };
}

hash!(
    /// The MD5 hash.
    Md5Hash,
    Md5,
    32,
    "a hash of 32 hexadecimal digits, as `framewire password` prints it"
);
hash!(
    /// The SHA-256 hash.
    Sha256Hash,
    Sha256,
    64,
    "a hash of 64 hexadecimal digits, as `framewire password` prints it"
);

/// `octets` in small letters.
pub fn hexadecimal(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        // A String takes all.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<UserName, &'static str> {
        UserName::new(text)
    }

    #[test]
    fn the_hashes_are_those_of_other_programs() {
        // printf 'Mufasa:framewire:Circle of Life' | md5sum, sha256sum
        let user = User::new(name("Mufasa").unwrap(), "Circle of Life");
        assert_eq!(user.md5.as_str(), "10d167c9cabf6cb4b91350691c072ee4");
        let sha256 = "a53bd64f83daf99240d69684c33a46e72ed40b4957a3adc0a63f4cb3f5ff373d";
        assert_eq!(user.sha256.as_str(), sha256);
        let shown = "User { name: UserName(\"Mufasa\"), md5: …, sha256: … }";
        assert_eq!(format!("{user:?}"), shown);
    }

    #[test]
    fn a_name_fits_into_all_headers() {
        for fine in [
            "a",
            "anna",
            "Anna Maria",
            "cam@example.org",
            &"x".repeat(64),
        ] {
            assert!(name(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "",
            "a:b",
            "a\"b",
            "a\\b",
            "a\nb",
            "\u{7f}",
            "Jürgen",
            &"x".repeat(65),
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
