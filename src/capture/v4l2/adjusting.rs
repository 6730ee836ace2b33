//! Controls that are set and read while the camera streams: a few at a time, between two pictures.
//! V4L2 user-space API: VIDIOC_QUERY_EXT_CTRL, G_EXT_CTRLS, S_EXT_CTRLS. With uvcvideo each is a transfer on the bus.

use std::io;
use std::mem;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::controls::{PASSES, describe, find, number, read_back, set};
use super::ioctl;
use crate::config::Controls;
use crate::panel::{Control, Known, Order, Outcome, Panel, Refusal, Setting};

/// Most time between two pictures, beyond that of the step that is just being done.
const TURN: Duration = Duration::from_millis(4);

/// An order that is being carried out.
pub struct Adjusting {
    order: Order,
    step: Step,
    is_set: bool,
    /// What the camera made of it otherwise, and what it refused.
    notes: Vec<String>,
    failures: Vec<String>,
}

/// What is to be done next.
enum Step {
    /// To read all controls.
    Read(List),
    /// To see which of these are meant.
    Resolve(Vec<Control>),
    /// To set them.
    Set(Numbers),
}

/// The controls up to the one with the number `last`.
#[derive(Default)]
struct List {
    controls: Vec<Control>,
    last: u32,
}

/// What is still to be set, from its end on, and what was refused in this pass.
struct Numbers {
    pending: Vec<(Control, i64)>,
    refused: Vec<(Control, i64)>,
    pass: usize,
}

