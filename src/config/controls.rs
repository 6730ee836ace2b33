//! `[camera.controls]`: settings of the camera by name, in the order in which they are applied.

use std::fmt;

use serde::Deserialize;
use serde::de;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::quote::clean;

/// `[camera.controls]`: names and values in the order of the file, in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls(pub Vec<(String, ControlValue)>);

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

            fn visit_str<E: de::Error>(self, value: &str) -> Result<ControlValue, E> {
                // As the camera's own names are when they are read.
                Ok(ControlValue::Item(clean(value)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
