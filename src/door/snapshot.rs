//! One fresh picture: of a camera that sleeps, too.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::clients::Client;
use super::feeds::Feeds;
use super::mailbox::Mailbox;
use crate::clocks::monotonic_now;
use crate::directory::Entry;
use crate::viewers::Picture;

/// Longest wait for a picture: some cameras need seconds to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// A picture of `entry` that was captured after this was called; the error says why there is none.
pub async fn take(feeds: &Feeds, entry: &Entry, client: &Rc<Client>) -> Result<Picture, String> {
    let asked = monotonic_now();
    let mailbox = Mailbox::new(1);
    let subscription = feeds.subscribe(entry, &mailbox, 0, client);
    let subscription = subscription.map_err(|problem| problem.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let next = poll_fn(|context| mailbox.poll_next(context));
        match timeout_at(deadline, next).await {
            Ok(Some((_, picture))) if picture.captured >= asked => {
                let octets = u64::try_from(picture.jpeg.len()).unwrap_or_default();
                subscription.viewers().delivered(octets);
                return Ok(picture);
            }
            Ok(Some(_)) => {}
            Ok(None) => return Err("the camera, or who asks, is configured no more".to_owned()),
            Err(_) => {
                let state = entry.stats.state();
                return Err(format!(
                    "no picture within {} s: {state}",
                    PATIENCE.as_secs()
                ));
            }
        }
    }
}
