//! The log: lines on stderr, for people with time and colour, for the journal with a priority and nothing else.
//! systemd.exec(5) `$JOURNAL_STREAM`; sd-daemon(3) for the prefixes.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write as _};
use std::os::fd::AsFd;
use std::os::linux::fs::MetadataExt;
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, error};
use tracing_subscriber::fmt::format::{self, Format, Writer};
use tracing_subscriber::fmt::{self as lines, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::Level;

/// The running log, whose level can change.
pub struct Log(reload::Handle<LevelFilter, Registry>);

impl Log {
    /// Starts the log of the process; call once. Panics are logged as errors.
    pub fn start(level: Level) -> Self {
        let journal = is_journal();
        let (filter, handle) = reload::Layer::new(filter(level));
        let lines = lines::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .event_format(Lines {
                journal,
                plain: lines::format().with_target(false),
            });
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .init();
        panic::set_hook(Box::new(|panicked| error!("{panicked}")));
        Self(handle)
    }

    /// Logs as much as `level` says from now on.
    pub fn set_level(&self, level: Level) {
        // Fails only when the log is gone, which lives as long as the process.
        let _ = self.0.reload(filter(level));
    }
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
    // Where stderr is closed there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether stderr is the journal's: the variable alone may come from a service that started a shell.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let metadata = stderr.and_then(|file| file.metadata());
    metadata.is_ok_and(|file| stream == format!("{}:{}", file.st_dev(), file.st_ino()))
}

/// How a line looks.
struct Lines {
    journal: bool,
    plain: Format,
}

impl<S, N> FormatEvent<S, N> for Lines
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
