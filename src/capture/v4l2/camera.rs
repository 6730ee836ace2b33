//! A V4L2 camera as a source: opened, negotiated, streaming; what the driver really chose counts.
//! V4L2 user-space API: VIDIOC_S_FMT, VIDIOC_S_PARM, poll(), VIDIOC_DQBUF.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tracing::{info, warn};
use v4l::Device;
use v4l::format::FourCC;
use v4l::v4l_sys::v4l2_pix_format;
use v4l::video::{Capture, capture::Parameters};

use super::adjusting::Adjusting;
use super::controls;
use super::ioctl;
use super::open::{Opened, fourcc_name, numbers_what_it_loses};
use super::quality;
use super::ring::{Ring, RingError};
use crate::capture::error::CaptureError;
use crate::capture::health::{Silence, Verdict};
use crate::capture::source::{Agreement, Captured, Source};
use crate::clocks::monotonic_now;
use crate::config;
use crate::heartbeat::Heartbeat;
use crate::log_limit::LogLimits;
use crate::panel::Panel;
use crate::stop::{Stop, readable, wait_readable};

/// Pause when the device says "ready" but has nothing, so that a strange driver cannot spin the thread.
const NOTHING_YET: Duration = Duration::from_millis(10);

/// A streaming camera.
pub struct Camera {
    name: String,
    agreement: Agreement,
    ring: Ring,
    silence: Silence,
    said: Arc<LogLimits>,
    configured: config::Controls,
    adjusting: Option<Adjusting>,
}

/// What counts of a format. Whatever else the driver says of it (colours, fields, room) is the picture's own matter.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mode {
    width: u32,
    height: u32,
    fourcc: FourCC,
}

impl From<v4l2_pix_format> for Mode {
    fn from(format: v4l2_pix_format) -> Self {
        Self {
            width: format.width,
            height: format.height,
            fourcc: format.pixelformat.into(),
        }
    }
}

/// What the driver made of what was asked.
struct Negotiated {
    mode: Mode,
    /// Seconds per frame as a fraction; `None` when the driver does not tell.
    interval: Option<v4l::Fraction>,
}

impl Camera {
    /// Sets the open camera up as `config` says and starts it. Each step may take as long as the driver waits for the
    /// camera (uvcvideo: 5 s), so `heartbeat` is beaten between them. What was `said` a short while ago is not said again.
    /// Controls that are `kept` count instead of those of `config`.
    pub fn start(
        opened: Opened,
        config: &config::Camera,
        kept: &config::Controls,
        said: &Arc<LogLimits>,
        heartbeat: &Heartbeat,
    ) -> Result<Self, CaptureError> {
        let name = config.name().to_string();
        heartbeat.beat();
        let got = negotiate(&opened, config, said)?;
        heartbeat.beat();
        let ring = Ring::start(opened.device, config.buffers.get())
            .map_err(|error| not_started(&opened.path, error))?;
        heartbeat.beat();
        still_agreed(ring.device(), &opened.path, &got)?;
        // Some cameras forget what was set before the stream began.
        if let Some(quality) = config.quality
            && let Err(problem) = quality::apply(ring.device(), quality, got.mode.fourcc)
            && said.note(&problem, Instant::now()).is_some()
        {
            warn!("{name}: {problem}");
        }
        let wanted = config.controls.overridden_by(kept);
        controls::apply(&name, ring.device(), &wanted, said, heartbeat);
        let agreement = Agreement {
            node: opened.path,
            card: opened.card,
            driver: opened.driver,
            format: fourcc_name(got.mode.fourcc),
            width: got.mode.width,
            height: got.mode.height,
            fps: got.fps(),
            buffers: ring.len(),
            buffer_octets: ring.buffer_octets(),
        };
        say(config, &agreement, said);
        Ok(Self {
            name,
            agreement,
            ring,
            silence: Silence::new(got.frame_time(), Instant::now()),
            said: Arc::clone(said),
            configured: config.controls.clone(),
            adjusting: None,
        })
    }

    fn failed(&self, operation: &'static str, errno: Errno) -> CaptureError {
        CaptureError::Device {
            path: self.agreement.node.clone(),
            operation,
            errno,
        }
    }

