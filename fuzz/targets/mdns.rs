//! The fuzzer's octets to [`framewire_fuzz::mdns`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| framewire_fuzz::mdns(octets));
