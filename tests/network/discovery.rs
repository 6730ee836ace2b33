//! Neighbours find the page and the cameras by multicast DNS, and hear when there are none any more.
//! RFC 6762, RFC 6763; python-zeroconf looks for them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReuseAddr;

use crate::namespace::{Namespace, await_route, cable};
use crate::process::{Process, poll_until};
use crate::sender::Folder;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
/// For names to be taken, said and heard, on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// So long nothing is said where another program is to say it: three looks, and the time in which a name is taken.
const SILENCE: Duration = Duration::from_secs(8);

/// framewire with two cameras on a machine called cam.
struct Cam(Process);

impl Cam {
    fn start(namespace: &Namespace, folder: &Path, name: &str, listen: &str) -> Self {
        let config = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"demo\"\n[[camera]]\nname = \"rear\"\ndevice = \"demo\"\n\
             [http]\nlisten = \"{listen}\"\n"
        );
        let path = folder.join(format!("{name}.toml"));
        fs::write(&path, config).expect("the configuration can be written");
        let mut command = namespace.command("unshare");
        command.args(["--uts", "sh", "-ec"]);
        command.arg("echo cam > /proc/sys/kernel/hostname; exec \"$0\" \"$@\"");
        command.arg(env!("CARGO_BIN_EXE_framewire"));
        command.args(["run", "--config"]).arg(path);
        Self(Process::spawn(name, &mut command, folder))
    }

    fn says(&self, text: &str) -> bool {
        self.0.stderr().contains(text)
    }

    fn stop(&mut self) {
        self.0.signal(Signal::SIGTERM);
        self.0.expect_success(LIMIT);
    }
}

/// python-zeroconf at work.
fn look_for_services(namespace: &Namespace, folder: &Path) -> Process {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/venv/bin/python3");
    assert!(
        python.exists(),
        "{} is missing: python3 -m venv target/venv && target/venv/bin/pip install zeroconf",
        python.display()
    );
    let mut command = namespace.command(python.to_str().expect("UTF-8"));
    command.arg(root.join("tests/network/services.py"));
    Process::spawn("services", &mut command, folder)
}

/// The lines of `services` that begin with `sign`, sorted, when there are `count` of them.
fn lines(services: &mut Process, sign: char, count: usize) -> Vec<String> {
    let lines = |services: &Process| {
        let text = services.stdout();
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with(sign))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    poll_until(LIMIT, || {
        Some(lines(services)).filter(|lines| lines.len() >= count)
    });
    services.expect_running();
    lines(services)
}

/// Hears what is said to all.
struct Ear(UdpSocket);

impl Ear {
    fn open(namespace: &Namespace, own: Ipv4Addr) -> Self {
        let socket = namespace.enter(|| {
            use socket2::{Domain, Socket, Type};
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
            setsockopt(&socket, ReuseAddr, &true).expect("it can be shared");
            let address = SocketAddr::from((GROUP, PORT));
            socket.bind(&address.into()).expect("the port can be had");
            let socket = UdpSocket::from(socket);
            socket
                .join_multicast_v4(&GROUP, &own)
                .expect("the group can be joined");
            socket
        });
        socket.set_nonblocking(true).expect("a non-blocking socket");
        Self(socket)
    }

    /// The next response, as text with dots for what is none; with the times to live of its records set aside.
    fn response(&self, limit: Duration) -> Option<Vec<u8>> {
        let mut octets = [0; 9000];
        poll_until(limit, || {
            let length = self.0.recv(&mut octets).ok()?;
            Some(octets[..length].to_vec()).filter(|octets| octets[2] & 0x80 != 0)
        })
    }

    /// Forgets what has come so far.
    fn clear(&self) {
        while self.0.recv(&mut [0; 9000]).is_ok() {}
    }
}

/// The time to live of the first record with the name cam.local in `response`: it begins with that record, or with none.
fn host_ttl(response: &[u8]) -> Option<u32> {
    let ttl = response[12..].strip_prefix(b"\x03cam\x05local\x00")?;
    Some(u32::from_be_bytes(
        ttl[4..8].try_into().expect("four octets"),
    ))
}

