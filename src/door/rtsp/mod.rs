//! The door for players and recorders: RTSP 1.0 (RFC 2326), streams by RTP, on the same connection or by UDP.
//!
//! It is in the thread of the other doors, and knows the same users and cameras.

mod answer;
pub(super) mod connection;
mod datagrams;
mod description;
pub mod edge;
pub(super) mod guests;
mod interleaved;
mod outbox;
mod parcel;
mod requests;
mod sessions;
pub mod transport;
pub mod url;
