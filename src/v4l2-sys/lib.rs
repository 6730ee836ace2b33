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
//! `linux/videodev2.h`; their first lines say from which version. They hold its types,
//! constants and ioctl numbers, without its comments. `regenerate`, in the same directory,
//! writes both anew and names the packages it needs. Unlike the crate it replaces, this one
//! has nothing of the C library, and it has what the header defines by macros with
//! arguments or casts: `V4L2_PIX_FMT_*`, `V4L2_STD_*`, `VIDIOC_*`.
//!
//! # Layouts
//!
//! * 64-bit: one file for x86-64, arm64 and RISC-V.
//! * 32-bit: the ARM EABI, which aligns 64-bit integers to 8 octets. Other 32-bit
//!   architectures lay these structures out differently (x86 aligns to 4) and are refused.
//!
//! On either, [`timeval`] and [`timespec`] are the kernel's with 64-bit times, of 16 octets,
//! and not the C library's: `libc::timeval` may have 8 octets on 32-bit targets, so never
//! put one in the other's place. On 32-bit ARM [`v4l2_buffer`] thus has 80 octets. The ioctl
//! numbers follow from the sizes, and kernels from 5.6 on take these; older ones know only
//! the 32-bit times (68 octets) and answer `ENOTTY`.
//!
//! The assertions at the end of this file fail the build if sizes, offsets or ioctl numbers
//! are not the kernel's.

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
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
mod bindings_64;
#[cfg(target_pointer_width = "64")]
pub use bindings_64::*;

#[cfg(target_pointer_width = "32")]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
mod bindings_32;
#[cfg(target_pointer_width = "32")]
pub use bindings_32::*;

/// Bindgen's own assertions, in the bindings, cover every structure and field, but are only
/// as right as its idea of the target. The values here have other sources: sizes and offsets
/// are what gcc makes of the header with the C library's times (on armhf with
/// `_TIME_BITS=64`), and ioctl numbers are those of strace's tables.
mod checks {
    use core::ffi::c_int;
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

    /// The kernel's `_IOC`: direction, number and size of an ioctl of type `V`.
    const fn ioc(direction: u32, nr: u32, size: usize) -> u32 {
        (direction << 30) | ((size as u32) << 16) | ((b'V' as u32) << 8) | nr
    }

    const IO: u32 = 0;
    const IOW: u32 = 1;
    const IOR: u32 = 2;
    const IOWR: u32 = IOR | IOW;

    /// Each ioctl as the header defines it, and the number that this has to give.
    macro_rules! ioctls {
        ($($name:ident = $direction:ident $nr:literal $ty:ty, $($value:literal)/+;)*) => {$(
            const _: () = assert!(
                $name == by_width!($($value)/+) && $name == ioc($direction, $nr, size_of::<$ty>()),
                concat!("wrong ioctl number: ", stringify!($name))
            );
        )*};
    }

