//! Everything goes wrong at once, at random, for as long as one likes; at the end every frame is accounted for.

mod books;
mod chance;
pub mod mischief;

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use super::VGA;
use crate::bench::{Outcome, RTP_PORT, config_of, ensure};
use crate::camera::Camera;
use crate::live::Live;
use crate::netlink::{BadNetwork, Weather};
use crate::receiver::Tally;
use crate::system;

use books::Books;
use mischief::{FPS, Mischief, Victim};

const SERIALS: [&str; 2] = ["LEFT", "RIGHT"];
const WEATHER: Weather = Weather {
    loss: 0.02,
    overtaking: 0.01,
    delay_us: 30_000, // longer than from batch to batch of a frame: else none would overtake another
};
/// Of the time, before the process is looked at for the first time.
const WARM_UP: u32 = 4;
/// No frame for so long: all have been sent.
const QUIET: Duration = Duration::from_millis(300);

pub fn chaos() -> Outcome {
    let (seconds, seed) = (system::chaos_seconds(), system::chaos_seed());
    let mut victims = [
        Victim::new(0, SERIALS[0], "plain", [0, 2], seed.into())?,
        Victim::new(1, SERIALS[1], "c920", [1, 3], !u64::from(seed))?,
    ];
    let cameras = [victims[0].plug()?, victims[1].plug()?];
    let live = Live::start_counting(&config())?;
    await_frames(&live)?;

    let network = BadNetwork::begin(&WEATHER)?;
    let (start, time) = (Instant::now(), Duration::from_secs(seconds.into()));
    let cameras = torment(&mut victims, cameras, &live, start + time / WARM_UP)?;
    let before = live.framewire.holdings()?;
    let cameras = torment(&mut victims, cameras, &live, start + time)?;
    let after = live.framewire.holdings()?;
    drop(network);
    // The last packets arrive, so that what is missing shows.
    await_frames(&live)?;
    fall_silent(&cameras);
    let (ended, tallies) = live.end_lossy()?;
    let panics = ended.stderr.matches("panicked").count();
    ensure!(panics == 0, "{panics} panics");

    for (victim, camera) in victims.iter_mut().zip(cameras) {
        victim.takes.extend(camera.unplug());
    }
    let mut facts = vec![format!("seed={seed}")];
    let mut result = Ok(());
    for (index, (victim, tally)) in victims.iter().zip(&tallies).enumerate() {
        let summary = ended.camera_number(index)?;
        let times = |mischief| victim.suffered.get(&mischief).copied().unwrap_or(0);
        let bus = [
            Mischief::BusErrors,
            Mischief::DeadBus,
            Mischief::TornByBus,
            Mischief::BadStart,
            Mischief::Refusals,
        ];
        let bus_errors = bus.into_iter().map(times).sum();
        let balance = Books::of(&victim.takes).balance(SERIALS[index], &summary, bus_errors);
        let packets = lossy(tally, summary.count("packets_sent")?);
        result = result.and(balance).and(packets);
        facts.push(format!(
            "sent={} lost={}/{} overtaken={}",
            summary.count("frames_sent")?,
            tally.numbered() - tally.received,
            tally.numbered(),
            tally.overtaken
        ));
    }
    let times = all_happened(&victims)?;
    result?;
    before.must_not_grow(&after)?;
    facts.push(format!("{times:?}").replace(' ', ""));
    facts.push(format!("before: {before} after: {after}"));
    Ok(facts.join(" "))
}

fn config() -> String {
    let ports = (RTP_PORT..).step_by(2);
    let cameras = SERIALS.iter().zip(ports).map(|(serial, port)| {
        let device = format!("usb:046d:082d:{serial}");
        config_of(&serial.to_lowercase(), port, &device, VGA, FPS, "") + "pacing = 0.75\n"
    });
    cameras.collect()
}

fn await_frames(live: &Live) -> Result<(), String> {
    live.wait_for_frames_of(0, 10)?;
    live.wait_for_frames_of(1, 10)?;
    Ok(())
}

/// Both cameras at the same time; what has begun by `end` is still suffered.
fn torment(
    victims: &mut [Victim; 2],
    cameras: [Camera; 2],
    live: &Live,
    end: Instant,
) -> Result<[Camera; 2], Box<dyn Error>> {
    let ([left, right], [one, other]) = (victims, cameras);
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| right.torment(other, live, end));
        (left.torment(one, live, end), other.join())
    });
    Ok([one?, other.map_err(|_| "a schedule panicked")??])
}

/// Neither camera begins another frame; what they have sent is on the network.
fn fall_silent(cameras: &[Camera; 2]) {
    cameras.iter().for_each(|camera| camera.stall(60 * QUIET));
    let is_quiet = |camera: &Camera| {
        let complete = camera.last_complete();
        complete.is_none_or(|at: Instant| at.elapsed() > QUIET)
    };
    while !cameras.iter().all(is_quiet) {
        thread::sleep(QUIET / 10);
    }
}

/// The network must have lost packets, and nothing else.
fn lossy(tally: &Tally, sent: usize) -> Result<(), String> {
    let what = "packets by sequence numbers";
    match tally {
        _ if tally.numbered() != sent as u64 => Err(format!("{sent} sent, but {tally:?} {what}")),
        _ if tally.received >= tally.numbered() => Err(format!("none lost: {tally:?} {what}")),
        _ if tally.overtaken == 0 => Err(format!("none overtaken: {tally:?} {what}")),
        _ => Ok(()),
    }
}

/// How often each fault happened to either camera.
fn all_happened(victims: &[Victim]) -> Result<BTreeMap<Mischief, usize>, String> {
    let times = |mischief| {
        let each = victims
            .iter()
            .filter_map(|victim| victim.suffered.get(&mischief));
        (mischief, each.sum())
    };
    let all: BTreeMap<_, usize> = Mischief::ALL.map(times).into();
    match all.iter().find(|(_, times)| **times == 0) {
        Some((mischief, _)) => Err(format!("{mischief:?} did not happen: {all:?}")),
        None => Ok(all),
    }
}
