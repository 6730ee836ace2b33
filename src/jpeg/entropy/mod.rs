//! Goes through a scan code by code: whether it is whole, and the same coefficients in Annex K's code.
//! ITU-T T.81 annex F.1.2 and F.2.2, K.3.

mod coder;
mod codes;
mod fault;
mod lookup;
mod output;
mod reader;
mod recoder;
mod reordered;
mod scan;
mod tables;

pub use fault::{Corrupt, Fault};
pub use recoder::{Form, Recoder};
pub use scan::{Component, Scan};
pub use tables::Coding;
