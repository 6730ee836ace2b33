//! `[system]`: how an appliance is called.
//! Read by `framewire prepare` on flashed images; `framewire run` checks it and leaves it alone.

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::value::{Text, checked_text, from_text};

/// `[system]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct System {
    /// The host name; the image's own when absent.
    pub hostname: Option<Hostname>,
}

checked_text!(
    /// A host name (RFC 1123 2.1), one label.
    Hostname,
    |text| {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        (1..=63).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-')
    },
    "a host name of 1 to 63 characters a-z, 0-9 and -, no - at its ends"
);
