//! A card straight from the writer, in a network with a neighbour, who finds it by its name and watches; and a camera
//! behind a real USB controller: QEMU's xHCI, its driver, the hub's code and uvcvideo are those of a computer. Nothing
//! is added to the image, and nothing is edited.

use std::thread;
use std::time::Duration;

use crate::bench::Bench;
use crate::card::Card;
use crate::door::{self, Viewer};
use crate::live::Live;
use crate::neighbour::{LEASED, Neighbour, Service};
use crate::server;
use crate::tool::Failure;
use crate::{check, show};

const FRAMES: usize = 30; // of each time that the camera is plugged in
const PAUSE: Duration = Duration::from_secs(2); // without a camera
const LIMIT: Duration = Duration::from_secs(600); // for the name: it comes 50 s after the power on an idle machine

#[test]
fn a_neighbour_watches_while_the_camera_is_unplugged_and_plugged_in_again() {
    show(unplug_and_plug());
}

fn unplug_and_plug() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let films = bench.camera_films()?;
    let card = Card::copy(&bench.image, "usb")?;
    let neighbour = Neighbour::new();
    let disk = format!("if=virtio,format=raw,file={}", card.image.display());
    let mut command = neighbour.machine("qemu-system-aarch64");
    command.args(server::MACHINE.split_whitespace());
    command.args(["-device", "qemu-xhci", "-drive", &disk]);
    let mut machine = Live::start(command, &bench.folder.join("usb"))?;

    let services = neighbour.find(2, LIMIT)?;
    let address = services[0].address;
    let service = |name: &str, path: &str| Service {
        name: name.to_owned(),
        host: "framewire.local".to_owned(),
        address: (LEASED, door::PORT).into(),
        text: format!("path={path}"),
    };
    let path = "/front/stream.mjpg";
    let expected = [service("framewire", "/"), service("framewire front", path)];
    check(services == expected, || format!("{services:#?}"))?;

    let host = &services[0].host;
    // The name may be known before the door is open.
    let page = machine.wait_for("the page", |_| {
        neighbour.enter(|| door::page(address, host)).ok()
    })?;
    check(door::is_page(&page), || page.clone())?;
    // Before there is a camera: it need not be the one that waits.
    let viewer = neighbour.enter(|| Viewer::watch(address, host, path))?;
    let mut sent = Vec::new();
    for time in [
        "the first pictures",
        "pictures of the camera plugged in again",
    ] {
        let camera = machine.plug(&films)?;
        let before = viewer.pictures();
        machine.wait_for(time, |_| {
            (viewer.pictures() >= before + FRAMES).then_some(())
        })?;
        sent.push(camera.unplug());
        thread::sleep(PAUSE);
    }
    drop(machine);

    let seen = viewer.seen(&films)?;
    let report = format!("at http://{host}{path}: {seen}, sent by the camera: {sent:?}");
    let right = seen.size == "1280x720" && seen.identical == seen.pictures;
    check(right && seen.changes > 0, || report.clone())?;
    Ok(vec![report])
}
