//! The fuzzer's octets to [`framewire_fuzz::rtsp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| framewire_fuzz::rtsp(octets));
