//! Lines of `config.toml` that are right by themselves and wrong together, and where they stand.
//! RFC 3550 11 (a port for RTP, the next for RTCP).

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::camera::{Device, Fps, Name};
use super::destination::Destination;
use super::http::Listen;
use super::network::Address;
use super::output::{Interface, LocalPort, MAX_OUTPUTS, Rtcp};
use super::user::{MAX_USERS, UserName};

/// What is wrong, where, and where the line stands that it does not go with.
#[derive(Debug)]
pub struct Conflict {
    pub at: Range<usize>,
    pub other: Option<Range<usize>>,
    pub message: String,
}

type Checked = Result<(), Conflict>;

/// What of the file has to do with other lines, each with its place.
#[derive(Deserialize)]
struct Lines {
    #[serde(default)]
    camera: Vec<Camera>,
    http: Option<Way>,
    rtsp: Option<Way>,
    #[serde(default)]
    user: Vec<User>,
    #[serde(default)]
    network: Network,
}

/// A door.
#[derive(Deserialize)]
struct Way {
    listen: Spanned<Listen>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Camera {
    name: Spanned<Name>,
    on_demand: Option<Spanned<bool>>,
    device: Option<Spanned<Device>>,
    fps: Option<Spanned<Fps>>,
    #[serde(default)]
    rtp: Vec<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Output {
    destination: Spanned<Destination>,
    interface: Option<Interface>,
    #[serde(default)]
    rtcp: Rtcp,
    local_port: Option<Spanned<LocalPort>>,
}

#[derive(Deserialize)]
struct User {
    name: Spanned<UserName>,
}

#[derive(Default, Deserialize)]
struct Network {
    address: Option<Spanned<Address>>,
    gateway: Option<Spanned<IpAddr>>,
}

/// Looks for lines of `text`, each right by itself, that do not go together.
pub fn check(text: &str) -> Checked {
    // It has been read before.
    let Ok(lines) = toml::from_str::<Lines>(text) else {
        return Ok(());
    };
    if lines.camera.is_empty() {
        let message = "no camera: at least one [[camera]] is needed";
        return conflict(0..0, None, message);
    }
    check_names(&lines.camera)?;
    check_users(&lines.user)?;
    check_ways(lines.http.as_ref(), lines.rtsp.as_ref())?;
    let has_door = lines.http.is_some() || lines.rtsp.is_some();
    let mut cameras = lines.camera.iter();
    cameras.try_for_each(|camera| camera.check(has_door))?;
    let outputs: Vec<&Output> = lines.camera.iter().flat_map(|camera| &camera.rtp).collect();
    outputs.iter().try_for_each(|output| output.check())?;
    check_destinations(&outputs)?;
    check_local_ports(&outputs)?;
    lines.network.check()
}

fn conflict(
    at: Range<usize>,
    other: Option<Range<usize>>,
    message: impl Into<String>,
) -> Result<(), Conflict> {
    Err(Conflict {
        at,
        other,
        message: message.into(),
    })
}

/// Of two places the later is the one to look at.
fn between(one: Range<usize>, other: Range<usize>, message: String) -> Checked {
    let (earlier, later) = if one.start < other.start {
        (one, other)
    } else {
        (other, one)
    };
    conflict(later, Some(earlier), message)
}

fn check_names(cameras: &[Camera]) -> Checked {
    let mut known: HashMap<&str, Range<usize>> = HashMap::new();
    for camera in cameras {
        let name = camera.name.as_ref().as_str();
        if let Some(other) = known.insert(name, camera.name.span()) {
            let message = format!("camera name {name:?} is taken: each needs its own");
            return between(other, camera.name.span(), message);
        }
    }
    Ok(())
}

/// A port of this machine belongs to one door.
fn check_ways(http: Option<&Way>, rtsp: Option<&Way>) -> Checked {
    let (Some(http), Some(rtsp)) = (http, rtsp) else {
        return Ok(());
    };
    let at = |way: &Way| way.listen.as_ref().addresses().to_vec();
    let (pages, players) = (at(http), at(rtsp));
    match players.iter().find(|address| pages.contains(address)) {
        Some(address) => {
            let message = format!("[http] and [rtsp] listen on {address}: each needs its own port");
            between(http.listen.span(), rtsp.listen.span(), message)
        }
        None => Ok(()),
    }
}

fn check_users(users: &[User]) -> Checked {
    let mut known: HashMap<&str, Range<usize>> = HashMap::new();
    for user in users {
        let name = user.name.as_ref().as_str();
        if let Some(other) = known.insert(name, user.name.span()) {
            let message = format!("user name {name:?} is taken: each needs their own");
            return between(other, user.name.span(), message);
        }
    }
    match users.get(MAX_USERS) {
        Some(user) => {
            let message = format!("{} [[user]]: at most {MAX_USERS}", users.len());
            conflict(user.name.span(), None, message)
        }
        None => Ok(()),
    }
}

impl Camera {
    /// That it can be seen: by RTP, or at the door if the file `has_door`.
    fn check(&self, has_door: bool) -> Checked {
        let name = self.name.as_ref();
        let at_name = |message: String| conflict(self.name.span(), None, message);
        if let Some(on_demand) = self.on_demand.as_ref().filter(|wanted| *wanted.as_ref())
            && !has_door
        {
            let message = "on-demand needs [http] or [rtsp]: nobody could ask for the camera";
            return conflict(on_demand.span(), None, message);
        }
        match self.rtp.len() {
            0 if !has_door => {
                return at_name(format!(
                    "camera {name} has no [[camera.rtp]], and there is no [http] and no [rtsp]: nobody could see it"
                ));
            }
            count if count > MAX_OUTPUTS => {
                return at_name(format!(
                    "camera {name} has {count} [[camera.rtp]]: at most {MAX_OUTPUTS}"
                ));
            }
            _ => {}
        }
        let is_camera = (self.device.as_ref()).is_none_or(|device| device.as_ref().is_camera());
        match &self.fps {
            Some(fps) if is_camera && fps.as_ref().millihertz().is_none() => conflict(
                fps.span(),
                self.device.as_ref().map(Spanned::span),
                "fps 0 (as fast as possible) is for replay and demo, a camera needs a rate",
            ),
            _ => Ok(()),
        }
    }
}

impl Output {
    /// That packets can get there at all.
    fn check(&self) -> Checked {
        match self.destination.as_ref().dead_end(self.interface()) {
            Some(message) => conflict(self.destination.span(), None, message),
            None => Ok(()),
        }
    }

    fn interface(&self) -> Option<&str> {
        self.interface.as_ref().map(Interface::as_str)
    }

    /// The host by its address, or by its name in one spelling.
    fn host(&self) -> String {
        let destination = self.destination.as_ref();
        let name = || {
            let host = destination.host.trim_end_matches('.');
            host.to_ascii_lowercase()
        };
        destination
            .address()
            .map_or_else(name, |address| address.to_string())
    }

    /// The link, where the same address is another host on each: a group, or an address of the link itself.
    fn link(&self) -> Option<&str> {
        let destination = self.destination.as_ref();
        let is_near = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.is_multicast() || ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_multicast() || ip.is_unicast_link_local(),
        };
        let link = self.interface().or_else(|| destination.zone());
        link.filter(|_| destination.address().is_some_and(is_near))
    }

    fn may_share_link(&self, other: &Self) -> bool {
        match (self.link(), other.link()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    /// Where receivers have their port for reports, when it is one of its own.
    fn report_port(&self) -> Option<u16> {
        let port = self.destination.as_ref().port.checked_add(1);
        port.filter(|_| self.rtcp == Rtcp::On)
    }

    fn local_port(&self) -> Option<(u16, Range<usize>)> {
        let line = self.local_port.as_ref()?;
        let port = line.as_ref().get();
        (port > 0).then(|| (port, line.span()))
    }

    /// The local port of its reports, where the file decides it: of a group that of the group.
    fn local_report_port(&self) -> Option<(u16, Range<usize>)> {
        if self.rtcp != Rtcp::On {
            return None;
        }
        let is_group = self.destination.as_ref().address();
        if is_group.is_some_and(|address| address.is_multicast()) {
            return Some((self.report_port()?, self.destination.span()));
        }
        let (port, line) = self.local_port()?;
        Some((port.checked_add(1)?, line))
    }
}

/// A port of a receiver belongs to one stream, or to the reports of one.
fn check_destinations(outputs: &[&Output]) -> Checked {
    let mut taken: HashMap<(String, u16), Vec<&Output>> = HashMap::new();
    for output in outputs {
        let destination = output.destination.as_ref();
        let others = taken.entry((output.host(), destination.port)).or_default();
        if let Some(other) = others.iter().find(|other| other.may_share_link(output)) {
            let message = format!("two outputs to {destination}: a receiver would mix them");
            let places = (other.destination.span(), output.destination.span());
            return between(places.0, places.1, message);
        }
        others.push(output);
    }
    for output in outputs {
        let Some(port) = output.report_port() else {
            continue;
        };
        let others = taken.get(&(output.host(), port)).into_iter().flatten();
        if let Some(other) = others
            .into_iter()
            .find(|other| other.may_share_link(output))
        {
            let message = format!(
                "port {port} of {} gets the stream of one output and the RTCP reports of another: leave a port \
                 free between them, or set rtcp to \"mux\" or \"off\"",
                output.destination.as_ref().host
            );
            return between(output.destination.span(), other.destination.span(), message);
        }
    }
    Ok(())
}

/// A port of this machine belongs to one socket.
fn check_local_ports(outputs: &[&Output]) -> Checked {
    let mut taken: HashMap<u16, Range<usize>> = HashMap::new();
    for (port, line) in outputs.iter().filter_map(|output| output.local_port()) {
        if let Some(other) = taken.insert(port, line.clone()) {
            let message = format!("local-port {port} is taken: each output needs its own");
            return between(other, line, message);
        }
    }
    let reports = outputs
        .iter()
        .filter_map(|output| output.local_report_port());
    for (port, line) in reports {
        if let Some(other) = taken.get(&port) {
            let message =
                format!("local-port {port} is that of the RTCP reports of another output");
            return between(line, other.clone(), message);
        }
    }
    Ok(())
}

impl Network {
    fn check(&self) -> Checked {
        let Some(gateway) = &self.gateway else {
            return Ok(());
        };
        let Some(address) = &self.address else {
            let message = "gateway without address: with DHCP the gateway comes by DHCP";
            return conflict(gateway.span(), None, message);
        };
        if gateway.as_ref().is_ipv4() == address.as_ref().ip().is_ipv4() {
            return Ok(());
        }
        let message = format!(
            "gateway and address {} are of different families",
            address.as_ref()
        );
        conflict(gateway.span(), Some(address.span()), message)
    }
}

#[cfg(test)]
mod tests;
