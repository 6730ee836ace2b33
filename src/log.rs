//! The log: lines on stderr, for people with time and colour, for the journal with a priority and nothing else.
//! Whoever logs never waits for stderr. systemd.exec(5) `$JOURNAL_STREAM`; sd-daemon(3) for the prefixes.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::linux::fs::MetadataExt;
use std::panic;
use std::sync::mpsc;
use std::thread;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, error};
use tracing_subscriber::fmt::format::{self, Format, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{self as lines, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::Level;
use crate::line_queue::{Backlog, LONGEST_FLUSH, LineQueue, Lines, line_queue, write_all};

/// The running log, whose level can change. Its end waits for the last lines, for a limited time.
pub struct Log {
    level: reload::Handle<LevelFilter, Registry>,
    queue: LineQueue,
}

/// Lines of the log that nobody writes yet.
pub struct Unwritten(Backlog);

impl Log {
    /// Starts the log of the process; call once. Panics are logged as errors.
    pub fn start(level: Level) -> (Self, Unwritten) {
        let journal = is_journal();
        let (filter, handle) = reload::Layer::new(filter(level));
        let (queue, backlog) = line_queue();
        let writer = queue.clone();
        let lines = lines::layer()
            .with_writer(move || writer.clone())
            .with_ansi(io::stderr().is_terminal())
            .event_format(Look {
                journal,
                plain: lines::format().with_target(false),
            });
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .init();
        panic::set_hook(Box::new(|panicked| error!("{panicked}")));
        let log = Self {
            level: handle,
            queue,
        };
        (log, Unwritten(backlog))
    }

    /// Logs as much as `level` says from now on.
    pub fn set_level(&self, level: Level) {
        // Fails only when the log is gone, which lives as long as the process.
        let _ = self.level.reload(filter(level));
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Where nobody reads stderr there is nobody to tell.
        let _ = self.queue.flush();
    }
}

impl Unwritten {
    /// Starts the thread that writes the log. It has the sandbox and the signal mask of its caller.
    pub fn write_to_stderr(self) -> io::Result<()> {
        let journal = is_journal();
        let say_lost = move |lost| lost_lines(journal, lost);
        self.0.write_to(io::stderr(), "log", say_lost)
    }
}

/// The line that stands for those that were lost.
fn lost_lines(journal: bool, lost: u64) -> String {
    let said = format!("{} of the log lost: nobody read it", Lines(lost));
    let mut line = String::new();
    // A string takes everything.
    let _ = if journal {
        write_prefixed(&mut line, &tracing::Level::WARN, &said)
    } else {
        let mut writer = Writer::new(&mut line);
        let time = SystemTime.format_time(&mut writer);
        time.and_then(|()| writeln!(writer, "  WARN {said}"))
    };
    line
}

fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}

/// Writes the last words of a program that ends with a failure, log or no log.
pub fn last_words(message: &str) {
    let mut text = format!("framewire: {message}");
    if is_journal() {
        let mut lines = String::new();
        // A string takes everything.
        let _ = write_prefixed(&mut lines, &tracing::Level::ERROR, &text);
        text = lines;
    } else {
        text.push('\n');
    }
    write_in_time(text);
}

/// Writes `text` to stderr by another thread, which is left alone when that takes too long: nobody may read.
fn write_in_time(text: String) {
    let (done, written) = mpsc::channel();
    let write = move || {
        // Where stderr is closed there is nobody to tell, nor when it took too long.
        let _ = write_all(&io::stderr(), text.as_bytes());
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(write).is_ok() {
        let _ = written.recv_timeout(LONGEST_FLUSH);
    }
}

/// Whether stderr is the journal's. The variable alone may come from a service that started a shell.
pub fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let metadata = stderr.and_then(|file| file.metadata());
    metadata.is_ok_and(|file| stream == format!("{}:{}", file.st_dev(), file.st_ino()))
}

/// How a line looks.
struct Look {
    journal: bool,
    plain: Format,
}

impl<S, N> FormatEvent<S, N> for Look
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: format::Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if !self.journal {
            return self.plain.format_event(context, writer, event);
        }
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        write_prefixed(&mut writer, event.metadata().level(), &text)
    }
}

/// Each line of `text` with the priority of `level`: the journal takes a line for a message.
fn write_prefixed(out: &mut dyn fmt::Write, level: &tracing::Level, text: &str) -> fmt::Result {
    let priority = match *level {
        tracing::Level::ERROR => 3, // LOG_ERR of syslog(3), and so on
        tracing::Level::WARN => 4,
        tracing::Level::INFO => 6,
        _ => 7,
    };
    text.lines()
        .try_for_each(|line| writeln!(out, "<{priority}>{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_carries_the_priority_of_its_level() {
        for (level, expected) in [
            (tracing::Level::ERROR, "<3>a\n<3>  b\n"),
            (tracing::Level::WARN, "<4>a\n<4>  b\n"),
            (tracing::Level::INFO, "<6>a\n<6>  b\n"),
            (tracing::Level::DEBUG, "<7>a\n<7>  b\n"),
            (tracing::Level::TRACE, "<7>a\n<7>  b\n"),
        ] {
            let mut out = String::new();
            write_prefixed(&mut out, &level, "a\n  b").unwrap();
            assert_eq!(out, expected);
        }
    }
}
