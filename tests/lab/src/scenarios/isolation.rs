//! Whatever happens to one camera, another one loses nothing.

use std::error::Error;
use std::thread;
use std::time::Duration;

use super::{VGA, sized};
use crate::bench::{Outcome, RTP_PORT, compare, config_of, ensure, mjpeg_camera};
use crate::camera::Camera;
use crate::fault::Fault;
use crate::live::{Live, tells_the_time};
use crate::studio::film;

/// All faults in turn on the first camera.
pub fn isolation() -> Outcome {
    let plug = |port| mjpeg_camera(port, "VICTIM", "plain", &[sized(VGA, &[30])], &[]);
    let (other, films) = mjpeg_camera(1, "OTHER", "c920", &[sized(VGA, &[30])], &[])?;
    let (victim, _) = plug(0)?;
    let config = |name, port, serial| {
        let device = format!("usb:046d:082d:{serial}");
        config_of(name, port, &device, VGA, 30, "")
    };
    let both = config("victim", RTP_PORT, "VICTIM") + &config("other", RTP_PORT + 2, "OTHER");
    let live = Live::start(&both)?;
    live.wait_for_frames_of(1, 10)?;
    live.wait_for_frames(10)?;

    let victim = torment(&live, victim)?;
    drop(victim);
    thread::sleep(Duration::from_secs(1));
    let (victim, _) = plug(2)?; // another port, another node
    live.wait_for_frames(10)?;
    victim.function().refusals = 3;
    drop(victim);
    live.wait_for_frames_of(1, 10)?;

    let sent = other.sent();
    let (ended, receptions) = live.end()?;
    let summary = ended.camera_number(1)?;
    summary.expect_no_loss(0)?;
    let reception = &receptions[1];
    let frames = reception.pictures.len();
    ensure!(
        frames + 1 >= sent.len(),
        "{frames} pictures of {} frames came",
        sent.len()
    );
    compare(reception, &films[0], 0..)?;
    let error = tells_the_time(reception, &other.sent())?;
    let victim = ended.camera_number(0)?;
    Ok(format!(
        "frames={frames} lost=0 rtp-error={:.0}us victim: reopened={} dropped={}",
        error * 1e6,
        victim.count("reopened")?,
        victim.reasons()
    ))
}

/// Faults of a camera that stays plugged in.
fn torment(live: &Live, camera: Camera) -> Result<Camera, Box<dyn Error>> {
    for fault in [Fault::ErrorBit, Fault::Truncated, Fault::Empty] {
        camera.damage(fault, 10);
        live.wait_for_frames(10)?;
    }
    camera.damage(Fault::Truncated, usize::MAX);
    live.wait_for_log("all pictures are damaged", 1)?;
    camera.mend();
    live.wait_for_frames(10)?;
    camera.change_film(film("plain-1280x720")?); // other pictures than were agreed
    live.wait_for_frames(10)?;
    camera.eproto_burst(2);
    live.wait_for_frames(10)?;
    camera.eproto_burst(usize::MAX);
    live.wait_for_frames(10)?;
    camera.function().refusals = 2;
    camera.stall(Duration::from_secs(12)); // is opened again meanwhile, and refuses to start at first
    live.wait_for_frames(20)?;
    ensure!(camera.function().refusals == 0, "it was not started again");
    Ok(camera)
}
