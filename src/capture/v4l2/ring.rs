//! The ring of V4L2 buffers: frames are read where the driver wrote them, and lent out until nobody needs them.
//! V4L2 user-space API, "Streaming I/O (Memory Mapping)".
#![expect(
    unsafe_code,
    reason = "frames are read in memory that the driver shares: nobody but this file knows for how long"
)]

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use v4l::device::{Device, Handle};
use v4l::v4l_sys::{
    V4L2_BUF_FLAG_ERROR, V4L2_BUF_FLAG_TIMESTAMP_MASK, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
    v4l2_buffer,
};

use super::ioctl;
use crate::clocks::monotonic_now;
use crate::frame::{Frame, Suspicion};

/// Which step of setting up a ring failed, and what the kernel said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingError {
    /// VIDIOC_REQBUFS.
    Request(Errno),
    /// VIDIOC_QUERYBUF, mmap or the first VIDIOC_QBUF.
    Map(Errno),
    /// VIDIOC_STREAMON.
    StreamOn(Errno),
}

/// A streaming device. Dropping it stops the stream; buffers still lent out stay readable.
pub struct Ring {
    device: Device,
    buffers: Arc<Buffers>,
}

/// A filled buffer.
#[derive(Debug)]
pub struct Dequeued {
    /// The picture; its `data` is the lease.
    pub frame: Frame,
    /// V4L2_BUF_FLAG_ERROR: the driver knows that the picture is damaged.
    pub error: bool,
}

/// All buffers of an open device: their mappings, and the descriptor on which nobody else queues any.
struct Buffers {
    handle: Arc<Handle>,
    mappings: Vec<Mapping>,
    requeue_failures: AtomicU64,
}

struct Mapping {
    address: NonNull<c_void>,
    length: NonZeroUsize,
}

// SAFETY: a mapping is plain memory of the process, not bound to a thread.
unsafe impl Send for Mapping {}
// SAFETY: shared references only read; the driver writes only to buffers that no lease exists for.
unsafe impl Sync for Mapping {}

/// A dequeued buffer, the only one of its index. Dropping it gives the buffer back to the driver.
struct Lease {
    buffers: Arc<Buffers>,
    index: u32,
    /// Bounded by the mapping's length.
    bytesused: usize,
}

impl Ring {
    /// Maps `count` buffers (or as many as the driver gives), queues them all and starts the stream.
    ///
    /// The ring keeps the device, so that an open device has one ring at most: leases of a former one would queue
    /// the buffers of the next.
    pub fn start(device: Device, count: u32) -> Result<Self, RingError> {
        let handle = device.handle();
        // SAFETY: this is the first request on the descriptor, so there are no old buffers: a device has a descriptor
        // of its own, a ring does not give it back, and clippy.toml keeps `v4l`'s own streams away from it.
        let requested = unsafe { ioctl::request_buffers(&handle, count) };
        let count = requested.map_err(RingError::Request)?;
        let mut buffers = Buffers {
            handle,
            mappings: Vec::new(),
            requeue_failures: AtomicU64::new(0),
        };
        for index in 0..count {
            let mapping = Mapping::new(&buffers.handle, index).map_err(RingError::Map)?;
            buffers.mappings.push(mapping);
            // SAFETY: the only mapping of the buffer is new; references into it are made by leases alone, and a lease
            // is made when the buffer has been dequeued.
            let queued = unsafe { ioctl::queue_buffer(&buffers.handle, index) };
            queued.map_err(RingError::Map)?;
        }
        ioctl::stream_on(&buffers.handle).map_err(RingError::StreamOn)?;
        Ok(Self {
            device,
            buffers: Arc::new(buffers),
        })
    }

