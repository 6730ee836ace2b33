//! A camera's controls as those find them who come by a door, and what they ask of them. The camera's thread looks here
//! between two frames, and never waits: whoever asks does.
//! V4L2 user-space API: struct v4l2_query_ext_ctrl, which the fields of a control are from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::{ControlValue, Controls};

/// Time between two orders: each may cost a transfer on the camera's bus.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// A control that holds a number, as the camera describes it.
#[derive(Debug, Clone, Serialize)]
pub struct Control {
    /// The driver's number of it.
    #[serde(skip)]
    pub id: u32,
    /// Its value has 64 bits.
    #[serde(skip)]
    pub is_wide: bool,
    /// The name in `[camera.controls]`: the driver's words, lower case, joined by `_`.
    pub name: String,
    /// A short name that serves as well.
    pub short_name: Option<&'static str>,
    /// What kind of number.
    pub kind: Kind,
    /// Smallest value.
    pub minimum: i64,
    /// Largest value.
    pub maximum: i64,
    /// Values are this far apart.
    pub step: u64,
    /// The value after power-up.
    pub default: i64,
    /// The value now, where it can be read.
    pub value: Option<i64>,
    /// Cannot be set.
    pub read_only: bool,
    /// Cannot be set as long as another control is as it is.
    pub inactive: bool,
    /// Cannot be set as long as the camera streams, or another program has it.
    pub grabbed: bool,
    /// The entries of a menu.
    pub menu: Vec<MenuItem>,
    /// What the configuration says of it; told at the door alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<ControlValue>,
    /// What is kept, and counts instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<ControlValue>,
}

/// What kind of number a control holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// The index of an entry.
    Menu,
}

/// An entry of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MenuItem {
    /// Its value.
    pub index: u32,
    /// Its name.
    pub name: String,
}

impl Control {
    /// Whether this is one of its names.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.short_name == Some(name)
    }

    /// The value that `controls` has for it.
    pub fn within<'c>(&self, controls: &'c Controls) -> Option<&'c ControlValue> {
        let mut controls = controls.0.iter().rev();
        let found = controls.find(|(name, _)| self.is(name));
        found.map(|(_, value)| value)
    }

    /// Its value now, as people write it.
    pub fn written(&self) -> Option<ControlValue> {
        let value = self.value?;
        let is_it = |item: &&MenuItem| i64::from(item.index) == value;
        Some(match self.kind {
            Kind::Boolean => ControlValue::Boolean(value != 0),
            // Drivers may give two entries the same name.
            Kind::Menu => match self.menu.iter().find(is_it) {
                Some(item)
                    if self
                        .menu
                        .iter()
                        .filter(|each| each.name == item.name)
                        .count()
                        == 1 =>
                {
                    ControlValue::Item(item.name.clone())
                }
                _ => ControlValue::Integer(value),
            },
            Kind::Integer => ControlValue::Integer(value),
        })
    }
}

/// A control by one of its names, and the value it is to have; without one that of the configuration, or the camera's
/// own default.
pub type Setting = (String, Option<ControlValue>);

/// What the camera's thread is to do: to set these, and to read all of them.
#[derive(Debug)]
pub struct Order {
    ticket: u64,
    /// Set in this order.
    pub settings: Vec<Setting>,
}

/// What became of an order.
pub type Outcome = Result<Vec<String>, Refusal>;

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The camera is not open.
    Closed,
    /// There is no such control or value; nothing was set.
    Wrong(String),
    /// The camera does not take it now.
    Failed(String),
}

/// What is known of an open camera's controls.
#[derive(Debug, Clone)]
pub struct Known {
    /// In the driver's order.
    pub controls: Arc<Vec<Control>>,
    /// When they were read.
    pub read: Instant,
}

/// Where both sides meet, whether the camera is there or not.
#[derive(Debug, Default)]
pub struct Panel {
    slot: Mutex<Slot>,
    /// Whether there is an order: the camera's thread takes no lock to see that there is none.
    is_asked: AtomicBool,
}

