//! docs/counters.md: each counter of the JSON object has its row, and each row its counter.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use framewire::stats::output::{OutputStats, Receiver};
use framewire::stats::{DropReason, Stats};
use serde_json::Value;

use super::pages::page;

/// The first cells of the rows below `heading` that are code.
pub fn rows(heading: &str) -> BTreeSet<String> {
    let sections = page("docs/counters.md").sections();
    let mut sections = sections.into_iter();
    let (_, _, text) = sections
        .find(|(_, found, _)| found == heading)
        .unwrap_or_else(|| panic!("no section {heading}"));
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name.to_owned())
        .collect()
}

pub fn keys(object: &Value) -> BTreeSet<String> {
    let object = object.as_object().expect("an object");
    assert!(!object.is_empty());
    object.keys().cloned().collect()
}

/// What `--json` prints of a camera with a destination that has a receiver.
fn summary() -> Value {
    let stats = Stats::default();
    let output = OutputStats::new("h:1".to_owned());
    let receiver = Receiver {
        ssrc: 1,
        fraction_lost: 0.0,
        packets_lost: 0,
        jitter_ms: 0.0,
        round_trip_ms: None,
    };
    output.heard_of(receiver, Instant::now());
    stats.set_outputs(vec![Arc::new(output)]);
    serde_json::to_value(stats.summary("front")).unwrap()
}

#[test]
fn each_counter_has_its_row_and_each_row_its_counter() {
    let camera = summary();
    assert_eq!(rows("Of a camera"), keys(&camera));
    assert_eq!(rows("Latency"), keys(&camera["latency_us"]));
    let output = &camera["outputs"][0];
    let receiver = &output["receivers"][0];
    let both = &keys(output) | &keys(receiver);
    assert_eq!(rows("Of a destination"), both);
}

#[test]
fn each_figure_of_a_latency_is_explained() {
    let sections = page("docs/counters.md").sections();
    let (_, _, text) = sections
        .iter()
        .find(|(_, found, _)| found == "Latency")
        .unwrap();
    for figure in keys(&summary()["latency_us"]["first_to_last_packet"]) {
        assert!(text.contains(&format!("`{figure}`")), "{figure}");
    }
}

#[test]
fn each_reason_of_a_drop_has_its_row_and_each_row_its_reason() {
    let reasons = DropReason::ALL
        .iter()
        .map(|reason| reason.name().to_owned());
    assert_eq!(rows("Reasons of a drop"), reasons.collect());
}

#[test]
fn each_state_has_its_row_and_each_row_its_state() {
    let stats = Stats::default();
    let mut states = BTreeSet::from([stats.state().to_string()]);
    stats.source_opened();
    stats.source_delivers();
    states.insert(stats.state().to_string());
    let output = Arc::new(OutputStats::new("h:1".to_owned()));
    output.frame_sent();
    stats.set_outputs(vec![output]);
    states.insert(stats.state().to_string());
    stats.source_missing("…");
    states.insert(stats.state().to_string());
    stats.source_sleeps();
    states.insert(stats.state().to_string());
    stats.source_stopped();
    states.insert(stats.state().to_string());
    assert_eq!(rows("State"), states);
}
