//! The part of an address behind the question mark. URL Standard (application/x-www-form-urlencoded), as far as our
//! words need it: names of cameras and numbers are written as they are.

/// The values of `key`, in order.
pub fn values<'q>(query: &'q str, key: &str) -> impl Iterator<Item = &'q str> {
    query
        .split('&')
        .filter_map(move |pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// `?fps=N` as a rate above zero and not above 1000; `None` when it is something else.
pub fn rate(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|rate| (0.01..=1000.0).contains(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_key() {
        let query = "camera=a&fps=5&camera=b&cameras=c&camera";
        assert_eq!(values(query, "camera").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(values("", "camera").count(), 0);
        assert_eq!(rate("7.5"), Some(7.5));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "", "x"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }
}