    layouts! {
        timeval 16 {
            tv_sec 0, tv_usec 8,
        }
        timespec 16 {
            tv_sec 0, tv_nsec 8,
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
        v4l2_create_buffers 256/248 {
            index 0, count 4, memory 8, format 16/12, capabilities 224/216, flags 228/220,
            reserved 232/224,
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
        v4l2_event 136 {
            type_ 0, u 8, pending 72, sequence 76, timestamp 80, id 96, reserved 100,
        }
        v4l2_event_ctrl 40 {
            changes 0, type_ 4, __bindgen_anon_1 8, flags 16, minimum 20, maximum 24, step 28,
            default_value 32,
        }
        v4l2_event_src_change 4 {
            changes 0,
        }
        v4l2_event_frame_sync 4 {
            frame_sequence 0,
        }
        v4l2_event_subscription 32 {
            type_ 0, id 4, flags 8, reserved 12,
        }
        v4l2_selection 64 {
            type_ 0, target 4, flags 8, r 12, reserved 28,
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
        v4l2_dbg_register 56 {}
        v4l2_hw_freq_seek 48 {}
        v4l2_dv_timings 132 {}
        v4l2_decoder_cmd 72 {}
        v4l2_enum_dv_timings 148 {}
        v4l2_dv_timings_cap 144 {}
        v4l2_frequency_band 64 {}
        v4l2_dbg_chip_info 200 {}
    }

    ioctls! {
        VIDIOC_QUERYCAP            = IOR 0 v4l2_capability, 0x8068_5600;
        VIDIOC_ENUM_FMT            = IOWR 2 v4l2_fmtdesc, 0xc040_5602;
        VIDIOC_G_FMT               = IOWR 4 v4l2_format, 0xc0d0_5604/0xc0cc_5604;
        VIDIOC_S_FMT               = IOWR 5 v4l2_format, 0xc0d0_5605/0xc0cc_5605;
        VIDIOC_REQBUFS             = IOWR 8 v4l2_requestbuffers, 0xc014_5608;
        VIDIOC_QUERYBUF            = IOWR 9 v4l2_buffer, 0xc058_5609/0xc050_5609;
        VIDIOC_G_FBUF              = IOR 10 v4l2_framebuffer, 0x8030_560a/0x802c_560a;
        VIDIOC_S_FBUF              = IOW 11 v4l2_framebuffer, 0x4030_560b/0x402c_560b;
        VIDIOC_OVERLAY             = IOW 14 c_int, 0x4004_560e;
        VIDIOC_QBUF                = IOWR 15 v4l2_buffer, 0xc058_560f/0xc050_560f;
        VIDIOC_EXPBUF              = IOWR 16 v4l2_exportbuffer, 0xc040_5610;
        VIDIOC_DQBUF               = IOWR 17 v4l2_buffer, 0xc058_5611/0xc050_5611;
        VIDIOC_STREAMON            = IOW 18 c_int, 0x4004_5612;
        VIDIOC_STREAMOFF           = IOW 19 c_int, 0x4004_5613;
        VIDIOC_G_PARM              = IOWR 21 v4l2_streamparm, 0xc0cc_5615;
        VIDIOC_S_PARM              = IOWR 22 v4l2_streamparm, 0xc0cc_5616;
        VIDIOC_G_STD               = IOR 23 v4l2_std_id, 0x8008_5617;
        VIDIOC_S_STD               = IOW 24 v4l2_std_id, 0x4008_5618;
        VIDIOC_ENUMSTD             = IOWR 25 v4l2_standard, 0xc048_5619;
        VIDIOC_ENUMINPUT           = IOWR 26 v4l2_input, 0xc050_561a;
        VIDIOC_G_CTRL              = IOWR 27 v4l2_control, 0xc008_561b;
        VIDIOC_S_CTRL              = IOWR 28 v4l2_control, 0xc008_561c;
        VIDIOC_G_TUNER             = IOWR 29 v4l2_tuner, 0xc054_561d;
        VIDIOC_S_TUNER             = IOW 30 v4l2_tuner, 0x4054_561e;
        VIDIOC_G_AUDIO             = IOR 33 v4l2_audio, 0x8034_5621;
        VIDIOC_S_AUDIO             = IOW 34 v4l2_audio, 0x4034_5622;
        VIDIOC_QUERYCTRL           = IOWR 36 v4l2_queryctrl, 0xc044_5624;
        VIDIOC_QUERYMENU           = IOWR 37 v4l2_querymenu, 0xc02c_5625;
        VIDIOC_G_INPUT             = IOR 38 c_int, 0x8004_5626;
        VIDIOC_S_INPUT             = IOWR 39 c_int, 0xc004_5627;
        VIDIOC_G_EDID              = IOWR 40 v4l2_edid, 0xc028_5628/0xc024_5628;
        VIDIOC_S_EDID              = IOWR 41 v4l2_edid, 0xc028_5629/0xc024_5629;
        VIDIOC_G_OUTPUT            = IOR 46 c_int, 0x8004_562e;
        VIDIOC_S_OUTPUT            = IOWR 47 c_int, 0xc004_562f;
        VIDIOC_ENUMOUTPUT          = IOWR 48 v4l2_output, 0xc048_5630;
        VIDIOC_G_AUDOUT            = IOR 49 v4l2_audioout, 0x8034_5631;
        VIDIOC_S_AUDOUT            = IOW 50 v4l2_audioout, 0x4034_5632;
        VIDIOC_G_MODULATOR         = IOWR 54 v4l2_modulator, 0xc044_5636;
        VIDIOC_S_MODULATOR         = IOW 55 v4l2_modulator, 0x4044_5637;
        VIDIOC_G_FREQUENCY         = IOWR 56 v4l2_frequency, 0xc02c_5638;
        VIDIOC_S_FREQUENCY         = IOW 57 v4l2_frequency, 0x402c_5639;
        VIDIOC_CROPCAP             = IOWR 58 v4l2_cropcap, 0xc02c_563a;
        VIDIOC_G_CROP              = IOWR 59 v4l2_crop, 0xc014_563b;
        VIDIOC_S_CROP              = IOW 60 v4l2_crop, 0x4014_563c;
        VIDIOC_G_JPEGCOMP          = IOR 61 v4l2_jpegcompression, 0x808c_563d;
        VIDIOC_S_JPEGCOMP          = IOW 62 v4l2_jpegcompression, 0x408c_563e;
        VIDIOC_QUERYSTD            = IOR 63 v4l2_std_id, 0x8008_563f;
        VIDIOC_TRY_FMT             = IOWR 64 v4l2_format, 0xc0d0_5640/0xc0cc_5640;
        VIDIOC_ENUMAUDIO           = IOWR 65 v4l2_audio, 0xc034_5641;
        VIDIOC_ENUMAUDOUT          = IOWR 66 v4l2_audioout, 0xc034_5642;
        VIDIOC_G_PRIORITY          = IOR 67 u32, 0x8004_5643;
        VIDIOC_S_PRIORITY          = IOW 68 u32, 0x4004_5644;
        VIDIOC_G_SLICED_VBI_CAP    = IOWR 69 v4l2_sliced_vbi_cap, 0xc074_5645;
        VIDIOC_LOG_STATUS          = IO 70 (), 0x0000_5646;
        VIDIOC_G_EXT_CTRLS         = IOWR 71 v4l2_ext_controls, 0xc020_5647/0xc018_5647;
        VIDIOC_S_EXT_CTRLS         = IOWR 72 v4l2_ext_controls, 0xc020_5648/0xc018_5648;
        VIDIOC_TRY_EXT_CTRLS       = IOWR 73 v4l2_ext_controls, 0xc020_5649/0xc018_5649;
        VIDIOC_ENUM_FRAMESIZES     = IOWR 74 v4l2_frmsizeenum, 0xc02c_564a;
        VIDIOC_ENUM_FRAMEINTERVALS = IOWR 75 v4l2_frmivalenum, 0xc034_564b;
        VIDIOC_G_ENC_INDEX         = IOR 76 v4l2_enc_idx, 0x8818_564c;
        VIDIOC_ENCODER_CMD         = IOWR 77 v4l2_encoder_cmd, 0xc028_564d;
        VIDIOC_TRY_ENCODER_CMD     = IOWR 78 v4l2_encoder_cmd, 0xc028_564e;
        VIDIOC_DBG_S_REGISTER      = IOW 79 v4l2_dbg_register, 0x4038_564f;
        VIDIOC_DBG_G_REGISTER      = IOWR 80 v4l2_dbg_register, 0xc038_5650;
        VIDIOC_S_HW_FREQ_SEEK      = IOW 82 v4l2_hw_freq_seek, 0x4030_5652;
        VIDIOC_S_DV_TIMINGS        = IOWR 87 v4l2_dv_timings, 0xc084_5657;
        VIDIOC_G_DV_TIMINGS        = IOWR 88 v4l2_dv_timings, 0xc084_5658;
        VIDIOC_DQEVENT             = IOR 89 v4l2_event, 0x8088_5659;
        VIDIOC_SUBSCRIBE_EVENT     = IOW 90 v4l2_event_subscription, 0x4020_565a;
        VIDIOC_UNSUBSCRIBE_EVENT   = IOW 91 v4l2_event_subscription, 0x4020_565b;
        VIDIOC_CREATE_BUFS         = IOWR 92 v4l2_create_buffers, 0xc100_565c/0xc0f8_565c;
        VIDIOC_PREPARE_BUF         = IOWR 93 v4l2_buffer, 0xc058_565d/0xc050_565d;
        VIDIOC_G_SELECTION         = IOWR 94 v4l2_selection, 0xc040_565e;
        VIDIOC_S_SELECTION         = IOWR 95 v4l2_selection, 0xc040_565f;
        VIDIOC_DECODER_CMD         = IOWR 96 v4l2_decoder_cmd, 0xc048_5660;
        VIDIOC_TRY_DECODER_CMD     = IOWR 97 v4l2_decoder_cmd, 0xc048_5661;
        VIDIOC_ENUM_DV_TIMINGS     = IOWR 98 v4l2_enum_dv_timings, 0xc094_5662;
        VIDIOC_QUERY_DV_TIMINGS    = IOR 99 v4l2_dv_timings, 0x8084_5663;
        VIDIOC_DV_TIMINGS_CAP      = IOWR 100 v4l2_dv_timings_cap, 0xc090_5664;
        VIDIOC_ENUM_FREQ_BANDS     = IOWR 101 v4l2_frequency_band, 0xc040_5665;
        VIDIOC_DBG_G_CHIP_INFO     = IOWR 102 v4l2_dbg_chip_info, 0xc0c8_5666;
        VIDIOC_QUERY_EXT_CTRL      = IOWR 103 v4l2_query_ext_ctrl, 0xc0e8_5667;
    }

    const _: () = assert!(size_of::<time_t>() == 8 && size_of::<v4l2_std_id>() == 8);
}
