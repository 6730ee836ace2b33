//! What all values of `config.toml` are made of: integers with a range, texts of a form; each says what is allowed.

use std::fmt;

use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Defines a type that is written as a string and parsed by a `fn(&str) -> Option<Self>`.
macro_rules! from_text {
    ($name:ident, $parse:expr, $expected:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_str(Text($expected))?;
                $parse(&text)
                    .ok_or_else(|| de::Error::invalid_value(Unexpected::Str(&text), &$expected))
            }
        }
    };
}

pub(super) use from_text;

/// Accepts any TOML string; says what was expected otherwise.
pub(super) struct Text(pub &'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// Accepts any TOML string that `fits` and is a secret: no error shows what was nearly right, be it a text or a number.
pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    fits: impl FnOnce(&str) -> bool,
) -> Result<String, D::Error> {
    let text = deserializer.deserialize_str(Secret(expected))?;
    let invalid = || de::Error::invalid_value(Unexpected::Other("another text"), &expected);
    fits(&text).then_some(text).ok_or_else(invalid)
}

struct Secret(&'static str);

impl Secret {
    fn no_text<E: de::Error>(&self) -> E {
        E::invalid_type(Unexpected::Other("a number"), self)
    }
}

impl Visitor<'_> for Secret {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<String, E> {
        Err(self.no_text())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<String, E> {
        Err(self.no_text())
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<String, E> {
        Err(self.no_text())
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<String, E> {
        Err(self.no_text())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<String, E> {
        Err(self.no_text())
    }
}

/// Defines a text that keeps its characters.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $fits:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn parse(text: &str) -> Option<Self> {
                let fits: fn(&str) -> bool = $fits;
                fits(text).then(|| Self(text.to_owned()))
            }
        }

        from_text!($name, $name::parse, $expected);
    };
}

pub(super) use checked_text;

/// Defines an integer with a range: `Type(inner), min..=max, default, "what it is"`.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($inner:ty), $min:literal..=$max:literal, $default:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name($inner);

        impl $name {
            /// The plain number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = ();

            fn try_from(value: i64) -> Result<Self, ()> {
                match <$inner>::try_from(value) {
                    Ok(value @ $min..=$max) => Ok(Self(value)),
                    _ => Err(()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const EXPECTED: &str =
                    concat!($what, ", an integer ", stringify!($min), "..=", stringify!($max));
                let value = deserializer.deserialize_i64($crate::config::value::Integer(EXPECTED))?;
                Self::try_from(value)
                    .map_err(|()| de::Error::invalid_value(Unexpected::Signed(value), &EXPECTED))
            }
        }
    };
}

pub(super) use bounded;

/// Accepts any TOML integer; says what was expected otherwise.
pub(super) struct Integer(pub &'static str);

impl Visitor<'_> for Integer {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).or(Err(E::invalid_value(Unexpected::Unsigned(value), &self)))
    }
}
