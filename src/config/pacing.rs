//! `pacing` of an output: over how much of a frame's time its packets leave.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Share of the frame interval over which the packets of a frame leave, 0 = in one burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing(f32);

impl Pacing {
    const EXPECTED: &'static str = "a share of the frame interval, a number 0..=1 (0 = one burst)";
    /// Everything at once.
    pub const BURST: Self = Self(0.0);
    /// Leaves a quarter of the interval for what comes late.
    pub const SPREAD: Self = Self(0.75);

    /// What is usual where the configuration says nothing.
    pub const fn usual(to_this_machine: bool) -> Self {
        if to_this_machine {
            Self::BURST
        } else {
            Self::SPREAD
        }
    }

    /// The share, 0.0..=1.0.
    pub fn share(self) -> f32 {
        self.0
    }

    fn new<E: de::Error>(value: f64, seen: Unexpected) -> Result<Self, E> {
        if (0.0..=1.0).contains(&value) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a share needs no more than the 24 bits of an f32"
            )]
            let share = value as f32;
            Ok(Self(share))
        } else {
            Err(E::invalid_value(seen, &Self::EXPECTED))
        }
    }
}

impl<'de> Deserialize<'de> for Pacing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Pacing;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(Pacing::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Pacing, E> {
                let number = i32::try_from(value).unwrap_or(i32::MAX);
                Pacing::new(f64::from(number), Unexpected::Signed(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Pacing, E> {
                Pacing::new(value, Unexpected::Float(value))
            }
        }
        deserializer.deserialize_any(Number)
    }
}
