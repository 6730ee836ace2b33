//! Cameras that are not on USB, as framewire sees them: sysfs has no device for their nodes, and sizes are ranges.
//! The driver of a Raspberry Pi's ribbon needs the firmware of that board, so its traits come from others: from
//! USB cameras whose nodes have no device in the sysfs that framewire sees, and from vivid.

use std::error::Error;
use std::fs;
use std::thread;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::VGA;
use crate::bench::{Kit, Outcome, compare, config, ensure};
use crate::framewire;
use crate::live::{Live, longest_pause};
use crate::system::OddDevice;

const CLASS: &str = "/sys/class/video4linux";
/// Those of two cameras: each has one for its video, and behind it one for metadata.
const NODES: u32 = 4;
/// Longer than framewire takes to notice what is there.
const WHILE: Duration = Duration::from_secs(2);

/// Found by the name that `devices` prints, or by its node, and found again where it is another node.
pub fn off_usb() -> Outcome {
    let (kit, other) = (Kit::new("RIBBON", "plain")?, Kit::new("OTHER", "c920")?);
    let mut found = Vec::new();
    for is_named in [true, false] {
        let camera = kit.plug(0)?;
        let device = match is_named {
            true => name_of(&camera.node)?,
            false => camera.node.clone(),
        };
        let live = without_devices({
            let config = config(&device, VGA, 30, "");
            move || Live::start(&config)
        })?;
        live.wait_for_frames(10)?;
        let node = camera.node.clone();
        drop(camera);
        let usurper = other.plug(1)?;
        ensure!(usurper.node == node, "it became {}", usurper.node);
        thread::sleep(WHILE);
        ensure!(
            usurper.function().starts == 0,
            "with {device} the other camera was taken"
        );
        let camera = kit.plug(0)?;
        ensure!(camera.node != node, "it became {node} again");
        live.wait_for_frames(10)?;
        let (_, reception) = live.end_one()?;
        let (before, _) = longest_pause(&reception);
        compare(&reception, &kit.film, (0..before).chain(0..))?;
        found.push(format!("{device}->{}", camera.node));
    }
    Ok(format!("found={}", found.join(",")))
}

/// What `devices` prints for the configuration of the one camera, which is not on USB.
fn name_of(node: &str) -> Result<String, Box<dyn Error>> {
    let listed = without_devices(|| framewire::command(&["devices"])?.expect_code(0))?.stdout;
    ensure!(listed.contains(node), "{node} is not in: {listed}");
    let name = listed
        .lines()
        .find_map(|line| line.trim().strip_prefix("device = \"")?.strip_suffix('"'))
        .unwrap_or_default();
    ensure!(
        name.starts_with("bus:usb-vhci_hcd."),
        "no such name is in: {listed}"
    );
    Ok(name.to_owned())
}

/// Starts a program in a sysfs of its own, whose nodes of cameras have no devices.
fn without_devices<T, E>(
    start: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Box<dyn Error>>
where
    T: Send + 'static,
    E: ToString,
{
    // A thread may have mounts of its own, and the programs that it starts have the same.
    let thread = thread::spawn(move || {
        hide_devices().map_err(|error| error.to_string())?;
        start().map_err(|error| error.to_string())
    });
    let started = thread.join().map_err(|_| "the start panicked")?;
    Ok(started?)
}

fn hide_devices() -> Result<(), Box<dyn Error>> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&str>;
    mount(Some("tmpfs"), CLASS, Some("tmpfs"), MsFlags::empty(), none)?;
    for number in 0..NODES {
        let node = format!("{CLASS}/video{number}");
        fs::create_dir(&node)?;
        fs::write(format!("{node}/index"), (number % 2).to_string())?;
    }
    Ok(())
}

/// A driver that takes every size of a range.
pub fn ranges() -> Outcome {
    // A television receiver, whose picture is scaled.
    let television = c"n_devs=1 node_types=0x1 num_inputs=1 input_types=1";
    let _device = OddDevice::plug_as(television)?;
    let text = framewire::command(&["devices"])?.expect_code(0)?.stdout;
    let is_range = |line: &&str| line.trim().starts_with("16x16 to ");
    let line = text.lines().find(is_range).unwrap_or_default().trim();
    ensure!(
        line.contains(" in steps of 2x2 at ") && line.ends_with(" fps"),
        "no range of sizes is in: {text}"
    );
    let name = r#"device = "bus:platform:vivid-000""#;
    ensure!(text.contains(name), "'{name}' is not in: {text}");
    let json = framewire::command(&["devices", "--json"])?
        .expect_code(0)?
        .json()?;
    let size = &json["devices"][0]["formats"][0]["sizes"][0];
    ensure!(
        size["up_to"].is_array() && size["step"] == serde_json::json!([2, 2]),
        "no range of sizes is {size}"
    );
    Ok(line.replace(' ', "_"))
}
