//! A thread that hangs starves the watchdog, as long as its camera is wanted.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use super::daemon::{Daemon, Folder, LONG, replace};
use super::stream::Receiver;
use crate::{PICTURES, SOME, WATCHDOG, camera, pictures, waits_for};

/// A thread of the daemon, by its name.
fn thread_called(daemon: &Daemon, name: &str) -> Pid {
    let tasks = fs::read_dir(format!("/proc/{}/task", daemon.id())).expect("threads");
    for task in tasks.map(|task| task.expect("a thread").path()) {
        let called = fs::read_to_string(task.join("comm")).unwrap_or_default();
        if called.trim_end() == name {
            let id = task.file_name().expect("an id").to_string_lossy();
            return Pid::from_raw(id.parse().expect("a number"));
        }
    }
    panic!("no thread {name}");
}

/// A thread that does not run until this is dropped. Another process can stop one thread and no other; nothing in
/// framewire helps with it.
struct Stopped(Pid);

impl Stopped {
    fn new(thread: Pid) -> Self {
        ptrace::seize(thread, ptrace::Options::empty()).expect("the thread is traced");
        let traced = Self(thread);
        ptrace::interrupt(thread).expect("the thread is told to stop");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("the thread stops");
        traced
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // A process with a thread that is still traced would not end.
        let _ = ptrace::detach(self.0, None);
    }
}

#[test]
fn a_thread_that_hangs_starves_the_watchdog_until_it_turns_again() {
    let folder = Folder::new("watchdog");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let config = folder.write("config.toml", camera("front", &device, &[port]));
    let daemon = Daemon::start(&folder, &config, false, waits_for(WATCHDOG));
    daemon.hears("READY=1", LONG);
    daemon.hears("WATCHDOG=1", LONG);
    let stopped = Stopped::new(thread_called(&daemon, "front"));
    daemon.logs("front: its thread hangs");
    // What was said before the hang was noticed may still be on its way.
    while daemon.notification(Duration::from_millis(100)).is_some() {}
    let silence = Instant::now();
    while let Some(news) = daemon.notification(WATCHDOG.saturating_sub(silence.elapsed())) {
        assert!(!news.contains("WATCHDOG"), "{news}");
    }
    drop(stopped);
    daemon.logs("front: its thread turns again");
    daemon.hears("WATCHDOG=1", LONG);
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn a_camera_whose_thread_hangs_is_given_another_thread_by_a_reload() {
    let folder = Folder::new("deaf");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let receivers = [(); 2].map(|()| Receiver::start());
    let ports = receivers.each_ref().map(|receiver| receiver.port);
    let [before, after] = ports.map(|port| camera("front", &device, &[port]));
    let config = folder.write("config.toml", before);
    let daemon = Daemon::start(&folder, &config, false, |_| ());
    daemon.hears("STATUS=1 of 1 cameras streaming", LONG);
    let stopped = Stopped::new(thread_called(&daemon, "front"));
    replace(&config, &after);
    daemon.signal(Signal::SIGHUP);
    daemon.logs("front: its thread does not take its new configuration");
    receivers[1].gets_more(SOME);
    drop(stopped);
    daemon.end();
    let [_, after] = receivers.map(Receiver::end);
    after.frames_in_turn(PICTURES);
}

#[test]
fn a_camera_that_hangs_and_is_wanted_no_more_starves_nobody() {
    let folder = Folder::new("removed");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let ports = sockets
        .each_ref()
        .map(|each| each.local_addr().expect("an address").port());
    let front = camera("front", &device, &ports[..1]);
    let both = front.clone() + &camera("rear", &device, &ports[1..]);
    let config = folder.write("config.toml", both);
    let daemon = Daemon::start(&folder, &config, false, waits_for(WATCHDOG));
    daemon.hears("STATUS=2 of 2 cameras streaming", LONG);
    let stopped = Stopped::new(thread_called(&daemon, "rear"));
    daemon.logs("rear: its thread hangs");
    replace(&config, &front);
    daemon.signal(Signal::SIGHUP);
    daemon.logs("rear: its thread does not end; going on without it");
    daemon.hears("STATUS=1 of 1 cameras streaming", LONG);
    for _ in 0..4 {
        daemon.hears("WATCHDOG=1", WATCHDOG);
    }
    drop(stopped);
    daemon.logs("ended: rear: ");
    assert_eq!(daemon.log().matches("does not end").count(), 1);
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn a_door_that_hangs_makes_room_for_another_and_no_camera_notices() {
    let folder = Folder::new("door-hangs");
    let device = format!("replay:{}", pictures(&folder, "pictures"));
    let receiver = Receiver::start();
    let door = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a socket");
        free.local_addr().expect("an address")
    };
    let http = format!("[http]\nlisten = \"{door}\"\n");
    let config = camera("front", &device, &[receiver.port]) + &http;
    let config = folder.write("config.toml", config);
    let daemon = Daemon::start(&folder, &config, false, waits_for(WATCHDOG));
    daemon.hears("STATUS=1 of 1 cameras streaming", LONG);
    let answers = || {
        let mut stream = TcpStream::connect(door)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    assert!(answers().expect("an answer").ends_with("ok\n"));
    let stopped = Stopped::new(thread_called(&daemon, "door"));
    assert!(answers().is_err());
    daemon.logs("the door hangs: its loop has not turned for ");
    let deadline = Instant::now() + LONG;
    while !answers().is_ok_and(|answer| answer.ends_with("ok\n")) {
        assert!(Instant::now() < deadline, "{}", daemon.log());
    }
    daemon.hears("WATCHDOG=1", LONG);
    drop(stopped);
    let two = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", daemon.id())).expect("threads");
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim_end() == "door").count() > 1
    };
    while two() {
        assert!(Instant::now() < deadline, "the old one stays");
    }
    assert_eq!(daemon.end().code(), Some(0));
    receiver.end().frames_in_turn(PICTURES);
}
