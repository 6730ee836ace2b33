//! A camera that is there but does not start: it is tried again until it does.

use std::error::Error;
use std::thread;
use std::time::Duration;

use super::{VGA, sized};
use crate::bench::{
    Kit, Outcome, PRODUCT, RTP_PORT, VENDOR, compare, config, config_of, description, ensure,
    mjpeg_camera,
};
use crate::camera::Camera;
use crate::framewire::Running;
use crate::live::{Live, longest_pause};
use crate::studio::film;
use crate::uvc::Coding;

/// VIDIOC_STREAMON fails with EIO three times.
pub fn refused() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "REFUSES", "plain", &[sized(VGA, &[30])], &[])?;
    camera.function().refusals = 3;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    let took = live.wait_for_frames(10)?;
    // 0.25 + 0.5 + 1 s between four attempts
    let expected = Duration::from_millis(1750)..Duration::from_millis(3500);
    ensure!(expected.contains(&took), "it took {took:?}");
    let (ended, reception) = live.end_one()?;
    compare(&reception, &films[0], 0..)?;
    let line = ended.log_line("VIDIOC_STREAMON")?;
    ensure!(
        line.contains("Input/output error") || line.contains("EIO"),
        "the log says: {line}"
    );
    let lines = ended.stderr.matches("VIDIOC_STREAMON").count();
    ensure!(lines == 1, "{lines} lines about one problem");
    Ok(format!("took={took:?}"))
}

/// Another program has the camera: it is tried until the other lets go.
pub fn busy() -> Outcome {
    let (_camera, films) = mjpeg_camera(0, "BUSY", "plain", &[sized(VGA, &[30])], &[])?;
    let elsewhere = config_of("other", RTP_PORT + 100, "/dev/video0", VGA, 30, "");
    let other = Running::stream("-other", &elsewhere)?;
    while !other.log().contains("got 640x480") {
        thread::sleep(Duration::from_millis(20));
    }
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_log("another program uses the camera", 1)?;
    thread::sleep(Duration::from_secs(2));
    ensure!(live.frames(0) == 0, "two programs stream from one camera");
    other.terminate()?.expect_code(0)?;
    let took = live.wait_for_frames(10)?;
    ensure!(took < Duration::from_secs(4), "it took {took:?}");
    let (_, reception) = live.end_one()?;
    compare(&reception, &films[0], 0..)?;
    Ok(format!("took={took:?}"))
}

/// VIDIOC_STREAMON fails with ENOSPC; on another root port the camera has the bandwidth it needs.
pub fn no_bandwidth() -> Outcome {
    let mut starved = description("STARVED", Coding::Mjpeg, &[sized(VGA, &[30])]);
    let film = film("plain-640x480")?;
    let fed = starved.clone();
    starved.no_bandwidth = true;
    let camera = Camera::plug(0, starved, vec![vec![film.clone()]], &[])?;
    let device = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:STARVED");
    let live = Live::start(&config(&device, VGA, 30, ""))?;
    live.wait_for_log("not enough USB bandwidth", 1)?;
    thread::sleep(Duration::from_secs(1));
    drop(camera);
    let _camera = Camera::plug(1, fed, vec![vec![film.clone()]], &[])?;
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    compare(&reception, &film, 0..)?;
    let line = ended.log_line("not enough USB bandwidth")?;
    ensure!(line.contains("VIDIOC_STREAMON"), "the log says: {line}");
    Ok("advice=given".into())
}

/// Two cameras of one configuration that ask for the same thing get one each, and keep it when both come back.
pub fn two_alike() -> Outcome {
    let kits = [Kit::new("ONE", "plain")?, Kit::new("TWO", "c920")?];
    let plug = || Ok::<_, Box<dyn Error>>([kits[0].plug(0)?, kits[1].plug(1)?]);
    let cameras = plug()?;
    let both = config_of("one", RTP_PORT, "auto", VGA, 30, "")
        + &config_of("two", RTP_PORT + 2, "auto", VGA, 30, "");
    let live = Live::start(&both)?;
    live.wait_for_frames_of(0, 10)?;
    live.wait_for_frames_of(1, 10)?;
    drop(cameras);
    let _cameras = plug()?;
    live.wait_for_frames_of(0, 10)?;
    live.wait_for_frames_of(1, 10)?;
    let (_, receptions) = live.end()?;
    // Which has which is a matter of chance.
    let swapped = compare(&receptions[0], &kits[0].film, 0..1).is_err();
    let films = if swapped { [1, 0] } else { [0, 1] };
    for (reception, film) in receptions.iter().zip(films) {
        let (before, _) = longest_pause(reception);
        compare(reception, &kits[film].film, (0..before).chain(0..))?;
    }
    Ok(format!("swapped={swapped}"))
}
