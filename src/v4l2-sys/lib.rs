//! Raw Video4Linux bindings, generated ahead of time.
//!
//! This crate stands in for `v4l2-sys-mit` 0.3.0 of crates.io, the crate `v4l` is built on,
//! which runs bindgen in a build script: every builder would then need libclang and the
//! target's C headers. Here bindgen's output is a source file. The root manifest puts this
//! crate in the other one's place:
//!
//! ```toml
//! [patch.crates-io]
//! v4l2-sys-mit = { path = "src/v4l2-sys" }
//! ```
//!
//! `bindings_64.rs` and `bindings_32.rs` come from the kernel's user-space header
//! `linux/videodev2.h`; their first lines say from which version. They hold the types and
//! constants that `v4l` and framewire use, without the header's comments. `regenerate`, in
//! the same directory, has the list of them, writes both files anew and names the packages
//! it needs.
//!
//! # Layouts
//!
//! * 64-bit: one file for x86-64, arm64 and RISC-V.
//! * 32-bit: the ARM EABI, which aligns 64-bit integers to 8 octets. Other 32-bit
//!   architectures lay these structures out differently (x86 aligns to 4) and are refused.
//!
//! On either, [`timeval`] is the kernel's with 64-bit times, of 16 octets, and not the C
//! library's: `libc::timeval` may have 8 octets on 32-bit targets, so never put one in the
//! other's place. On 32-bit ARM [`v4l2_buffer`] thus has 80 octets. The ioctl numbers follow
//! from the sizes, and kernels from 5.6 on take these; older ones know only the 32-bit times
//! (68 octets) and answer `ENOTTY`.
//!
//! The assertions at the end of this file fail the build if sizes or offsets are not the
//! kernel's.

#![no_std]

#[cfg(not(any(
    all(
        target_pointer_width = "64",
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        )
    ),
    all(target_pointer_width = "32", target_arch = "arm")
)))]
compile_error!(
    "v4l2-sys has bindings for x86-64, arm64, 64-bit RISC-V and 32-bit ARM only; \
     for another target, generate and check its own: see `regenerate`"
);

#[cfg(target_pointer_width = "64")]
#[expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated: the kernel's names, and bindgen's own assertions"
)]
mod bindings_64;
#[cfg(target_pointer_width = "64")]
pub use bindings_64::*;

#[cfg(target_pointer_width = "32")]
#[expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated: the kernel's names, and bindgen's own assertions"
)]
mod bindings_32;
#[cfg(target_pointer_width = "32")]
pub use bindings_32::*;

/// Bindgen's own assertions, in the bindings, cover every structure and field, but are only
/// as right as its idea of the target. The values here have other sources: sizes and offsets
/// are what gcc makes of the header with the C library's times (on armhf with
/// `_TIME_BITS=64`).
mod checks {
    use core::mem::{offset_of, size_of};

    use super::*;

    /// `a` for every target, `a/b` for 64-bit and 32-bit ones.
    macro_rules! by_width {
        ($both:literal) => {
            $both
        };
        ($on_64:literal/$on_32:literal) => {
            if cfg!(target_pointer_width = "64") {
                $on_64
            } else {
                $on_32
            }
        };
    }

    /// The size of each structure, then the offsets of its fields.
    macro_rules! layouts {
        ($($ty:ident $($size:literal)/+ {
            $($field:ident $($offset:literal)/+,)*
        })*) => {$(
            const _: () = {
                assert!(
                    size_of::<$ty>() == by_width!($($size)/+),
                    concat!("wrong size: ", stringify!($ty))
                );
                $(assert!(
                    offset_of!($ty, $field) == by_width!($($offset)/+),
                    concat!("wrong offset: ", stringify!($ty), "::", stringify!($field))
                );)*
            };
        )*};
    }