    /// No buffer came: fine, worth a warning, or the end of the stream.
    fn nothing(&mut self) -> Result<Captured, CaptureError> {
        let now = Instant::now();
        match self.silence.verdict(now) {
            Verdict::Wait => {}
            Verdict::Warn => {
                if let Some(times) = self.said.note("silence", now) {
                    let buffers = self.ring.requeue_failures();
                    warn!(
                        "{}: {}: no picture for {:.1} s; still waiting, {buffers} buffers could not be queued again{times}",
                        self.name,
                        self.agreement.node.display(),
                        self.silence.lasted(now).as_secs_f32(),
                    );
                }
            }
            Verdict::GiveUp => {
                return Err(CaptureError::Silent {
                    path: self.agreement.node.clone(),
                });
            }
        }
        Ok(Captured::Nothing)
    }
}

impl Source for Camera {
    fn size(&self) -> Option<(u32, u32)> {
        Some((self.agreement.width, self.agreement.height))
    }

    fn agreement(&self) -> Option<&Agreement> {
        Some(&self.agreement)
    }

    fn adjust(&mut self, panel: &Panel) {
        if self.adjusting.is_none() {
            let order = panel.take();
            self.adjusting = order.map(|order| Adjusting::new(order, panel.known()));
        }
        if let Some(adjusting) = &mut self.adjusting
            && adjusting.turn(self.ring.device(), &self.configured, panel)
        {
            self.adjusting = None;
        }
    }

    fn next(&mut self, until: Duration, stop: &Stop) -> Result<Captured, CaptureError> {
        let wait = until.saturating_sub(monotonic_now());
        if !wait.is_zero() {
            let mut fds = [readable(self.ring.as_fd()), readable(stop.as_fd())];
            let ready = wait_readable(&mut fds, wait)
                .map_err(|error| self.failed("poll", errno(&error)))?;
            if ready == 0 || fds[1].any().unwrap_or(false) {
                return self.nothing();
            }
        }
        let pause = || {
            let left = until.saturating_sub(monotonic_now());
            left.is_zero() || stop.wait(NOTHING_YET.min(left))
        };
        match self.ring.dequeue() {
            Ok(Some(buffer)) => {
                let transfer_failed = buffer.error && buffer.frame.data.is_empty();
                self.silence.heard(transfer_failed, Instant::now());
                if transfer_failed {
                    // All buffers may come back at once, again and again.
                    pause();
                }
                Ok(if buffer.error {
                    Captured::Damaged(buffer.frame)
                } else {
                    Captured::Frame(buffer.frame)
                })
            }
            Ok(None) => {
                pause();
                self.nothing()
            }
            Err(errno) => Err(self.failed("VIDIOC_DQBUF", errno)),
        }
    }
}

/// Says what was agreed to, and what can be known of the camera.
fn say(config: &config::Camera, agreed: &Agreement, said: &LogLimits) {
    let fps = agreed.fps.map_or("?".to_owned(), |fps| fps.to_string());
    let opening = format!(
        "{} ({}): asked {}x{}@{}, got {}x{}@{fps} {}, {} buffers",
        agreed.node.display(),
        agreed.card,
        config.width.get(),
        config.height.get(),
        config.fps(),
        agreed.width,
        agreed.height,
        agreed.format,
        agreed.buffers,
    );
    let losses = format!(
        "the driver {} does not number what it loses: sequence_gaps tells nothing",
        agreed.driver
    );
    let is_mute = !numbers_what_it_loses(&agreed.driver);
    for line in [Some(opening), is_mute.then_some(losses)]
        .into_iter()
        .flatten()
    {
        if said.note(&line, Instant::now()).is_some() {
            info!("{}: {line}", config.name());
        }
    }
}

