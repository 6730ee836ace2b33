//! DESCRIBE: the session description of a camera, which is woken for it. RFC 2326 10.2, C.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use std::future::poll_fn;

use super::url::TRACK;
use crate::config::{Rtcp, Ttl};
use crate::directory::Entry;
use crate::door::clients::Client;
use crate::door::feeds::Feeds;
use crate::door::mailbox::Mailbox;
use crate::sdp::{self, Stream};
use crate::stats::CameraState;

/// Longest wait for a camera that sleeps: some need seconds to begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// It is looked at this often in the meantime.
const LOOK: Duration = Duration::from_millis(50);

/// The description of `entry` for a client that has come to the address `local`.
pub fn of(entry: &Entry, local: IpAddr) -> String {
    let any: IpAddr = match local {
        IpAddr::V4(_) => [0, 0, 0, 0].into(),
        IpAddr::V6(_) => [0u16; 8].into(),
    };
    let stream = Stream {
        name: entry.config.name().as_str(),
        destination: SocketAddr::new(any, 0),
        fps: entry.config.fps(),
        ttl: Ttl::default(),
        rtcp: Rtcp::default(),
        absolute_time: false,
        size: entry.stats.size(),
    };
    sdp::describe_controlled(&stream, local, TRACK)
}

/// Why there is no picture of `entry` to be had; `None` when there is, or one is waited for.
pub fn problem(entry: &Entry) -> Option<String> {
    match entry.stats.state() {
        CameraState::Streaming
        | CameraState::SendingToNobody
        | CameraState::Opening
        | CameraState::Idle => None,
        state @ (CameraState::Waiting(_) | CameraState::Stopped) => Some(state.to_string()),
    }
}

/// Waits until `entry` delivers pictures, and so has a size; the error says why it does not.
pub async fn wake(entry: &Entry, client: &Rc<Client>, feeds: &Feeds) -> Result<(), String> {
    let mailbox = Mailbox::new(1);
    let subscription = feeds.subscribe(entry, &mailbox, 0, client);
    let _subscription = subscription.map_err(|problem| problem.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(problem) = problem(entry) {
            return Err(problem);
        }
        let state = entry.stats.state();
        let delivers = matches!(state, CameraState::Streaming | CameraState::SendingToNobody);
        if delivers && entry.stats.size().is_some() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!(
                "no picture within {} s: {state}",
                PATIENCE.as_secs()
            ));
        }
        let next = poll_fn(|context| mailbox.poll_next(context));
        match timeout_at(Instant::now() + LOOK, next).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => return Err("the camera is configured no more".to_owned()),
            Err(_) => {}
        }
    }
}
