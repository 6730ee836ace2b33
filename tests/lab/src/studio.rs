//! What happens inside an emulated camera, whatever cable it hangs on: it sends frames at their committed rate, and
//! something goes wrong with them. Payload headers: USB Device Class Definition for Video Devices 1.1, 2.4.3.3.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::{Fault, Faults};
use crate::pipe::{Pipe, Reply, Setup, Stopped};
use crate::uvc::{Commit, Description, Function};

const POLL: Duration = Duration::from_millis(10);

const HEADER_LENGTH: u8 = 2;
const END_OF_HEADER: u8 = 0x80;
const ERROR: u8 = 0x40;
const END_OF_FRAME: u8 = 0x02;
const FRAME_ID: u8 = 0x01;
const NO_MARKER: u8 = 0x55; // what garbage is made of

/// The frames one size of a camera repeats for ever.
pub type Film = Arc<Vec<Vec<u8>>>;

/// Loads the pictures of `/frames/NAME` in the order of their names.
pub fn film(name: &str) -> Result<Film, Box<dyn Error>> {
    let entries = fs::read_dir(Path::new("/frames").join(name))?;
    let mut paths = entries
        .map(|e| Ok(e?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(Arc::new(
        paths.iter().map(fs::read).collect::<Result<_, _>>()?,
    ))
}

/// What goes wrong from now on, whichever frame it hits: may be changed while the camera streams.
#[derive(Default)]
struct Mood {
    /// No frame begins before; the stream may be stopped and started meanwhile.
    silent_until: Option<Instant>,
    /// So many of the next frames have this fault.
    damage: Option<(Fault, usize)>,
    /// Other pictures than those of the committed size.
    film: Option<Film>,
}

/// A frame that left the camera.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub number: usize,
    pub fault: Option<Fault>,
    /// When its first octets were handed to the host.
    pub at: Instant,
    /// When the host controller had taken all of it.
    pub complete: Option<Instant>,
}

/// One stream, from its start to its end.
#[derive(Clone, Debug, Default)]
pub struct Take {
    pub frames: Vec<Sent>,
    /// When the camera was pulled out, if that is how the stream ended.
    pub unplugged: Option<Instant>,
    ended: bool,
}

/// A camera that is switched on: what it sends, and what may be done to it.
pub struct Studio {
    pipe: Arc<Pipe>,
    function: Arc<Mutex<Function>>,
    mood: Arc<Mutex<Mood>>,
    takes: Arc<Mutex<Vec<Take>>>,
}

impl Studio {
    /// `plug` connects a cable, given what answers the host's requests. `films[format][size]` follows the order of the
    /// description.
    pub fn open<C, E>(
        description: Description,
        films: Vec<Vec<Film>>,
        faults: Faults,
        plug: impl FnOnce(Control) -> Result<(C, Arc<Pipe>), E>,
    ) -> Result<(C, Self), E> {
        let (function, commits) = Function::new(description);
        let function = Arc::new(Mutex::new(function));
        let (cable, pipe) = plug(Control(Arc::clone(&function)))?;
        let studio = Self {
            pipe: Arc::clone(&pipe),
            function,
            mood: Arc::default(),
            takes: Arc::default(),
        };
        let crew = Crew {
            pipe,
            films,
            faults,
            mood: Arc::clone(&studio.mood),
            takes: Arc::clone(&studio.takes),
        };
        // Ends by itself when the function, which holds the other end of the channel, is gone.
        thread::spawn(move || crew.work(commits));
        Ok((cable, studio))
    }

    pub fn function(&self) -> MutexGuard<'_, Function> {
        self.function.lock().expect("function lock")
    }

    /// The frames since the stream started last.
    pub fn sent(&self) -> Vec<Sent> {
        let takes = self.takes();
        takes
            .last()
            .map_or_else(Vec::new, |take| take.frames.clone())
    }

    /// The frames of all streams.
    pub fn all_sent(&self) -> Vec<Sent> {
        let takes = self.takes();
        takes.iter().flat_map(|take| take.frames.clone()).collect()
    }

    /// All streams, once `pull` has pulled the cable out; the last one with the time of that, if it went on.
    pub fn close(self, pull: impl FnOnce()) -> Vec<Take> {
        let unplugged = Instant::now();
        let is_live = || self.takes().last().is_some_and(|take| !take.ended);
        let was_live = is_live();
        // The host controller takes a while to notice; nothing comes through the cable meanwhile.
        self.pipe.stop();
        pull();
        // Its frames are noted by a thread of its own.
        while is_live() {
            thread::sleep(POLL);
        }
        let mut takes = std::mem::take(&mut *self.takes());
        if let Some(last) = takes.last_mut().filter(|_| was_live) {
            last.unplugged = Some(unplugged);
        }
        takes
    }

    /// Sends nothing for so long, even if the stream is stopped and started again.
    pub fn stall(&self, duration: Duration) {
        self.mood().silent_until = Some(Instant::now() + duration);
    }

    /// The next frames have this fault, in all streams to come.
    pub fn damage(&self, fault: Fault, frames: usize) {
        self.mood().damage = Some((fault, frames));
    }

    /// No frame has a fault any more.
    pub fn mend(&self) {
        self.mood().damage = None;
    }

    /// Whether a frame to come has a fault.
    pub fn is_damaged(&self) -> bool {
        self.mood().damage.is_some_and(|(_, frames)| frames > 0)
    }

    /// When the host controller had the newest frame completely.
    pub fn last_complete(&self) -> Option<Instant> {
        let takes = self.takes();
        takes
            .last()?
            .frames
            .iter()
            .rev()
            .find_map(|sent| sent.complete)
    }

    /// Sends other pictures than the host has asked for.
    pub fn change_film(&self, film: Film) {
        self.mood().film = Some(film);
    }

    /// Bus errors on up to `urbs` transfers that wait; returns how many there were.
    pub fn eproto_burst(&self, urbs: usize) -> usize {
        self.pipe.fail(urbs)
    }

    fn mood(&self) -> MutexGuard<'_, Mood> {
        lock(&self.mood)
    }

    fn takes(&self) -> MutexGuard<'_, Vec<Take>> {
        lock(&self.takes)
    }
}

