//! Which of a camera's pictures are looked through for damage: as many as wanted, and those that are not like the others.

use crate::config::Verify;
use crate::frame::Suspicion;

/// One picture in so many moves the mean.
const WEIGHT: usize = 16;
/// So many times the mean, or its fraction, is far from it.
const FAR: usize = 2;

/// Knows how long the scans of one camera are.
#[derive(Debug)]
pub struct Suspects {
    verify: Verify,
    /// Of scans, in octets; 0 = none yet.
    mean: usize,
}

impl Suspects {
    /// For a camera whose pictures are looked through as `verify` says.
    pub fn new(verify: Verify) -> Self {
        Self { verify, mean: 0 }
    }

    /// Whether a picture with a scan of so many octets is to be looked through.
    pub fn has(&mut self, suspicion: Suspicion, scan: usize) -> bool {
        let is_far = self.is_far(scan);
        self.mean = match self.mean {
            0 => scan,
            mean => mean - mean / WEIGHT + scan / WEIGHT,
        };
        match self.verify {
            Verify::Always => true,
            Verify::Auto => is_far || suspicion != Suspicion::None,
            Verify::Off => false,
        }
    }

    fn is_far(&self, scan: usize) -> bool {
        self.mean > 0 && (scan > FAR * self.mean || FAR * scan < self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_are_not_like_the_others_are_suspected() {
        let mut suspects = Suspects::new(Verify::Auto);
        for scan in [100_000, 101_000, 99_000, 150_000, 60_000] {
            assert!(!suspects.has(Suspicion::None, scan), "{scan}");
        }
        assert!(suspects.has(Suspicion::Flagged, 100_000));
        assert!(suspects.has(Suspicion::Unsteady, 100_000));
        assert!(suspects.has(Suspicion::None, 40_000));
        assert!(suspects.has(Suspicion::None, 300_000));
        // Another scene: it is the mean that goes there.
        let times = (0..100).filter(|_| suspects.has(Suspicion::None, 300_000));
        assert!((1..WEIGHT).contains(&times.count()));
    }

    #[test]
    fn all_or_none_may_be_wanted() {
        let mut always = Suspects::new(Verify::Always);
        assert!(always.has(Suspicion::None, 100) && always.has(Suspicion::None, 100));
        assert!(!Suspects::new(Verify::Off).has(Suspicion::Flagged, 100));
    }
}
