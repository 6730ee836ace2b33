//! A camera behind a real USB controller: QEMU's xHCI, its driver, the hub's code and uvcvideo are those of a computer.
//! The image is the one that is flashed: nothing is added to it, and of its config.toml the lines of a user are edited.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::bench::Bench;
use crate::card::Card;
use crate::live::Live;
use crate::receiver::Receiver;
use crate::server;
use crate::stream::Stream;
use crate::tool::Failure;
use crate::{check, edit, free_port, show};

const FRAMES: usize = 30; // of each time that the camera is plugged in
const PAUSE: Duration = Duration::from_secs(2); // without a camera: what was sent has arrived

#[test]
fn a_camera_on_a_real_usb_controller_is_unplugged_and_plugged_in_again() {
    show(unplug_and_plug());
}

fn unplug_and_plug() -> Result<Vec<String>, Failure> {
    let bench = Bench::get()?;
    let films = bench.camera_films()?;
    let port = free_port()?;
    let card = Card::copy(&bench.image, "usb")?;
    let edits = [
        ("127.0.0.1:5004", &*format!("10.0.2.2:{port}")), // this machine, to a guest of QEMU's user network
        ("width = 1280", "width = 640"),
        ("height = 720", "height = 480"),
        ("fps = 30", "fps = 15"),
    ];
    card.write("config.toml", edit(&edits)?.as_bytes())?;
    let receiver = Receiver::listen(port)?;

    let disk = format!("if=virtio,format=raw,file={}", card.image.display());
    let mut command = Command::new("qemu-system-aarch64");
    command.args(server::MACHINE.split_whitespace());
    command.args(["-device", "qemu-xhci", "-drive", &disk]);
    let mut machine = Live::start(command, &bench.folder.join("usb"))?;
    let mut sent = Vec::new();
    for time in [
        "the first pictures",
        "pictures of the camera plugged in again",
    ] {
        let camera = machine.plug(&films)?;
        let before = receiver.frames();
        machine.wait_for(time, |_| {
            (receiver.frames() >= before + FRAMES).then_some(())
        })?;
        sent.push(camera.unplug());
        thread::sleep(PAUSE);
    }
    drop(machine);

    let stream = Stream::of(&receiver.finish()?, &films)?;
    let report = format!("on a USB controller: {stream}, sent by the camera: {sent:?}");
    let whole = (stream.lost, stream.incomplete, stream.violations.len()) == (0, 0, 0);
    let right = whole && stream.size == "640x480" && stream.identical == stream.pictures;
    check(right, || format!("{report}; {:?}", stream.violations))?;
    Ok(vec![report])
}