    layouts! {
        timeval 16 {
            tv_sec 0, tv_usec 8,
        }
        v4l2_capability 104 {
            driver 0, card 16, bus_info 48, version 80, capabilities 84, device_caps 88,
            reserved 92,
        }
        v4l2_fmtdesc 64 {
            index 0, type_ 4, flags 8, description 12, pixelformat 44, mbus_code 48,
            reserved 52,
        }
        v4l2_pix_format 48 {
            width 0, height 4, pixelformat 8, field 12, bytesperline 16, sizeimage 20,
            colorspace 24, priv_ 28, flags 32, __bindgen_anon_1 36, quantization 40,
            xfer_func 44,
        }
        v4l2_format 208/204 {
            type_ 0, fmt 8/4,
        }
        v4l2_requestbuffers 20 {
            count 0, type_ 4, memory 8, capabilities 12, flags 16, reserved 17,
        }
        v4l2_timecode 16 {
            type_ 0, flags 4, frames 8, seconds 9, minutes 10, hours 11, userbits 12,
        }
        v4l2_buffer 88/80 {
            index 0, type_ 4, bytesused 8, flags 12, field 16, timestamp 24, timecode 40,
            sequence 56, memory 60, m 64, length 72/68, reserved2 76/72, __bindgen_anon_1 80/76,
        }
        v4l2_plane 64/60 {
            bytesused 0, length 4, m 8, data_offset 16/12, reserved 20/16,
        }
        v4l2_exportbuffer 64 {
            type_ 0, index 4, plane 8, flags 12, fd 16, reserved 20,
        }
        v4l2_captureparm 40 {
            capability 0, capturemode 4, timeperframe 8, extendedmode 16, readbuffers 20,
            reserved 24,
        }
        v4l2_outputparm 40 {
            capability 0, outputmode 4, timeperframe 8, extendedmode 16, writebuffers 20,
            reserved 24,
        }
        v4l2_streamparm 204 {
            type_ 0, parm 4,
        }
        v4l2_frmsizeenum 44 {
            index 0, pixel_format 4, type_ 8, __bindgen_anon_1 12, reserved 36,
        }
        v4l2_frmivalenum 52 {
            index 0, pixel_format 4, width 8, height 12, type_ 16, __bindgen_anon_1 20,
            reserved 44,
        }
        v4l2_frmsize_stepwise 24 {
            min_width 0, max_width 4, step_width 8, min_height 12, max_height 16,
            step_height 20,
        }
        v4l2_frmival_stepwise 24 {
            min 0, max 8, step 16,
        }
        v4l2_control 8 {
            id 0, value 4,
        }
        v4l2_queryctrl 68 {
            id 0, type_ 4, name 8, minimum 40, maximum 44, step 48, default_value 52, flags 56,
            reserved 60,
        }
        v4l2_query_ext_ctrl 232 {
            id 0, type_ 4, name 8, minimum 40, maximum 48, step 56, default_value 64, flags 72,
            elem_size 76, elems 80, nr_of_dims 84, dims 88, reserved 104,
        }
        v4l2_querymenu 44 {
            id 0, index 4, __bindgen_anon_1 8, reserved 40,
        }
        v4l2_ext_control 20 {
            id 0, size 4, reserved2 8, __bindgen_anon_1 12,
        }
        v4l2_ext_controls 32/24 {
            __bindgen_anon_1 0, count 4, error_idx 8, request_fd 12, reserved 16,
            controls 24/20,
        }
        v4l2_jpegcompression 140 {
            quality 0, APPn 4, APP_len 8, APP_data 12, COM_len 72, COM_data 76,
            jpeg_markers 136,
        }
        v4l2_framebuffer 48/44 {}
        v4l2_standard 72 {}
        v4l2_input 80 {}
        v4l2_tuner 84 {}
        v4l2_audio 52 {}
        v4l2_edid 40/36 {}
        v4l2_output 72 {}
        v4l2_audioout 52 {}
        v4l2_modulator 68 {}
        v4l2_frequency 44 {}
        v4l2_cropcap 44 {}
        v4l2_crop 20 {}
        v4l2_sliced_vbi_cap 116 {}
        v4l2_enc_idx 2072 {}
        v4l2_encoder_cmd 40 {}
    }

    const _: () = assert!(size_of::<time_t>() == 8 && size_of::<v4l2_std_id>() == 8);
}
