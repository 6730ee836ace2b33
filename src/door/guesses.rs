//! How many wrong passwords an address may try: some at once, and then few.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// So many at once are mistakes.
const AT_ONCE: u32 = 10;
/// One more is forgiven after so long.
const EACH: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const MANY: usize = 256;

/// Who was wrong lately: until when it takes that all is forgiven.
#[derive(Debug, Default)]
pub struct Guesses(Vec<(IpAddr, Instant)>);

impl Guesses {
    /// A wrong one from `address`.
    pub fn wrong(&mut self, address: IpAddr, now: Instant) {
        self.0.retain(|(_, forgiven)| *forgiven > now);
        if let Some((_, forgiven)) = self.0.iter_mut().find(|(known, _)| *known == address) {
            *forgiven += EACH;
            return;
        }
        if self.0.len() >= MANY {
            // Who did least is forgotten first: nobody gets rid of a long record by that of others.
            let records = self.0.iter().enumerate();
            let least = records.min_by_key(|(_, (_, forgiven))| *forgiven);
            if let Some((index, _)) = least {
                self.0.swap_remove(index);
            }
        }
        self.0.push((address, now + EACH));
    }

    /// How long `address` may not try any more; `None` when it may.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let (_, forgiven) = self.0.iter().find(|(known, _)| *known == address)?;
        let record = forgiven.saturating_duration_since(now);
        let wait = record.saturating_sub(EACH * (AT_ONCE - 1));
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> IpAddr {
        let number = u32::try_from(number).unwrap();
        IpAddr::V4(number.into())
    }

    #[test]
    fn after_some_mistakes_there_is_one_now_and_then() {
        let now = Instant::now();
        let mut guesses = Guesses::default();
        for _ in 0..AT_ONCE {
            assert_eq!(guesses.wait(address(1), now), None);
            guesses.wrong(address(1), now);
        }
        assert_eq!(guesses.wait(address(1), now), Some(EACH));
        assert_eq!(guesses.wait(address(2), now), None);
        let later = now + EACH;
        assert_eq!(guesses.wait(address(1), later), None);
        guesses.wrong(address(1), later);
        assert_eq!(guesses.wait(address(1), later), Some(EACH));
        assert_eq!(guesses.wait(address(1), later + EACH * AT_ONCE), None);
    }

    #[test]
    fn many_addresses_do_not_wash_a_record_away() {
        let now = Instant::now();
        let mut guesses = Guesses::default();
        for _ in 0..AT_ONCE {
            guesses.wrong(address(0), now);
        }
        for other in 1..=2 * MANY {
            guesses.wrong(address(other), now);
        }
        assert_eq!(guesses.0.len(), MANY);
        assert!(guesses.wait(address(0), now).is_some());
        guesses.wrong(address(1), now + EACH * 2 * AT_ONCE);
        assert_eq!(guesses.0.len(), 1);
    }
}
