//! The scenarios by theme, one function each. A new one is a function and a line in `ALL`.

mod budgets;
mod chaos;
mod cycles;
mod doctor;
mod faults;
mod identity;
mod isolation;
mod off_usb;
mod on_demand;
mod panel;
mod refusals;
mod reload;
mod streaming;
mod unplugging;
mod ustreamer;
mod verified;

use crate::bench::Outcome;

pub type Scenario = fn() -> Outcome;

pub const ALL: [(&str, Scenario); 44] = [
    ("stream", streaming::stream),
    ("budgets", budgets::budgets),
    ("start", budgets::start),
    ("on-demand", on_demand::on_demand),
    ("quirks", streaming::quirks),
    ("devices", identity::devices),
    ("doctor", doctor::doctor),
    ("controls", identity::controls),
    ("odd-controls", identity::odd_controls),
    ("panel", panel::panel),
    ("kept", panel::kept),
    ("raw-only", identity::raw_only),
    ("wrong-size", streaming::wrong_size),
    ("realtime", streaming::realtime),
    ("held-up", streaming::held_up),
    ("error-frame", streaming::error_frame),
    ("error-frame-nodrop", streaming::error_frame_nodrop),
    ("odd-names", identity::odd_names),
    ("usb-id", identity::usb_id),
    ("off-usb", off_usb::off_usb),
    ("ranges", off_usb::ranges),
    ("absent-at-start", unplugging::absent_at_start),
    ("unplug", unplugging::unplug),
    ("other-node", unplugging::other_node),
    ("other-camera", unplugging::other_camera),
    ("stand-in", unplugging::stand_in),
    ("controls-again", unplugging::controls_again),
    ("other-sizes", unplugging::other_sizes),
    ("stalls", faults::stalls),
    ("eproto", faults::eproto),
    ("truncated", faults::truncated),
    ("habit", faults::habit),
    ("changed-octets", verified::changed_octets),
    ("only-whole", verified::only_whole),
    ("whole-in-chaos", verified::whole_in_chaos),
    ("new-size", faults::new_size),
    ("refused", refusals::refused),
    ("busy", refusals::busy),
    ("two-alike", refusals::two_alike),
    ("no-bandwidth", refusals::no_bandwidth),
    ("isolation", isolation::isolation),
    ("reload", reload::reload),
    ("cycles", cycles::cycles),
    ("chaos", chaos::chaos),
];

/// What runs only when it is named.
pub const BENCHES: [(&str, Scenario); 1] = [("ustreamer", ustreamer::ustreamer)];

const FULL_HD: (u16, u16) = (1920, 1080);
const HD: (u16, u16) = (1280, 720);
const VGA: (u16, u16) = (640, 480);

fn sized((width, height): (u16, u16), rates: &[u32]) -> (u16, u16, &[u32]) {
    (width, height, rates)
}
