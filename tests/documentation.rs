//! The documentation against the program: what it says exists, and what exists it says.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod documentation {
    pub mod api;
    pub mod architecture;
    pub mod commands;
    pub mod configuration;
    pub mod counters;
    pub mod pages;
}
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use documentation::architecture;
use documentation::pages::{Page, ROOT, all_pages, page};

/// What a person reads before deciding.
const README_OCTETS: usize = 8_000;

#[test]
fn the_readme_is_short() {
    let octets = page("README.md").text.len();
    assert!(octets <= README_OCTETS, "README.md has {octets} octets");
}

/// The first code span of each line that begins with it, behind a number.
#[test]
fn the_readme_quotes_what_the_log_says() {
    let program: String = architecture::sources(&Path::new(ROOT).join("src"))
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let readme = page("README.md").text;
    let (_, section) = readme.split_once("## When you see nothing").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut quotes = 0;
    for line in section.lines().filter_map(|line| line.split_once(". ")) {
        let text = line.1.trim_start_matches('`');
        let ticks = &line.1[..line.1.len() - text.len()];
        if !ticks.is_empty() {
            let (quote, _) = text.split_once(ticks).unwrap();
            assert!(program.contains(quote), "{quote}: no such text in src");
            quotes += 1;
        }
    }
    assert!(quotes >= 4, "{quotes} quotes");
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for from in all_pages() {
        for (line, target) in from.links() {
            links += 1;
            let place = format!("{}:{line}: {target}", from.name);
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => from.path(),
                file => from.path().parent().unwrap().join(file),
            };
            assert!(path.exists(), "{place}: no such file");
            if !anchor.is_empty() {
                let there = Page::read(&path).anchors();
                assert!(there.contains(anchor), "{place}: there is {there:?}");
            }
        }
    }
    assert!(links > 50, "{links} links");
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let linked: BTreeSet<_> = page("README.md")
        .links()
        .map(|(_, target)| target.split('#').next().unwrap().to_owned())
        .collect();
    for page in all_pages().filter(|page| page.name.starts_with("docs/")) {
        assert!(linked.contains(&page.name), "{}", page.name);
    }
    assert!(Path::new(ROOT).join("docs").is_dir());
}
