//! The V4L2 system calls that the `v4l` crate has no panic-free or buffer-by-buffer form of.
//! V4L2 user-space API: VIDIOC_QUERYCAP, ENUM_FMT, G_FMT, S_FMT, TRY_FMT, QUERY_EXT_CTRL, QUERYMENU, G_EXT_CTRLS, REQBUFS,
//! QUERYBUF, QBUF, DQBUF, STREAMON, STREAMOFF.
//!
//! The crate unwraps on names cut inside a UTF-8 character, and on colour spaces and control types newer than itself;
//! clippy.toml keeps us from those of its functions.
#![expect(
    unsafe_code,
    reason = "ioctl(2) takes pointers; each call here has one whose size it knows"
)]

use std::ffi::c_int;
use std::mem::MaybeUninit;

use nix::errno::Errno;
use v4l::device::Handle;
use v4l::v4l_sys::{
    V4L2_CTRL_FLAG_NEXT_CTRL, v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE, v4l2_buffer,
    v4l2_capability, v4l2_ext_control, v4l2_ext_controls, v4l2_fmtdesc, v4l2_format,
    v4l2_memory_V4L2_MEMORY_MMAP, v4l2_pix_format, v4l2_query_ext_ctrl, v4l2_querymenu,
    v4l2_requestbuffers,
};

/// The one buffer type that framewire streams: single-planar capture.
const CAPTURE: u32 = v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
/// The one kind of memory: buffers of the driver, mapped.
const MMAP: u32 = v4l2_memory_V4L2_MEMORY_MMAP;

mod raw {
    use super::*;

    nix::ioctl_read!(querycap, b'V', 0, v4l2_capability);
    nix::ioctl_readwrite!(enum_fmt, b'V', 2, v4l2_fmtdesc);
    nix::ioctl_readwrite!(g_fmt, b'V', 4, v4l2_format);
    nix::ioctl_readwrite!(s_fmt, b'V', 5, v4l2_format);
    nix::ioctl_readwrite!(reqbufs, b'V', 8, v4l2_requestbuffers);
    nix::ioctl_readwrite!(querybuf, b'V', 9, v4l2_buffer);
    nix::ioctl_readwrite!(qbuf, b'V', 15, v4l2_buffer);
    nix::ioctl_readwrite!(dqbuf, b'V', 17, v4l2_buffer);
    nix::ioctl_write_ptr!(streamon, b'V', 18, c_int);
    nix::ioctl_write_ptr!(streamoff, b'V', 19, c_int);
    nix::ioctl_readwrite!(querymenu, b'V', 37, v4l2_querymenu);
    nix::ioctl_readwrite!(try_fmt, b'V', 64, v4l2_format);
    nix::ioctl_readwrite!(g_ext_ctrls, b'V', 71, v4l2_ext_controls);
    nix::ioctl_readwrite!(query_ext_ctrl, b'V', 103, v4l2_query_ext_ctrl);
}

