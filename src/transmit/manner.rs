//! How an output sends, in words: what a person wants to see once, at the start.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::pace::LONGEST_INTERVAL;
use crate::config::{Dscp, Fps, Mtu, Output, Pacing, Rtcp};

/// Millihertz of a rate of one frame a second.
const MILLIHERTZ: f64 = 1000.0;

/// An output of a camera with that rate.
pub struct Manner<'a>(pub &'a Output, pub Fps);

impl Manner<'_> {
    /// As far as the configuration tells: the address of a name is not known yet.
    fn is_to_this_machine(&self) -> bool {
        let host = &self.0.destination.host;
        let address = host.parse().map(|address: IpAddr| address.is_loopback());
        address.unwrap_or(host == "localhost")
    }

    fn pace(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let pacing = self
            .0
            .pacing
            .unwrap_or_else(|| Pacing::usual(self.is_to_this_machine()));
        if pacing == Pacing::BURST {
            return f.write_str("each frame in one burst");
        }
        let Some(millihertz) = self.1.millihertz() else {
            let percent = 100.0 * pacing.share();
            return write!(
                f,
                "paced over {percent:.0} % of the time from frame to frame"
            );
        };
        let interval = Duration::from_secs_f64(MILLIHERTZ / f64::from(millihertz));
        let over = interval.min(LONGEST_INTERVAL).mul_f32(pacing.share());
        write!(f, "paced over {:.0} ms", 1000.0 * over.as_secs_f32())
    }
}

impl fmt::Display for Manner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let output = self.0;
        write!(f, "to {}, ", output.destination)?;
        self.pace(f)?;
        if let Some(interface) = &output.interface {
            write!(f, ", by {}", interface.as_str())?;
        }
        if output.mtu != Mtu::default() {
            write!(f, ", in packets of at most {} octets", output.mtu.get())?;
        }
        if output.dscp != Dscp::default() {
            write!(f, ", DSCP {}", output.dscp.traffic_class() >> 2)?;
        }
        match output.rtcp {
            Rtcp::On => Ok(()),
            Rtcp::Mux => f.write_str(", RTCP on the same port"),
            Rtcp::Off => f.write_str(", without RTCP"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn manner(camera: &str, output: &str) -> String {
        let text = format!("[[camera]]\nname = \"x\"\n{camera}\n[[camera.rtp]]\n{output}\n");
        let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
        let camera = &config.cameras[0];
        Manner(&camera.outputs[0], camera.fps()).to_string()
    }

    #[test]
    fn an_output_is_told_in_words() {
        let remote = "destination = \"192.168.1.5:5004\"";
        for (camera, output, expected) in [
            ("", remote, "to 192.168.1.5:5004, paced over 25 ms"),
            ("fps = 1", remote, "to 192.168.1.5:5004, paced over 75 ms"),
            (
                "device = \"demo\"\nfps = 0",
                remote,
                "to 192.168.1.5:5004, paced over 75 % of the time from frame to frame",
            ),
            (
                "",
                "destination = \"[::1]:5004\"",
                "to [::1]:5004, each frame in one burst",
            ),
            (
                "",
                "destination = \"localhost:5004\"\npacing = 0.3",
                "to localhost:5004, paced over 10 ms",
            ),
            (
                "",
                "destination = \"h:1\"\npacing = 0\ninterface = \"eth0\"\nmtu = 9000\ndscp = \"EF\"\nrtcp = \"mux\"",
                "to h:1, each frame in one burst, by eth0, in packets of at most 9000 octets, DSCP 46, RTCP on the same port",
            ),
        ] {
            assert_eq!(manner(camera, output), expected);
        }
    }
}
