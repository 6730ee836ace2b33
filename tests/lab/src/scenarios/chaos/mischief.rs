//! Draws faults for a camera and lets it suffer them, one after the other, with good streaming in between.

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use super::chance::Chance;
use crate::bench::{Kit, description};
use crate::camera::Camera;
use crate::fault::Fault;
use crate::live::Live;
use crate::scenarios::{VGA, sized};
use crate::studio::{Film, Take, film};
use crate::uvc::Coding;

/// Frames a second: 15 keep the emulated machine's load low, so that half an hour of it does not take one.
pub const FPS: u32 = 15;
/// So many frames must have come again before the next fault.
const RECOVERED: usize = 5;
const PAUSE: std::ops::RangeInclusive<usize> = 100..=2000; // milliseconds
/// What the host controller has had for so long, framewire has taken from the driver.
pub const SETTLED: Duration = Duration::from_millis(10);
/// Longer than any fault takes to have its effect.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);
const ALL_TRANSFERS: usize = usize::MAX;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mischief {
    ErrorBit,
    Truncated,
    Garbage,
    Empty,
    BadHeader,
    SlowFrames,
    OtherSize,
    /// Two transfers end with -EPROTO; the stream may survive.
    BusErrors,
    /// All of them do: the driver starts none again.
    DeadBus,
    /// Two transfers in the middle of a frame.
    TornByBus,
    /// The first frames of a stream.
    BadStart,
    /// The stream has to be started again, which is refused a few times.
    Refusals,
    ShortStall,
    /// Long enough for the stream to be started again.
    LongStall,
    /// Until the stream is started again.
    OnlyDamage,
    Replug,
    ReplugElsewhere,
    /// Pulled out in the middle of a frame.
    TornFrame,
}

impl Mischief {
    pub const ALL: [Self; 18] = [
        Self::ErrorBit,
        Self::Truncated,
        Self::Garbage,
        Self::Empty,
        Self::BadHeader,
        Self::SlowFrames,
        Self::OtherSize,
        Self::BusErrors,
        Self::DeadBus,
        Self::TornByBus,
        Self::BadStart,
        Self::Refusals,
        Self::ShortStall,
        Self::LongStall,
        Self::OnlyDamage,
        Self::Replug,
        Self::ReplugElsewhere,
        Self::TornFrame,
    ];
}

/// A camera to which things happen, on a schedule of its own.
pub struct Victim {
    /// Its place in the configuration.
    index: usize,
    kit: Kit,
    ports: [u8; 2],
    other_size: Film,
    chance: Chance,
    /// Faults to come: none comes again before all have been there.
    deck: Vec<Mischief>,
    pub suffered: BTreeMap<Mischief, usize>,
    /// The streams of the camera up to the last time it was unplugged.
    pub takes: Vec<Take>,
}

impl Victim {
    /// Camera `index` of the configuration, which will be plugged into one port or the other.
    pub fn new(
        index: usize,
        serial: &'static str,
        flavour: &str,
        ports: [u8; 2],
        seed: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let kit = Kit {
            description: description(serial, Coding::Mjpeg, &[sized(VGA, &[FPS])]),
            film: film(&format!("{flavour}-640x480"))?,
        };
        Ok(Self {
            index,
            kit,
            ports,
            other_size: film(&format!("{flavour}-1280x720"))?,
            chance: Chance::new(seed),
            deck: Vec::new(),
            suffered: BTreeMap::new(),
            takes: Vec::new(),
        })
    }

    pub fn plug(&self) -> Result<Camera, String> {
        let [port, _] = self.ports;
        self.kit.plug(port).map_err(|error| error.to_string())
    }

    /// One fault after the other, the last of which begins before `end`. The camera streams when it is given back.
    pub fn torment(
        &mut self,
        mut camera: Camera,
        live: &Live,
        end: Instant,
    ) -> Result<Camera, String> {
        while Instant::now() < end {
            camera = self.suffer_one(camera, live)?;
            thread::sleep(self.chance.millis(PAUSE));
        }
        Ok(camera)
    }

    /// Every fault once.
    pub fn suffer_each(&mut self, mut camera: Camera, live: &Live) -> Result<Camera, String> {
        for _ in Mischief::ALL {
            camera = self.suffer_one(camera, live)?;
        }
        Ok(camera)
    }

