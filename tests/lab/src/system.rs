//! What an init process owes its machine: file systems, drivers, the loopback device, the power switch.

use std::error::Error;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::Read;

use nix::kmod::{DeleteModuleFlags, ModuleInitFlags, delete_module, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};

use crate::netlink;

const FILE_SYSTEMS: [(&str, &str); 4] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
];
/// Written by the host: one module a line, in the order of their dependencies.
const MODULES: &str = "/modules/order";
const ODD_MODULES: &str = "/modules/odd";

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
        load(module, c"")?;
    }
    netlink::loopback_up().map_err(|error| format!("lo: {error}"))?;
    // Blocks until the kernel's random numbers are ready, about a second after the start. Who needs some for an SSRC
    // must not wait for them while frames go by.
    File::open("/dev/random")?.read_exact(&mut [0])?;
    Ok(())
}

fn load(module: &str, parameters: &CStr) -> Result<(), Box<dyn Error>> {
    let file = File::open(format!("/modules/{module}"))?;
    finit_module(&file, parameters, ModuleInitFlags::empty())
        .map_err(|error| format!("finit_module {module}: {error}"))?;
    Ok(())
}

fn is_loaded(module: &str) -> bool {
    let name = module.trim_end_matches(".ko");
    fs::exists(format!("/sys/module/{name}")).unwrap_or(false)
}

/// One node of the driver vivid, a webcam with raw formats and every kind of control; gone when this is dropped.
pub struct OddDevice;

impl OddDevice {
    pub fn plug() -> Result<Self, Box<dyn Error>> {
        // Of all its nodes the one that captures video, with a webcam as its only input.
        Self::plug_as(c"n_devs=1 node_types=0x1 num_inputs=1 input_types=0")
    }

    pub fn plug_as(parameters: &CStr) -> Result<Self, Box<dyn Error>> {
        for module in fs::read_to_string(ODD_MODULES)?.lines() {
            // What it depends on stays loaded.
            match module {
                "vivid.ko" => load(module, parameters)?,
                _ if is_loaded(module) => {}
                _ => load(module, c"")?,
            }
        }
        Ok(Self)
    }
}

impl Drop for OddDevice {
    fn drop(&mut self) {
        if let Err(error) = delete_module(c"vivid", DeleteModuleFlags::O_NONBLOCK) {
            println!("delete_module vivid: {error}");
        }
    }
}

/// `lab=stream,quirks` on the kernel command line; none stands for all.
pub fn chosen_scenarios() -> Vec<String> {
    let names = argument("lab").unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty());
    names.map(String::from).collect()
}

/// `cycles=1000` on the kernel command line: how often the scenario of that name unplugs its camera.
pub fn cycles() -> u32 {
    number("cycles").unwrap_or(10)
}

/// `chaos=1800`: how long the scenario of that name lasts, in seconds.
pub fn chaos_seconds() -> u32 {
    number("chaos").unwrap_or(120)
}

/// `seed=7`: what its faults are drawn by.
pub fn chaos_seed() -> u32 {
    number("seed").unwrap_or(1)
}

fn number(name: &str) -> Option<u32> {
    argument(name)?.parse().ok()
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

/// `/sys/module/MODULE/parameters/NAME`
pub fn set_parameter(module: &str, name: &str, value: &str) -> std::io::Result<()> {
    fs::write(format!("/sys/module/{module}/parameters/{name}"), value)
}