/// Asks for format, size and rate, and reads back what the driver chose.
fn negotiate(
    opened: &Opened,
    config: &config::Camera,
    said: &LogLimits,
) -> Result<Negotiated, CaptureError> {
    let device = &opened.device;
    let fourcc = opened.jpeg_format()?;
    let (width, height) = (config.width.get(), config.height.get());
    let mode = ioctl::set_format(&device.handle(), width, height, fourcc.into());
    let mode = Mode::from(mode.map_err(failed(&opened.path, "VIDIOC_S_FMT"))?);
    if mode.fourcc != fourcc {
        return Err(CaptureError::RawOnly {
            path: opened.path.clone(),
            card: opened.card.clone(),
            formats: format!("{} at this size", fourcc_name(mode.fourcc)),
        });
    }
    if let Some(millihertz) = config.fps().millihertz() {
        let interval = reduced(1000, millihertz);
        // Drivers without VIDIOC_S_PARM have one rate; what it is shows when it is read back.
        if let Err(error) = device.set_params(&Parameters::new(interval)) {
            let problem = format!("the frame rate cannot be set: {error}");
            if said.note(&problem, Instant::now()).is_some() {
                warn!("{}: {problem}", config.name());
            }
        }
    }
    let interval = device.params().map(|parameters| parameters.interval).ok();
    Ok(Negotiated {
        mode,
        interval: interval.filter(|interval| interval.numerator > 0 && interval.denominator > 0),
    })
}

/// What a failed call on the open camera means.
fn failed(path: &Path, operation: &'static str) -> impl Fn(Errno) -> CaptureError {
    move |errno| CaptureError::Device {
        path: path.to_owned(),
        operation,
        errno,
    }
}

/// Until the buffers were set up another program could change the format; afterwards the driver refuses.
fn still_agreed(device: &Device, path: &Path, got: &Negotiated) -> Result<(), CaptureError> {
    let now = ioctl::format(&device.handle()).map_err(failed(path, "VIDIOC_G_FMT"))?;
    if Mode::from(now) == got.mode {
        Ok(())
    } else {
        Err(CaptureError::FormatChanged {
            path: path.to_owned(),
        })
    }
}

/// What it means that the buffers could not be set up or the stream not be started.
fn not_started(path: &Path, error: RingError) -> CaptureError {
    let (operation, errno) = match error {
        RingError::Request(errno) => ("VIDIOC_REQBUFS", errno),
        RingError::Map(errno) => ("mmap", errno),
        RingError::StreamOn(errno) => ("VIDIOC_STREAMON", errno),
    };
    CaptureError::Device {
        path: path.to_owned(),
        operation,
        errno,
    }
}

impl Negotiated {
    /// Frames per second, rounded to thousandths.
    fn fps(&self) -> Option<f64> {
        self.interval.as_ref().map(|interval| {
            let fps = f64::from(interval.denominator) / f64::from(interval.numerator);
            (fps * 1000.0).round() / 1000.0
        })
    }

    /// Time from frame to frame, zero when unknown.
    fn frame_time(&self) -> Duration {
        self.interval.as_ref().map_or(Duration::ZERO, |interval| {
            Duration::from_secs(interval.numerator.into()) / interval.denominator.max(1)
        })
    }
}

/// The fraction in lowest terms: some drivers compare it term by term.
fn reduced(numerator: u32, denominator: u32) -> v4l::Fraction {
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    v4l::Fraction::new(numerator / a.max(1), denominator / a.max(1))
}

fn errno(error: &io::Error) -> Errno {
    error
        .raw_os_error()
        .map_or(Errno::UnknownErrno, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use v4l::v4l_sys::v4l2_pix_format__bindgen_ty_1;

    use super::*;

    #[test]
    fn what_a_driver_says_of_colours_and_fields_is_no_matter() {
        let [width, height, pixelformat] = [640, 480, u32::from_le_bytes(*b"MJPG")];
        let strange = v4l2_pix_format {
            width,
            height,
            pixelformat,
            field: 77,
            bytesperline: u32::MAX,
            sizeimage: 0,
            colorspace: 4711,
            priv_: u32::MAX,
            flags: u32::MAX,
            __bindgen_anon_1: v4l2_pix_format__bindgen_ty_1 { ycbcr_enc: 99 },
            quantization: 9,
            xfer_func: 88,
        };
        let plain = Mode {
            width,
            height,
            fourcc: FourCC::new(b"MJPG"),
        };
        assert_eq!(Mode::from(strange), plain);
        let other = v4l2_pix_format {
            pixelformat: u32::from_le_bytes(*b"YUYV"),
            ..strange
        };
        assert_ne!(Mode::from(other), plain);
    }

    #[test]
    fn frame_intervals_are_in_lowest_terms() {
        for (millihertz, expected) in [(30_000, (1, 30)), (7_500, (2, 15)), (29_970, (100, 2997))] {
            let interval = reduced(1000, millihertz);
            assert_eq!((interval.numerator, interval.denominator), expected);
        }
    }
}
