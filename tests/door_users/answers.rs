//! Credentials, made without the program's own code but for the block of a user.

use base64ct::{Base64, Encoding};
use framewire::config::{User, UserName};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::support::http::Answer;

/// The `[[user]]` block of somebody.
pub fn block(name: &str, password: &str) -> String {
    let user = User::new(UserName::new(name).expect("a name"), password);
    let (md5, sha256) = (user.md5.as_str(), user.sha256.as_str());
    format!("[[user]]\nname = \"{name}\"\nmd5 = \"{md5}\"\nsha256 = \"{sha256}\"\n")
}

pub fn basic(name: &str, password: &str) -> String {
    let pair = format!("{name}:{password}");
    format!("Basic {}", Base64::encode_string(pair.as_bytes()))
}

/// The nonce that a refusal asks with.
pub fn challenge(refusal: &Answer) -> String {
    let field = refusal.field("www-authenticate").expect("a challenge");
    let (_, rest) = field.split_once("nonce=\"").expect("a nonce");
    rest.split('"').next().expect("a nonce").to_owned()
}

#[derive(Clone, Copy)]
pub enum Algorithm {
    Md5,
    Sha256,
    /// As RFC 2069 has it.
    WithoutQop,
}

fn hash<H: Digest>(text: &str) -> String {
    let octets = H::digest(text);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The answer to a challenge, for GET of `uri`.
pub fn answer(algorithm: Algorithm, name: &str, password: &str, nonce: &str, uri: &str) -> String {
    counted(algorithm, "GET", (name, password), nonce, uri, 1)
}

/// The same for another method, with this count.
pub fn counted(
    algorithm: Algorithm,
    method: &str,
    (name, password): (&str, &str),
    nonce: &str,
    uri: &str,
    count: u32,
) -> String {
    let count = format!("{count:08x}");
    let more = |name: &str| format!("algorithm={name}, qop=auth, nc={count}, cnonce=\"abc\", ");
    let (hash, more): (fn(&str) -> String, String) = match algorithm {
        Algorithm::Md5 => (hash::<Md5>, more("MD5")),
        Algorithm::Sha256 => (hash::<Sha256>, more("SHA-256")),
        Algorithm::WithoutQop => (hash::<Md5>, String::new()),
    };
    let secret = hash(&format!("{name}:framewire:{password}"));
    let request = hash(&format!("{method}:{uri}"));
    let middle = if more.is_empty() {
        String::new()
    } else {
        format!("{count}:abc:auth:")
    };
    let response = hash(&format!("{secret}:{nonce}:{middle}{request}"));
    format!(
        "Digest username=\"{name}\", realm=\"framewire\", nonce=\"{nonce}\", uri=\"{uri}\", {more}response=\"{response}\""
    )
}
