//! RTP packets of JPEG images: headers as wire structs, a frame cut into packets, the 90 kHz clock, reports.
//! RFC 3550 5.1 (RTP) and 6 (RTCP), RFC 2435 (RTP/JPEG), RFC 3551 6 (payload type 26).

pub mod carry;
pub mod clock;
pub mod extension;
mod file;
pub mod header;
pub mod packetizer;
pub mod payload;
pub mod recode;
pub mod rtcp;

pub use carry::{Carried, Refused, carry};
pub use clock::Clock;
pub use packetizer::{Packet, Packetizer, Packets};
pub use recode::{Carrier, Obstacle};