/// Endpoint 0: what answers the host's requests.
pub struct Control(Arc<Mutex<Function>>);

impl Control {
    pub fn request(&self, pipe: &Pipe, setup: Setup, data: &[u8]) -> Reply {
        let mut function = self.0.lock().expect("function lock");
        function.request(pipe, setup, data)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock of the camera")
}

/// `data` with another octet somewhere behind its headers, at another place for each `number`.
fn with_changed_octet(data: &[u8], number: usize) -> Vec<u8> {
    /// More than the headers of any picture here.
    const HEADERS: usize = 1024;
    /// A prime, so that the places are all over the scan.
    const STRIDE: usize = 7919;
    let mut data = data.to_vec();
    let places = data.len() - HEADERS;
    let place = HEADERS + number * STRIDE % places;
    // Not to or from the prefix of markers: that would be seen without looking at the codes.
    let near = |place: usize| data.get(place).is_some_and(|octet| *octet == 0xFF);
    let place = (place..data.len()).find(|&place| !near(place) && !near(place - 1));
    let place = place.unwrap_or(HEADERS);
    let difference = u8::try_from(number * 37 % 254).unwrap_or(0) + 1;
    let changed = data[place] ^ difference;
    data[place] = if changed == 0xFF {
        data[place] ^ 0x10
    } else {
        changed
    };
    data
}

/// Sends the frames of one stream after another.
struct Crew {
    pipe: Arc<Pipe>,
    films: Vec<Vec<Film>>,
    faults: Faults,
    mood: Arc<Mutex<Mood>>,
    takes: Arc<Mutex<Vec<Take>>>,
}

impl Crew {
    fn work(self, commits: Receiver<Commit>) {
        for commit in commits {
            lock(&self.takes).push(Take::default());
            let Err(Stopped) = self.stream(commit);
            self.note(|take| take.ended = true);
        }
    }

