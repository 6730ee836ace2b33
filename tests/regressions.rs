//! The inputs that are kept for the fuzz targets, each through its parser's check.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "../fuzz/src/lib.rs"]
mod checks;

use std::fs;
use std::path::{Path, PathBuf};

/// What lies in `folder` of `fuzz/`, in name order.
fn entries(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// The names of what lies in `folder` of `fuzz/`, without extensions.
fn names(folder: &str) -> Vec<String> {
    let stems = entries(folder).into_iter().filter_map(|path| {
        let stem = path.file_stem()?;
        Some(stem.to_string_lossy().into_owned())
    });
    stems.collect()
}

#[test]
fn every_input_that_is_kept_passes() {
    for (target, check) in checks::CHECKS {
        let inputs = entries(&format!("regressions/{target}"));
        assert!(!inputs.is_empty(), "{target} has no inputs");
        for input in inputs {
            // Shown when the check panics.
            println!("{}", input.display());
            check(&fs::read(&input).expect("an input"));
        }
    }
}

#[test]
fn every_check_has_a_target_and_inputs() {
    let checks = checks::CHECKS.map(|(name, _)| name);
    assert_eq!(names("targets"), checks);
    assert_eq!(names("regressions"), checks);
}
