//! What to type on the receiving machine, for those who stream without a configuration.
//! docs/receivers.md has more players, and what was measured of each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::rtp::carry::MAX_SIZE;
use crate::sdp::{self, Stream};

/// Commands that show `stream`, which is `what`.
pub fn instructions(what: &str, stream: &Stream) -> String {
    let Stream {
        name, destination, ..
    } = stream;
    let (port, listened) = (destination.port(), listened_on(destination.ip()));
    let url = SocketAddr::new(listened, port);
    let address = match listened {
        IpAddr::V4(ip) if !ip.is_multicast() => String::new(),
        ip => format!(" address={ip}"),
    };
    let description = sdp::describe(std::slice::from_ref(stream)).replace("\r\n", "\n");
    let caps = "application/x-rtp,media=video,clock-rate=90000,encoding-name=JPEG,payload=26";
    let gstreamer = |caps: &str| {
        format!(
            "gst-launch-1.0 udpsrc{address} port={port} caps={caps} ! \
             rtpjitterbuffer latency=0 ! rtpjpegdepay ! jpegdec ! videoconvert ! autovideosink sync=false"
        )
    };
    let begin = format!("Streaming {what} as RTP/JPEG to {destination}. Look at it there with");
    let Some((width, height)) = stream.large() else {
        return format!(
            "{begin} one of\n\n  \
             ffplay -fflags nobuffer -flags low_delay -vf setpts=0 rtp://{url}\n  {}\n\n\
             or save this session description there as {name}.sdp, and open it with one of\n\n  \
             mpv --profile=low-latency --untimed {name}.sdp\n  \
             vlc --demux=avformat {name}.sdp\n\n\
             (VLC as Debian has it; it is a second late)\n\n\
             {description}\nCtrl-C ends it.\n",
            gstreamer(caps)
        );
    };
    let caps = format!("'{caps},x-dimensions=(string)\"{width},{height}\"'");
    format!(
        "{begin}\n\n  {}\n\n\
         (pictures of more than {MAX_SIZE} pixels: ffplay, mpv and VLC cannot show them by RTP)\n\n\
         Other receivers need this session description:\n\n{description}\nCtrl-C ends it.\n",
        gstreamer(&caps)
    )
}

/// The address that a receiver of what is sent to `ip` listens on.
fn listened_on(ip: IpAddr) -> IpAddr {
    match ip {
        ip if ip.is_multicast() || ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Fps, Rtcp, Ttl};

    fn stream(destination: &str, size: (u16, u16)) -> Stream<'static> {
        Stream {
            name: "front",
            destination: destination.parse().unwrap(),
            fps: Fps::default(),
            ttl: Ttl::default(),
            rtcp: Rtcp::default(),
            absolute_time: false,
            size: Some(size),
        }
    }

    #[test]
    fn large_pictures_have_lines_for_those_who_can_show_them() {
        let text = instructions("a test", &stream("127.0.0.1:5004", (3840, 2160)));
        let caps = ",payload=26,x-dimensions=(string)\"3840,2160\"' ! rtpjitterbuffer";
        for part in [caps, "\na=x-dimensions:3840,2160\n"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        for line in text.lines().map(str::trim_start) {
            let cannot = ["ffplay -", "mpv -", "vlc -"];
            assert!(!cannot.iter().any(|each| line.starts_with(each)), "{line}");
        }
    }

    #[test]
    fn the_lines_are_those_of_the_destination() {
        for (destination, url, udpsrc) in [
            ("192.168.1.5:5004", "rtp://0.0.0.0:5004", "udpsrc port=5004"),
            ("127.0.0.1:6", "rtp://127.0.0.1:6", "udpsrc port=6"),
            (
                "239.1.2.3:5004",
                "rtp://239.1.2.3:5004",
                "udpsrc address=239.1.2.3 port=5004",
            ),
            (
                "[2001:db8::1]:5004",
                "rtp://[::]:5004",
                "udpsrc address=:: port=5004",
            ),
            ("[::1]:6", "rtp://[::1]:6", "udpsrc address=::1 port=6"),
            // The zone is that of this machine.
            (
                "[ff12::1%3]:5004",
                "rtp://[ff12::1]:5004",
                "udpsrc address=ff12::1 port=5004",
            ),
        ] {
            let text = instructions("a test", &stream(destination, (1280, 720)));
            for part in [
                &format!("Streaming a test as RTP/JPEG to {destination}."),
                &format!("-vf setpts=0 {url}\n"),
                &format!("gst-launch-1.0 {udpsrc} caps="),
                "--untimed front.sdp\n",
                "\nv=0\n",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
}
