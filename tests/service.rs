//! framewire as a service: what it tells systemd, what its watchdog sees, what a reload touches and what not.
//! The test is the service manager: it binds the socket that `$NOTIFY_SOCKET` names. sd_notify(3).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod service {
    pub mod daemon;
    mod descriptors;
    mod hangs;
    pub mod stream;
}
mod support;

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use framewire::clocks::monotonic_now;
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::Signal;
use service::daemon::{Daemon, Folder, LONG, replace};
use service::stream::{Receiver, packet_arrives};
use support::frames::Picture;

/// Pictures of a replay.
const PICTURES: usize = 5;
/// Frames in which a stream shows whether it was disturbed: each picture twice, and one that is cut off.
const SOME: usize = 2 * PICTURES + 1;

/// Writes small pictures that nobody would confuse.
fn pictures(folder: &Folder, name: &str) -> String {
    for seed in 0..PICTURES {
        let picture = Picture {
            width: 160,
            height: 120,
            seed: u32::try_from(seed).expect("a small number"),
            ..Picture::DEFAULT
        };
        folder.write(&format!("{name}/{seed}.jpg"), picture.encode());
    }
    folder.path(name).display().to_string()
}

/// A camera that plays `device` to each of `ports`.
fn camera(name: &str, device: &str, ports: &[u16]) -> String {
    let output = |port: &u16| format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n");
    let outputs: String = ports.iter().map(output).collect();
    format!("[[camera]]\nname = \"{name}\"\ndevice = \"{device}\"\nfps = 20\n{outputs}")
}

/// What a service without a camera waits for one before it is ready.
const GRACE: Duration = Duration::from_secs(10);
/// Patience of a manager.
const WATCHDOG: Duration = Duration::from_secs(8);

/// A manager that waits for the watchdog's word for `time`.
fn waits_for(time: Duration) -> impl FnOnce(&mut Command) {
    let time = time.as_micros().to_string();
    |command| _ = command.env("WATCHDOG_USEC", time)
}

