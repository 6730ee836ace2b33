//! Tells systemd how the service does: ready, status, alive, reloading, stopping.
//! sd_notify(3), sd_watchdog_enabled(3), systemd.service(5) `Type=notify`, `WatchdogSec=`.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tracing::{error, info, warn};

use super::cameras::Cameras;
use super::notify::NotifySocket;
use super::status::Status;
use crate::camera::CameraThread;
use crate::clocks::monotonic_now;
use crate::heartbeat::LONGEST_WAIT;
use crate::log_limit::LogLimit;
use crate::stats::CameraState;

/// Longest wait for a first frame before the service says that it is ready without one.
const GRACE: Duration = Duration::from_secs(10);
/// Shortest time between two status lines.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);

/// The service manager; does nothing when there is none (no `$NOTIFY_SOCKET`).
pub struct Manager {
    socket: Option<NotifySocket>,
    /// When the grace for a first frame ends; `None` once the service is ready.
    grace: Option<Instant>,
    reloading: bool,
    watchdog: Option<Watchdog>,
    status: Status,
    /// When the status is due.
    due: Instant,
    said: String,
    failures: LogLimit,
}

/// When it is told that the service lives.
struct Watchdog {
    /// Longest silence of a thread that still counts as alive.
    patience: Duration,
    interval: Duration,
    due: Instant,
}

impl Watchdog {
    /// For a manager that waits for `limit`. A thread that hangs is noticed after half of it; looking twice
    /// as often, what the manager heard last before a shorter hang is recent enough for it.
    fn new(limit: Duration, now: Instant) -> Self {
        Self {
            patience: (limit / 2).max(2 * LONGEST_WAIT),
            interval: limit / 4,
            due: now,
        }
    }
}

impl Manager {
    /// The manager that the environment names.
    pub fn from_environment(now: Instant) -> Self {
        let socket = NotifySocket::from_environment().and_then(|socket| {
            let said = |problem| error!("cannot reach the service manager: {problem}");
            socket.map_err(said).ok()
        });
        let watchdog = sd_notify::watchdog_enabled().filter(|_| socket.is_some());
        Self {
            grace: socket.as_ref().map(|_| now + GRACE),
            socket,
            reloading: false,
            watchdog: watchdog.map(|limit| Watchdog::new(limit, now)),
            status: Status::default(),
            due: now,
            said: String::new(),
            failures: LogLimit::default(),
        }
    }

    /// Whether there is one.
    pub fn is_present(&self) -> bool {
        self.socket.is_some()
    }

    /// Whether it waits for the first frame.
    pub fn is_starting(&self) -> bool {
        self.grace.is_some()
    }

    /// Longest time until its next turn: the watchdog may want to hear more often than the loop has to turn.
    pub fn longest_wait(&self) -> Duration {
        let interval = self.watchdog.as_ref().map(|watchdog| watchdog.interval);
        interval.map_or(LONGEST_WAIT, |interval| interval.min(LONGEST_WAIT))
    }

    /// Something that the status says too, until it is taken back.
    pub fn note(&mut self, note: Option<&'static str>) {
        self.status.note = note;
    }

    /// A turn of the main loop: tells what is due.
    pub fn turn(&mut self, now: Instant, cameras: &mut Cameras) {
        if !self.is_present() {
            return;
        }
        self.become_ready(now, cameras);
        if self.reloading && !cameras.is_changing(now) {
            self.reloading = !self.tell(&[NotifyState::Ready]);
            // Said again even when nothing has changed: whoever asked for the reload reads it now.
            self.said.clear();
            self.due = now;
        }
        if now >= self.due && !cameras.is_changing(now) {
            self.due = now + STATUS_INTERVAL;
            self.tell_status(now, cameras);
        }
        self.feed_watchdog(now, cameras);
    }

    fn become_ready(&mut self, now: Instant, cameras: &Cameras) {
        let Some(grace) = self.grace else { return };
        let is_well = |camera: &CameraThread| {
            camera.stats().frames_sent() > 0 || camera.stats().state() == CameraState::Idle
        };
        let any = cameras.running().iter().any(is_well);
        if !any && now < grace {
            return;
        }
        // The status first: whoever waited for the start sees it.
        self.tell_status(now, cameras);
        if !self.tell(&[NotifyState::Ready]) {
            return;
        }
        self.grace = None;
        if !any {
            info!(
                "no frame sent within {} s: ready all the same",
                GRACE.as_secs()
            );
        }
    }

