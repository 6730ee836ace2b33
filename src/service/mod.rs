//! The main thread of `run` and `demo`: starts the cameras, obeys signals, and tells systemd how they do.

mod cameras;
mod descriptors;
mod notify;
mod signals;
mod status;
mod systemd;

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::camera::Parting;
use crate::config::{Config, ConfigError, SummaryInterval};
use crate::door::{Behind, Bound, Door, Ways};
use crate::kept::Shelf;
use crate::ledger::Ledger;
use crate::log::{self, Log};
use crate::notes;
use crate::process;
use crate::sandbox::Sandbox;
use crate::stats::Summary;
use crate::stop::{readable, wait_readable};

use cameras::Cameras;
use signals::Order;
use systemd::Manager;

pub use signals::Signals;

/// Turn of the main loop while something is about to happen: a first frame, the end of a thread.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// Practically never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Time between summaries where nothing else is said.
const USUAL_INTERVAL: Duration = Duration::from_secs(10);
/// The same in a journal that is kept.
pub const SERVICE_INTERVAL: Duration = Duration::from_secs(600);

/// What the command line says of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// `--frames`: each camera ends after so many that were taken for sending.
    pub frames: Option<u64>,
    /// `--timeout`: all end after so long.
    pub timeout: Option<Duration>,
    /// `--interval`: from summary to summary, whatever the configuration says.
    pub interval: Option<Duration>,
}

/// What the process streams, and how it got there.
pub struct Service {
    /// What is read again on a reload; one camera by options has none.
    path: Option<PathBuf>,
    config: Config,
    /// At the start; a terminal that was closed is none any more.
    has_terminal: bool,
    sandbox: Sandbox,
    signals: Signals,
    manager: Manager,
    cameras: Cameras,
    door: Option<Door>,
    /// When it ends by itself.
    end: Instant,
    /// `--interval`.
    asked_interval: Option<Duration>,
    is_service: bool,
    /// When the next summary is due.
    summary: Instant,
    /// The last to end: the others log until then.
    log: Log,
}

impl Service {
    /// Starts all cameras of `config`, which came from `path`, as `options` say. The doors open on what is
    /// `bound` already, if there is something.
    pub fn start(
        path: Option<&Path>,
        config: Config,
        bound: Bound,
        options: Options,
    ) -> io::Result<Self> {
        let (log, unwritten) = Log::start(config.log.level);
        announce(path);
        descriptors::raise_limit();
        // One camera by options is a try: nobody waits for the next.
        let ledger = path.and_then(|_| Ledger::open());
        let shelf = path.map(|_| open_shelf(&config)).unwrap_or_default();
        process::begin();
        // Both hold for this thread and those that it starts from now on.
        let sandbox = Sandbox::enter(path, shelf.folder(), &config);
        log_notes(&config);
        let signals = Signals::block()?;
        unwritten.write_to_stderr()?;
        let now = Instant::now();
        let mut cameras = Cameras::new(options.frames, ledger, shelf.clone());
        cameras.want(&config.cameras, now);
        let behind = Behind {
            directory: cameras.directory().clone(),
            shelf,
        };
        let door =
            Ways::of(&config).map(|ways| Door::open(ways, &config.users, bound, behind, now));
        let manager = Manager::from_environment(now);
        let is_service = manager.is_present() || log::is_journal();
        Ok(Self {
            path: path.map(Path::to_owned),
            config,
            has_terminal: io::stdin().is_terminal(),
            sandbox,
            signals,
            manager,
            cameras,
            door,
            end: now + options.timeout.unwrap_or(NEVER),
            asked_interval: options.interval,
            is_service,
            summary: now,
            log,
        })
    }

    /// Runs until a signal comes, its time is up or all cameras have ended; `report` gets the counters with each
    /// summary. Returns the final ones and whether all ended well.
    pub fn run(mut self, mut report: impl FnMut(Vec<Summary>)) -> io::Result<(Vec<Summary>, bool)> {
        self.summary = self.next_summary(Instant::now());
        let parting = loop {
            match self.wait()? {
                Some(Order::End) => break Parting::End,
                Some(Order::Pause) => break Parting::Pause,
                Some(Order::Reload) if self.is_hung_up() => break Parting::End,
                Some(Order::Reload) => self.reload(),
                None => {}
            }
            let now = Instant::now();
            self.cameras.turn(now);
            if let Some(door) = &mut self.door {
                door.turn(now);
            }
            if self.cameras.all_ended() || now >= self.end {
                break Parting::End;
            }
            self.manager.turn(now, &mut self.cameras);
            if now >= self.summary {
                self.summary = self.next_summary(now);
                report(self.cameras.log_intervals(now));
            }
        };
        self.manager.stopping();
        let ended = self.cameras.end(parting);
        self.door.into_iter().for_each(Door::close);
        Ok(ended)
    }

