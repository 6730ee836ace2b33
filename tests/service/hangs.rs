//! A thread that hangs starves the watchdog, as long as its camera is wanted.

use std::fs;
use std::net::UdpSocket;
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
