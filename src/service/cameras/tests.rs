use std::path::Path;

use super::*;
use crate::config::Config;

fn camera(lines: &str, port: u16) -> config::Camera {
    let text = format!(
        "[[camera]]\nname = \"front\"\n{lines}\n[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n"
    );
    let config = Config::parse(Path::new("test"), text.as_bytes()).unwrap();
    config.cameras.into_iter().next().unwrap()
}

#[test]
fn a_camera_that_ends_untold_starts_again_after_a_pause() {
    let start = Instant::now();
    let mut cameras = Cameras::new(None, None, Shelf::default());
    cameras.want(&[camera("device = \"demo\"\nfps = 1", 9)], start);
    // As a panic of its thread would end it.
    cameras.running[0].stop(Parting::End);
    assert!(cameras.running[0].ended().wait(Duration::from_secs(10)));
    cameras.turn(start);
    assert!(cameras.running().is_empty() && cameras.leaving.is_empty());
    assert!(!cameras.all_ended());
    cameras.turn(start + PANIC_PAUSE / 2);
    assert!(cameras.running().is_empty());
    cameras.turn(start + PANIC_PAUSE);
    assert_eq!(cameras.running().len(), 1);
    let (summaries, well) = cameras.end(Parting::End);
    assert_eq!((summaries.len(), well), (1, true));
}

#[test]
fn a_camera_that_was_never_started_is_in_the_final_counters() {
    let start = Instant::now();
    let mut cameras = Cameras::new(None, None, Shelf::default());
    let mut waiting = Waiting::new(camera("", 9), start);
    waiting.problem = Some("no threads left".to_owned());
    cameras.waiting.push(waiting);
    let (summaries, well) = cameras.end(Parting::End);
    let texts: Vec<_> = summaries.iter().map(Summary::to_string).collect();
    assert!(!well && texts.len() == 1);
    let start = "front: waiting for the camera: no threads left, 0 frames";
    assert!(texts[0].starts_with(start), "{texts:?}");
}

#[test]
fn places_in_the_file_are_no_difference_and_every_key_but_outputs_is_one() {
    let plain = camera("", 5004);
    assert_eq!(
        plain,
        camera("# a comment moves everything\nfps = 30", 5004)
    );
    assert!(plain.films_as(&camera("", 5006)));
    for line in [
        "fps = 31",
        "width = 640",
        "buffers = 5",
        "allow-missing-eoi = true",
        "device = \"demo\"",
        "controls = { gain = 1 }",
    ] {
        assert!(!plain.films_as(&camera(line, 5006)), "{line}");
    }
}