    /// Whether SIGHUP means what it says: there is nothing to reload, or the terminal it was started from is closed.
    fn is_hung_up(&self) -> bool {
        self.path.is_none() || (self.has_terminal && !io::stdin().is_terminal())
    }

    /// Until something happens, but not for longer than a loop may be silent.
    fn wait(&self) -> io::Result<Option<Order>> {
        let now = Instant::now();
        let longest = if self.cameras.is_changing(now) || self.manager.is_starting() {
            SHORT_WAIT
        } else {
            self.manager.longest_wait()
        };
        let due = self.summary.min(self.end).saturating_duration_since(now);
        let mut events = vec![readable(self.signals.as_fd())];
        events.extend(
            self.cameras
                .going_to_end()
                .map(|ended| readable(ended.as_fd())),
        );
        wait_readable(&mut events, longest.min(due))?;
        self.signals.next()
    }

    /// The next time for a summary; practically never when there is none.
    fn next_summary(&self, now: Instant) -> Instant {
        let configured = self.config.log.summary_interval;
        let interval = self
            .asked_interval
            .or_else(|| summary_interval(configured, self.is_service));
        now + interval.unwrap_or(NEVER)
    }

    /// Puts the configuration file into force again, unless it is wrong.
    fn reload(&mut self) {
        self.manager.reloading();
        match self.read_again() {
            Ok(config) => {
                self.put_into_force(config);
                self.manager.note(None);
            }
            Err(problem) => {
                error!("{problem}\nthe configuration in force stays");
                self.manager.note(Some(
                    "the changed configuration is wrong, the old one stays in force",
                ));
            }
        }
    }

    fn read_again(&self) -> Result<Config, ConfigError> {
        let path = self.path.as_deref().ok_or(ConfigError::NotFound)?;
        Ok(Config::read(path)?.1)
    }

    /// A door that stays as it is learns who may come in now; another one is opened when the old one is shut.
    fn want_door(&mut self, config: &Config, now: Instant) {
        let wanted = Ways::of(config);
        if let Some(door) = &mut self.door
            && Some(door.ways()) == wanted.as_ref()
        {
            return door.let_in(&config.users);
        }
        self.door = None;
        let behind = Behind {
            directory: self.cameras.directory().clone(),
            shelf: self.cameras.shelf().clone(),
        };
        let bound = Bound::default();
        self.door = wanted.map(|ways| Door::open(ways, &config.users, bound, behind, now));
    }

    fn put_into_force(&mut self, config: Config) {
        let now = Instant::now();
        info!("configuration read again");
        let (path, shelf) = (self.path.as_deref(), self.cameras.shelf());
        self.sandbox.check(path, shelf.folder(), &config);
        log_notes(&config);
        self.cameras.want(&config.cameras, now);
        self.want_door(&config, now);
        if config.log.level != self.config.log.level {
            self.log.set_level(config.log.level);
        }
        if config.system != self.config.system || config.network != self.config.network {
            info!("[system] and [network] take effect when a flashed image boots");
        }
        let interval_changed = config.log.summary_interval != self.config.log.summary_interval;
        self.config = config;
        if interval_changed {
            self.summary = self.next_summary(now);
        }
    }
}

/// Where values of controls are kept; the folder is made when somebody can ask for that.
fn open_shelf(config: &Config) -> Shelf {
    let shelf = Shelf::find();
    if config.http.is_some()
        && !config.users.is_empty()
        && let Err(error) = shelf.make()
    {
        warn!("no values of controls can be kept: {error}");
    }
    shelf
}

/// Cameras and destinations say for themselves what they miss.
fn log_notes(config: &Config) {
    for note in notes::of_file(config) {
        info!("{note}");
    }
}

/// Says what starts.
fn announce(path: Option<&Path>) {
    let version = env!("CARGO_PKG_VERSION");
    match path {
        Some(path) => info!("framewire {version}, configuration {}", path.display()),
        None => info!("framewire {version}, no configuration file"),
    }
}

/// From summary to summary, by the configuration; `None` = no summary.
fn summary_interval(configured: Option<SummaryInterval>, is_service: bool) -> Option<Duration> {
    match configured.map(SummaryInterval::get) {
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds.into())),
        None if is_service => Some(SERVICE_INTERVAL),
        None => Some(USUAL_INTERVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_gets_few_summaries_unless_the_configuration_says_otherwise() {
        let configured = |seconds: i64| SummaryInterval::try_from(seconds).ok();
        for (configured, is_service, seconds) in [
            (None, false, Some(10)),
            (None, true, Some(600)),
            (configured(3), true, Some(3)),
            (configured(3), false, Some(3)),
            (configured(0), false, None),
        ] {
            let interval = summary_interval(configured, is_service);
            assert_eq!(interval.map(|interval| interval.as_secs()), seconds);
        }
    }
}
