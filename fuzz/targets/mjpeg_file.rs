//! The fuzzer's octets to [`framewire_fuzz::mjpeg_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| framewire_fuzz::mjpeg_file(octets));
