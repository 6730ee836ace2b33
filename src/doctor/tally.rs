//! Counts pictures by what was seen in them.

use serde::Serialize;

/// Most kinds that are told apart: what differs in each picture is known by then.
const MOST_KINDS: usize = 16;

/// What was seen in how many pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Tally<T>(Vec<Kind<T>>);

/// One of the things that were seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kind<T> {
    /// What.
    #[serde(flatten)]
    pub seen: T,
    /// In so many.
    pub pictures: u64,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Tally<T> {
    /// Seen in one more picture.
    pub fn add(&mut self, seen: T) {
        if let Some(kind) = self.0.iter_mut().find(|kind| kind.seen == seen) {
            kind.pictures += 1;
        } else if self.0.len() < MOST_KINDS {
            self.0.push(Kind { seen, pictures: 1 });
        }
    }

    /// All kinds, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Kind<T>> {
        self.0.iter()
    }

    /// What most pictures have; of two kinds the one that came first.
    pub fn most(&self) -> Option<&Kind<T>> {
        let kinds = self.0.iter().rev();
        kinds.max_by_key(|kind| kind.pictures)
    }

    /// How many kinds there are, as far as they are told apart.
    pub fn kinds(&self) -> usize {
        self.0.len()
    }
}

/// Least, mean and most of something that is counted in each picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    /// In one picture.
    pub least: usize,
    /// Rounded down.
    pub mean: usize,
    /// In one picture.
    pub most: usize,
    #[serde(skip)]
    sum: u64,
    #[serde(skip)]
    pictures: u64,
}

impl Spread {
    /// So many in one more picture.
    pub fn add(&mut self, count: usize) {
        self.least = match self.pictures {
            0 => count,
            _ => self.least.min(count),
        };
        self.most = self.most.max(count);
        self.sum = self.sum.saturating_add(count as u64);
        self.pictures += 1;
        self.mean = usize::try_from(self.sum / self.pictures).unwrap_or(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_pictures_have_is_known_and_kinds_have_an_end() {
        let mut tally = Tally::default();
        for seen in [7, 8, 8, 7, 9] {
            tally.add(seen);
        }
        assert_eq!(
            tally.most().map(|kind| (kind.seen, kind.pictures)),
            Some((7, 2))
        );
        assert_eq!(tally.kinds(), 3);
        for seen in 0..100 {
            tally.add(seen);
        }
        assert_eq!(tally.kinds(), MOST_KINDS);
    }

    #[test]
    fn a_spread_has_least_mean_and_most() {
        let mut spread = Spread::default();
        for count in [5, 3, 10] {
            spread.add(count);
        }
        assert_eq!((spread.least, spread.mean, spread.most), (3, 6, 10));
    }
}
