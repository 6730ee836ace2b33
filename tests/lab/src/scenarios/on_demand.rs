//! A camera that nobody needs sleeps. Whoever asks for it has its first picture, soon after the camera has made it.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use super::{FULL_HD, sized};
use crate::bench::{Outcome, ensure, mjpeg_camera};
use crate::camera::Camera;
use crate::framewire::Running;
use crate::http::{PORT, ask, body, first_picture};
use crate::jpeg::Picture;
use crate::studio::Film;

/// From the request to the picture, without what the camera and its driver take from being told to stream until the
/// first frame is there. In the machine's time, in which a busy host does not count.
const WITHIN: Duration = Duration::from_secs(1);
/// The camera sleeps by then when nobody watches it any more.
const ASLEEP_AFTER: Duration = Duration::from_secs(7);
/// A camera that takes its time.
const SLOW: Duration = Duration::from_millis(1500);

/// By a stream, by a snapshot, and by a stream of a camera that is slow to begin.
pub fn on_demand() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "DEMAND", "plain", &[sized(FULL_HD, &[30])], &[])?;
    let (width, height) = FULL_HD;
    let framewire = Running::stream(
        "",
        &format!(
            "[http]\nlisten = \"127.0.0.1:{PORT}\"\n[[camera]]\nname = \"lab\"\ndevice = \"/dev/video0\"\n\
             width = {width}\nheight = {height}\nfps = 30\n"
        ),
    )?;
    let said = body(ask("/healthz", "1.0")?)?;
    ensure!(said == b"ok\n", "{}", String::from_utf8_lossy(&said));
    thread::sleep(ASLEEP_AFTER);
    ensure!(camera.all_sent().is_empty(), "streams unasked");

    let film = &films[0];
    let stream = || Ok(first_picture(ask("/lab/stream", "1.0")?)?);
    let by_stream = fetch(&camera, film, stream)?;
    let by_snapshot = fetch(&camera, film, || {
        Ok(body(ask("/lab/snapshot.jpg", "1.0")?)?)
    })?;
    camera.stall(SLOW);
    let slow = fetch(&camera, film, stream)?;
    ensure!(slow.1 >= SLOW / 2, "the camera was not slow: {slow:?}");
    let ended = framewire.terminate()?.expect_code(0)?;
    ended.expect_no_complaint()?;
    Ok(format!(
        "request->picture, of it the camera's: stream={by_stream:?} snapshot={by_snapshot:?} slow={slow:?}"
    ))
}

/// Asks for a picture of a camera that sleeps, and sees it sleep again: the time that it took, and the camera's of it.
fn fetch(
    camera: &Camera,
    film: &Film,
    picture: impl Fn() -> Result<Vec<u8>, Box<dyn Error>>,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let asked = Instant::now();
    let picture = picture()?;
    let took = asked.elapsed();
    let stream_on = camera.function().committed.ok_or("no stream")?;
    let first = camera.sent().first().and_then(|sent| sent.complete);
    let of_camera = first.ok_or("no frame")? - stream_on;
    ensure!(
        stream_on >= asked && took - of_camera <= WITHIN,
        "{took:?} for a picture, the camera's of it: {of_camera:?}"
    );
    let [came, sent] = [&picture, &film[0]].map(|file| Picture::parse(file));
    ensure!(came?.scan == sent?.scan, "not the camera's first picture");
    thread::sleep(ASLEEP_AFTER);
    let before = camera.sent().len();
    thread::sleep(Duration::from_millis(500));
    ensure!(camera.sent().len() == before, "it does not sleep");
    Ok((took, of_camera))
}
