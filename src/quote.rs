//! Cleans what came from outside: one line that does nothing to a terminal; in error messages of bounded length.
//! Unicode Standard Annex 9, table 1: characters that turn the direction of the text around them.

/// Most characters that are quoted of a message.
const MESSAGE: usize = 400;
/// Most characters that are quoted of a line.
const LINE: usize = 120;
/// Stands for what is left out.
const ELLIPSIS: char = '…';

/// `text` from a device, a file name or another's words: what would move the cursor, end the line or turn the
/// direction of writing is replaced, so that it can forge nothing.
pub fn clean(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// `text` without control characters as a string of TOML, to be pasted into config.toml.
pub fn toml_string(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// `message` in one line; of a long one the two ends: what was seen, and what is allowed.
pub fn message(message: &str) -> String {
    let characters = message.chars().count();
    if characters <= MESSAGE {
        return clean(message);
    }
    let start = message.chars().take(MESSAGE / 2);
    let end = message.chars().skip(characters - MESSAGE / 2);
    let whole = start.chain([ELLIPSIS]).chain(end);
    whole.map(harmless).collect()
}

/// `line`; of a long one what is around `column`, in characters from 0.
pub fn line(line: &str, column: usize) -> String {
    let characters = line.chars().count();
    let first = column
        .saturating_sub(LINE / 2)
        .min(characters.saturating_sub(LINE));
    let before = (first > 0).then_some(ELLIPSIS);
    let after = (first + LINE < characters).then_some(ELLIPSIS);
    let part = line.chars().skip(first).take(LINE).map(harmless);
    before.into_iter().chain(part).chain(after).collect()
}

/// Control characters could move the cursor, or end the line; so do the two separators for some. Marks, embeddings,
/// overrides and isolates of direction could show what stands after them as if it stood elsewhere.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        '\u{2028}' | '\u{2029}' => char::REPLACEMENT_CHARACTER,
        '\u{61C}' | '\u{200E}' | '\u{200F}' => char::REPLACEMENT_CHARACTER,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_something_is_replaced_and_what_says_something_stays() {
        let odd = "Cam\t1\x1b[2J\r\n\u{9b}K\u{202e}gpj\u{2066}\u{200f}\u{2028}é日🎥";
        assert_eq!(clean(odd), "Cam 1�[2J���K�gpj���é日🎥");
        let all = (0..=0x10FFFF).filter_map(char::from_u32);
        let replaced = all.filter(|&c| harmless(c) != c).count();
        // C0 with tab, delete, C1; two separators; twelve of direction.
        assert_eq!(replaced, 32 + 1 + 32 + 2 + 12);
    }

    #[test]
    fn a_long_message_keeps_its_ends() {
        assert_eq!(message("a\tb\nc\x1b[2J"), "a b\u{FFFD}c\u{FFFD}[2J");
        let fits = "ä".repeat(MESSAGE);
        assert_eq!(message(&fits), fits);
        let long = format!("unknown {} expected", "x".repeat(1_000_000));
        let quote = message(&long);
        assert_eq!(quote.chars().count(), MESSAGE + 1);
        assert!(quote.starts_with("unknown xxx") && quote.ends_with("xxx expected"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        assert_eq!(line("", 0), "");
        assert_eq!(line("a = 1\r", 9), "a = 1\u{FFFD}");
        let long = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let half = LINE / 2;
        let around = format!("…{}!{}…", "a".repeat(half), "b".repeat(half - 1));
        assert_eq!(line(&long, 500), around);
        assert_eq!(line(&long, 0), format!("{}…", "a".repeat(LINE)));
        assert_eq!(line(&long, 1001), format!("…{}", "b".repeat(LINE)));
    }

    #[test]
    fn what_is_printed_for_the_configuration_is_read_as_it_was_meant() {
        for text in ["usb:046d:082d:A", r#"usb:046d:082d:"A\"\n"#] {
            let line = format!("device = {}", toml_string(text));
            let table: toml::Table = line.parse().unwrap();
            assert_eq!(table["device"].as_str(), Some(text));
        }
    }
}
