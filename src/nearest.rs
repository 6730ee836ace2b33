//! Finds the word that was meant by one that does not exist.

/// Longer words are no slips of the finger.
const LONGEST: usize = 32;

/// The nearest of `known` to `word`: at most one slip in three characters.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().take(LONGEST + 1).count();
    if letters > LONGEST {
        return None;
    }
    let distances = known.map(|known| (distance(word, known), known));
    let near = distances.filter(|(distance, _)| *distance <= (letters / 3).max(1));
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many characters are wrong, missing or too many, where two that have changed places count once
/// (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut last = None;
    for (y, a) in one.chars().enumerate() {
        let mut next = vec![y + 1];
        for (x, &b) in other.iter().enumerate() {
            let at = |row: &[usize], x: usize| row.get(x).copied().unwrap_or(usize::MAX - 1);
            let mut least = at(&row, x) + usize::from(a != b);
            least = least.min(at(&row, x + 1) + 1).min(at(&next, x) + 1);
            let before = x.checked_sub(1);
            if let Some(before) = before
                && last == Some(b)
                && other.get(before) == Some(&a)
            {
                least = least.min(at(&above, before) + 1);
            }
            next.push(least);
        }
        above = std::mem::replace(&mut row, next);
        last = Some(a);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "fps", 3),
            ("fps", "", 3),
            ("fsp", "fps", 1),
            ("destinaton", "destination", 1),
            ("local_port", "local-port", 1),
            ("width", "height", 4),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn only_what_is_near_was_meant() {
        let known = || ["width", "height", "fps", "quality"].into_iter();
        assert_eq!(nearest("heigth", known()), Some("height"));
        assert_eq!(nearest("FPS", known()), None);
        assert_eq!(nearest("qualitiy", known()), Some("quality"));
        assert_eq!(nearest("colour", known()), None);
        assert_eq!(nearest(&"width".repeat(100_000), known()), None);
        assert_eq!(nearest("", known()), None);
    }
}