    fn tell_status(&mut self, now: Instant, cameras: &Cameras) {
        let status = self.status.line(now, cameras);
        if status != self.said && self.tell(&[NotifyState::Status(&status)]) {
            self.said = status;
        }
    }

    /// Says that the service lives when it is true: every thread's loop turns, the caller's own included.
    fn feed_watchdog(&mut self, now: Instant, cameras: &mut Cameras) {
        let Some(watchdog) = &mut self.watchdog else {
            return;
        };
        if now < watchdog.due {
            return;
        }
        watchdog.due = now + watchdog.interval;
        let patience = watchdog.patience;
        // Each is asked, so that each is logged.
        let hang = cameras
            .watched()
            .filter_map(|thread| (!thread.is_alive(now, patience)).then_some(()));
        if hang.count() == 0 {
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// A reload begins; it ends by itself when the cameras have settled. Before the service is ready that is no news.
    pub fn reloading(&mut self) {
        if !self.is_present() || self.is_starting() {
            return;
        }
        let time = i128::try_from(monotonic_now().as_micros()).unwrap_or_default();
        self.tell(&[NotifyState::Reloading, NotifyState::MonotonicUsec(time)]);
        self.reloading = true;
    }

    /// The service ends.
    pub fn stopping(&mut self) {
        if self.is_present() {
            self.tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
        }
    }

    /// Whether it was told. What it was not is due again.
    fn tell(&mut self, news: &[NotifyState]) -> bool {
        let Some(socket) = &self.socket else {
            return false;
        };
        let Err(error) = socket.tell(news) else {
            return true;
        };
        if let Some(times) = self.failures.note(Instant::now()) {
            warn!("cannot tell the service manager: {error}{times}");
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::kept::Shelf;

    /// A manager with a patience of `limit`, and where it listens.
    fn manager(limit: Duration, start: Instant) -> (Manager, UnixDatagram) {
        static MANAGERS: AtomicU32 = AtomicU32::new(0);
        let number = MANAGERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("framewire-{}-{number}", std::process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        let manager = Manager {
            socket: Some(NotifySocket::to(address).unwrap()),
            grace: Some(start + GRACE),
            watchdog: Some(Watchdog::new(limit, start)),
            ..Manager::from_environment(start)
        };
        (manager, listener)
    }

    #[test]
    fn without_a_frame_it_is_ready_after_ten_seconds() {
        let start = Instant::now();
        let mut cameras = Cameras::new(None, None, Shelf::default());
        let (mut manager, listener) = manager(Duration::from_secs(8), start);
        manager.turn(start + Duration::from_millis(9_999), &mut cameras);
        assert!(manager.is_starting());
        manager.turn(start + Duration::from_secs(10), &mut cameras);
        assert!(!manager.is_starting());
        let mut heard = [0; 64];
        for news in ["STATUS=no camera streams\n", "WATCHDOG=1\n", "READY=1\n"] {
            let length = listener.recv(&mut heard).unwrap();
            assert_eq!(str::from_utf8(&heard[..length]), Ok(news));
        }
    }

    #[test]
    fn what_the_manager_did_not_hear_is_told_again() {
        let start = Instant::now();
        let mut cameras = Cameras::new(None, None, Shelf::default());
        let (mut manager, listener) = manager(Duration::from_secs(8), start);
        let nobody = NotifySocket::to(SocketAddr::from_abstract_name("nobody").unwrap()).unwrap();
        let somebody = manager.socket.replace(nobody);
        manager.turn(start + GRACE, &mut cameras);
        assert!(manager.is_starting());
        manager.socket = somebody;
        manager.turn(start + GRACE, &mut cameras);
        assert!(!manager.is_starting());
        drop(listener);
        manager.reloading();
        manager.turn(start + GRACE, &mut cameras);
        assert!(manager.reloading);
    }

    #[test]
    fn the_watchdog_hears_twice_as_often_as_it_must() {
        for limit in [1, 2, 8, 30].map(Duration::from_secs) {
            let start = Instant::now();
            let mut cameras = Cameras::new(None, None, Shelf::default());
            let (mut manager, _listener) = manager(limit, start);
            let (mut now, mut heard, mut count) = (start, start, 0);
            while now < start + 10 * limit {
                let due = manager.watchdog.as_ref().unwrap().due;
                manager.turn(now, &mut cameras);
                if manager.watchdog.as_ref().unwrap().due != due {
                    assert!(now - heard <= limit / 2, "{:?} of {limit:?}", now - heard);
                    (heard, count) = (now, count + 1);
                }
                now += manager.longest_wait();
            }
            assert!(count >= 20, "{count} times");
        }
    }
}