#[test]
fn it_is_ready_with_the_first_packet_and_says_who_streams() {
    let folder = Folder::new("ready");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let text = camera("front", &device, &[port]) + &camera("rear", "usb:ffff:ffff", &[9]);
    let daemon = Daemon::start(&folder, &folder.write("config.toml", text), false, |_| ());
    daemon.hears(
        "STATUS=1 of 2 cameras streaming; rear: waiting for the camera: ",
        LONG,
    );
    daemon.hears("READY=1", LONG);
    packet_arrives(&socket);
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn a_camera_that_nobody_receives_does_not_stream() {
    let folder = Folder::new("nobody");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let gone = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = gone.local_addr().expect("an address").port();
    drop(gone);
    let text = camera("front", &device, &[port]) + "[log]\nsummary-interval = 1\n";
    let daemon = Daemon::start(&folder, &folder.write("config.toml", text), false, |_| ());
    let nobody = format!(
        "front: sending to nobody; front: 127.0.0.1:{port}: nobody listens there (ICMP port unreachable)"
    );
    daemon.hears(&format!("STATUS=no camera streams; {nobody}"), LONG);
    daemon.logs("front: sending to nobody");
    let late = UdpSocket::bind(("127.0.0.1", port)).expect("the port");
    daemon.hears("STATUS=1 of 1 cameras streaming\n", LONG);
    packet_arrives(&late);
    daemon.logs("front: streaming, ");
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn without_a_camera_it_is_ready_after_the_grace_and_the_watchdog_is_content() {
    let folder = Folder::new("absent");
    let text = camera("front", "usb:ffff:ffff", &[9]);
    let config = folder.write("config.toml", text);
    let started = Instant::now();
    let daemon = Daemon::start(&folder, &config, false, waits_for(WATCHDOG));
    let (mut fed, mut status) = (0, String::new());
    loop {
        let news = daemon.notification(LONG).expect("a notification");
        match news.trim_end() {
            "WATCHDOG=1" => fed += 1,
            "READY=1" => break,
            other => status = other.to_owned(),
        }
        assert!(started.elapsed() < LONG, "not ready");
    }
    let waited = started.elapsed();
    assert!(waited >= GRACE, "ready after {waited:?}");
    assert!(fed > 1, "the watchdog was told {fed} times");
    let expected = "STATUS=no camera streams; front: waiting for the camera: ";
    assert!(status.starts_with(expected), "{status}");
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "two configurations, and what becomes of each camera"
)]
fn a_reload_disturbs_only_what_has_changed() {
    let folder = Folder::new("reload");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let [front, kept, old, new, anew, removed, added] = [(); 7].map(|()| Receiver::start());
    let before = [
        camera("front", &device, &[front.port]),
        camera("rear", &device, &[kept.port, old.port]),
        camera("anew", &device, &[anew.port]) + "pacing = 0.5\n",
        camera("removed", &device, &[removed.port]),
    ];
    let config = folder.write("config.toml", before.concat());
    let daemon = Daemon::start(&folder, &config, false, |_| ());
    daemon.hears("STATUS=4 of 4 cameras streaming", LONG);
    for receiver in [&front, &kept, &old, &anew, &removed] {
        receiver.gets_more(SOME);
    }
    let after = [
        // Another place in the file and a comment are no change.
        camera("added", &device, &[added.port]),
        "# front is as it was\n".to_owned(),
        camera("rear", &device, &[kept.port, new.port]),
        camera("front", &device, &[front.port]),
        before[2].replace("fps = 20", "fps = 10"),
        "[log]\nsummary-interval = 1\n".to_owned(),
    ];
    replace(&config, &after.concat());
    let asked = monotonic_now();
    daemon.signal(Signal::SIGHUP);
    let reloading = daemon.hears("RELOADING=1", LONG);
    let heard = monotonic_now();
    let time = reloading
        .lines()
        .find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    let time: u128 = time.expect("a time").parse().expect("a number");
    assert!((asked.as_micros()..=heard.as_micros()).contains(&time));
    daemon.hears("READY=1", LONG);
    let at_the_end = removed.frames_up_to_now();
    daemon.hears("STATUS=4 of 4 cameras streaming", LONG);
    for receiver in [&front, &kept, &new, &anew, &added] {
        receiver.gets_more(SOME);
    }
    let anew_goes = |over| format!("anew: to 127.0.0.1:{}, paced over {over}\n", anew.port);
    for line in [
        &*anew_goes("25 ms"),
        &anew_goes("50 ms"),
        "rear: outputs changed",
        "anew: changed",
        "removed: removed",
        "added: streaming",
    ] {
        daemon.logs(line);
    }
    assert!(!daemon.log().contains("front: outputs changed"));
    assert_eq!(daemon.end().code(), Some(0));

    let [front, kept, old, new, anew, removed, added] =
        [front, kept, old, new, anew, removed, added].map(Receiver::end);
    for (stream, sources) in [
        (&front, 1),
        (&kept, 1),
        (&old, 1),
        (&new, 1),
        (&anew, 1),
        (&removed, 1),
        (&added, 1),
    ] {
        assert_eq!(stream.sources(), sources);
    }
    front.frames_in_turn(PICTURES);
    assert_eq!(removed.frames_in_turn(PICTURES), at_the_end);
    // Each frame of the camera went to the output that stays and to one of those that do not.
    let changed = old.frames_in_turn(PICTURES) + new.frames_in_turn(PICTURES);
    assert_eq!(kept.frames_in_turn(PICTURES), changed);
    added.frames_in_turn(PICTURES);
    // Without a gap in numbers.
    anew.frames();
}

#[test]
fn a_wrong_file_changes_nothing_and_is_named_with_line_and_column() {
    let folder = Folder::new("wrong");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let receiver = Receiver::start();
    let right = camera("front", &device, &[receiver.port]);
    let config = folder.write("config.toml", &right);
    let daemon = Daemon::start(&folder, &config, true, |_| ());
    daemon.hears("READY=1", LONG);
    replace(&config, &right.replace("fps = 20", "fps = \"many\""));
    daemon.signal(Signal::SIGHUP);
    daemon.hears("RELOADING=1", LONG);
    daemon.hears("READY=1", LONG);
    daemon.hears(
        "1 of 1 cameras streaming; the changed configuration is wrong",
        LONG,
    );
    daemon.logs("config.toml:4:7: ");
    daemon.logs("<3>  4 | fps = \"many\"\n");
    daemon.logs("configuration in force stays");
    replace(&config, &right);
    daemon.signal(Signal::SIGHUP);
    daemon.hears("STATUS=1 of 1 cameras streaming\n", LONG);
    receiver.gets_more(SOME);
    // As the journal wants it: every line with its priority, and the error and all its lines as errors.
    let log = daemon.log();
    for line in log.lines() {
        let error = ["config.toml:4:7", "4 | fps", "configuration in force stays"];
        let prefix = if error.iter().any(|part| line.contains(part)) {
            "<3>"
        } else {
            "<6>"
        };
        assert!(line.starts_with(prefix), "{line}");
    }
    assert_eq!(daemon.end().code(), Some(0));
    let stream = receiver.end();
    assert_eq!(stream.sources(), 1);
    stream.frames_in_turn(PICTURES);
}

/// A terminal: what a terminal emulator holds, and what a program is started from.
fn terminal() -> (PtyMaster, fs::File) {
    // A child that inherited the master would keep the terminal open.
    let master =
        posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    grantpt(&master).expect("its rights");
    unlockpt(&master).expect("its other end");
    let name = ptsname_r(&master).expect("its name");
    let mut options = fs::File::options();
    options
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits());
    (master, options.open(name).expect("its other end"))
}

#[test]
fn a_hangup_reloads_unless_the_terminal_is_gone() {
    let folder = Folder::new("terminal");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let receiver = Receiver::start();
    let config = folder.write("config.toml", camera("front", &device, &[receiver.port]));
    let (master, stdin) = terminal();
    let daemon = Daemon::start(&folder, &config, false, |command| {
        _ = command.stdin(stdin);
    });
    daemon.hears("READY=1", LONG);
    daemon.signal(Signal::SIGHUP);
    daemon.hears("RELOADING=1", LONG);
    daemon.hears("READY=1", LONG);
    drop(master);
    daemon.signal(Signal::SIGHUP);
    assert_eq!(daemon.ends().code(), Some(0));
}

#[test]
fn what_was_not_in_the_configuration_at_the_start_stays_out_of_reach() {
    let folder = Folder::new("sandbox");
    let device = |name| format!("replay:{}", pictures(&folder, name));
    let receiver = Receiver::start();
    let inside = camera("front", &device("inside"), &[receiver.port]);
    let outside = inside.clone() + &camera("rear", &device("outside"), &[9]);
    let config = folder.write("etc/config.toml", inside);
    let daemon = Daemon::start(&folder, &config, false, |_| ());
    daemon.hears("READY=1", LONG);
    replace(&config, &outside);
    daemon.signal(Signal::SIGHUP);
    daemon.logs("outside: out of reach of the sandbox");
    // Even for root, and with the kernel's word for it.
    daemon.logs("outside: Permission denied");
    receiver.gets_more(SOME);
    daemon.end();
    receiver.end().frames_in_turn(PICTURES);
}
