//! Shows from outside that a thread's loop turns: a watchdog can then tell a thread that hangs from one that waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::{error, warn};

/// Longest wait of a loop that has a heartbeat: it turns at least this often, even when there is nothing to do.
pub const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Counts the turns of one thread's loop.
#[derive(Debug, Default)]
pub struct Heartbeat(AtomicU64);

impl Heartbeat {
    /// The loop turns.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Turns so far.
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A thread's heartbeat with the time of its last known turn.
#[derive(Debug)]
pub struct Watched {
    label: String,
    heartbeat: Arc<Heartbeat>,
    beats: u64,
    turned: Instant,
    hangs: bool,
}

impl Watched {
    /// Watches `heartbeat` from `now` on; logs call the thread `label`.
    pub fn new(label: String, heartbeat: Arc<Heartbeat>, now: Instant) -> Self {
        Self {
            label,
            beats: heartbeat.beats(),
            heartbeat,
            turned: now,
            hangs: false,
        }
    }

    /// Whether the loop has turned within the last `patience` before `now`, as far as earlier calls could see.
    /// A change is logged.
    pub fn is_alive(&mut self, now: Instant, patience: Duration) -> bool {
        let beats = self.heartbeat.beats();
        if beats != self.beats {
            self.beats = beats;
            self.turned = now;
        }
        let silence = now.saturating_duration_since(self.turned);
        let hangs = silence > patience;
        if hangs && !self.hangs {
            error!(
                "{} hangs: its loop has not turned for {} s",
                self.label,
                silence.as_secs()
            );
        } else if self.hangs && !hangs {
            warn!("{} turns again", self.label);
        }
        self.hangs = hangs;
        !hangs
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    #[test]
    fn a_thread_that_hangs_is_told_from_one_that_turns() {
        let start = Instant::now();
        let heartbeat = Arc::new(Heartbeat::default());
        let (turn, asked) = mpsc::channel::<()>();
        let (turned, done) = mpsc::channel();
        let mut watched = Watched::new("a thread".to_owned(), heartbeat.clone(), start);
        let thread = thread::spawn(move || {
            for () in asked {
                heartbeat.beat();
                turned.send(()).unwrap();
            }
        });
        let mut alive_after = |seconds, turns: bool| {
            if turns {
                turn.send(()).unwrap();
                done.recv().unwrap();
            }
            watched.is_alive(start + Duration::from_secs(seconds), PATIENCE)
        };
        assert!(alive_after(10, true));
        assert!(alive_after(25, false));
        assert!(!alive_after(26, false));
        assert!(!alive_after(1000, false));
        assert!(alive_after(1001, true));
        drop(turn);
        thread.join().unwrap();
    }
}