impl Adjusting {
    /// Begins with `order`, of controls that are `known` or not.
    pub fn new(order: Order, known: Option<Known>) -> Self {
        let is_set = order.settings.is_empty();
        let step = match known {
            Some(known) if !is_set => Step::Resolve(known.controls.to_vec()),
            _ => Step::Read(List::default()),
        };
        Self {
            order,
            step,
            is_set,
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Goes on for a while; true when it is done, and answered.
    pub fn turn(&mut self, device: &v4l::Device, configured: &Controls, panel: &Panel) -> bool {
        let start = Instant::now();
        while start.elapsed() < TURN {
            match &mut self.step {
                Step::Read(list) => {
                    if list.extend(device) {
                        continue;
                    }
                    let controls = mem::take(&mut list.controls);
                    if self.is_set {
                        let outcome = self.outcome();
                        panel.answer(&self.order, outcome, Some(controls));
                        return true;
                    }
                    self.step = Step::Resolve(controls);
                }
                Step::Resolve(controls) => match resolve(&self.order, controls, configured) {
                    Ok(numbers) => self.step = Step::Set(Numbers::new(numbers)),
                    Err(problem) => {
                        panel.answer(&self.order, Err(Refusal::Wrong(problem)), None);
                        return true;
                    }
                },
                Step::Set(numbers) => {
                    if !numbers.next(device, &mut self.notes, &mut self.failures) {
                        self.is_set = true;
                        self.step = Step::Read(List::default());
                    }
                }
            }
        }
        false
    }

    fn outcome(&mut self) -> Outcome {
        match self.failures.is_empty() {
            true => Ok(mem::take(&mut self.notes)),
            false => Err(Refusal::Failed(self.failures.join("; "))),
        }
    }
}

impl List {
    /// Reads one more control; false after the last.
    fn extend(&mut self, device: &v4l::Device) -> bool {
        let next = ioctl::next_control(&device.handle(), self.last);
        // A driver that does not go forward would never end.
        let Some(control) = next.filter(|next| next.id > self.last) else {
            return false;
        };
        self.last = control.id;
        self.controls.extend(describe(device, &control));
        true
    }
}

/// What `order` says, as numbers for `controls`, all of which can be; or what is wrong.
fn resolve(
    order: &Order,
    controls: &[Control],
    configured: &Controls,
) -> Result<Vec<(Control, i64)>, String> {
    // Another camera may be there now: what it has not needs not be as it was.
    let is_meant = |(name, value): &&Setting| value.is_some() || find(controls, name).is_ok();
    let settings = order.settings.iter().filter(is_meant);
    let resolved = settings.map(|(name, value)| {
        let control = find(controls, name).map_err(|problem| format!("{name}: {problem}"))?;
        let number = match value.as_ref().or_else(|| control.within(configured)) {
            Some(value) => {
                let problem = |problem| format!("{name} = {value}: {problem}");
                if control.read_only {
                    return Err(problem("it can only be read".to_owned()));
                }
                number(control, value).map_err(problem)?
            }
            None => control.default,
        };
        Ok((control.clone(), number))
    });
    resolved.collect()
}

impl Numbers {
    fn new(mut numbers: Vec<(Control, i64)>) -> Self {
        numbers.reverse();
        Self {
            pending: numbers,
            refused: Vec::new(),
            pass: 1,
        }
    }

    /// Sets one more control; false when there is none left.
    fn next(
        &mut self,
        device: &v4l::Device,
        notes: &mut Vec<String>,
        failures: &mut Vec<String>,
    ) -> bool {
        let Some((control, number)) = self.pending.pop() else {
            // One may have unlocked another.
            self.pass += 1;
            self.pending = mem::take(&mut self.refused);
            self.pending.reverse();
            return !self.pending.is_empty();
        };
        match set(device, control.id, number) {
            Ok(()) => notes.extend(read_back(device, &control, number).err()),
            Err(_) if self.pass < PASSES => self.refused.push((control, number)),
            Err(error) => {
                let why = in_words(&error);
                failures.push(format!("{} = {number}: {why}", control.name));
            }
        }
        true
    }
}

/// Why the driver does not set a control.
fn in_words(error: &io::Error) -> String {
    let errno = error.raw_os_error().map(Errno::from_raw);
    let why = match errno {
        Some(Errno::EACCES | Errno::EPERM) => {
            "it cannot be set as long as another control is as it is"
        }
        Some(Errno::EBUSY) => {
            "it cannot be set while the camera streams, or another program has it"
        }
        Some(Errno::EINVAL | Errno::ERANGE) => "the camera has no such value",
        Some(Errno::ENODEV) => "the camera is gone",
        Some(Errno::EIO | Errno::EPIPE | Errno::ETIMEDOUT) => "the camera does not take it",
        _ => return error.to_string(),
    };
    format!("{why} ({error})")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::ControlValue;
    use crate::panel::Kind;

    fn control(name: &str, read_only: bool) -> Control {
        Control {
            id: 1,
            is_wide: false,
            name: name.to_owned(),
            short_name: None,
            kind: Kind::Integer,
            minimum: 0,
            maximum: 10,
            step: 1,
            default: 5,
            value: None,
            read_only,
            inactive: false,
            grabbed: false,
            menu: Vec::new(),
            configured: None,
            kept: None,
        }
    }

    #[test]
    fn what_can_be_set_is_all_of_it_or_nothing() {
        let controls = [
            control("gain", false),
            control("hue", false),
            control("heat", true),
        ];
        let configured = Controls(vec![("hue".into(), ControlValue::Integer(3))]);
        let resolve = |settings: &[(&str, Option<i64>)]| {
            let settings = settings
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.map(ControlValue::Integer)));
            let panel = Arc::new(Panel::default());
            let _asked = panel.ask(settings.collect(), Instant::now());
            let resolved = resolve(&panel.take().unwrap(), &controls, &configured)?;
            let numbers = resolved
                .into_iter()
                .map(|(control, number)| (control.name, number));
            Ok::<_, String>(numbers.collect::<Vec<_>>())
        };
        let both = resolve(&[("gain", Some(10)), ("hue", Some(0))]).unwrap();
        assert_eq!(both, [("gain".into(), 10), ("hue".into(), 0)]);
        // As config.toml has it, and the camera itself.
        let back = resolve(&[("hue", None), ("zoom", None), ("gain", None)]).unwrap();
        assert_eq!(back, [("hue".into(), 3), ("gain".into(), 5)]);
        for (setting, words) in [
            (
                ("gain", Some(11)),
                "gain = 11: out of range, allowed: 0..=10",
            ),
            (
                ("zoom", Some(1)),
                "zoom: the camera has no such control; it has: gain, hue, heat",
            ),
            (("heat", Some(1)), "heat = 1: it can only be read"),
        ] {
            assert_eq!(resolve(&[("hue", Some(1)), setting]).unwrap_err(), words);
        }
    }
}
