//! File descriptors are as many as the process may have; a camera that gets none is not forgotten.

use std::fs;
use std::net::UdpSocket;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::daemon::{Daemon, Folder, LONG, replace};
use crate::{camera, pictures};

/// So many looks, with pauses, see what is open all the time.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// The soft and the hard limit of open files of another process.
fn limits(process: Pid) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).expect("limits");
    let mut lines = limits.lines();
    let values = lines.find_map(|line| line.strip_prefix("Max open files"));
    let values = values.expect("a limit").split_whitespace().take(2);
    values.map(str::to_owned).collect()
}

/// Sets the soft one.
fn limit(process: Pid, soft: &str) {
    let limited = Command::new("prlimit")
        .arg(format!("--pid={process}"))
        .arg(format!("--nofile={soft}:"))
        .status()
        .expect("prlimit of util-linux");
    assert!(limited.success());
}

#[test]
fn it_may_open_as_many_files_as_its_hard_limit_says() {
    let folder = Folder::new("limit");
    let config = folder.write("config.toml", camera("front", "usb:ffff:ffff", &[9]));
    let mut shell = Command::new("sh");
    let lowered = "ulimit -S -n 64; ulimit -H -n 777; exec \"$0\" \"$@\"";
    shell.args(["-c", lowered]);
    let daemon = Daemon::start_by(&folder, &config, shell);
    let deadline = Instant::now() + LONG;
    while limits(daemon.id()) != ["777", "777"] {
        let limits = limits(daemon.id());
        assert!(Instant::now() < deadline, "{limits:?}");
        thread::sleep(Duration::from_millis(20));
    }
    daemon.hears("READY=1", LONG);
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn a_camera_without_a_thread_is_counted_and_tried_until_it_has_one() {
    let folder = Folder::new("descriptors");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    // Somebody listens, so that the status has nothing else to say.
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let ports = sockets
        .each_ref()
        .map(|each| each.local_addr().expect("an address").port());
    // Without reports no socket is opened later than the stream's.
    let front = camera("front", &device, &ports[..1]) + "rtcp = \"off\"\n";
    let both = front.clone() + &camera("rear", &device, &ports[1..]);
    let config = folder.write("config.toml", front);
    let daemon = Daemon::start(&folder, &config, false, |_| ());
    daemon.hears("STATUS=1 of 1 cameras streaming", LONG);
    // Enough to read the configuration, too few for the event descriptors of a camera.
    let is_open = |number: &usize| fs::exists(format!("/proc/{}/fd/{number}", daemon.id()));
    let look = |_| {
        thread::sleep(PAUSE);
        (0..).find(|number| !is_open(number).expect("a list of descriptors"))
    };
    // The one that asks for the route is open for a moment only.
    let free = (0..LOOKS).filter_map(look).min().expect("a number");
    let usual = limits(daemon.id()).swap_remove(1);
    limit(daemon.id(), &(free + 1).to_string());
    replace(&config, &both);
    daemon.signal(Signal::SIGHUP);
    let counted = "STATUS=1 of 2 cameras streaming; rear: cannot start a thread: ";
    daemon.hears(counted, LONG);
    // Several tries later.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(daemon.log().matches("rear: cannot start").count(), 1);
    limit(daemon.id(), &usual);
    daemon.hears("STATUS=2 of 2 cameras streaming", LONG);
    assert_eq!(daemon.end().code(), Some(0));
}
