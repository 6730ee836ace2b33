//! What every sender of the benchmark is.

/// Sends pictures, all of each to every destination.
pub trait Sender {
    /// Sends the picture `index`, counted round and round.
    fn send(&mut self, index: usize);

    /// Whether the kernel took every packet so far.
    fn has_sent_all(&self) -> bool {
        true // `send` panics where it did not
    }
}
