//! The program as a user runs it, and somebody who receives.

use std::net::UdpSocket;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::receive::headers;

/// Longest wait for a packet, and for an end.
pub const LONG: Duration = Duration::from_secs(60);

/// The program with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end; ended from outside when it does not come to that.
pub fn framewire(arguments: &[&str]) -> Output {
    let mut child = command(arguments);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().expect("framewire starts");
    let id = nix::unistd::Pid::from_raw(child.id().try_into().expect("a process id"));
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if end.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
            let _ = nix::sys::signal::kill(id, Signal::SIGKILL);
        }
    });
    let output = child.wait_with_output().expect("framewire runs");
    drop(ended);
    watch.join().expect("no panic");
    output
}

/// Octets as text.
pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A configuration whose camera plays `device`, a file or a folder, at 60 fps to these ports of this machine.
pub fn replay(device: &str, destinations: &[u16]) -> String {
    let outputs: String = destinations
        .iter()
        .map(|port| format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n"))
        .collect();
    format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{device}\"\nfps = 60\n{outputs}")
}

/// A socket and its port.
pub fn receiver() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let timeout = Some(LONG);
    socket.set_read_timeout(timeout).expect("a time-out");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

/// Packets up to and with the marker.
pub fn receive_frame(socket: &UdpSocket) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut buffer = [0; 9000];
    loop {
        let length = socket.recv(&mut buffer).expect("a packet in time");
        packets.push(buffer[..length].to_vec());
        if headers(&buffer[..length]).0.marker {
            return packets;
        }
    }
}

/// Sends a signal to it.
pub fn send(signal: Signal, child: &Child) {
    let id = nix::unistd::Pid::from_raw(child.id().try_into().expect("a process id"));
    nix::sys::signal::kill(id, signal).expect("a signal");
}

/// Resident octets of a process.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}