    /// The next fault, until the camera has recovered from it.
    fn suffer_one(&mut self, camera: Camera, live: &Live) -> Result<Camera, String> {
        let (index, mischief) = (self.index, self.draw());
        let named = |why| format!("camera {index}: {mischief:?}: {why}");
        let camera = self.suffer(camera, mischief).map_err(named)?;
        live.wait_for_frames_of(index, RECOVERED).map_err(named)?;
        *self.suffered.entry(mischief).or_default() += 1;
        Ok(camera)
    }

    /// All that it films.
    pub fn films(&self) -> [&Film; 2] {
        [&self.kit.film, &self.other_size]
    }

    fn draw(&mut self) -> Mischief {
        if self.deck.is_empty() {
            self.deck.extend(Mischief::ALL);
            self.chance.shuffle(&mut self.deck);
        }
        self.deck.pop().unwrap_or(Mischief::Replug)
    }

    #[expect(clippy::too_many_lines, reason = "a list: one arm for each mischief")]
    fn suffer(&mut self, camera: Camera, mischief: Mischief) -> Result<Camera, String> {
        let (chance, starts) = (&mut self.chance, camera.function().starts);
        let started_again = || camera.function().starts > starts;
        match mischief {
            Mischief::ErrorBit => some_frames(&camera, Fault::ErrorBit, chance.within(1..=10))?,
            Mischief::Truncated => some_frames(&camera, Fault::Truncated, chance.within(1..=10))?,
            Mischief::Garbage => some_frames(&camera, Fault::Garbage, chance.within(1..=10))?,
            Mischief::Empty => some_frames(&camera, Fault::Empty, chance.within(1..=10))?,
            Mischief::BadHeader => some_frames(&camera, Fault::BadHeader, chance.within(1..=4))?,
            Mischief::SlowFrames => {
                let by = chance.millis(5..=50);
                some_frames(&camera, Fault::Slow(by), chance.within(1..=10))?;
            }
            Mischief::OtherSize => {
                camera.change_film(self.other_size.clone());
                thread::sleep(chance.millis(200..=2000));
                camera.change_film(self.kit.film.clone());
            }
            Mischief::BusErrors => some_frames(&camera, Fault::BusError(2), 1)?,
            Mischief::DeadBus => {
                some_frames(&camera, Fault::BusError(ALL_TRANSFERS), 1)?;
                wait(started_again)?;
            }
            Mischief::TornByBus => {
                some_frames(&camera, Fault::BusErrorAmid(2, chance.millis(0..=50)), 1)?
            }
            Mischief::BadStart => {
                some_frames(&camera, Fault::BusError(ALL_TRANSFERS), 1)?;
                some_frames(&camera, Fault::ErrorBit, chance.within(1..=5))?;
            }
            Mischief::Refusals => {
                camera.function().refusals = chance.within(1..=3);
                some_frames(&camera, Fault::BusError(ALL_TRANSFERS), 1)?;
                wait(|| camera.function().refusals == 0)?;
            }
            Mischief::ShortStall => {
                let duration = chance.millis(1000..=8000);
                camera.stall(duration);
                thread::sleep(duration);
            }
            Mischief::LongStall => {
                let duration = chance.millis(11_000..=30_000);
                camera.stall(duration);
                thread::sleep(duration);
                wait(started_again)?;
            }
            Mischief::OnlyDamage => {
                camera.damage(Fault::Truncated, usize::MAX);
                wait(started_again)?;
                camera.mend();
            }
            Mischief::Replug => return self.replug(camera),
            Mischief::ReplugElsewhere => {
                self.ports.reverse();
                return self.replug(camera);
            }
            Mischief::TornFrame => {
                some_frames(&camera, Fault::Slow(4 * SETTLED), 1)?;
                return self.replug(camera);
            }
        }
        Ok(camera)
    }

    /// Pulled out at any moment but right after a frame: nobody could tell then whether it had still come through.
    fn replug(&mut self, camera: Camera) -> Result<Camera, String> {
        let is_settled = |at: Instant| at.elapsed() > SETTLED;
        wait(|| camera.last_complete().is_some_and(is_settled))?;
        self.takes.extend(camera.unplug());
        thread::sleep(self.chance.millis(0..=3000));
        self.plug()
    }
}

/// The next frames have this fault; returns when the last of them has begun.
fn some_frames(camera: &Camera, fault: Fault, frames: usize) -> Result<(), String> {
    camera.damage(fault, frames);
    wait(|| !camera.is_damaged())
}

fn wait(is_over: impl Fn() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while !is_over() {
        if start.elapsed() > LIMIT {
            return Err(format!("no effect within {LIMIT:?}"));
        }
        thread::sleep(POLL);
    }
    Ok(())
}
