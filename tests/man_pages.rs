//! The man pages against the program: what they name exists, and what exists they name.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use framewire::cli::{Command, HELP};
use framewire::commands::{EXIT_CONFIG, EXIT_FAILURE};
use framewire::config::{Config, DEFAULT_PATHS};

const PROGRAM: &str = include_str!("../docs/man/framewire.1.scd");
const FILE: &str = include_str!("../docs/man/framewire.toml.5.scd");
const SHIPPED: &str = include_str!("../config.toml");

/// The one table that takes any key.
const FREE_TABLE: &str = "[camera.controls]";

/// The sections of a page: heading and text.
fn sections(page: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = page.split("\n# ").skip(1);
    parts.filter_map(|part| part.split_once('\n'))
}

fn section(page: &'static str, wanted: &str) -> &'static str {
    let found = sections(page).find(|(heading, _)| *heading == wanted);
    found.expect("the section").1
}

/// Without the marks of bold and underlined text.
fn plain(text: &str) -> String {
    text.replace(['*', '_', '\\'], "")
}

/// The entries of a section: a line that begins in bold, and the indented text below it.
fn entries(section: &str) -> Vec<(String, String)> {
    let blocks = section.trim().split("\n\n");
    let split = blocks.filter_map(|block| block.split_once("\n\t"));
    split
        .filter(|(head, _)| head.starts_with('*'))
        .map(|(head, text)| (plain(head), text.to_owned()))
        .collect()
}

fn heads(section: &str) -> BTreeSet<String> {
    entries(section).into_iter().map(|(head, _)| head).collect()
}

/// What is set as it is typed.
fn literal_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```\n").skip(1).step_by(2)
}

// --- framewire(1) ---

/// The first column of a list in the help.
fn listed(title: &str) -> BTreeSet<String> {
    let (_, list) = HELP.split_once(&format!("{title}:\n")).unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split("  ").next().unwrap().to_owned())
        .collect()
}

/// The lines of the synopsis, each after its command.
fn synopsis() -> Vec<(String, String)> {
    let lines = section(PROGRAM, "SYNOPSIS").trim().lines();
    let lines = lines.map(|line| plain(line.trim_end_matches("++")));
    lines
        .map(|line| {
            let command = line.split(' ').nth(1).unwrap();
            (command.trim_matches(['[', ']']).to_owned(), line)
        })
        .collect()
}

/// The options of a line of the synopsis that are in no brackets, with values.
fn needed(line: &str) -> &'static str {
    for (written, given) in [
        (" --config FILE ", "--config x"),
        (" --device DEVICE ", "--device auto"),
    ] {
        if line.contains(written) {
            return given;
        }
    }
    ""
}

fn parse(arguments: &str) -> Result<Command, String> {
    Command::parse(arguments.split_whitespace().map(OsString::from))
}

#[test]
fn the_page_and_the_help_have_the_same_commands_and_options() {
    let commands = listed("Commands");
    assert!(commands.contains("run"), "{commands:?}");
    assert_eq!(heads(section(PROGRAM, "COMMANDS")), commands);
    let lines = synopsis().into_iter();
    let mut in_synopsis: BTreeSet<String> = lines.map(|(command, _)| command).collect();
    assert!(in_synopsis.remove("--help"));
    assert_eq!(in_synopsis, commands);
    let options = listed("Options");
    assert!(options.contains("--config FILE"), "{options:?}");
    assert_eq!(heads(section(PROGRAM, "OPTIONS")), options);
}

#[test]
fn the_synopsis_gives_each_command_the_options_that_it_takes() {
    let options = heads(section(PROGRAM, "OPTIONS"));
    // Each command takes the two that have a letter too.
    let own = options.iter().filter(|option| !option.contains(','));
    let mut arguments: Vec<&str> = own.map(String::as_str).collect();
    const OPERANDS: [&str; 5] = ["[CAMERA", "| FILE]", "USER", "[COMMAND]", "[DEVICE]"];
    arguments.push("OPERAND");
    for (command, line) in synopsis() {
        if command.starts_with('-') {
            assert!(parse("--help").is_ok() && parse("--version").is_ok());
            continue;
        }
        let needed = needed(&line);
        for &argument in &arguments {
            // That is the other form of `run`.
            if command == "run" && needed.is_empty() && argument == "--device DEVICE" {
                continue;
            }
            let given = argument
                .replace("DEVICE", "auto")
                .replace("OPERAND", "demo")
                .replace("WxH", "640x480")
                .replace("HOST:PORT", "127.0.0.1:5004")
                .replace(" N", " 1")
                .replace(" SECONDS", " 1");
            let taken = parse(&format!("{command} {needed} {given}"));
            let is_listed = match argument {
                "OPERAND" => OPERANDS.iter().any(|operand| line.contains(operand)),
                _ => line.contains(argument),
            };
            assert_eq!(taken.is_ok(), is_listed, "{line}: {taken:?}");
        }
    }
}

#[test]
fn the_exit_status_the_files_and_the_examples_are_the_programs_own() {
    let codes = [0, EXIT_CONFIG, EXIT_FAILURE].map(|code| code.to_string());
    assert_eq!(heads(section(PROGRAM, "EXIT STATUS")), codes.into());
    for path in DEFAULT_PATHS {
        for section in [section(PROGRAM, "FILES"), section(FILE, "SYNOPSIS")] {
            assert!(section.contains(&format!("_{path}_")), "{path}");
        }
    }
    let lines = literal_blocks(PROGRAM).flat_map(str::lines);
    let mut commands = lines
        .filter_map(|line| line.strip_prefix("framewire "))
        .peekable();
    assert!(commands.peek().is_some());
    for command in commands {
        let (arguments, _) = command.split_once('>').unwrap_or((command, ""));
        assert!(parse(arguments).is_ok(), "{command}");
    }
}

// --- framewire.toml(5) ---

/// The headings that are those of tables.
fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    sections(FILE).filter(|(heading, _)| heading.starts_with('['))
}

/// `camera.rtp` of `[[camera.rtp]]`.
fn path(heading: &str) -> &str {
    heading.trim_matches(['[', ']'])
}

/// The keys and tables that the page describes in a table, or in the file itself.
fn described(heading: Option<&str>) -> BTreeSet<String> {
    let prefix = heading.map_or(String::new(), |heading| format!("{}.", path(heading)));
    let below = tables().filter_map(|(other, _)| path(other).strip_prefix(&prefix));
    let tables = below.filter(|name| !name.contains('.')).map(str::to_owned);
    let keys = heading.map_or(Vec::new(), |heading| keys(section(FILE, heading)));
    keys.into_iter().map(|(key, _)| key).chain(tables).collect()
}

/// The keys of a table with their texts.
fn keys(section: &str) -> Vec<(String, String)> {
    let entries = entries(section).into_iter();
    entries
        .map(|(head, text)| {
            let (key, value) = head.split_once(" = ").expect("a key and its value");
            assert!(!value.is_empty());
            (key.to_owned(), text)
        })
        .collect()
}

/// What the parser takes in a table, or in the file itself; `None` = any key.
fn accepted(heading: Option<&str>) -> Option<BTreeSet<String>> {
    let above = tables().filter(|(other, _)| {
        let below = heading.and_then(|heading| path(heading).strip_prefix(path(other)));
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let headings: String = above.map(|(heading, _)| format!("{heading}\n")).collect();
    let wrong = toml::from_str::<Config>(&format!("{headings}not-a-key = 0\n")).unwrap_err();
    let (_, expected) = wrong
        .message()
        .split_once("unknown field `not-a-key`, expected ")?;
    // Names and what is between them take turns.
    Some(
        expected
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect(),
    )
}

#[test]
fn the_page_has_every_key_that_the_parser_takes_and_no_other() {
    assert_eq!(Some(described(None)), accepted(None));
    for (heading, _) in tables() {
        let described = described(Some(heading));
        match accepted(Some(heading)) {
            Some(accepted) => assert_eq!(described, accepted, "{heading}"),
            None => assert_eq!((heading, described.len()), (FREE_TABLE, 0)),
        }
    }
}

/// The keys of the shipped file, also those in comments: table, key, the start of the text in the page.
fn shipped_keys() -> BTreeSet<(String, String, String)> {
    let mut keys = BTreeSet::new();
    let mut table = "";
    // A line of nothing but a comment goes on with that of the line before.
    let joined = SHIPPED.replace("\n ", " ");
    for line in joined.lines() {
        let is_example = line.starts_with('#');
        let line = line.trim_start_matches('#');
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        if code.starts_with('[') {
            table = code.trim();
        } else if let Some((key, value)) = code.split_once(" = ")
            && key.starts_with(|c: char| c.is_ascii_lowercase())
            && table != FREE_TABLE
        {
            let value = value.trim();
            let start = if comment.contains("required") {
                "Required.".to_owned()
            } else if is_example && !comment.contains(&format!("default {value}")) {
                "Default: *none*".to_owned()
            } else {
                format!("Default: *{value}*")
            };
            keys.insert((table.to_owned(), key.to_owned(), start));
        }
    }
    keys
}

#[test]
fn the_page_and_the_shipped_file_have_the_same_keys_and_defaults() {
    let mut in_page = BTreeSet::new();
    for (heading, section) in tables() {
        for (key, text) in keys(section) {
            // `Required.`, or the default in bold.
            let end = match text.match_indices('*').nth(1) {
                Some((end, _)) if text.starts_with("Default: *") => end + 1,
                _ => "Required.".len(),
            };
            in_page.insert((heading.to_owned(), key, text[..end].to_owned()));
        }
    }
    let shipped = shipped_keys();
    let one_sided: Vec<_> = in_page.symmetric_difference(&shipped).collect();
    assert!(one_sided.is_empty(), "{one_sided:?}");
}

#[test]
fn the_examples_of_the_file_are_right() {
    let mut examples = literal_blocks(FILE).peekable();
    assert!(examples.peek().is_some());
    for example in examples {
        let read = Config::parse(Path::new("example"), example.as_bytes());
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}
