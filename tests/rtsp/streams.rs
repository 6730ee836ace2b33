//! What a player gets: pictures, numbers, reports, and what becomes of it when it, or the camera, is slow or away.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use framewire::rtp::rtcp::ReceptionReport;
use socket2::SockRef;

use super::DEMO;
use super::support::folder::Folder;
use super::support::frames::Picture;
use super::support::receive::{headers, pixels};
use super::support::rtsp::{Client, Incoming, Players};

/// Pictures of a camera that shows one and the same.
fn replay(folder: &Folder, picture: &Picture) -> (String, Vec<u8>) {
    let jpeg = picture.encode();
    let file = folder.write("camera.jpg", jpeg.clone());
    let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{file}\"\nfps = 30\n");
    (camera, jpeg)
}

#[test]
fn a_stream_is_whole_and_numbered_and_ends_with_a_word() {
    let folder = Folder::new("rtsp-stream");
    let (camera, jpeg) = replay(&folder, &Picture::DEFAULT);
    let players = Players::open(&folder, &camera, "");
    let (mut client, ssrc) = plays(&players);
    let (mut numbers, mut reports, mut octets) = (Vec::new(), Vec::new(), 0);
    let mut times = Vec::new();
    for _ in 0..10 {
        let packets = client.frame(&mut reports);
        for packet in &packets {
            let (header, _) = headers(packet);
            assert_eq!(header.ssrc, ssrc);
            assert!(packet.len() == 1440 || header.marker && packet.len() < 1440);
            numbers.push(header.sequence_number);
            octets += packet.len() - 12;
        }
        times.push(headers(&packets[0]).0.timestamp);
        let shown = super::support::receive::try_depacketize(&packets).expect("a picture");
        assert!(pixels(&shown) == pixels(&jpeg), "other pixels");
    }
    assert!(
        numbers
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
    );
    let span = f64::from(times[9].wrapping_sub(times[0])) / 90_000.0;
    assert!((0.25..3.0).contains(&span), "{span}");
    let report = reports.first().expect("a report");
    assert_eq!((report[1], &report[4..8]), (200, &ssrc.to_be_bytes()[..]));
    let count = |at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
    assert!(count(20) >= 1 && usize::try_from(count(24)).unwrap() <= octets);
}

/// A client that plays, and its source.
fn plays(players: &Players) -> (Client, u32) {
    let mut client = players.connect();
    let setup = client.set_up(&players.url(), "");
    let transport = setup.field("transport").expect("a transport");
    let (_, ssrc) = transport.split_once("ssrc=").expect("a source");
    let ssrc = u32::from_str_radix(&ssrc[..8], 16).expect("a number");
    assert_eq!(client.ask("PLAY", &players.url(), "").status, 200);
    (client, ssrc)
}

