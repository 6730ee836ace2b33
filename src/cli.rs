//! The command line: arguments to a [`Command`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::config::Destination;
use crate::quote;

/// What `--help` prints.
pub const HELP: &str = "\
framewire - streams MJPEG cameras as RTP/JPEG (RFC 2435)

Usage: framewire [COMMAND] [OPTIONS]

Commands:
  run      stream every camera of the configuration (the default)
  demo     stream a built-in test pattern; needs no camera and no configuration
  check    read the configuration and say what is wrong with it
  devices  list capture devices with their formats and controls
  sdp      print the session description for a player: sdp [CAMERA[:OUTPUT]],
           OUTPUT counts a camera's [[camera.rtp]] from 1
  prepare  at the boot of a flashed image: put the configuration of the boot
           partition into force, network and host name included

Options:
  --config FILE      configuration (run, check, sdp, prepare); otherwise
                     ./config.toml, then /etc/framewire/config.toml
  --frames N         end after N frames of each camera were taken for sending,
                     whether or not somebody listens (run, demo)
  --timeout SECONDS  end after so long (run, demo)
  --json             print JSON instead of text (run, demo, devices)
  --to HOST:PORT     destination (demo); default 127.0.0.1:5004
  --state DIR        where the last good configuration is kept (prepare)
  --root DIR         write below DIR instead of / and leave the system alone
                     (prepare)
  -h, --help         print this help
  -V, --version      print the version

Exit codes: 0; 78 for a wrong configuration or usage; 1 for other failures, also
when the configuration is missing or cannot be read.
";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Stream the configured cameras.
    Run {
        /// `--config`.
        config: Option<PathBuf>,
        /// How and how long.
        streaming: Streaming,
    },
    /// Stream the test pattern.
    Demo {
        /// `--to`.
        to: Destination,
        /// How and how long.
        streaming: Streaming,
    },
    /// Check the configuration.
    Check {
        /// `--config`.
        config: Option<PathBuf>,
    },
    /// List capture devices.
    Devices {
        /// `--json`.
        json: bool,
    },
    /// Print the session description.
    Sdp {
        /// `--config`.
        config: Option<PathBuf>,
        /// A camera's name, and one of its outputs counted from 1.
        stream: Option<(String, Option<usize>)>,
    },
    /// Put the configuration of a flashed image into force.
    Prepare {
        /// `--config`.
        config: PathBuf,
        /// `--state`.
        state: Option<PathBuf>,
        /// `--root`.
        root: PathBuf,
    },
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Options of the commands that stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streaming {
    /// `--frames`: end after so many frames per camera that were taken for sending.
    pub frames: Option<u64>,
    /// `--timeout`: end after so long.
    pub timeout: Option<Duration>,
    /// `--json`: the final summary as JSON.
    pub json: bool,
}

/// All options, before it is known which the command takes.
#[derive(Default)]
struct Options {
    command: Option<String>,
    operand: Option<String>,
    config: Option<PathBuf>,
    to: Option<Destination>,
    state: Option<PathBuf>,
    root: Option<PathBuf>,
    frames: Option<u64>,
    timeout: Option<Duration>,
    json: bool,
}

impl Command {
    /// Reads `arguments`, without the program's name; an error is one line that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        Self::read(arguments).map_err(|problem| quote::message(&problem))
    }

    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options = Options::default();
        let text = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Short('h') | Long("help") => return Ok(Self::Help),
                Short('V') | Long("version") => return Ok(Self::Version),
                Long("config") => options.config = Some(parser.value().map_err(text)?.into()),
                Long("to") => options.to = Some(destination(&mut parser).map_err(text)?),
                Long("frames") => options.frames = Some(frames(&mut parser).map_err(text)?),
                Long("timeout") => {
                    let expected = "--timeout takes a number of seconds from 1";
                    options.timeout = Some(seconds(&mut parser, expected).map_err(text)?);
                }
                Long("state") => options.state = Some(parser.value().map_err(text)?.into()),
                Long("root") => options.root = Some(parser.value().map_err(text)?.into()),
                Long("json") => options.json = true,
                Value(word) => options.word(word.string().map_err(text)?)?,
                other => return Err(text(other.unexpected())),
            }
        }
        options.into_command()
    }
}

fn destination(parser: &mut lexopt::Parser) -> Result<Destination, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        Destination::parse(text).ok_or("--to takes HOST:PORT or [IPV6]:PORT, port 1..=65535")
    })
}

fn frames(parser: &mut lexopt::Parser) -> Result<u64, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let frames = text.parse().ok().filter(|&frames: &u64| frames > 0);
        frames.ok_or("--frames takes a number from 1")
    })
}

fn seconds(parser: &mut lexopt::Parser, expected: &'static str) -> Result<Duration, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let seconds = text.parse().ok().filter(|&seconds: &u32| seconds > 0);
        let duration = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        duration.ok_or(expected)
    })
}

impl Options {
    /// The first word is the command, the next its operand.
    fn word(&mut self, word: String) -> Result<(), String> {
        if self.command.is_none() {
            self.command = Some(word);
        } else if self.operand.is_none() {
            self.operand = Some(word);
        } else {
            return Err(format!("unexpected argument {word:?}"));
        }
        Ok(())
    }

