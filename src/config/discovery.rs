//! `[discovery]`: whether the neighbours hear where the cameras are.

use serde::Deserialize;

/// `[discovery]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Discovery {
    /// By multicast DNS.
    pub mdns: bool,
}

impl Default for Discovery {
    /// Only what others can reach is ever announced: whoever opens the door to them wants it to be found.
    fn default() -> Self {
        Self { mdns: true }
    }
}
