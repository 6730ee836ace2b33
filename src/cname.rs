//! The name that all streams of this process have in their reports, since they share its clock: 96 random bits.
//! RFC 7022 4.2; it is kept with the streams over a restart, as its section 5 recommends for as long as one can.

use std::fmt::Write;
use std::sync::OnceLock;

use crate::random::random;

/// The name in bits.
pub type Bits = [u8; 12];

static BITS: OnceLock<Bits> = OnceLock::new();

/// Goes on with the name of a former process, unless this one has already used another.
pub fn keep(former: Bits) {
    let _ = BITS.set(former);
}

/// The bits.
pub fn bits() -> Bits {
    *BITS.get_or_init(|| random().unwrap_or_default())
}

/// The name as reports have it.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = String::new();
        for octet in bits() {
            // Writing to memory does not fail.
            let _ = write!(text, "{octet:02x}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_one_for_all() {
        assert_eq!(text(), text());
        assert_eq!(text().len(), 24);
        let former = bits();
        keep([1; 12]);
        assert_eq!(bits(), former);
    }
}
