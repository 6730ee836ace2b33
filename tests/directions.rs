//! Which module may use which: the house stays one in which a frame's path can be followed, without circles.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "directions/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use sources::{Module, Source, sources};

/// What each room may use of the others. A use that is not here fails, and so does one here that is none.
const ALLOWED: &[(&str, &[&str])] = &[
    // The vocabulary: it knows no stage.
    ("backoff", &[]),
    ("bell", &[]),
    ("clocks", &[]),
    ("cname", &["random"]),
    ("config", &["nearest", "quote"]),
    ("dns", &[]),
    ("directory", &["config", "panel", "stats", "viewers"]),
    ("files", &[]),
    ("frame", &[]),
    ("heartbeat", &[]),
    ("jpeg", &[]),
    ("kept", &["config", "files", "quote"]),
    ("line_queue", &[]),
    ("log_limit", &[]),
    ("ledger", &["clocks", "cname", "config", "random"]),
    ("nearest", &[]),
    ("neighbours", &[]),
    ("panel", &["config"]),
    ("process", &["clocks"]),
    ("quote", &[]),
    ("random", &[]),
    ("rtp", &["jpeg"]),
    ("stats", &["jpeg", "rtp"]),
    ("stop", &[]),
    ("sessions", &["config", "ledger", "stats"]),
    ("viewers", &["bell", "sessions"]),
    // The stages: they do not know each other.
    (
        "capture",
        &[
            "backoff",
            "clocks",
            "config",
            "frame",
            "heartbeat",
            "jpeg",
            "log_limit",
            "panel",
            "quote",
            "stats",
            "stop",
        ],
    ),
    (
        "transmit",
        &[
            "backoff",
            "clocks",
            "cname",
            "config",
            "dns",
            "frame",
            "ledger",
            "log_limit",
            "neighbours",
            "random",
            "rtp",
            "sessions",
            "stats",
        ],
    ),
    // Those that join them.
    (
        "camera",
        &[
            "capture",
            "config",
            "frame",
            "heartbeat",
            "jpeg",
            "ledger",
            "log_limit",
            "panel",
            "rtp",
            "stats",
            "stop",
            "transmit",
            "viewers",
        ],
    ),
    (
        "door",
        &[
            "backoff",
            "bell",
            "clocks",
            "cname",
            "config",
            "directory",
            "dns",
            "heartbeat",
            "jpeg",
            "kept",
            "ledger",
            "log_limit",
            "neighbours",
            "panel",
            "process",
            "random",
            "rtp",
            "sdp",
            "sessions",
            "stats",
            "transmit",
            "viewers",
        ],
    ),
    ("log", &["config", "line_queue"]),
    ("sandbox", &["config"]),
    (
        "service",
        &[
            "backoff",
            "camera",
            "clocks",
            "config",
            "directory",
            "door",
            "heartbeat",
            "kept",
            "ledger",
            "log",
            "log_limit",
            "notes",
            "panel",
            "process",
            "sandbox",
            "stats",
            "stop",
            "viewers",
        ],
    ),
    (
        "doctor",
        &[
            "capture",
            "config",
            "frame",
            "heartbeat",
            "jpeg",
            "quote",
            "rtp",
            "stats",
            "stop",
        ],
    ),
    ("notes", &["capture", "config", "kept", "quote", "transmit"]),
    // What a user types.
    ("appliance", &["config", "files"]),
    ("cli", &["config", "nearest", "quote"]),
    ("sdp", &["config", "rtp"]),
    (
        "commands",
        &[
            "appliance",
            "capture",
            "cli",
            "config",
            "doctor",
            "door",
            "files",
            "kept",
            "line_queue",
            "notes",
            "panel",
            "quote",
            "rtp",
            "sdp",
            "service",
            "stats",
            "stop",
            "transmit",
        ],
    ),
];

/// Rooms that see octets and time as values: no descriptor, thread, clock or address.
const PURE: [&str; 2] = ["jpeg", "rtp"];
/// What such a room may name of the world outside: a list of what is allowed would be long, and this is not.
const OUTSIDE: [&str; 10] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::sync",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "nix",
];

/// The only files with `unsafe`.
const UNSAFE: [&str; 3] = [
    "capture/v4l2/ioctl.rs",
    "capture/v4l2/ring.rs",
    "transmit/sendmmsg.rs",
];