/// C structs for which all octets zero is a value.
///
/// # Safety
///
/// Only for structs of integers, raw pointers, and arrays, structs and unions of these.
unsafe trait Zeroed: Copy {
    fn zeroed() -> Self {
        // SAFETY: zero is a value of each integer and each raw pointer, of which the struct is made.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }
}
// SAFETY: integers, two structs of them, a union with pointers, and a union of integers.
unsafe impl Zeroed for v4l2_buffer {}
// SAFETY: integers and arrays of them.
unsafe impl Zeroed for v4l2_capability {}
// SAFETY: integers and a union of integers and pointers.
unsafe impl Zeroed for v4l2_ext_control {}
// SAFETY: integers, arrays of them, and a pointer.
unsafe impl Zeroed for v4l2_ext_controls {}
// SAFETY: integers and arrays of them.
unsafe impl Zeroed for v4l2_fmtdesc {}
// SAFETY: an integer and a union of structs of integers, arrays of them, and pointers.
unsafe impl Zeroed for v4l2_format {}
// SAFETY: integers and a union of integers.
unsafe impl Zeroed for v4l2_pix_format {}
// SAFETY: integers and arrays of them.
unsafe impl Zeroed for v4l2_query_ext_ctrl {}
// SAFETY: integers and a union of an array and an integer.
unsafe impl Zeroed for v4l2_querymenu {}
// SAFETY: integers and an array of them.
unsafe impl Zeroed for v4l2_requestbuffers {}

fn buffer(index: u32) -> v4l2_buffer {
    v4l2_buffer {
        type_: CAPTURE,
        memory: MMAP,
        index,
        ..Zeroed::zeroed()
    }
}

/// What the device is and can do.
pub fn query_capability(handle: &Handle) -> Result<v4l2_capability, Errno> {
    let mut capability = v4l2_capability::zeroed();
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_capability.
    unsafe { raw::querycap(handle.fd(), &mut capability) }?;
    Ok(capability)
}

/// The four-character code of format number `index`; `None` after the last.
pub fn pixel_format(handle: &Handle, index: u32) -> Option<u32> {
    let mut description = v4l2_fmtdesc {
        type_: CAPTURE,
        index,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_fmtdesc.
    unsafe { raw::enum_fmt(handle.fd(), &mut description) }.ok()?;
    Some(description.pixelformat)
}

/// The format that is set.
pub fn format(handle: &Handle) -> Result<v4l2_pix_format, Errno> {
    let mut format = v4l2_format {
        type_: CAPTURE,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_format.
    unsafe { raw::g_fmt(handle.fd(), &mut format) }?;
    Ok(single_planar(&format))
}

/// Asks for a size and a four-character code, and leaves the rest to the driver; returns what it chose.
pub fn set_format(
    handle: &Handle,
    width: u32,
    height: u32,
    pixelformat: u32,
) -> Result<v4l2_pix_format, Errno> {
    let mut format = wanted(width, height, pixelformat);
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_format.
    unsafe { raw::s_fmt(handle.fd(), &mut format) }?;
    Ok(single_planar(&format))
}

/// What the driver would choose; nothing is set, and a stream is not disturbed.
pub fn try_format(
    handle: &Handle,
    width: u32,
    height: u32,
    pixelformat: u32,
) -> Result<v4l2_pix_format, Errno> {
    let mut format = wanted(width, height, pixelformat);
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_format.
    unsafe { raw::try_fmt(handle.fd(), &mut format) }?;
    Ok(single_planar(&format))
}

/// What a format of [`CAPTURE`] says.
fn single_planar(format: &v4l2_format) -> v4l2_pix_format {
    // SAFETY: for CAPTURE the union holds a v4l2_pix_format; any octets are its integers.
    unsafe { format.fmt.pix }
}

/// What is asked of a driver.
fn wanted(width: u32, height: u32, pixelformat: u32) -> v4l2_format {
    let mut format = v4l2_format {
        type_: CAPTURE,
        ..Zeroed::zeroed()
    };
    format.fmt.pix = v4l2_pix_format {
        width,
        height,
        pixelformat,
        ..Zeroed::zeroed()
    };
    format
}

/// Asks for `count` buffers (0 = free them); returns how many there are now.
///
/// # Safety
///
/// From here on the same indices mean other buffers of the descriptor: nobody may be left who would queue an
/// old one.
pub unsafe fn request_buffers(handle: &Handle, count: u32) -> Result<u32, Errno> {
    let mut request = v4l2_requestbuffers {
        count,
        type_: CAPTURE,
        memory: MMAP,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_requestbuffers. Memory that is
    // still mapped stays: the kernel keeps it until it is unmapped, or answers EBUSY.
    unsafe { raw::reqbufs(handle.fd(), &mut request) }?;
    Ok(request.count)
}

/// Length in octets and mmap offset of buffer `index`.
pub fn query_buffer(handle: &Handle, index: u32) -> Result<(u32, u32), Errno> {
    let mut buffer = buffer(index);
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_buffer.
    unsafe { raw::querybuf(handle.fd(), &mut buffer) }?;
    // SAFETY: for MMAP buffers the union holds the offset; any octets are a valid u32.
    let offset = unsafe { buffer.m.offset };
    Ok((buffer.length, offset))
}

/// Gives buffer `index` to the driver, which will write into it.
///
/// # Safety
///
/// No reference into the buffer's memory may exist from here until the buffer is dequeued again.
pub unsafe fn queue_buffer(handle: &Handle, index: u32) -> Result<(), Errno> {
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_buffer; into the buffer itself
    // the driver may write, because the caller has no reference to it.
    unsafe { raw::qbuf(handle.fd(), &mut buffer(index)) }?;
    Ok(())
}

/// Takes a filled buffer from the driver; `EAGAIN` when there is none.
pub fn dequeue_buffer(handle: &Handle) -> Result<v4l2_buffer, Errno> {
    let mut buffer = buffer(0);
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_buffer.
    unsafe { raw::dqbuf(handle.fd(), &mut buffer) }?;
    Ok(buffer)
}

/// Starts streaming.
pub fn stream_on(handle: &Handle) -> Result<(), Errno> {
    let type_ = CAPTURE.cast_signed();
    // SAFETY: the handle's descriptor is open and the kernel reads one int.
    unsafe { raw::streamon(handle.fd(), &type_) }?;
    Ok(())
}

/// Stops streaming; all buffers leave the driver.
pub fn stream_off(handle: &Handle) -> Result<(), Errno> {
    let type_ = CAPTURE.cast_signed();
    // SAFETY: the handle's descriptor is open and the kernel reads one int.
    unsafe { raw::streamoff(handle.fd(), &type_) }?;
    Ok(())
}

/// The first simple control whose id is above `id`; `None` after the last.
pub fn next_control(handle: &Handle, id: u32) -> Option<v4l2_query_ext_ctrl> {
    let mut control = v4l2_query_ext_ctrl {
        id: id | V4L2_CTRL_FLAG_NEXT_CTRL,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_query_ext_ctrl.
    unsafe { raw::query_ext_ctrl(handle.fd(), &mut control) }.ok()?;
    Some(control)
}

/// One entry of a menu control, as its name and as its value (which of them counts, the control's type
/// says); `None` for indices that the control does not have.
pub fn menu_item(handle: &Handle, id: u32, index: u32) -> Option<([u8; 32], i64)> {
    let mut item = v4l2_querymenu {
        id,
        index,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open and the kernel writes one v4l2_querymenu.
    unsafe { raw::querymenu(handle.fd(), &mut item) }.ok()?;
    let entry = item.__bindgen_anon_1;
    // SAFETY: any octets are a valid array of u8.
    let name = unsafe { entry.name };
    // SAFETY: any octets are a valid i64.
    let value = unsafe { entry.value };
    Some((name, value))
}

/// The value of a control that holds a number: of 64 bits where it `is_wide`, otherwise of 32.
pub fn control_value(handle: &Handle, id: u32, is_wide: bool) -> Result<i64, Errno> {
    // No memory for anything but a number: the kernel refuses what has more to say.
    let mut control = v4l2_ext_control {
        id,
        ..Zeroed::zeroed()
    };
    let mut controls = v4l2_ext_controls {
        count: 1,
        controls: &raw mut control,
        ..Zeroed::zeroed()
    };
    // SAFETY: the handle's descriptor is open; the kernel writes one v4l2_ext_controls and, as `count` says, the one
    // v4l2_ext_control that it points to. Both live until the call returns.
    unsafe { raw::g_ext_ctrls(handle.fd(), &mut controls) }?;
    let value = control.__bindgen_anon_1;
    if is_wide {
        // SAFETY: any octets are a valid i64.
        Ok(unsafe { value.value64 })
    } else {
        // SAFETY: any octets are a valid i32.
        Ok(unsafe { value.value }.into())
    }
}