/// A machine and a viewer at the ends of a cable.
fn pair() -> [Namespace; 2] {
    let [cam, viewer] = ["cam", "viewer"].map(Namespace::new);
    cable(
        (&cam, "eth", &["10.0.3.1/24", "2001:db8:3::1/64"]),
        (&viewer, "in", &["10.0.3.2/24"]),
    );
    await_route(&cam, &viewer, "10.0.3.2");
    [cam, viewer]
}

fn status_of(viewer: &Namespace, address: SocketAddr, path: &str) -> String {
    viewer.enter(|| {
        let mut stream = TcpStream::connect(address).expect("the door is open");
        stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
        let request = format!("GET {path} HTTP/1.0\r\nHost: cam.local\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .expect("a request can be sent");
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    })
}

#[test]
fn neighbours_find_the_page_and_each_camera_until_the_end() {
    let [machine, viewer] = pair();
    let folder = Folder::new("discovery");
    let mut services = look_for_services(&viewer, folder.path());
    let mut cam = Cam::start(&machine, folder.path(), "cam", "[::]:8080");
    let found = lines(&mut services, '+', 3);
    assert_eq!(found.len(), 3, "{found:?}\n{}", cam.0.stderr());
    let expected = [
        ("+ cam front: cam.local. ", " 8080 /front/stream.mjpg"),
        ("+ cam rear: cam.local. ", " 8080 /rear/stream.mjpg"),
        ("+ cam: cam.local. ", " 8080 /"),
    ];
    for (line, (start, end)) in found.iter().zip(expected) {
        assert!(line.starts_with(start) && line.ends_with(end), "{line}");
        let addresses: Vec<&str> = line[start.len()..line.len() - end.len()]
            .split(',')
            .collect();
        let [v4, global, link_local] = addresses[..] else {
            panic!("{line}")
        };
        assert_eq!((v4, global), ("10.0.3.1", "2001:db8:3::1"));
        assert!(link_local.starts_with("fe80::"), "{line}");
        let path = end.rsplit(' ').next().expect("a path");
        let address = SocketAddr::new(v4.parse().expect("an address"), 8080);
        assert_eq!(
            status_of(&viewer, address, path),
            "HTTP/1.0 200 OK",
            "{path}"
        );
    }
    let line = "neighbours find the cameras at http://cam.local:8080/";
    let is_logged = poll_until(LIMIT, || cam.says(line).then_some(()));
    assert!(is_logged.is_some(), "{}", cam.0.stderr());
    cam.stop();
    let gone = lines(&mut services, '-', 3);
    assert_eq!(gone, ["- cam", "- cam front", "- cam rear"]);
}

#[test]
fn of_two_machines_with_one_name_one_takes_another() {
    let [one, other, viewer] = ["one", "other", "viewer"].map(Namespace::new);
    viewer.ip("link add name switch type bridge");
    viewer.ip("address add 10.0.3.9/24 dev switch");
    for (machine, end, address) in [
        (&one, "left", "10.0.3.1/24"),
        (&other, "right", "10.0.3.2/24"),
    ] {
        cable((machine, "eth", &[address]), (&viewer, end, &[]));
        viewer.ip(&format!("link set {end} master switch"));
    }
    viewer.ip("link set switch up");
    await_route(&one, &other, "10.0.3.2");
    let folder = Folder::new("same-name");
    let mut services = look_for_services(&viewer, folder.path());
    let mut cams = [(&one, "one"), (&other, "other")]
        .map(|(machine, name)| Cam::start(machine, folder.path(), name, "0.0.0.0:8080"));
    let found = lines(&mut services, '+', 6);
    let logs = cams.each_ref().map(|cam| cam.0.stderr()).concat();
    let pages = found.iter().filter(|line| line.ends_with(" 8080 /"));
    let pages: Vec<&str> = pages.map(String::as_str).collect();
    // Whoever has asked for it first, or has the greater address.
    let winner = usize::from(pages.contains(&"+ cam: cam.local. 10.0.3.2 8080 /"));
    let address = |index| ["10.0.3.1", "10.0.3.2"][index];
    let loser = 1 - winner;
    let expected = [
        format!("+ cam-2: cam-2.local. {} 8080 /", address(loser)),
        format!("+ cam: cam.local. {} 8080 /", address(winner)),
    ];
    assert_eq!(pages, expected, "{found:?}\n{logs}");
    for line in [
        "+ cam front: cam.local. ",
        "+ cam rear: cam.local. ",
        "+ cam-2 front: cam-2.local. ",
        "+ cam-2 rear: cam-2.local. ",
    ] {
        let mut found = found.iter();
        assert!(found.any(|found| found.starts_with(line)), "{line}");
    }
    assert!(
        cams[loser].says("a neighbour has the name cam.local"),
        "{logs}"
    );
    cams.iter_mut().for_each(Cam::stop);
}

#[test]
fn after_a_cable_was_pulled_all_is_announced_again() {
    let [machine, viewer] = pair();
    let folder = Folder::new("pulled");
    let ear = Ear::open(&viewer, Ipv4Addr::new(10, 0, 3, 2));
    let mut cam = Cam::start(&machine, folder.path(), "cam", "0.0.0.0:8080");
    // Twice, and then no more until there is a reason.
    for _ in 0..2 {
        let response = ear.response(LIMIT).expect("it is announced");
        assert_eq!(host_ttl(&response), Some(120));
    }
    assert_eq!(ear.response(SILENCE), None);
    // Sooner than anybody looks.
    viewer.ip("link set in down");
    viewer.ip("link set in up");
    let pulled = Instant::now();
    let response = ear.response(LIMIT);
    let response = response.unwrap_or_else(|| panic!("silence\n{}", cam.0.stderr()));
    assert_eq!(host_ttl(&response), Some(120));
    println!(
        "announced {:?} after the cable was pulled",
        pulled.elapsed()
    );
    ear.clear();
    // A new address is one more reason, and the old one is none any more.
    machine.ip("address del 10.0.3.1/24 dev eth");
    machine.ip("address add 10.0.3.7/24 dev eth");
    let announced = poll_until(LIMIT, || {
        let response = ear.response(Duration::ZERO)?;
        let address: &[u8] = &[10, 0, 3, 7];
        response
            .windows(4)
            .any(|octets| octets == address)
            .then_some(())
    });
    assert!(announced.is_some());
    ear.clear();
    cam.stop();
    let good_bye = ear.response(LIMIT).expect("a last word");
    assert_eq!(host_ttl(&good_bye), Some(0));
}

#[test]
fn another_program_with_the_port_is_left_to_answer() {
    let [machine, viewer] = pair();
    let folder = Folder::new("other-responder");
    let ear = Ear::open(&viewer, Ipv4Addr::new(10, 0, 3, 2));
    let other = machine.enter(|| UdpSocket::bind(("0.0.0.0", PORT)).expect("the port is free"));
    let cam = Cam::start(&machine, folder.path(), "cam", "0.0.0.0:8080");
    assert_eq!(ear.response(SILENCE), None);
    assert!(
        cam.says("another program has UDP port 5353"),
        "{}",
        cam.0.stderr()
    );
    drop(other);
    let response = ear.response(LIMIT + SILENCE).expect("it is alone now");
    assert_eq!(host_ttl(&response), Some(120));
    // Another one comes later: the services go, the host's name is both's.
    let shared = || {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
        setsockopt(&socket, ReuseAddr, &true).expect("it can be shared");
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
        socket.bind(&any.into()).map(|()| socket)
    };
    let later = machine.enter(shared).expect("the port can be shared");
    let good_bye = poll_until(LIMIT + SILENCE, || {
        let response = ear.response(Duration::ZERO)?;
        (host_ttl(&response) != Some(120)).then_some(response)
    });
    let good_bye = good_bye.expect("a last word");
    assert_eq!(host_ttl(&good_bye), None);
    drop(later);
}
