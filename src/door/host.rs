//! Which names a request may ask for. A page of a foreign name that its owner has pointed at this machine (DNS rebinding)
//! gets nothing: a browser would let it read all answers. RFC 9110 7.2 (Host), RFC 3986 3.2.2.

use std::net::{IpAddr, Ipv6Addr};

use nix::unistd::gethostname;

/// The names that this machine is called by.
#[derive(Debug)]
pub struct Names {
    configured: Vec<String>,
}

impl Names {
    /// `configured` ones besides its own.
    pub fn new(configured: Vec<String>) -> Self {
        Self { configured }
    }

    /// This machine's own name, as it is now.
    pub fn own() -> String {
        let name = gethostname().ok().and_then(|name| name.into_string().ok());
        name.unwrap_or_default()
    }

    /// Whether a request may ask for `host`, the value of its Host field. Addresses cannot be pointed elsewhere.
    pub fn allow(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else {
            return false;
        };
        if let Some(address) = name.strip_prefix('[') {
            let address = address.strip_suffix(']');
            return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        }
        if name.parse::<IpAddr>().is_ok() {
            return true;
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let own = Self::own();
        let is = |other: &str| !other.is_empty() && name.eq_ignore_ascii_case(other);
        let short = own.split('.').next().unwrap_or_default();
        is("localhost")
            || is(&own)
            || is_local(name, short)
            || self.configured.iter().any(|other| is(other))
    }
}

/// Whether `name` is `own` in `.local`, or what multicast DNS makes of that where a neighbour has it already: one with
/// another number at its end. Nobody outside of the link has a say in such names (RFC 6762 3).
fn is_local(name: &str, own: &str) -> bool {
    let Some((first, last)) = name.rsplit_once('.') else {
        return false;
    };
    let without_number = |name: &str| {
        let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
        rest.trim_end_matches('-').to_ascii_lowercase()
    };
    let own = without_number(own);
    last.eq_ignore_ascii_case("local") && !own.is_empty() && without_number(first) == own
}

/// `host` without its port; `None` when the port is none.
fn without_port(host: &str) -> Option<&str> {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at_checked(end)?;
    match port.strip_prefix(':') {
        None => port.is_empty().then_some(name),
        Some(digits) => digits
            .bytes()
            .all(|octet| octet.is_ascii_digit())
            .then_some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_neighbour_has_gets_a_number() {
        for (name, own) in [
            ("cam.local", "cam"),
            ("Cam7.Local", "cam"),
            ("cam-2.local", "cam"),
            ("cam12.local", "cam1"),
        ] {
            assert!(is_local(name, own), "{name} {own}");
        }
        for (name, own) in [
            ("cam", "cam"),
            ("cam2.example", "cam"),
            ("evil.cam.local", "cam"),
            ("cam2x.local", "cam"),
            ("cam.local.evil", "cam"),
            (".local", ""),
            ("2.local", ""),
        ] {
            assert!(!is_local(name, own), "{name} {own}");
        }
    }

    #[test]
    fn addresses_and_own_names_are_allowed_and_nothing_else() {
        let names = Names::new(vec!["cam.example.org".to_owned()]);
        let own = Names::own();
        for host in [
            "127.0.0.1",
            "192.168.1.5:8080",
            "[::1]:80",
            "[2001:db8::1]",
            "localhost:80",
            "LOCALHOST.",
            "cam.example.org",
            "Cam.Example.org.:1",
            &own,
            &format!("{own}.local:8080"),
        ] {
            assert!(names.allow(host), "{host}");
        }
        for host in [
            "",
            ".",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.local",
            "localhost:80:80",
            "localhost:evil",
            "[::1]evil",
            "[::1",
            "[evil]",
            "xlocalhost",
            "\u{e4}.local",
        ] {
            assert!(!names.allow(host), "{host}");
        }
    }
}
