//! A frame's JPEG octets, parsed in place into what they say of the picture: size, components, tables, scan.
//! ITU-T T.81 annex B.

mod avi1;
mod colours;
mod components;
pub mod entropy;
mod fields;
mod habits;
mod header;
mod image;
mod layout;
pub mod markers;
mod resync;
mod scan;
pub mod segments;
pub mod tables;
mod unreadable;

pub use components::{Component, Components, QuantizationTable, ScanComponent, ScanComponents};
pub use habits::{Habit, Habits};
pub use header::TABLE_SLOTS;
pub use image::{Image, Parser};
pub use layout::{Layout, coded_table};
pub use markers::{Marker, Place};
pub use unreadable::Unreadable;
