//! `/NAME.sdp`: the session description of a camera's first output, for a player that receives it.

use hyper::StatusCode;

use super::answer::{self, Answer};
use crate::directory::Entry;
use crate::sdp::{self, Stream};
use crate::transmit::first_address;

/// The description of `entry`'s first output. Its name is looked up by another thread: name servers may be slow.
pub async fn answer(entry: Entry) -> Answer {
    let Some(output) = entry.config.outputs.first().cloned() else {
        let problem = "this camera has no [[camera.rtp]]: look at /NAME/stream.mjpg";
        return answer::text(StatusCode::NOT_FOUND, problem);
    };
    let unknown = |problem: String| {
        let name = entry.config.name();
        answer::text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{name}: {problem}"),
        )
    };
    let wanted = output.clone();
    let destination = match tokio::task::spawn_blocking(move || first_address(&wanted)).await {
        Ok(Ok(address)) => address,
        Ok(Err(problem)) => return unknown(format!("{}: {problem}", output.destination)),
        Err(problem) => return unknown(problem.to_string()),
    };
    let description = sdp::describe(&[Stream {
        name: entry.config.name().as_str(),
        destination,
        fps: entry.config.fps(),
        ttl: output.ttl,
        rtcp: output.rtcp,
        absolute_time: output.absolute_time,
        size: entry.stats.size(),
    }]);
    answer::whole(StatusCode::OK, "application/sdp", description)
}