/// All is taken from it and put into it in a moment: nothing is made, freed or waited for under its lock.
#[derive(Debug, Default)]
struct Slot {
    kept: Arc<Controls>,
    known: Option<Known>,
    /// Of the main thread, for which nobody waits.
    change: Option<Vec<Setting>>,
    order: Option<Order>,
    /// The newest one, which somebody waits for.
    ticket: Option<u64>,
    tickets: u64,
    asked: Option<Instant>,
    outcome: Option<Outcome>,
}

impl Panel {
    /// Of a camera for which these values are kept.
    pub fn new(kept: Controls) -> Self {
        let panel = Self::default();
        panel.keep(kept);
        panel
    }

    /// Values that count instead of those of the configuration.
    pub fn kept(&self) -> Arc<Controls> {
        self.lock().kept.clone()
    }

    /// From the next time on when the camera is opened, these count.
    pub fn keep(&self, kept: Controls) {
        let kept = Arc::new(kept);
        let _replaced = std::mem::replace(&mut self.lock().kept, kept);
    }

    /// What was read last, if the camera has been open since.
    pub fn known(&self) -> Option<Known> {
        self.lock().known.clone()
    }

    /// Asks the camera's thread to set these and to read all; `None` while somebody else asks, and shortly afterwards.
    pub fn ask(self: &Arc<Self>, settings: Vec<Setting>, now: Instant) -> Option<Asked> {
        let mut slot = self.lock();
        let is_soon = |asked| now.saturating_duration_since(asked) < SHORTEST_PAUSE;
        if slot.ticket.is_some() || slot.asked.is_some_and(is_soon) {
            return None;
        }
        slot.tickets += 1;
        let ticket = slot.tickets;
        slot.asked = Some(now);
        slot.ticket = Some(ticket);
        slot.order = Some(Order { ticket, settings });
        self.is_asked.store(true, Ordering::Release);
        drop(slot);
        Some(Asked {
            panel: self.clone(),
            ticket,
        })
    }

    /// Has these set as soon as possible; nobody hears how that ends.
    pub fn change(&self, settings: Vec<Setting>) {
        let _replaced = self.lock().change.replace(settings);
        self.is_asked.store(true, Ordering::Release);
    }

    /// What the camera's thread is to do next.
    pub fn take(&self) -> Option<Order> {
        if !self.is_asked.load(Ordering::Acquire) {
            return None;
        }
        let mut slot = self.lock();
        if let Some(settings) = slot.change.take() {
            return Some(Order {
                ticket: 0,
                settings,
            });
        }
        self.is_asked.store(false, Ordering::Release);
        slot.order.take()
    }

    /// Tells what became of `order`, and what the controls are now where they were read.
    pub fn answer(&self, order: &Order, outcome: Outcome, controls: Option<Vec<Control>>) {
        let read = Instant::now();
        let known = controls.map(|controls| Known {
            controls: Arc::new(controls),
            read,
        });
        // Freed when the lock is open again.
        let (_known, _outcome);
        let mut slot = self.lock();
        _known = known.and_then(|known| slot.known.replace(known));
        _outcome = match slot.ticket == Some(order.ticket) {
            true => slot.outcome.replace(outcome),
            false => None,
        };
    }

    /// The camera is not open: what was asked is refused, also what was begun, and nothing is known of its controls.
    pub fn close(&self) {
        let _forgotten = {
            let mut slot = self.lock();
            self.is_asked.store(false, Ordering::Release);
            if slot.ticket.is_some() && slot.outcome.is_none() {
                slot.outcome = Some(Err(Refusal::Closed));
            }
            (slot.known.take(), slot.change.take(), slot.order.take())
        };
    }

