//! The system call that sends many messages at once, called directly.
//! sendmmsg(2); the kernel's `struct user_msghdr` (include/linux/socket.h).
//!
//! Not through the C library: musl's `sendmmsg` is a loop of `sendmsg`, one system call per message.
#![expect(
    unsafe_code,
    reason = "the kernel reads the messages and their parts by pointers"
)]

use std::ffi::{c_int, c_uint, c_void};
use std::io::IoSlice;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use heapless::Vec;
use nix::errno::Errno;
use nix::libc;

/// Most messages that one call takes (UIO_MAXIOV).
pub const MAX_MESSAGES: usize = 1024;

/// The kernel's `struct user_msghdr`, of a message on a connected socket.
#[repr(C)]
struct Header<'a> {
    name: *const c_void,
    name_length: c_int,
    /// `IoSlice` is the kernel's `struct iovec`, which the standard library guarantees.
    slices: *const IoSlice<'a>,
    slice_count: usize,
    control: *const c_void,
    control_length: usize,
    flags: c_uint,
    borrowed: PhantomData<&'a [IoSlice<'a>]>,
}

/// The kernel's `struct mmsghdr`.
#[repr(C)]
struct Message<'a> {
    header: Header<'a>,
    /// Octets sent, which the kernel fills in.
    length: c_uint,
}

impl<'a> Message<'a> {
    fn new(slices: &'a [IoSlice<'a>]) -> Self {
        Self {
            header: Header {
                name: ptr::null(),
                name_length: 0,
                slices: slices.as_ptr(),
                slice_count: slices.len(),
                control: ptr::null(),
                control_length: 0,
                flags: 0,
                borrowed: PhantomData,
            },
            length: 0,
        }
    }
}

/// Sends up to [`MAX_MESSAGES`] of `messages`, each a gather list, on a connected socket; returns how many
/// the kernel took, at least one.
pub fn sendmmsg<'a>(
    socket: BorrowedFd,
    messages: impl Iterator<Item = &'a [IoSlice<'a>]>,
) -> Result<usize, Errno> {
    // Filled where it is: `collect` would make it elsewhere and copy all of its room.
    let mut headers: Vec<Message, MAX_MESSAGES> = Vec::new();
    headers.extend(messages.take(MAX_MESSAGES).map(Message::new));
    // SAFETY: `headers` is an array of as many `struct mmsghdr` as said, whose gather lists and octets are
    // borrowed for longer than the call; the kernel reads them and writes only the lengths.
    let taken = unsafe {
        libc::syscall(
            libc::SYS_sendmmsg,
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            headers.len(),
            libc::MSG_NOSIGNAL,
        )
    };
    Ok(usize::try_from(Errno::result(taken)?).unwrap_or(0))
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Header>() == 56 && size_of::<Message>() == 64);
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Header>() == 28 && size_of::<Message>() == 32);
