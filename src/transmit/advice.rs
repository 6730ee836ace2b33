//! What an error of a destination's socket means, and what to do about it, where we know.
//! connect(2), bind(2), ip(7), ipv6(7).

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use nix::errno::Errno;

/// `error` of the way to `destination`, in words; its kind stays.
pub fn on_way(error: io::Error, destination: SocketAddr) -> io::Error {
    let errno = error.raw_os_error().map(Errno::from_raw);
    match errno.and_then(|errno| way(errno, destination)) {
        Some(words) => io::Error::new(error.kind(), format!("{words} ({error})")),
        None => error,
    }
}

/// `error` of the configured local port, in words; its kind stays.
pub fn on_local_port(error: io::Error, port: u16) -> io::Error {
    let words = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("local-port {port} is taken by another program: choose another")
        }
        io::ErrorKind::PermissionDenied => {
            format!("local-port {port} is not allowed to this user: choose one from 1024")
        }
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{words} ({error})"))
}

fn way(errno: Errno, destination: SocketAddr) -> Option<String> {
    let ip = destination.ip();
    match (errno, destination) {
        (Errno::EACCES, SocketAddr::V4(_)) if is_broadcast(destination) => Some(format!(
            "{ip} is a broadcast address, to which nothing is sent: use the address of one machine, or a \
             multicast group"
        )),
        (Errno::EACCES | Errno::EPERM, _) => Some(format!(
            "a route or a firewall does not allow packets to {ip}"
        )),
        (Errno::EINVAL, SocketAddr::V6(address)) if address.scope_id() == 0 => Some(format!(
            "{ip} is valid on one network interface only: write [{ip}%eth0], or set interface"
        )),
        (Errno::ENETUNREACH, _) if ip.is_multicast() => Some(format!(
            "there is no route to the group {ip}: set interface, or add a route to it"
        )),
        (Errno::ENETUNREACH, SocketAddr::V4(_)) => Some(format!("there is no route to {ip}")),
        (Errno::ENETUNREACH, SocketAddr::V6(_)) => {
            Some(format!("there is no route to {ip}: no IPv6 here, perhaps"))
        }
        _ => None,
    }
}

/// Whether nothing but the permission to broadcast is missing: a route that prohibits gives the same error. The
/// socket sends nothing.
fn is_broadcast(destination: SocketAddr) -> bool {
    let connected = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.set_broadcast(true)?;
        socket.connect(destination)
    });
    connected.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_put_into_words() {
        for (errno, destination, said) in [
            (Errno::EACCES, "127.255.255.255:5004", "broadcast"),
            (Errno::EPERM, "127.0.0.1:5004", "firewall"),
            (Errno::EACCES, "[::1]:5004", "firewall"),
            (Errno::EINVAL, "[fe80::1]:5004", "[fe80::1%eth0]"),
            (Errno::ENETUNREACH, "239.1.2.3:5004", "route to the group"),
            (Errno::ENETUNREACH, "10.0.0.1:5004", "no route to 10.0.0.1"),
            (Errno::ENETUNREACH, "[2001:db8::1]:5004", "no IPv6"),
        ] {
            let error = on_way(errno.into(), destination.parse().unwrap());
            assert_eq!(error.kind(), io::Error::from(errno).kind());
            let error = error.to_string();
            assert!(error.contains(said), "{error}");
            assert!(error.contains(errno.desc()), "{error}");
        }
        let other = on_way(Errno::EIO.into(), "10.0.0.1:1".parse().unwrap());
        assert_eq!(other.raw_os_error(), Some(Errno::EIO as i32));
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = on_local_port(Errno::EADDRINUSE.into(), 6000).to_string();
        assert!(taken.starts_with("local-port 6000 is taken"), "{taken}");
        let low = on_local_port(Errno::EACCES.into(), 80).to_string();
        assert!(low.starts_with("local-port 80 is not allowed"), "{low}");
    }
}
