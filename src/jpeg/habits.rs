//! What cameras write that JPEG does not allow, and that decoders pass over: harmless, because it never goes on the
//! wire. ITU-T T.81 annex B says how it should be.

use std::fmt;

/// Defines [`Habit`] with a short name and what is seen and done for each.
macro_rules! habits {
    ($($(#[$doc:meta])* $habit:ident = $name:literal, $text:literal;)*) => {
        /// A way of writing pictures that is tolerated.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Habit {
            $($(#[$doc])* $habit,)*
        }

        impl Habit {
            /// All of them, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$habit,)*];

            /// A short name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$habit => $name,)*
                }
            }

            /// What the camera does, and what is done about it.
            const fn text(self) -> &'static str {
                match self {
                    $(Self::$habit => $text,)*
                }
            }
        }
    };
}

habits! {
    /// Fill, the rest of another picture, or half a picture.
    OctetsBeforeSoi = "octets-before-soi", "octets before the picture's SOI marker (FF D8), which are left out";
    /// SOI between the segments.
    SecondSoi = "second-soi", "a second SOI marker (FF D8) in the headers, which is passed over";
    /// SOI and EOI without a scan between them.
    EmptyImage = "empty-image", "an image without a scan before the picture, which is left out";
    /// Octets between two segments, or a COM or APPn that says it is shorter than it is.
    StrayOctets = "stray-octets", "octets between its header segments that belong to none, which are passed over";
    /// COM or APPn that says it is longer than it is, or shorter than its length field.
    SegmentLength = "segment-length", "a COM or APPn segment of a wrong length, which is corrected";
    /// SOF1 where SOF0 would do.
    ExtendedProcess = "sof1", "SOF1 (FF C1) for a picture that is baseline, which is taken for SOF0";
    /// Ss, Se, Ah and Al that are not those of baseline.
    SpectralSelection = "spectral-selection", "a SOS segment with another spectral selection than baseline's 0, 63, 0, which receivers write anew";
    /// No EOI, and the configuration allows it.
    NoEndOfImage = "no-eoi", "no EOI marker (FF D9), which is appended";
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A set of habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habits(u16);

impl Habits {
    /// With `habit` as well.
    pub fn insert(&mut self, habit: Habit) {
        self.0 |= Self::bit(habit);
    }

    /// Whether it has `habit`.
    pub fn contains(self, habit: Habit) -> bool {
        self.0 & Self::bit(habit) != 0
    }

    /// With all of `others` as well; returns those of them that are new.
    pub fn extend(&mut self, others: Self) -> Self {
        let new = Self(others.0 & !self.0);
        self.0 |= others.0;
        new
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Habit> {
        let all = Habit::ALL.iter().copied();
        all.filter(move |&habit| self.contains(habit))
    }

    fn bit(habit: Habit) -> u16 {
        1 << habit as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_tells_what_is_new() {
        let mut known = Habits::default();
        known.insert(Habit::SecondSoi);
        let mut others = known;
        others.insert(Habit::NoEndOfImage);
        let new: Vec<Habit> = known.extend(others).iter().collect();
        assert_eq!(new, [Habit::NoEndOfImage]);
        assert_eq!(known, others);
        assert_eq!(known.extend(others), Habits::default());
        assert!(Habit::ALL.len() <= 16);
    }
}
