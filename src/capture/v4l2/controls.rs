//! The controls of a camera: listed by name, set from the configuration, read back.
//! V4L2 user-space API: VIDIOC_QUERY_EXT_CTRL, QUERYMENU, G_EXT_CTRLS, S_EXT_CTRLS.

use std::time::Instant;

use tracing::warn;
use v4l::control::{Control as Setting, Value};
use v4l::v4l_sys::{
    V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CID_FOCUS_ABSOLUTE, V4L2_CID_HFLIP, V4L2_CID_VFLIP,
    V4L2_CTRL_FLAG_DISABLED, V4L2_CTRL_FLAG_GRABBED, V4L2_CTRL_FLAG_INACTIVE,
    V4L2_CTRL_FLAG_READ_ONLY, v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN,
    v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER, v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER_MENU,
    v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64, v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU,
    v4l2_query_ext_ctrl,
};

use super::ioctl;
use super::open::text;
use crate::config::{ControlValue, Controls};
use crate::heartbeat::Heartbeat;
use crate::log_limit::LogLimits;
use crate::panel::{Control, Kind, MenuItem};

/// Short names beside those made of the driver's words, which differ between kernels.
const SHORT_NAMES: [(u32, &str); 4] = [
    (V4L2_CID_HFLIP, "hflip"),
    (V4L2_CID_VFLIP, "vflip"),
    (V4L2_CID_EXPOSURE_ABSOLUTE, "exposure"),
    (V4L2_CID_FOCUS_ABSOLUTE, "focus"),
];

/// Times that the settings are gone through: one may unlock another (manual mode before a manual value).
pub const PASSES: usize = 3;

/// The controls that hold a number, in the driver's order.
pub fn list(device: &v4l::Device) -> Vec<Control> {
    list_with(device, || ())
}

/// The same; calls `next` before each.
fn list_with(device: &v4l::Device, next: impl Fn()) -> Vec<Control> {
    let handle = device.handle();
    let mut controls = Vec::new();
    let mut id = 0;
    while let Some(control) = ioctl::next_control(&handle, id) {
        if control.id <= id {
            break; // A driver that does not go forward would never end.
        }
        id = control.id;
        next();
        controls.extend(describe(device, &control));
    }
    controls
}

/// `control` with its value and menu; `None` for kinds that hold no number, and disabled ones.
pub(super) fn describe(device: &v4l::Device, control: &v4l2_query_ext_ctrl) -> Option<Control> {
    #[expect(non_upper_case_globals, reason = "the bindings' names")]
    let kind = match control.type_ {
        v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER | v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64 => {
            Kind::Integer
        }
        v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN => Kind::Boolean,
        v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU | v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER_MENU => {
            Kind::Menu
        }
        _ => return None,
    };
    if control.flags & V4L2_CTRL_FLAG_DISABLED != 0 || control.elems > 1 {
        return None;
    }
    let is_wide = control.type_ == v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64;
    Some(Control {
        id: control.id,
        is_wide,
        name: key(&text(&control.name.map(|c| c.to_ne_bytes()[0]))),
        short_name: SHORT_NAMES
            .into_iter()
            .find(|(id, _)| *id == control.id)
            .map(|(_, name)| name),
        kind,
        minimum: control.minimum,
        maximum: control.maximum,
        step: control.step,
        default: control.default_value,
        value: read(device, control.id, is_wide),
        read_only: control.flags & V4L2_CTRL_FLAG_READ_ONLY != 0,
        inactive: control.flags & V4L2_CTRL_FLAG_INACTIVE != 0,
        grabbed: control.flags & V4L2_CTRL_FLAG_GRABBED != 0,
        menu: if kind == Kind::Menu {
            menu(device, control)
        } else {
            Vec::new()
        },
        configured: None,
        kept: None,
    })
}

fn menu(device: &v4l::Device, control: &v4l2_query_ext_ctrl) -> Vec<MenuItem> {
    /// More entries than any menu has.
    const MAX_ITEMS: i64 = 256;
    let last = control
        .maximum
        .min(control.minimum.saturating_add(MAX_ITEMS));
    let named = control.type_ == v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU;
    (control.minimum..=last)
        .filter_map(|index| {
            let index = u32::try_from(index).ok()?;
            let (name, value) = ioctl::menu_item(&device.handle(), control.id, index)?;
            let name = if named {
                text(&name)
            } else {
                value.to_string()
            };
            Some(MenuItem { index, name })
        })
        .collect()
}

/// The driver's words as a key: lower case, what is no letter or digit becomes one `_`.
fn key(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("_")
}

