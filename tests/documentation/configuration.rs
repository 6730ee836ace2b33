//! docs/configuration.md: the keys that the parser takes, with the defaults and the ranges that they have.

use std::collections::BTreeSet;
use std::path::Path;

use framewire::config::{Config, Pacing};
use framewire::service::SERVICE_INTERVAL;

use super::pages::{all_pages, page};

/// The shortest configuration that is right.
const MINIMAL: &str =
    "[[camera]]\nname = \"front\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n";
/// What a section needs besides.
const WIFI: &str = "[network.wifi]\nssid = \"a\"\ncountry = \"DE\"\n";
const HTTP: &str = "[http]\nlisten = \"127.0.0.1:8080\"\n";
const RTSP: &str = "[rtsp]\nlisten = \"127.0.0.1:8554\"\n";
const USER: &str = concat!(
    "[[user]]\nname = \"anna\"\nmd5 = \"00000000000000000000000000000000\"\n",
    "sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n"
);
/// The one table that takes any key.
const FREE_TABLE: &str = "[camera.controls]";
/// Its default depends on whether the camera has outputs.
const BY_OUTPUTS: &str = "on-demand";
/// Its default depends on the destination.
const BY_DESTINATION: &str = "pacing";
/// The key whose default depends on whether systemd started the program: that of a service is in bold.
const BY_SERVICE: &str = "summary-interval";

/// A key as the page describes it.
struct Key {
    /// `[[camera.rtp]]`.
    section: String,
    name: String,
    text: String,
}

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("test"), text.as_bytes()).map_err(|error| error.to_string())
}

fn code(heading: &str) -> Option<&str> {
    heading.strip_prefix('`')?.strip_suffix('`')
}

/// The sections that the page describes, and their keys.
fn described() -> (Vec<String>, Vec<Key>) {
    let (mut sections, mut keys) = (Vec::<String>::new(), Vec::new());
    for (level, heading, text) in page("docs/configuration.md").sections() {
        match (level, code(&heading)) {
            (2, Some(section)) => sections.push(section.to_owned()),
            (3, Some(name)) => keys.push(Key {
                section: sections.last().expect("a section before a key").clone(),
                name: name.to_owned(),
                text,
            }),
            _ => {}
        }
    }
    (sections, keys)
}

/// `camera.rtp` of `[[camera.rtp]]`.
fn path(section: &str) -> &str {
    section.trim_matches(['[', ']'])
}

/// What the parser takes in a section, or in the file itself; `None` = any key.
fn accepted(sections: &[String], section: &str) -> Option<BTreeSet<String>> {
    let is_above = |other: &&String| path(section).starts_with(path(other));
    let headings: Vec<_> = sections.iter().filter(is_above).cloned().collect();
    let text = format!("{}\nnot-a-key = 0\n", headings.join("\n"));
    let error = toml::from_str::<Config>(&text).unwrap_err();
    let (_, names) = error
        .message()
        .split_once("unknown field `not-a-key`, expected ")?;
    let names = names.split('`').skip(1).step_by(2);
    Some(names.map(str::to_owned).collect())
}

#[test]
fn the_page_has_every_key_that_the_parser_takes_and_no_other() {
    let (sections, keys) = described();
    for section in sections.iter().map(String::as_str).chain([""]) {
        let own = keys.iter().filter(|key| key.section == section);
        let mut names: BTreeSet<_> = own.map(|key| key.name.clone()).collect();
        // Of a section's keys, those that are sections themselves.
        names.extend(sections.iter().filter_map(|other| {
            let (above, name) = path(other).rsplit_once('.').unwrap_or(("", path(other)));
            (above == path(section)).then(|| name.to_owned())
        }));
        match accepted(&sections, section) {
            Some(accepted) => assert_eq!(names, accepted, "{section}"),
            None => assert_eq!((section, names.len()), (FREE_TABLE, 0)),
        }
    }
}

/// A right configuration, and the same with `key = value`.
fn with_and_without(key: &Key, value: &str) -> (Config, Result<Config, String>) {
    let base = match path(&key.section) {
        "network.wifi" => format!("{MINIMAL}{WIFI}"),
        "http" => format!("{MINIMAL}{HTTP}"),
        "rtsp" => format!("{MINIMAL}{RTSP}"),
        _ => MINIMAL.to_owned(),
    };
    let line = format!("{}\n{} = {value}\n", key.section, key.name);
    let changed = if base.contains(&key.section) {
        base.replacen(&format!("{}\n", key.section), &line, 1)
    } else {
        format!("{base}{line}")
    };
    (parse(&base).unwrap(), parse(&changed))
}

/// The value that the shipped file has for a key, in a comment or not.
fn shipped(key: &Key) -> &'static str {
    let mut section = "";
    for line in include_str!("../../config.toml").lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        let line = line.split_once(" #").map_or(line, |(code, _)| code).trim();
        match line.split_once(" = ") {
            None if line.starts_with('[') => section = line,
            Some((name, value)) if section == key.section && name == key.name => return value,
            _ => {}
        }
    }
    panic!("config.toml lacks {} of {}", key.name, key.section)
}