    /// The next filled buffer, `None` when there is none yet.
    pub fn dequeue(&self) -> Result<Option<Dequeued>, Errno> {
        let buffer = match ioctl::dequeue_buffer(&self.buffers.handle) {
            Ok(buffer) => buffer,
            Err(Errno::EAGAIN) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        let mapping = usize::try_from(buffer.index)
            .ok()
            .and_then(|index| self.buffers.mappings.get(index))
            .ok_or(Errno::EINVAL)?;
        let bytesused = usize::try_from(buffer.bytesused).map_or(usize::MAX, |octets| octets);
        let lease = Lease {
            buffers: Arc::clone(&self.buffers),
            index: buffer.index,
            bytesused: bytesused.min(mapping.length.get()),
        };
        Ok(Some(Dequeued {
            frame: Frame {
                data: Bytes::from_owner(lease),
                sequence: buffer.sequence,
                captured: capture_time(&buffer),
                dequeued: monotonic_now(),
                suspicion: Suspicion::None,
            },
            error: buffer.flags & V4L2_BUF_FLAG_ERROR != 0,
        }))
    }

    /// The open device, for everything but its buffers.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Buffers the driver got.
    pub fn len(&self) -> usize {
        self.buffers.mappings.len()
    }

    /// Size of the largest of them, in octets.
    pub fn buffer_octets(&self) -> usize {
        let lengths = self.buffers.mappings.iter().map(|each| each.length.get());
        lengths.max().unwrap_or(0)
    }

    /// Buffers that could not be given back to the driver.
    pub fn requeue_failures(&self) -> u64 {
        self.buffers.requeue_failures.load(Ordering::Relaxed)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Fails only when the device is gone, and then it does not stream.
        let _ = ioctl::stream_off(&self.buffers.handle);
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        self.mappings.clear();
        // SAFETY: every lease holds the `Arc` of these buffers, so no lease is left that would queue one.
        let freed = unsafe { ioctl::request_buffers(&self.handle, 0) };
        // Fails only when the device is gone, and its buffers with it.
        let _ = freed;
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        descriptor(&self.buffers.handle)
    }
}

fn descriptor(handle: &Handle) -> BorrowedFd<'_> {
    // SAFETY: the handle keeps its descriptor open for as long as it lives, longer than this borrow.
    unsafe { BorrowedFd::borrow_raw(handle.fd()) }
}

impl Mapping {
    fn new(handle: &Handle, index: u32) -> Result<Self, Errno> {
        let (length, offset) = ioctl::query_buffer(handle, index)?;
        let length = usize::try_from(length)
            .ok()
            .and_then(NonZeroUsize::new)
            .ok_or(Errno::EINVAL)?;
        #[cfg_attr(
            not(all(target_pointer_width = "32", target_env = "gnu")),
            expect(
                clippy::unnecessary_fallible_conversions,
                reason = "an offset in a file is an i64, but an i32 on 32-bit glibc"
            )
        )]
        let offset = offset.try_into().map_err(|_| Errno::EOVERFLOW)?;
        let fd = descriptor(handle);
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let address = unsafe {
            mmap(
                None,
                length,
                ProtFlags::PROT_READ,
                MapFlags::MAP_SHARED,
                fd,
                offset,
            )
        }?;
        Ok(Self { address, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length; every lease holds the `Arc` of the `Buffers` that
        // own this mapping, so no reference into it is left.
        let _ = unsafe { munmap(self.address, self.length.get()) };
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        let index = usize::try_from(self.index).unwrap_or(usize::MAX);
        let Some(mapping) = self.buffers.mappings.get(index) else {
            return &[];
        };
        // SAFETY: the mapping lives as long as `self.buffers`; `bytesused` is within it; the driver does
        // not write to a buffer between VIDIOC_DQBUF and the VIDIOC_QBUF in this lease's `drop`.
        unsafe { std::slice::from_raw_parts(mapping.address.as_ptr().cast(), self.bytesused) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // SAFETY: slices of the buffer borrow its lease, which is borrowed here alone; the kernel dequeued the buffer
        // once, so there is no second lease of it; the index is still this buffer's, because buffers are requested
        // again only after the last lease.
        let queued = unsafe { ioctl::queue_buffer(&self.buffers.handle, self.index) };
        // Fails when the device is gone (ENODEV), or when the driver rejects the buffer: counted, because
        // a ring that has lost its buffers stands still.
        if queued.is_err() {
            self.buffers
                .requeue_failures
                .fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// When the picture was taken, as the driver says; zero when its clock is not the monotonic one.
fn capture_time(buffer: &v4l2_buffer) -> Duration {
    let seconds = u64::try_from(buffer.timestamp.tv_sec).unwrap_or(0);
    let micros = u64::try_from(buffer.timestamp.tv_usec).unwrap_or(0);
    let time = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros));
    let is_monotonic =
        buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    time.filter(|_| is_monotonic).unwrap_or(Duration::ZERO)
}