/// Sets what the configuration asks for and reads it back; what the camera does otherwise is a warning, unless it was
/// `said` a short while ago. `heartbeat` is beaten between the camera's answers, which may be slow.
pub fn apply(
    camera: &str,
    device: &v4l::Device,
    wanted: &Controls,
    said: &LogLimits,
    heartbeat: &Heartbeat,
) {
    let complain = |problem: String| {
        if said.note(&problem, Instant::now()).is_some() {
            warn!("{camera}: {problem}");
        }
    };
    if wanted.0.is_empty() {
        return;
    }
    let controls = list_with(device, || heartbeat.beat());
    let mut pending = Vec::new();
    for (name, value) in &wanted.0 {
        match find(&controls, name).and_then(|control| Ok((control, number(control, value)?))) {
            Ok((control, number)) => pending.push((control, number)),
            Err(problem) => complain(format!("control {name} = {value}: {problem}")),
        }
    }
    for pass in 1..=PASSES {
        pending.retain(|(control, number)| {
            heartbeat.beat();
            match set(device, control.id, *number) {
                Ok(()) => {
                    read_back(device, control, *number).unwrap_or_else(complain);
                    false
                }
                Err(error) if pass == PASSES => {
                    complain(format!("control {} = {number}: {error}", control.name));
                    false
                }
                Err(_) => true,
            }
        });
    }
}

pub(super) fn read_back(
    device: &v4l::Device,
    control: &Control,
    wanted: i64,
) -> Result<(), String> {
    match read(device, control.id, control.is_wide) {
        Some(got) if got != wanted => Err(format!(
            "asked for {} = {wanted}, the camera made it {got} (range {}..={}, step {})",
            control.name, control.minimum, control.maximum, control.step
        )),
        // Some controls can only be written.
        _ => Ok(()),
    }
}

/// The control of this name, or which there are.
pub fn find<'a>(controls: &'a [Control], name: &str) -> Result<&'a Control, String> {
    controls
        .iter()
        .find(|control| control.is(name))
        .ok_or_else(|| {
            let names: Vec<&str> = controls
                .iter()
                .map(|control| control.name.as_str())
                .collect();
            format!(
                "the camera has no such control; it has: {}",
                names.join(", ")
            )
        })
}

/// `value` as the number to set, or what is wrong with it.
pub fn number(control: &Control, value: &ControlValue) -> Result<i64, String> {
    let number = match value {
        ControlValue::Integer(number) => *number,
        ControlValue::Boolean(on) => i64::from(*on),
        ControlValue::Item(name) => {
            let item = control.menu.iter().find(|item| item.name == *name);
            i64::from(item.ok_or_else(|| no_such_item(control))?.index)
        }
    };
    if (control.minimum..=control.maximum).contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "out of range, allowed: {}..={}",
            control.minimum, control.maximum
        ))
    }
}

fn no_such_item(control: &Control) -> String {
    let names: Vec<String> = control
        .menu
        .iter()
        .map(|item| format!("{:?}", item.name))
        .collect();
    if names.is_empty() {
        "text is for menus, this control takes a number".to_owned()
    } else {
        format!("no such menu entry; there are {}", names.join(", "))
    }
}

pub(super) fn set(device: &v4l::Device, id: u32, number: i64) -> std::io::Result<()> {
    device.set_control(Setting {
        id,
        value: Value::Integer(number),
    })
}

pub(super) fn read(device: &v4l::Device, id: u32, is_wide: bool) -> Option<i64> {
    ioctl::control_value(&device.handle(), id, is_wide).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(menu: &[&str]) -> Control {
        Control {
            id: 1,
            is_wide: false,
            name: "auto_exposure".to_owned(),
            short_name: Some("ae"),
            kind: Kind::Menu,
            minimum: 0,
            maximum: 3,
            step: 1,
            default: 0,
            value: None,
            read_only: false,
            inactive: false,
            grabbed: false,
            menu: (0..)
                .zip(menu)
                .map(|(index, name)| MenuItem {
                    index,
                    name: (*name).to_owned(),
                })
                .collect(),
            configured: None,
            kept: None,
        }
    }

    #[test]
    fn keys_are_lower_case_words() {
        assert_eq!(key("Exposure Time, Absolute"), "exposure_time_absolute");
        assert_eq!(
            key("White Balance, Auto & Preset"),
            "white_balance_auto_preset"
        );
    }

    #[test]
    fn values_are_numbers_or_menu_entries_in_range() {
        let control = control(&["Auto", "Manual Mode"]);
        let number = |value| number(&control, &value);
        assert_eq!(number(ControlValue::Integer(3)), Ok(3));
        assert_eq!(number(ControlValue::Boolean(true)), Ok(1));
        assert_eq!(number(ControlValue::Item("Manual Mode".into())), Ok(1));
        assert!(
            number(ControlValue::Integer(4))
                .unwrap_err()
                .contains("0..=3")
        );
        let error = number(ControlValue::Item("x".into())).unwrap_err();
        assert!(error.contains("\"Auto\", \"Manual Mode\""), "{error}");
    }

    #[test]
    fn controls_are_found_by_both_names() {
        let controls = [control(&[])];
        assert!(find(&controls, "auto_exposure").is_ok());
        assert!(find(&controls, "ae").is_ok());
        assert!(
            find(&controls, "gain")
                .unwrap_err()
                .contains("auto_exposure")
        );
    }
}
