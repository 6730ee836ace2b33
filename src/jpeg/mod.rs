//! A frame's JPEG octets, parsed in place into what they say of the picture: size, components, tables, scan.
//! ITU-T T.81 annex B.

mod header;
pub mod markers;
pub mod tables;
mod unreadable;

pub use header::{
    Component, Components, Image, Parser, QuantizationTable, ScanComponent, ScanComponents,
    TABLE_SLOTS,
};
pub use unreadable::Unreadable;
