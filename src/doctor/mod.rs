//! Looks at a camera's pictures and says what they are like, what can be sent of them, and what to do about the rest.
//! ITU-T T.81 annex B (what a picture is), RFC 2435 (what can be sent).

mod advice;
mod findings;
mod look;
mod rate;
mod receivers;
mod report;
mod specimens;
mod suggestion;
mod tally;
mod visit;
mod words;

pub use report::Report;
pub use suggestion::stable_device;
pub use visit::{Visit, visit};
