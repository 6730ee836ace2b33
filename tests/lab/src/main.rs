//! PID 1 of the hardware lab: loads the drivers, runs the scenarios, prints a result line for each, powers off.
//!
//! The kernel under test is Debian's own, the camera is emulated behind its real `uvcvideo` driver:
//!
//!   `studio` -> `uvc` + `descriptors` -> `pipe` -> `usbip` -> vhci_hcd -> uvcvideo -> /dev/video0 -> framewire
//!   `scenarios` <- `receiver` + `depacketizer` + `tables` + `jpeg` <- 127.0.0.1 <- RTP <- framewire
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]
#![expect(clippy::print_stdout, reason = "the console is where the results go")]
#![forbid(unsafe_code)]

mod bench;
mod camera;
mod depacketizer;
mod descriptors;
mod door;
mod fault;
mod framewire;
mod holdings;
mod http;
mod jpeg;
mod live;
mod netlink;
mod pipe;
mod receiver;
mod scenarios;
mod studio;
mod system;
mod tables;
mod usbip;
mod uvc;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use scenarios::Scenario;

/// No scenario takes so long, in the machine's time. A dead-lock is over soon: idle time is skipped.
const LIMIT: Duration = Duration::from_secs(120);
/// Beyond what is asked for. Nor does a camera that is unplugged and plugged in again.
const CYCLE_LIMIT: Duration = Duration::from_secs(10);

fn main() {
    if let Err(error) = system::prepare() {
        println!("LAB FAIL system {error}");
        system::power_off();
    }
    let chosen = system::chosen_scenarios();
    let is_named = |(name, _): &(&str, _)| chosen.iter().any(|each| each == name);
    let plan: Vec<_> = match chosen.is_empty() {
        true => scenarios::ALL.to_vec(),
        false => (scenarios::ALL.into_iter().chain(scenarios::BENCHES))
            .filter(is_named)
            .collect(),
    };
    let names: Vec<_> = plan.iter().map(|(name, _)| *name).collect();
    println!("LAB PLAN {}", names.join(" "));
    for (name, scenario) in plan {
        let start = Instant::now();
        let result = run(scenario);
        let took = start.elapsed().as_secs_f64();
        match result {
            Some(Ok(facts)) => println!("LAB PASS {name} {facts} guest={took:.1}s"),
            Some(Err(reason)) => {
                println!(
                    "LAB FAIL {name} {} guest={took:.1}s",
                    reason.replace('\n', " | ")
                );
            }
            None => {
                // Its cameras are still plugged in: nothing after it could be trusted.
                println!("LAB FAIL {name} hangs");
                system::power_off();
            }
        }
    }
    println!("LAB DONE");
    system::power_off();
}

/// Runs a scenario in a thread of its own: its panic is its own failure, and `None` means that it does not end.
fn run(scenario: Scenario) -> Option<Result<String, String>> {
    let (report, result) = mpsc::channel();
    let thread = thread::spawn(move || {
        // Nobody listens any more after the limit.
        let _ = report.send(scenario().map_err(|error| error.to_string()));
    });
    let asked =
        CYCLE_LIMIT * system::cycles() + Duration::from_secs(system::chaos_seconds().into());
    match result.recv_timeout(LIMIT + asked) {
        Ok(result) => Some(result),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().err()?;
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Some(Err(format!("panicked: {}", text.unwrap_or("?"))))
        }
    }
}
