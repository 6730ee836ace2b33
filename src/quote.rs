//! Quotes what came from outside in an error message: one line, of bounded length, that does nothing to a terminal.

/// Most characters that are quoted of a message.
const MESSAGE: usize = 400;
/// Most characters that are quoted of a line.
const LINE: usize = 120;
/// Stands for what is left out.
const ELLIPSIS: char = '…';

/// `message` in one line; of a long one the two ends: what was seen, and what is allowed.
pub fn message(message: &str) -> String {
    let characters = message.chars().count();
    if characters <= MESSAGE {
        return message.chars().map(harmless).collect();
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

/// Control characters could move the cursor, or end the line.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