#[test]
fn reports_are_counted_and_pauses_and_ends_are_clean() {
    let folder = Folder::new("rtsp-reports");
    let (camera, _) = replay(&folder, &Picture::DEFAULT);
    let players = Players::open(&folder, &camera, "");
    let url = players.url();
    let (mut client, ssrc) = plays(&players);
    let (_, numbers) = client.picture();
    // Its own reports are read, those about others are not.
    let mut receiver = vec![b'$', 1, 0, 32, 0x81, 201, 0, 7, 0, 0, 0, 9];
    receiver.extend(ssrc.to_be_bytes());
    receiver.extend([0; 20]);
    assert_eq!(
        ReceptionReport::parse(&receiver[4..], ssrc).map(|all| all.len()),
        Ok(1)
    );
    client.write(&receiver);
    receiver[12] ^= 1;
    client.write(&receiver);
    let paused = client.ask("PAUSE", &url, "");
    assert_eq!(paused.status, 200);
    let packets = std::mem::take(&mut client.packets);
    let last = packets.iter().rev().find(|(channel, _)| *channel == 0);
    let last = last.map_or(*numbers.last().unwrap(), |(_, packet)| {
        headers(packet).0.sequence_number
    });
    assert_eq!(players.status()["reports"], 1);
    // Nothing comes in a pause, and no number is lost by it.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(client.ask("PLAY", &url, "").status, 200);
    assert!(client.packets.is_empty());
    let (_, numbers) = client.picture();
    assert_eq!(numbers[0], last.wrapping_add(1));
    assert_eq!(client.ask("TEARDOWN", &url, "").status, 200);
    let (channel, goodbye) = client.packets.last().expect("a last word");
    assert_eq!((*channel, goodbye[goodbye.len() - 7]), (1, 203));
    let status = players.status();
    assert_eq!(
        (&status["sessions"], &status["sessions_opened"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn who_is_slow_misses_whole_pictures_and_others_miss_none() {
    let folder = Folder::new("rtsp-slow");
    let (camera, jpeg) = replay(&folder, &Picture::DEFAULT);
    let players = Players::open(&folder, &camera, "");
    let mut slow = players.connect();
    let socket = SockRef::from(slow.stream.get_ref());
    socket.set_recv_buffer_size(16 << 10).expect("an option");
    slow.set_up(&players.url(), "");
    let mut quick = players.play();
    assert_eq!(slow.ask("PLAY", &players.url(), "").status, 200);
    let first = quick.frame(&mut Vec::new());
    let mut before = headers(&first[0]).0.timestamp;
    for _ in 0..60 {
        let time = headers(&quick.frame(&mut Vec::new())[0]).0.timestamp;
        let ticks = time.wrapping_sub(before);
        assert!(ticks < 5 * 3000, "a picture is missing: {ticks} ticks");
        before = time;
    }
    let (mut numbers, mut times) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let packets = slow.frame(&mut Vec::new());
        times.push(headers(&packets[0]).0.timestamp);
        numbers.extend(
            packets
                .iter()
                .map(|packet| headers(packet).0.sequence_number),
        );
        let shown = super::support::receive::try_depacketize(&packets).expect("a picture");
        assert!(pixels(&shown) == pixels(&jpeg));
    }
    assert!(
        numbers
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
    );
    let longest = times
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .max();
    assert!(longest > Some(15 * 3000), "{times:?}");
    let skipped = players.door.status()["cameras"][0]["viewers"]["frames_skipped"].as_u64();
    assert!(skipped > Some(10), "{skipped:?}");
}

#[test]
fn who_takes_nothing_is_ended() {
    let folder = Folder::new("rtsp-stalled");
    let (camera, _) = replay(&folder, &Picture::DEFAULT);
    let players = Players::open(&folder, &camera, "");
    let mut stalled = players.connect();
    let socket = SockRef::from(stalled.stream.get_ref());
    socket.set_recv_buffer_size(16 << 10).expect("an option");
    stalled.set_up(&players.url(), "");
    stalled.ask("PLAY", &players.url(), "");
    let start = Instant::now();
    while players.status()["sessions"] != 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(100));
    }
    let took = start.elapsed();
    assert!(took > Duration::from_secs(8), "{took:?}");
    assert!(stalled.ends());
}

#[test]
fn a_camera_that_sleeps_is_woken_and_shows_its_first_picture_soon() {
    let folder = Folder::new("rtsp-demand");
    let players = Players::open(&folder, DEMO, "");
    players.door.waits_for("idle");
    let mut client = players.connect();
    client.set_up(&players.url(), "");
    assert_eq!(players.door.status()["cameras"][0]["state"], "idle");
    let start = Instant::now();
    assert_eq!(client.ask("PLAY", &players.url(), "").status, 200);
    client.picture();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(players.door.status()["cameras"][0]["state"], "streaming");
    let clients = players.status()["clients"].clone();
    assert_eq!(clients[0]["stream"], "front");
    assert_eq!(client.ask("TEARDOWN", &players.url(), "").status, 200);
    players.door.waits_for("idle");
    // The size of large pictures is in the description, so it must be known.
    assert_eq!(client.ask("DESCRIBE", &players.url(), "").status, 200);
    assert_eq!(players.door.status()["cameras"][0]["state"], "streaming");
}

#[test]
fn large_pictures_have_their_size_in_the_description() {
    let folder = Folder::new("rtsp-large");
    let large = Picture {
        width: 2048,
        height: 16,
        ..Picture::DEFAULT
    };
    let (camera, _) = replay(&folder, &large);
    let players = Players::open(&folder, &camera, "");
    let text = players.connect().ask("DESCRIBE", &players.url(), "").text();
    assert!(text.contains("\r\na=x-dimensions:2048,16\r\n"), "{text}");
}

#[test]
fn a_camera_that_is_away_is_said_to_be_and_one_that_comes_back_goes_on() {
    let folder = Folder::new("rtsp-away");
    let file = folder.0.join("camera.jpg").display().to_string();
    let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{file}\"\n");
    let players = Players::open(&folder, &camera, "");
    let url = players.url();
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let is_away = |method: &str, lines: &str| {
        let answer = players.connect().ask(method, &url, lines);
        assert_eq!(
            answer.field("retry-after"),
            (answer.status == 503).then_some("5")
        );
        answer.status == 503
    };
    assert!(is_away("DESCRIBE", ""));
    fs::write(&file, Picture::DEFAULT.encode()).expect("a file");
    let start = Instant::now();
    while is_away("DESCRIBE", "") {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(100));
    }
    let (mut client, mut paused) = (players.play(), players.connect());
    paused.set_up(&url, "");
    let (_, before) = client.picture();
    fs::remove_file(&file).expect("a file");
    // Asked for otherwise it is opened anew.
    players.reload(&folder, &(camera.clone() + "fps = 10\n"));
    players.door.waits_for("waiting for the camera: ");
    assert!(is_away("DESCRIBE", "") && is_away("SETUP", transport));
    assert_eq!(paused.ask("PLAY", &url, "").status, 503);
    assert_eq!(client.ask("GET_PARAMETER", &url, "").status, 200);
    fs::write(&file, Picture::DEFAULT.encode()).expect("a file");
    players.door.waits_for("streaming");
    client.picture();
    assert_eq!(paused.ask("PLAY", &url, "").status, 200);
    let (_, after) = client.picture();
    assert!(
        after[0].wrapping_sub(before[0]) < 10_000,
        "{before:?} {after:?}"
    );
    paused.picture();
    // One that is configured no more ends its streams with a word.
    players.reload(&folder, DEMO.replace("front", "rear").as_str());
    let (mut last, mut ended) = (Vec::new(), false);
    while !ended {
        match client.next() {
            Incoming::Packet(1, octets) => last = octets,
            Incoming::Packet(..) => {}
            Incoming::End => ended = true,
            other @ Incoming::Answer(_) => panic!("{other:?}"),
        }
    }
    assert_eq!(last[last.len() - 7], 203);
}
