//! What the kernel took of some packets.

use std::ops::AddAssign;

/// What some packets cost on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// RTP packets.
    pub packets: u64,
    /// Octets of UDP payload.
    pub octets: u64,
    /// Of these, octets of RTP payload.
    pub payload_octets: u64,
    /// `sendmmsg` calls.
    pub send_calls: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.octets += other.octets;
        self.payload_octets += other.payload_octets;
        self.send_calls += other.send_calls;
    }
}
