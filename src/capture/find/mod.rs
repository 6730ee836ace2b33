//! Finds the camera that the configuration names: which node it is now, who it was, and that one was plugged in.

mod hotplug;
mod identity;
mod search;

pub use hotplug::Hotplug;
pub use identity::{Identity, Usb};
pub use search::{Search, is_there, nodes};
