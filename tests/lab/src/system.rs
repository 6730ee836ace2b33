//! What an init process owes its machine: file systems, drivers, the loopback device, the power switch.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsRawFd;

use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType,
};

const FILE_SYSTEMS: [(&str, &str); 4] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
];
/// Written by the host: one module a line, in the order of their dependencies.
const MODULES: &str = "/modules/order";
const LOOPBACK: i32 = 1; // the interface index of lo in every network namespace

pub fn prepare() -> Result<(), Box<dyn Error>> {
    for (kind, target) in FILE_SYSTEMS {
        fs::create_dir_all(target)?;
        mount(
            Some(kind),
            target,
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        )
        .map_err(|error| format!("mount {target}: {error}"))?;
    }
    for module in fs::read_to_string(MODULES)?.lines() {
        let file = File::open(format!("/modules/{module}"))?;
        finit_module(&file, c"", ModuleInitFlags::empty())
            .map_err(|error| format!("finit_module {module}: {error}"))?;
    }
    link_up(LOOPBACK).map_err(|error| format!("lo: {error}"))?;
    // Blocks until the kernel's random numbers are ready, about a second after the start. Who needs some for an SSRC
    // must not wait for them while frames go by.
    File::open("/dev/random")?.read_exact(&mut [0])?;
    Ok(())
}

/// `lab=stream,quirks` on the kernel command line; none stands for all.
pub fn chosen_scenarios() -> Vec<String> {
    let names = argument("lab").unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty());
    names.map(String::from).collect()
}

/// `cycles=1000` on the kernel command line: how often the scenario of that name unplugs its camera.
pub fn cycles() -> u32 {
    const FEW: u32 = 10;
    argument("cycles")
        .and_then(|number| number.parse().ok())
        .unwrap_or(FEW)
}

fn argument(name: &str) -> Option<String> {
    let line = fs::read_to_string("/proc/cmdline").ok()?;
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        .map(String::from)
}

pub fn power_off() -> ! {
    match reboot(RebootMode::RB_POWER_OFF) {
        Ok(never) => match never {},
        Err(error) => panic!("reboot: {error}"), // and a panic of PID 1 ends the machine as well
    }
}

/// RTM_NEWLINK with IFF_UP (rtnetlink(7)): unlike the ioctl it needs no unsafe code.
fn link_up(interface: i32) -> nix::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_ACK: u16 = 1 | 4; // NLM_F_REQUEST | NLM_F_ACK
    const IFF_UP: u32 = 1;
    const LENGTH: u32 = 32; // struct nlmsghdr and struct ifinfomsg
    let message: Vec<u8> = [
        &LENGTH.to_ne_bytes()[..],
        &RTM_NEWLINK.to_ne_bytes(),
        &REQUEST_ACK.to_ne_bytes(),
        &[0; 8], // sequence and port
        &[0; 4], // family and type: unspecified
        &interface.to_ne_bytes(),
        &IFF_UP.to_ne_bytes(), // the flags
        &IFF_UP.to_ne_bytes(), // and the mask of what changes
    ]
    .concat();
    let wire = socket::socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::empty(),
        SockProtocol::NetlinkRoute,
    )?;
    let kernel = NetlinkAddr::new(0, 0);
    socket::sendto(wire.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
    let mut answer = [0; 64];
    let length = socket::recv(wire.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // struct nlmsgerr behind the header: 0, or an errno with its sign changed
    let code = answer[..length]
        .get(16..20)
        .and_then(|octets| octets.as_array());
    match code.map(|octets| i32::from_ne_bytes(*octets)) {
        Some(0) => Ok(()),
        Some(code) => Err(nix::Error::from_raw(-code)),
        None => Err(nix::Error::EPROTO),
    }
}

/// `/sys/module/MODULE/parameters/NAME`
pub fn set_parameter(module: &str, name: &str, value: &str) -> std::io::Result<()> {
    fs::write(format!("/sys/module/{module}/parameters/{name}"), value)
}
