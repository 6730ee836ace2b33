//! What the integration tests share: pictures to send, JPEG files as awkward as cameras make them, a place for files.
#![allow(
    dead_code,
    reason = "every integration test is a crate of its own and uses only a part of this"
)]

pub mod folder;
pub mod frames;
pub mod http;
pub mod huffman;
pub mod oddities;
pub mod program;
pub mod receive;
pub mod rtsp;
pub mod transmit;
pub mod variants;