    /// The slot is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order of somebody who waits; when he does not any more, it need not be carried out.
#[derive(Debug)]
pub struct Asked {
    panel: Arc<Panel>,
    ticket: u64,
}

impl Asked {
    /// What became of it, once.
    pub fn outcome(&self) -> Option<Outcome> {
        self.panel.lock().outcome.take()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _forgotten;
        let mut slot = self.panel.lock();
        if slot.ticket == Some(self.ticket) {
            slot.ticket = None;
            _forgotten = (slot.order.take(), slot.outcome.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brightness(value: i64) -> Vec<Setting> {
        vec![("brightness".into(), Some(ControlValue::Integer(value)))]
    }

    #[test]
    fn one_order_at_a_time_is_carried_out_and_answered() {
        let (panel, now) = (Arc::new(Panel::default()), Instant::now());
        assert!(panel.take().is_none());
        let asked = panel.ask(brightness(1), now).unwrap();
        let later = now + SHORTEST_PAUSE;
        assert!(panel.ask(brightness(2), later).is_none());
        let order = panel.take().unwrap();
        assert_eq!(order.settings, brightness(1));
        assert!(panel.take().is_none() && asked.outcome().is_none());
        panel.answer(&order, Ok(Vec::new()), Some(Vec::new()));
        assert_eq!(asked.outcome(), Some(Ok(Vec::new())));
        drop(asked);
        assert!(panel.known().is_some());
        assert!(panel.ask(brightness(2), now).is_none(), "too soon");
        assert!(panel.ask(brightness(2), later).is_some());
    }

    #[test]
    fn whoever_waits_no_more_has_no_order_and_gets_no_answer_of_another() {
        let (panel, now) = (Arc::new(Panel::default()), Instant::now());
        drop(panel.ask(brightness(1), now));
        assert!(panel.take().is_none());
        let first = panel.ask(brightness(2), now + SHORTEST_PAUSE).unwrap();
        let late = panel.take().unwrap();
        drop(first);
        let second = panel.ask(brightness(3), now + 2 * SHORTEST_PAUSE).unwrap();
        panel.answer(&late, Ok(Vec::new()), None);
        assert_eq!(second.outcome(), None);
        panel.close();
        assert_eq!(second.outcome(), Some(Err(Refusal::Closed)));
        drop(second);
        let begun = panel.ask(brightness(4), now + 3 * SHORTEST_PAUSE).unwrap();
        assert!(panel.take().is_some());
        panel.close();
        assert_eq!(begun.outcome(), Some(Err(Refusal::Closed)));
    }

    #[test]
    fn a_change_of_the_main_thread_comes_first_and_loses_no_order() {
        let (panel, now) = (Arc::new(Panel::default()), Instant::now());
        let asked = panel.ask(brightness(1), now).unwrap();
        panel.change(brightness(2));
        let change = panel.take().unwrap();
        assert_eq!(change.settings, brightness(2));
        panel.answer(&change, Ok(Vec::new()), None);
        assert_eq!(asked.outcome(), None);
        assert_eq!(panel.take().unwrap().settings, brightness(1));
        assert!(panel.take().is_none());
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let item = |index, name: &str| MenuItem {
            index,
            name: name.to_owned(),
        };
        let mut control = Control {
            id: 1,
            is_wide: false,
            name: "auto_exposure".to_owned(),
            short_name: Some("ae"),
            kind: Kind::Menu,
            minimum: 0,
            maximum: 3,
            step: 1,
            default: 0,
            value: Some(1),
            read_only: false,
            inactive: false,
            grabbed: false,
            menu: vec![item(0, "Auto"), item(1, "Manual"), item(2, "Auto")],
            configured: None,
            kept: None,
        };
        assert_eq!(control.written(), Some(ControlValue::Item("Manual".into())));
        control.value = Some(2);
        assert_eq!(control.written(), Some(ControlValue::Integer(2)));
        control.kind = Kind::Boolean;
        assert_eq!(control.written(), Some(ControlValue::Boolean(true)));
        let controls = |name: &str| Controls(vec![(name.to_owned(), ControlValue::Integer(7))]);
        for (name, is_there) in [("ae", true), ("auto_exposure", true), ("gain", false)] {
            assert_eq!(control.within(&controls(name)).is_some(), is_there);
        }
    }
}