    fn into_command(mut self) -> Result<Command, String> {
        let name = self.command.take().unwrap_or_else(|| "run".to_owned());
        let streaming = Streaming {
            frames: self.frames,
            timeout: self.timeout,
            json: self.json,
        };
        let options_of_streaming = &["--frames", "--timeout", "--json"];
        let (command, allowed): (_, &[&str]) = match name.as_str() {
            "run" => {
                let config = self.config.take();
                (Command::Run { config, streaming }, options_of_streaming)
            }
            "demo" => {
                let to = self.to.take().unwrap_or_else(default_destination);
                (Command::Demo { to, streaming }, options_of_streaming)
            }
            "check" => {
                let config = self.config.take();
                (Command::Check { config }, &[])
            }
            "devices" => (Command::Devices { json: self.json }, &["--json"]),
            "sdp" => {
                let config = self.config.take();
                let stream = self.operand.take().map(stream).transpose()?;
                (Command::Sdp { config, stream }, &[])
            }
            "prepare" => {
                let config = self.config.take().ok_or("prepare needs --config FILE")?;
                let root = self.root.take().unwrap_or_else(|| "/".into());
                let state = self.state.take();
                (
                    Command::Prepare {
                        config,
                        state,
                        root,
                    },
                    &[],
                )
            }
            _ => return Err(format!("unknown command {name:?}")),
        };
        match self.left_over(allowed) {
            Some(option) => Err(format!("{name} does not take {option}")),
            None => Ok(command),
        }
    }

    /// Something given that the command has not used: what it takes it has taken out, flags are in `allowed`.
    fn left_over(&self, allowed: &[&str]) -> Option<String> {
        let given = [
            (self.config.is_some(), "--config"),
            (self.to.is_some(), "--to"),
            (self.state.is_some(), "--state"),
            (self.root.is_some(), "--root"),
            (self.frames.is_some(), "--frames"),
            (self.timeout.is_some(), "--timeout"),
            (self.json, "--json"),
        ];
        let mut given = given.into_iter();
        let option = given.find(|(given, option)| *given && !allowed.contains(option));
        option
            .map(|(_, option)| option.to_owned())
            .or_else(|| Some(format!("the argument {:?}", self.operand.as_ref()?)))
    }
}

fn default_destination() -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port: 5004,
    }
}

/// `CAMERA` or `CAMERA:OUTPUT`.
fn stream(text: String) -> Result<(String, Option<usize>), String> {
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((camera, output)) => match output.parse() {
            Ok(output) if output > 0 => Ok((camera.to_owned(), Some(output))),
            _ => Err(format!("{text:?}: OUTPUT is a number from 1")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn run_is_the_default() {
        let config = Some("x.toml".into());
        let streaming = Streaming {
            frames: Some(3),
            timeout: Some(Duration::from_secs(9)),
            json: true,
        };
        let expected = Ok(Command::Run { config, streaming });
        for line in [
            "--config x.toml --frames 3 --timeout 9 --json",
            "run --config=x.toml --json --timeout=9 --frames=3",
        ] {
            assert_eq!(parse(line), expected);
        }
    }

    #[test]
    fn each_command_takes_its_own_options() {
        assert_eq!(parse("devices --json"), Ok(Command::Devices { json: true }));
        let sdp = |stream| {
            Ok(Command::Sdp {
                config: None,
                stream: Some(stream),
            })
        };
        assert_eq!(parse("sdp front"), sdp(("front".to_owned(), None)));
        assert_eq!(parse("sdp front:2"), sdp(("front".to_owned(), Some(2))));
        let Ok(Command::Demo { to, .. }) = parse("demo --to [::1]:6000") else {
            panic!("no demo");
        };
        assert_eq!(to.to_string(), "[::1]:6000");
        assert_eq!(parse("run --help"), Ok(Command::Help));
        assert_eq!(parse("-V"), Ok(Command::Version));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (line, named) in [
            ("stream", "stream"),
            ("--verbose", "--verbose"),
            ("run front", "front"),
            ("sdp a b", "\"b\""),
            ("sdp a:0", "a:0"),
            ("demo --config x", "--config"),
            ("run --to h:1", "--to"),
            ("check --json", "--json"),
            ("check --state x", "--state"),
            ("run --root x", "--root"),
            ("prepare", "--config"),
            ("devices --frames 1", "--frames"),
            ("run --frames 0", "from 1"),
            ("run --frames x", "from 1"),
            ("check --timeout 1", "--timeout"),
            ("run --timeout 0", "from 1"),
            ("run --timeout 1.5", "from 1"),
            ("demo --to nowhere", "HOST:PORT"),
            ("run --config", "--config"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
    }

    #[test]
    fn what_is_refused_is_quoted_in_one_short_line() {
        let long = "x".repeat(100_000);
        for argument in ["--a\n\x1b[2J", "a\nb", &long, &format!("--{long}")] {
            let error = Command::parse([argument.into()]).unwrap_err();
            assert!(!error.contains(char::is_control), "{error:?}");
            assert!(error.len() < 1000, "{error}");
        }
    }
}
