//! What a person meant who wrote what TOML, or this program, does not understand.

use serde::de::IgnoredAny;

use crate::nearest::nearest;

/// Headings that people write, and the block that they mean.
const HEADINGS: [(&str, &str); 5] = [
    ("[camera]", "[[camera]]"),
    ("[camera.rtp]", "[[camera.rtp]]"),
    ("[rtp]", "[[camera.rtp]]"),
    ("[[rtp]]", "[[camera.rtp]]"),
    ("[user]", "[[user]]"),
];
/// The keys whose values are lists.
const LISTS: [&str; 1] = ["dns"];
/// The keys whose values are numbers: quotes would not mend them.
const NUMBERS: [&str; 12] = [
    "width",
    "height",
    "fps",
    "quality",
    "buffers",
    "mtu",
    "pacing",
    "ttl",
    "ssrc",
    "local-port",
    "summary-interval",
    "vlan",
];

/// What is probably wrong with `line`, of which the parser said `message`.
pub fn hint(line: &str, message: &str) -> Option<String> {
    typography(line)
        .or_else(|| heading(line))
        .or_else(|| near_miss(message))
        .or_else(|| no_quotes(line))
}

/// What a word processor may have made of the line, which TOML does not take for what it looks like.
fn typography(line: &str) -> Option<String> {
    let odd = |c: &char| "\u{201C}\u{201D}\u{201E}\u{2018}\u{2019}\u{AB}\u{BB}\u{A0}".contains(*c);
    match line.chars().find(odd)? {
        '\u{A0}' => Some("a no-break space, where TOML wants a plain one".to_owned()),
        quote => Some(format!(
            "a typographic quote {quote}, where TOML wants a straight one"
        )),
    }
}

/// A block of which there can be several, headed as if there could be one only, or as if it stood alone.
fn heading(line: &str) -> Option<String> {
    let written = line.split('#').next().unwrap_or(line).trim();
    let (_, meant) = HEADINGS.iter().find(|(heading, _)| *heading == written)?;
    Some(format!(
        "write {meant}, in double brackets: there can be several"
    ))
}

/// A key that is nearly one of those that are allowed.
fn near_miss(message: &str) -> Option<String> {
    let (unknown, known) = message
        .strip_prefix("unknown field `")?
        .split_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2);
    if unknown == "password" && known.clone().any(|key: &str| key == "sha256") {
        let meant =
            "no password is written here: `framewire password NAME` prints the hashes of one";
        return Some(meant.to_owned());
    }
    nearest(unknown, known).map(|key| format!("did you mean `{key}`?"))
}

/// A text that lacks its quotes.
fn no_quotes(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split(" #").next()?.trim());
    let has_quotes = |text: &str| text.contains(['"', '\'', '{', '=', '…']);
    let is_plain = !value.is_empty() && !has_quotes(value) && !has_quotes(key);
    if !is_plain || NUMBERS.contains(&key) || is_toml(value) {
        return None;
    }
    let items = value.trim_start_matches('[').trim_end_matches(']');
    if LISTS.contains(&key) {
        let items: Vec<String> = items.split(',').map(quoted).collect();
        return Some(format!(
            "a text needs quotes: write {key} = [{}]",
            items.join(", ")
        ));
    }
    // Another list, or half of one.
    if items.len() != value.len() {
        return None;
    }
    Some(format!(
        "a text needs quotes: write {key} = {}",
        quoted(value)
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.trim())
}

/// Whether it is a value as it is: then something else is wrong.
fn is_toml(value: &str) -> bool {
    toml::from_str::<IgnoredAny>(&format!("x = {value}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_quotes_is_written_with_them() {
        for (line, meant) in [
            (
                "destination = 127.0.0.1:5004",
                "destination = \"127.0.0.1:5004\"",
            ),
            ("  name=front # mine", "name = \"front\""),
            ("device = /dev/video0", "device = \"/dev/video0\""),
            ("device = usb:046d:082d", "device = \"usb:046d:082d\""),
            (
                "auto_exposure = Manual Mode",
                "auto_exposure = \"Manual Mode\"",
            ),
            ("dns = 192.168.1.1", "dns = [\"192.168.1.1\"]"),
            ("dns = [1.1.1.1, ::1]", "dns = [\"1.1.1.1\", \"::1\"]"),
        ] {
            let expected = format!("a text needs quotes: write {meant}");
            assert_eq!(hint(line, "invalid"), Some(expected), "{line}");
        }
    }

    #[test]
    fn quotes_are_not_asked_for_where_they_do_not_help() {
        for line in [
            "",
            "[[camera]",
            "name",
            "name =",
            "name = \"front",
            "name = front\"",
            "width = 12 80",
            "vlan = ten",
            "ttl = = 1",
            "rtcp = true",
            "address = [a, b]",
            "rtp = { a }",
            "name = 1",
            "name = …xxx",
        ] {
            assert_eq!(hint(line, "invalid"), None, "{line}");
        }
    }

    #[test]
    fn headings_and_keys_are_led_to_what_was_meant() {
        for (line, message, said) in [
            ("[camera] # one", "", "write [[camera]],"),
            ("[[rtp]]", "", "write [[camera.rtp]],"),
            (
                "paceing = 1",
                "unknown field `paceing`, expected one of `mtu`, `pacing`",
                "did you mean `pacing`?",
            ),
            (
                "colour = 1",
                "unknown field `colour`, expected `mtu`",
                "nothing",
            ),
        ] {
            let hint = hint(line, message).unwrap_or_else(|| "nothing".to_owned());
            assert!(hint.starts_with(said), "{line}: {hint}");
        }
    }
}
