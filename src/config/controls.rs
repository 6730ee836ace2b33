//! `[camera.controls]`: settings of the camera by name, in the order in which they are applied.

use std::fmt;

use serde::de;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::quote::clean;

/// `[camera.controls]`: names and values in the order of the file, in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls(pub Vec<(String, ControlValue)>);

impl Controls {
    /// These, with the values of `others` for those that are there too; the rest of `others` follows.
    pub fn overridden_by(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (name, value) in &others.0 {
            match all.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.clone_from(value),
                None => all.0.push((name.clone(), value.clone())),
            }
        }
        all
    }
}

impl fmt::Display for Controls {
    /// In one line.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (number, (name, value)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} = {value}", clean(name))?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Controls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Controls;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table of control names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Controls, A::Error> {
                let mut controls = Vec::new();
                while let Some(control) = map.next_entry()? {
                    controls.push(control);
                }
                Ok(Controls(controls))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

/// A value for a V4L2 control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ControlValue {
    /// The number itself, for menus the index.
    Integer(i64),
    /// On or off.
    Boolean(bool),
    /// A menu entry by its name.
    Item(String),
}

impl fmt::Display for ControlValue {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Item(name) => write!(f, "{name:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for ControlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = ControlValue;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a control value: an integer, true or false, or the name of a menu entry",
                )
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ControlValue, E> {
                Ok(ControlValue::Boolean(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ControlValue, E> {
                Ok(ControlValue::Integer(value))
            }

            /// As JSON has what is not negative.
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ControlValue, E> {
                i64::try_from(value)
                    .map(ControlValue::Integer)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<ControlValue, E> {
                // As the camera's own names are when they are read.
                Ok(ControlValue::Item(clean(value)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