/// Between two `**` at the start of the text.
fn default(key: &Key) -> Option<&str> {
    let rest = key.text.trim_start().strip_prefix("Default: **")?;
    Some(rest.split_once("**")?.0)
}

#[test]
fn the_defaults_of_the_page_are_those_of_the_program() {
    for key in described().1 {
        let name = format!("{} of {}", key.name, key.section);
        if key.text.trim_start().starts_with("**Required.**") {
            let lines = format!("{MINIMAL}{WIFI}{HTTP}{RTSP}{USER}");
            let mut lines: Vec<_> = lines.lines().collect();
            let count = lines.len();
            let mut section = "";
            lines.retain(|line| {
                if line.starts_with('[') {
                    section = line;
                }
                section != key.section || !line.starts_with(&format!("{} = ", key.name))
            });
            assert_eq!(lines.len(), count - 1, "{name}");
            let error = parse(&lines.join("\n")).expect_err(&name);
            assert!(error.contains(&key.name), "{name}: {error}");
            continue;
        }
        let default = default(&key).unwrap_or_else(|| panic!("{name}: no default in bold"));
        let (base, example) = with_and_without(&key, shipped(&key));
        let is_default = example.as_ref() == Ok(&base);
        if key.name == BY_DESTINATION {
            assert_eq!(default, Pacing::SPREAD.share().to_string());
            assert_eq!(base.cameras[0].outputs[0].pacing, None);
        } else if key.name == BY_OUTPUTS {
            assert_eq!(default, base.cameras[0].is_on_demand().to_string());
        } else if key.name == BY_SERVICE {
            assert_eq!(default, SERVICE_INTERVAL.as_secs().to_string());
            assert_eq!(base.log.summary_interval, None);
        } else if default == "none" {
            assert!(!is_default, "{name} has a default, {}", shipped(&key));
        } else {
            let (base, same) = with_and_without(&key, default);
            assert_eq!(same, Ok(base), "{name}");
        }
    }
}

/// Section, key and default of each key of framewire.toml(5), in scdoc's format.
fn in_man_page() -> BTreeSet<[String; 3]> {
    let page = page("docs/man/framewire.toml.5.scd").text;
    let (mut section, mut keys) = ("", BTreeSet::new());
    for (line, below) in page.lines().zip(page.lines().skip(1)) {
        if let Some(heading) = line.strip_prefix("# ") {
            section = heading;
        } else if let Some((key, _)) = line
            .strip_prefix('*')
            .and_then(|key| key.split_once("* = "))
        {
            let default = match below.trim().strip_prefix("Default: *") {
                Some(rest) => rest.split('*').next().unwrap(),
                None => below.trim().split(' ').next().unwrap(),
            };
            keys.insert([section, key, default].map(str::to_owned));
        }
    }
    keys
}

#[test]
fn the_man_page_has_the_same_keys_and_defaults() {
    let described = described().1.into_iter().map(|key| {
        let default = default(&key).unwrap_or("Required.").to_owned();
        [key.section, key.name, default]
    });
    assert_eq!(in_man_page(), described.collect());
}

/// `A to B` of an error that says `A..=B`.
fn range(error: &str) -> Option<(String, String)> {
    let (before, after) = error.split_once("..=")?;
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let from = before.trim_end_matches(is_part).len();
    let to = after.len() - after.trim_start_matches(is_part).len();
    Some((before[from..].to_owned(), after[..to].to_owned()))
}

#[test]
fn the_ranges_of_the_page_are_those_of_the_program() {
    let mut ranges = 0;
    for key in described().1 {
        // No text that any key takes, and no number.
        let (_, wrong) = with_and_without(&key, "\"?\"");
        let Some((from, to)) = wrong.err().as_deref().and_then(range) else {
            continue;
        };
        let hexadecimal = to.parse().map_or(to.clone(), |to: u64| format!("{to:#x}"));
        let written = [to, hexadecimal].map(|to| format!("{from} to {to}"));
        assert!(
            written.iter().any(|range| key.text.contains(range)),
            "{}: not {written:?}: {}",
            key.name,
            key.text
        );
        ranges += 1;
    }
    assert!(ranges >= 10, "{ranges} ranges");
}

/// A block with a part of a configuration, made whole.
fn whole(block: &str) -> String {
    let camera = match block.contains("[[camera]]") {
        true => "",
        false => "[[camera]]\nname = \"front\"\n",
    };
    let output = match block.contains("[[camera.rtp]]") {
        true => "",
        false => "[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n",
    };
    format!("{camera}{block}{output}")
}

#[test]
fn the_examples_are_right() {
    let mut examples = 0;
    for page in all_pages() {
        for block in page.blocks("toml") {
            let read = parse(&whole(&block.text));
            assert!(read.is_ok(), "{}:{}: {read:?}", page.name, block.line);
            examples += 1;
        }
    }
    assert!(examples >= 4, "{examples} examples");
}
