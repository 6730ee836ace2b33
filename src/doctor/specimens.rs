//! The few pictures that are kept for a report: octets as the camera delivered them, of each kind one.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::look::{Change, Look};
use crate::capture::multipart;
use crate::jpeg::Habits;
use crate::stats::DropReason;

/// Pictures that are kept.
const SPECIMENS: usize = 3;

/// Copies of pictures: those that are unlike each other, as far as there are any, then the first ones.
#[derive(Debug, Default)]
pub struct Specimens(Vec<Specimen>);

#[derive(Debug)]
struct Specimen {
    kind: Kind,
    octets: Vec<u8>,
}

/// What a picture has in common with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// What is re-coded, or why it is refused.
    sending: Result<Option<Change>, &'static str>,
    is_whole: Option<bool>,
    habits: Habits,
}

impl Kind {
    fn of(look: &Look) -> Self {
        let sending = look.sending.as_ref().map(|sending| sending.change);
        let habits = look.traits.as_ref().map(|traits| traits.habits);
        Self {
            sending: sending.map_err(|&refused| DropReason::from(refused).name()),
            is_whole: look.whole.as_ref().map(Result::is_ok),
            habits: habits.unwrap_or_default(),
        }
    }
}

impl Specimens {
    /// Keeps `octets` if they show something that the others do not.
    pub fn consider(&mut self, octets: &[u8], look: &Look) {
        let specimen = || Specimen {
            kind: Kind::of(look),
            octets: octets.to_vec(),
        };
        if self.0.len() < SPECIMENS {
            return self.0.push(specimen());
        }
        let is_known = self.0.iter().any(|each| each.kind == Kind::of(look));
        if is_known {
            return;
        }
        // The last whose kind another one has too.
        let superfluous = (0..self.0.len()).rev().find(|&index| {
            let (before, rest) = self.0.split_at(index);
            let kind = rest.first().map(|each| each.kind);
            before.iter().any(|each| Some(each.kind) == kind)
        });
        if let Some(place) = superfluous.and_then(|index| self.0.get_mut(index)) {
            *place = specimen();
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Writes them to a new file; one that is there already is left as it is.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut new = OpenOptions::new();
        let mut file = BufWriter::new(new.write(true).create_new(true).open(path)?);
        for specimen in &self.0 {
            multipart::write(&specimen.octets, &mut file)?;
        }
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::Refused;

    fn look(refused: Option<Refused>) -> Look {
        Look {
            octets: 1,
            traits: None,
            whole: Some(Ok(())),
            sending: Err(refused.unwrap_or(Refused::Rgb)),
        }
    }

    #[test]
    fn what_is_unlike_the_others_is_kept() {
        let mut specimens = Specimens::default();
        for octet in 0..9 {
            specimens.consider(&[octet], &look(None));
        }
        let kept = |specimens: &Specimens| -> Vec<u8> {
            specimens
                .0
                .iter()
                .flat_map(|each| each.octets.clone())
                .collect()
        };
        assert_eq!(kept(&specimens), [0, 1, 2]);
        specimens.consider(&[10], &look(Some(Refused::Huffman)));
        assert_eq!(kept(&specimens), [0, 1, 10]);
        specimens.consider(&[11], &look(Some(Refused::Huffman)));
        specimens.consider(&[12], &look(Some(Refused::Fields)));
        assert_eq!(kept(&specimens), [0, 12, 10]);
        specimens.consider(&[13], &look(Some(Refused::Scans)));
        assert_eq!(kept(&specimens), [0, 12, 10]);
    }
}
