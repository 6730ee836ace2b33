//! Network namespaces that vanish with the test, and the cables between them.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::unistd::geteuid;

use crate::process::poll_until;

/// A network of its own, with nothing in it but the loopback interface.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Names are unique among all runs at one time.
    pub fn new(role: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            geteuid().is_root(),
            "network namespaces need root: run this suite as root"
        );
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self {
            name: format!("framewire-{}-{number}-{role}", process::id()),
        };
        run(
            Command::new("ip").args(["netns", "add", &namespace.name]),
            "ip netns add",
        );
        // Without IPv6's search for duplicates link-local addresses are good at once.
        namespace.sysctl("ipv6/conf/default/accept_dad", "0");
        namespace.ip("link set lo up");
        namespace
    }

    /// `ip` with the words of `line`, in here.
    pub fn ip(&self, line: &str) {
        self.tool("ip", line);
    }

    /// `tc` with the words of `line`, in here.
    pub fn tc(&self, line: &str) {
        self.tool("tc", line);
    }

    fn tool(&self, program: &str, line: &str) {
        let mut command = Command::new(program);
        command.args(["-n", &self.name]).args(line.split(' '));
        run(&mut command, line);
    }

    /// Sets a kernel parameter of this network: its path below /proc/sys/net.
    pub fn sysctl(&self, name: &str, value: &str) {
        let path = PathBuf::from("/proc/sys/net").join(name);
        // /proc/sys/net shows the network of the thread that looks.
        self.enter(|| std::fs::write(&path, value))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }

    /// A command that will run in here, with the files of [`Namespace::etc`] in the place of the host's.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// The folder whose files `ip netns exec` lays over those of /etc.
    pub fn etc(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }

    /// Runs `work` in here; sockets that it makes stay here.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let there = File::open(PathBuf::from("/run/netns").join(&self.name))
            .expect("the namespace has a name");
        // Only the thread moves; it ends here.
        let result = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(there, CloneFlags::CLONE_NEWNET).expect("the namespace can be entered");
                work()
            });
            thread.join()
        });
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Its cables vanish with it. What fails here has no one to be told.
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
        let _ = std::fs::remove_dir_all(self.etc());
        let _ = std::fs::remove_dir("/etc/netns"); // unless others use it
    }
}

/// Joins `left`'s new interface to `right`'s; both get `addresses` and are up.
pub fn cable(left: (&Namespace, &str, &[&str]), right: (&Namespace, &str, &[&str])) {
    let mut command = Command::new("ip");
    command
        .args(["link", "add", left.1, "netns", &left.0.name, "type", "veth"])
        .args(["peer", "name", right.1, "netns", &right.0.name]);
    run(&mut command, "ip link add");
    for (namespace, interface, addresses) in [left, right] {
        for address in addresses {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            namespace.ip(&format!("address add {address} dev {interface}{nodad}"));
        }
        namespace.ip(&format!("link set {interface} up"));
    }
}

/// Waits until packets pass from `sender` to `address` of `receiver`: IPv6 takes a while to set itself up.
pub fn await_route(sender: &Namespace, receiver: &Namespace, address: &str) {
    const LIMIT: Duration = Duration::from_secs(5);
    let address: IpAddr = address.parse().expect("an address");
    let any = |address: IpAddr| match address {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let bind = || UdpSocket::bind((any(address), 0)).expect("a port is free");
    let to = receiver.enter(bind);
    to.set_nonblocking(true).expect("a non-blocking socket");
    let port = to.local_addr().expect("it is bound").port();
    let from = sender.enter(bind);
    let passed = poll_until(LIMIT, || {
        // As long as there is no route it fails.
        let _ = from.send_to(&[0], (address, port));
        to.recv(&mut [0]).ok()
    });
    assert!(passed.is_some(), "no way to {address} after {LIMIT:?}");
}

fn run(command: &mut Command, what: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{what}: {error}; install the Debian package iproute2"));
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
