//! The fuzzer's octets to [`framewire_fuzz::command_line`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| framewire_fuzz::command_line(octets));