    /// Writes to the take that goes on.
    fn note(&self, write: impl FnOnce(&mut Take)) {
        lock(&self.takes).last_mut().map(write);
    }

    fn stream(&self, commit: Commit) -> Result<std::convert::Infallible, Stopped> {
        let mut start = Instant::now();
        for number in 0.. {
            let due = start + commit.interval * u32::try_from(number).map_err(|_| Stopped)?;
            let planned = self.faults.iter().find(|(at, _)| *at == number);
            let planned = planned.map(|(_, fault)| *fault);
            let late = if let Some(Fault::Late(by)) = planned {
                by
            } else {
                Duration::ZERO
            };
            self.pipe.wait_until(commit.run, due + late)?;
            start += self.sit_out(commit)?;
            let (film, fault) = self.choose(commit, planned);
            let sent = Sent {
                number,
                fault,
                at: Instant::now(),
                complete: None,
            };
            self.note(|take| take.frames.push(sent));
            self.send_frame(commit, number, &film[number % film.len()], fault)?;
            self.note(|take| {
                if let Some(sent) = take.frames.last_mut() {
                    sent.complete = Some(Instant::now());
                }
            });
        }
        Err(Stopped)
    }

    /// Waits for the end of a stall; returns how long it took.
    fn sit_out(&self, commit: Commit) -> Result<Duration, Stopped> {
        let begin = Instant::now();
        let mut stalled = Duration::ZERO;
        let silent_until = || lock(&self.mood).silent_until;
        while let Some(until) = silent_until().filter(|until| *until > Instant::now()) {
            self.pipe.wait_until(commit.run, until)?;
            stalled = begin.elapsed();
        }
        Ok(stalled)
    }

    fn choose(&self, commit: Commit, planned: Option<Fault>) -> (Film, Option<Fault>) {
        let mut mood = lock(&self.mood);
        let committed = &self.films[commit.format][commit.size];
        let film = Arc::clone(mood.film.as_ref().unwrap_or(committed));
        let unplanned = mood.damage.as_mut().and_then(|(fault, frames)| {
            *frames = frames.checked_sub(1)?;
            Some(*fault)
        });
        (film, planned.or(unplanned))
    }

    fn send_frame(
        &self,
        commit: Commit,
        number: usize,
        data: &[u8],
        fault: Option<Fault>,
    ) -> Result<(), Stopped> {
        let frame_id = if number.is_multiple_of(2) {
            0
        } else {
            FRAME_ID
        };
        let last = frame_id | END_OF_FRAME;
        let (first_half, second_half) = data.split_at(data.len() / 2);
        let send = |flags, data| self.pipe.send(commit.run, &payload(flags, data));
        match fault {
            None | Some(Fault::Late(_)) => send(last, data),
            Some(Fault::ErrorBit) => send(last | ERROR, data),
            Some(Fault::ChangedOctet) => send(last, &with_changed_octet(data, number)),
            Some(Fault::Truncated) => send(last, first_half),
            Some(Fault::Empty) => send(last, &[]),
            Some(Fault::Garbage) => send(last, &vec![NO_MARKER; data.len()]),
            Some(Fault::BadHeader) => {
                let headless = [&[0, END_OF_HEADER | last], data].concat();
                self.pipe.send(commit.run, &headless)
            }
            Some(Fault::BusError(urbs)) => {
                self.pipe.fail(urbs);
                send(last, data)
            }
            Some(Fault::BusErrorAmid(urbs, pause)) => {
                let payload = payload(last, data);
                let rest = self.pipe.begin(commit.run, &payload)?;
                self.pipe.fail(urbs);
                self.pipe.wait_until(commit.run, Instant::now() + pause)?;
                self.pipe.send(commit.run, rest)
            }
            Some(Fault::Slow(by)) => {
                send(frame_id, first_half)?;
                self.pipe.wait_until(commit.run, Instant::now() + by)?;
                send(last, second_half)
            }
        }
    }
}

fn payload(flags: u8, data: &[u8]) -> Vec<u8> {
    [&[HEADER_LENGTH, END_OF_HEADER | flags], data].concat()
}
