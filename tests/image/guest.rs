//! A service inside the booted image: plugs in an emulated camera, looks at the door, receives what the image's framewire
//! makes of it, and says on the console what came, when the first picture came and which addresses the machine has.
//!
//! The image under test knows nothing of it: it comes in a second initrd, with its unit, drivers and pictures.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]
#![expect(clippy::print_stdout, reason = "the console is where the results go")]
#![forbid(unsafe_code)]
#![expect(dead_code, reason = "of the lab's parts this program uses some")]

#[path = "../lab/src/camera.rs"]
mod camera;
#[path = "../lab/src/depacketizer.rs"]
mod depacketizer;
#[path = "../lab/src/descriptors.rs"]
mod descriptors;
mod door;
#[path = "../lab/src/fault.rs"]
mod fault;
#[path = "../lab/src/jpeg.rs"]
mod jpeg;
mod model;
#[path = "../lab/src/pipe.rs"]
mod pipe;
#[path = "../lab/src/receiver.rs"]
mod receiver;
mod sandbox;
mod ssh;
mod stream;
#[path = "../lab/src/studio.rs"]
mod studio;
#[path = "../lab/src/tables.rs"]
mod tables;
#[path = "../lab/src/usbip.rs"]
mod usbip;
#[path = "../lab/src/uvc.rs"]
mod uvc;
mod wireless;

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::kmod::{ModuleInitFlags, finit_module};

use camera::Camera;
use door::Viewer;
use model::SIZES;
use receiver::{Datagram, Receiver};
use stream::Stream;
use studio::{Film, film};

const PORTS: [u16; 2] = [5004, 5006];
const DRIVERS: [&str; 2] = ["usbip-core", "vhci-hcd"]; // what they depend on the image has
const FRAMES: usize = 30;
const SHOWN: usize = 25; // frames at the door, which may leave some out
const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

fn main() {
    if let Some(group) = env::args_os().nth(1) {
        return sandbox::probe(&group, env::args_os().skip(2));
    }
    if let Err(error) = observe() {
        println!("LAB FAIL {error}");
    }
    println!("LAB END");
    // In order, so that what the image has written is on the disk.
    let _ = match has_systemd() {
        true => run(&["systemctl", "--no-block", "poweroff"]),
        false => run(&["busybox", "poweroff", "-f"]),
    };
}

fn observe() -> Result<(), Box<dyn Error>> {
    // The minimal system starts this program before it has done anything.
    wait_for("the loopback device", || {
        Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok())
    })?;
    run(&["modprobe", "usbcore"])?;
    for driver in DRIVERS {
        let file = File::open(format!("/lab/{driver}.ko"))?;
        finit_module(&file, c"", ModuleInitFlags::empty())?;
    }
    watch_camera()
}

/// Plugs a camera in, and looks at what the system makes of it.
fn watch_camera() -> Result<(), Box<dyn Error>> {
    let receivers = PORTS
        .iter()
        .map(|&port| Ok((port, Receiver::listen(port)?)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let films = SIZES
        .iter()
        .map(|&(width, height)| film(&model::film_name(width, height)))
        .collect::<Result<Vec<_>, _>>()?;
    let plugged = uptime(Instant::now())?;
    let camera = Camera::plug(0, model::description(), vec![films.clone()], &[])?;
    println!(
        "LAB CAMERA plugged={plugged:.2} node={} at={:.2}",
        camera.node,
        uptime(Instant::now())?
    );

    // The name as a neighbour has it.
    let host = format!("{}.local", hostname()?);
    let door = (Ipv4Addr::LOCALHOST, door::PORT).into();
    let page = wait_for("the page", || Ok(door::page(door, &host).ok()))?;
    let viewer = Viewer::watch(door, &host, "/front/stream.mjpg")?;
    wait_for("the frames", || {
        let enough = camera.sent().len() >= FRAMES && viewer.pictures() >= SHOWN;
        Ok(enough.then_some(()))
    })?;
    let boot_times = match has_systemd() {
        true => boot_times()?,
        false => String::new(),
    };
    let (interface, address) = wait_for("an address", || address(|_| true))?;
    sandbox::report(&camera.node)?;
    println!(
        "LAB NETWORK interface={interface} address={address} hostname={}",
        hostname()?
    );
    match has_systemd() {
        true => run(&["systemctl", "stop", "framewire.service"])?,
        false => run(&["busybox", "killall", "framewire"])?,
    };
    println!(
        "LAB DOOR page={} {} first={:.2}",
        door::is_page(&page),
        viewer.seen(&films)?,
        uptime(viewer.first().ok_or("no picture")?)?
    );
    for (port, receiver) in receivers {
        report(port, &receiver.finish()?, &films)?;
    }
    if has_systemd() {
        wireless::report()?;
    }
    if Path::new(ssh::CLIENT).exists() {
        ssh::report()?;
    }
    for line in boot_times.lines() {
        println!("LAB BOOT {line}");
    }
    Ok(())
}

/// Whether this is the image's system with systemd, and not the minimal one with busybox.
fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

/// When which unit on the way to framewire's was ready, once the boot has ended.
fn boot_times() -> Result<String, Box<dyn Error>> {
    let chain = wait_for("the end of the boot", || {
        let words = ["systemd-analyze", "--no-pager", "critical-chain"];
        Ok(run(&[&words[..], &["framewire.service"]].concat()).ok())
    })?;
    Ok(chain + &run(&["systemd-analyze", "time"])?)
}

/// What came to one port.
fn report(port: u16, datagrams: &[Datagram], films: &[Film]) -> Result<(), Box<dyn Error>> {
    let Some(first) = datagrams.first() else {
        return Ok(());
    };
    println!(
        "LAB STREAM port={port} {} first={:.2}",
        Stream::of(datagrams, films)?,
        uptime(first.at)?
    );
    Ok(())
}

fn wait_for<T>(
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(found) = look()? {
            return Ok(found);
        }
        thread::sleep(POLL);
    }
    Err(format!("{what} did not come within {LIMIT:?}").into())
}

/// Seconds from the kernel's start to `then` (proc_uptime(5)).
fn uptime(then: Instant) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/uptime")?;
    let now: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(now - then.elapsed().as_secs_f64())
}

/// The first IPv4 address other than loopback's on an interface of such a name, and that name.
fn address(such: impl Fn(&str) -> bool) -> Result<Option<(String, Ipv4Addr)>, Box<dyn Error>> {
    let mut interfaces = getifaddrs()?;
    Ok(interfaces.find_map(|interface| {
        let ip = interface.address?.as_sockaddr_in()?.ip();
        let found = !ip.is_loopback() && such(&interface.interface_name);
        found.then_some((interface.interface_name, ip))
    }))
}

fn hostname() -> Result<String, Box<dyn Error>> {
    Ok(fs::read_to_string("/proc/sys/kernel/hostname")?
        .trim()
        .to_owned())
}

/// Runs a program of the image and returns what it printed.
fn run(words: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("{}: {stderr}", words.join(" ")).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