/// The modules by their place, with what each passes on.
struct House<'a>(BTreeMap<&'a [String], &'a Source>);

impl House<'_> {
    /// The module that `name`, written in `from`, leads to; `None` for other crates and for what is in `from` itself.
    fn target(&self, from: &Module, name: &[String]) -> Option<Module> {
        let (first, rest) = name.split_first()?;
        let start = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.clone(),
            "super" => from[..from.len() - 1].to_vec(),
            child => {
                let child = [&from[..], &[child.to_owned()]].concat();
                return match self.0.contains_key(&child[..]) {
                    true => self.walk(child, rest),
                    false => None,
                };
            }
        };
        self.walk(start, rest).filter(|target| target != from)
    }

    /// From the module `at` down along `names`, through what is passed on.
    fn walk(&self, mut at: Module, names: &[String]) -> Option<Module> {
        let Some((name, rest)) = names.split_first() else {
            return Some(at);
        };
        if name == "super" {
            at.pop();
            return self.walk(at, rest);
        }
        let child = [&at[..], std::slice::from_ref(name)].concat();
        if self.0.contains_key(&child[..]) {
            return self.walk(child, rest);
        }
        let passed_on = self.0.get(&at[..]).and_then(|source| {
            let mut reexports = source.names.reexports.iter();
            reexports.find(|reexport| reexport.last() == Some(name))
        });
        match passed_on {
            Some(reexport) => self.target(&at, reexport).or(Some(at)),
            None => (!at.is_empty()).then_some(at),
        }
    }
}

fn house(sources: &[Source]) -> House<'_> {
    let modules = sources.iter().map(|source| (&source.module[..], source));
    House(modules.collect())
}

#[test]
fn rooms_use_only_what_they_may() {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources() {
        let room = &source.module[0];
        let used = seen.entry(room.clone()).or_default();
        for name in &source.names.all {
            if let [krate, other, ..] = &name[..]
                && krate == "crate"
                && other != room
            {
                used.insert(other.clone());
            }
        }
    }
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let allowed: BTreeMap<String, BTreeSet<String>> = ALLOWED
        .iter()
        .map(|(room, used)| ((*room).to_owned(), owned(used)))
        .collect();
    for (room, used) in &seen {
        let allowed = allowed.get(room);
        assert_eq!(Some(used), allowed, "{room}: uses, and may use");
    }
    assert_eq!(seen.len(), allowed.len(), "a room that is not there");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let sources = sources();
    let house = house(&sources);
    let mut uses: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for source in &sources {
        let names = source.names.all.iter();
        let targets = names.filter_map(|name| house.target(&source.module, name));
        uses.insert(&source.module, targets.collect());
    }
    let edges: usize = uses.values().map(BTreeSet::len).sum();
    assert!(edges > 150, "only {edges} uses were understood");
    // Whoever uses nobody that is left is in no circle.
    while let Some(free) = uses.iter().find_map(|(&module, targets)| {
        let is_free = !targets.iter().any(|target| uses.contains_key(target));
        is_free.then_some(module)
    }) {
        uses.remove(free);
    }
    let left = |targets: &BTreeSet<Module>| -> Vec<String> {
        let targets = targets.iter().filter(|target| uses.contains_key(target));
        targets.map(|target| target.join("::")).collect()
    };
    let circles = uses.iter().map(|(module, targets)| {
        format!("{} uses {}", module.join("::"), left(targets).join(", "))
    });
    let circles: Vec<String> = circles.collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn jpeg_and_rtp_see_no_descriptor_thread_or_clock() {
    for source in &sources() {
        if !PURE.contains(&source.module[0].as_str()) {
            continue;
        }
        for name in &source.names.all {
            let name = name.join("::");
            let outside = OUTSIDE
                .iter()
                .find(|outside| name == **outside || name.starts_with(&format!("{outside}::")));
            assert_eq!(outside, None, "{}: {name}", source.file.display());
        }
    }
}

#[test]
fn unsafe_is_where_it_is_fenced() {
    let sources = sources();
    let mut files: Vec<_> = sources
        .iter()
        .filter(|source| source.names.has_unsafe)
        .map(|source| source.file.to_str().expect("ASCII"))
        .collect();
    files.sort_unstable();
    assert_eq!(files, UNSAFE);
}
