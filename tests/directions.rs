//! Which module may use which: the house stays one in which a frame's path can be followed, without circles.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemUse, UseTree};

/// What each room may use of the others. A use that is not here fails, and so does one here that is none.
const ALLOWED: &[(&str, &[&str])] = &[
    // The vocabulary: it knows no stage.
    ("backoff", &[]),
    ("clocks", &[]),
    ("cname", &["random"]),
    ("config", &["nearest", "quote"]),
    ("frame", &[]),
    ("heartbeat", &[]),
    ("jpeg", &[]),
    ("line_queue", &[]),
    ("log_limit", &[]),
    ("ledger", &["clocks", "cname", "config"]),
    ("nearest", &[]),
    ("quote", &[]),
    ("random", &[]),
    ("rtp", &["jpeg"]),
    ("stats", &["jpeg", "rtp"]),
    ("stop", &[]),
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
            "frame",
            "ledger",
            "log_limit",
            "random",
            "rtp",
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
            "rtp",
            "stats",
            "stop",
            "transmit",
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
            "heartbeat",
            "ledger",
            "log",
            "log_limit",
            "notes",
            "sandbox",
            "stats",
            "stop",
        ],
    ),
    ("notes", &["capture", "config", "quote", "transmit"]),
    // What a user types.
    ("appliance", &["config"]),
    ("cli", &["config", "nearest", "quote"]),
    ("sdp", &["config", "rtp"]),
    (
        "commands",
        &[
            "appliance",
            "capture",
            "cli",
            "config",
            "line_queue",
            "notes",
            "quote",
            "sdp",
            "service",
            "stats",
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

/// A module's place in the crate: `["capture", "v4l2", "ring"]`.
type Module = Vec<String>;

/// A file, its module, and every path that its code names; tests aside.
struct Source {
    file: PathBuf,
    module: Module,
    names: Names,
}

/// Paths as they are written, `use` trees laid out flat.
#[derive(Default)]
struct Names {
    all: Vec<Vec<String>>,
    /// Of these, what is passed on: `pub use`.
    reexports: Vec<Vec<String>>,
    has_unsafe: bool,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            let before = self.all.len();
            visit::visit_item_mod(self, module);
            // What a module in the same file takes from around it is no use of another file.
            let inside = self.all.split_off(before).into_iter();
            self.all.extend(inside.filter(|name| name[0] != "super"));
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let before = self.all.len();
        flatten(&item.tree, &mut Vec::new(), &mut self.all);
        if !matches!(item.vis, syn::Visibility::Inherited) {
            self.reexports.extend_from_slice(&self.all[before..]);
        }
    }

    /// `pub(super)` names whom it is shown to, not who is used.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.all
            .push(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.has_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, into: &mut Vec<Vec<String>>) {
    let with = |last: &syn::Ident| [&before[..], &[last.to_string()]].concat();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, into);
            before.pop();
        }
        UseTree::Name(name) => into.push(with(&name.ident)),
        UseTree::Rename(rename) => into.push(with(&rename.ident)),
        UseTree::Glob(_) => into.push(before.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, into);
            }
        }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let file = path.strip_prefix(&root).expect("below src").to_owned();
            if path.is_dir() && !path.join("Cargo.toml").exists() {
                folders.push(path);
            } else if file.extension().is_some_and(|extension| extension == "rs")
                && !matches!(file.to_str(), Some("lib.rs" | "main.rs"))
                && !file.ends_with("tests.rs")
            {
                sources.push(read(&path, file));
            }
        }
    }
    assert!(sources.len() > 60, "only {} files", sources.len());
    sources
}

fn read(path: &Path, file: PathBuf) -> Source {
    let text = fs::read_to_string(path).expect("a source file");
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(&text).expect("Rust"));
    let mut module: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_str().expect("ASCII").to_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    Source {
        file,
        module,
        names,
    }
}

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
