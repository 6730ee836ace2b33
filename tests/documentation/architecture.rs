//! docs/architecture.md: the files and functions that it names exist, and unsafe code is where it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::pages::{ROOT, page};

/// Generated, and none of the program's own.
const BINDINGS: &str = "v4l2-sys";

/// The text below `heading`, without blocks.
fn section(heading: &str) -> String {
    let sections = page("docs/architecture.md").sections();
    let mut sections = sections.into_iter();
    let found = sections.find(|(_, found, _)| found == heading);
    found.unwrap_or_else(|| panic!("no section {heading}")).2
}

/// What stands between backticks in the first two cells of a table's rows.
fn rows(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('`');
        Some((cells.next()?, cells.nth(1)?))
    })
}

/// All files of Rust below `folder`.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == BINDINGS => Vec::new(),
            true => sources(&entry.path()),
            false => vec![entry.path()],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn the_functions_on_the_path_of_a_frame_exist() {
    let path = section("The path of a frame");
    let mut functions = 0;
    for (name, file) in rows(&path) {
        let text = fs::read_to_string(Path::new(ROOT).join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        let (object, function) = name.split_once("::").unwrap_or(("", name));
        assert!(text.contains(&format!("fn {function}")), "{name} in {file}");
        assert!(text.contains(object), "{name} in {file}");
        functions += 1;
    }
    assert!(functions >= 10, "{functions} functions");
}

#[test]
fn the_files_in_the_tree_exist_and_none_of_a_stage_is_missing() {
    let source = Path::new(ROOT).join("src");
    let there: BTreeSet<_> = sources(&source)
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let architecture = page("docs/architecture.md");
    let tree = architecture
        .blocks("text")
        .into_iter()
        .find(|block| block.text.starts_with("src/"))
        .unwrap();
    let words = tree.text.split_whitespace();
    let names = words.map(|word| word.trim_end_matches(':').rsplit('/').next().unwrap());
    let named: BTreeSet<_> = names
        .filter(|name| name.ends_with(".rs"))
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<_> = named.difference(&there).collect();
    assert!(missing.is_empty(), "not in src/: {missing:?}");
    // The files of `capture`, `jpeg`, `rtp` and `transmit` are named one by one.
    for stage in ["capture", "rtp", "transmit"] {
        for path in sources(&source.join(stage)) {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let is_named = tree.text.contains(&format!("{stem}.rs"))
                || tree.text.contains(&format!(" {stem},"))
                || tree.text.contains(&format!(", {stem}\n"));
            assert!(
                is_named || ["mod", "tests"].contains(&stem),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_where_the_page_says() {
    let source = Path::new(ROOT).join("src");
    let allowed = sources(&source).into_iter().filter(|path| {
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        lines.any(|line| line.contains("unsafe_code") && !line.contains("deny(unsafe_code)"))
    });
    let allowed: BTreeSet<_> = allowed
        .map(|path| path.strip_prefix(&source).unwrap().to_owned())
        .collect();
    let text = section("Unsafe");
    let files = text.lines().filter_map(|line| {
        let (file, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(PathBuf::from(file))
    });
    assert_eq!(files.collect::<BTreeSet<_>>(), allowed);
}
