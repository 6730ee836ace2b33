//! Whether all is well, for load balancers, container health checks and the like: one word, or the reason.

use hyper::StatusCode;

use super::answer::{self, Answer};
use crate::directory::Entry;

/// Well while every camera does what it should: it streams, or sleeps until somebody watches.
pub fn answer(entries: &[Entry]) -> Answer {
    let problems: Vec<String> = entries.iter().filter_map(problem).collect();
    if entries.is_empty() {
        answer::text(StatusCode::SERVICE_UNAVAILABLE, "no camera")
    } else if problems.is_empty() {
        answer::text(StatusCode::OK, "ok")
    } else {
        answer::text(StatusCode::SERVICE_UNAVAILABLE, problems.join("\n"))
    }
}

/// The same in one word, for those who have not said who they are.
pub fn in_short(entries: &[Entry]) -> Answer {
    match answer(entries).status() {
        StatusCode::OK => answer::text(StatusCode::OK, "ok"),
        status => answer::text(status, "not well"),
    }
}

fn problem(entry: &Entry) -> Option<String> {
    let state = entry.stats.state();
    let problem = || format!("{}: {state}", entry.config.name());
    (!state.is_well()).then(problem)
}
