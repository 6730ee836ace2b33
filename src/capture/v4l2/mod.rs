//! One V4L2 device: opened, negotiated, set up, and its mmap buffers taken and given back.
//! V4L2 user-space API.

mod adjusting;
pub mod camera;
pub mod controls;
mod ioctl;
pub mod open;
mod quality;
mod ring;

pub use camera::Camera;
pub use open::Opened;
