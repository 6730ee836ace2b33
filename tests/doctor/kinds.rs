//! Pictures of each kind: what is said of them.

use serde_json::{Value, json};

use super::said::{SMALL, folder, said, suggested, words};
use crate::support::frames::{Picture, Sampling, Tables};
use crate::support::huffman::optimised_huffman;
use crate::support::oddities::*;
use crate::support::program::framewire;
use crate::support::receive::{Sender, packetize};
use crate::support::variants::*;

/// 4:2:2 as 22 12 12: an even picture, in which a unit is four blocks of Y and two each of Cb and Cr.
fn two_rows() -> Vec<u8> {
    let plain = Picture {
        sampling: Sampling::S420,
        ..SMALL
    }
    .encode();
    // 00 1010 for each block of Y, 00 00 for the others; 10 x 8 units.
    let mut parts = Parts::of(&with_scan(&plain, &[0x28, 0xA2, 0x8A, 0, 0].repeat(80)));
    let header = parts.payload_mut(SOF0);
    (header[10], header[13]) = (0x12, 0x12);
    parts.join()
}

#[test]
fn habits_are_named_and_the_pictures_are_sent() {
    let plain = Picture {
        tables: Tables::Foreign,
        restart_interval: Some(3),
        ..SMALL
    }
    .encode();
    let spelt: Vec<_> = HABITS.iter().map(|(_, spell)| spell(&plain)).collect();
    let (found, can_be_sent) = said("habits", &spelt);
    assert!(can_be_sent);
    let all = HABITS.len() as u64;
    assert_eq!(found["pictures"]["as_they_are"], all);
    assert_eq!(found["whole"]["yes"], all);
    let does = found["does"].as_array().unwrap();
    for (name, _) in HABITS {
        let count = HABITS.iter().filter(|(other, _)| other == name).count();
        let habits = found["habits"].as_array().unwrap();
        let found = habits.iter().find(|habit| habit["habit"] == *name).unwrap();
        assert_eq!(found["pictures"], count, "{name}");
        let is_it = |line: &Value| line.as_str().unwrap().starts_with(&format!("{name}: "));
        assert!(does.iter().any(is_it), "{name}");
    }
}

#[test]
fn what_the_headers_say_is_reported() {
    let plain = Picture {
        restart_interval: Some(5),
        ..SMALL
    }
    .encode();
    let frames = [
        with_padding(&without_dht(&plain), &[0; 300]),
        sixteen_bit_dqt(&three_dqt_ids(&plain)),
        Picture {
            tables: Tables::Foreign,
            quality: 50,
            ..SMALL
        }
        .encode(),
    ];
    let (found, can_be_sent) = said("headers", &frames);
    assert!(can_be_sent);
    let expected = json!([
        {"tables": 2, "bits": 8, "standard_quality": 85, "pictures": 1},
        {"tables": 3, "bits": 16, "standard_quality": 85, "pictures": 1},
        {"tables": 2, "bits": 8, "standard_quality": null, "pictures": 1},
    ]);
    assert_eq!(found["quantization"], expected);
    let expected = json!([
        {"huffman": "absent", "pictures": 1}, {"huffman": "standard", "pictures": 2},
    ]);
    assert_eq!(found["huffman"], expected);
    let expected = json!([
        {"restart_interval": 5, "pictures": 2}, {"restart_interval": 0, "pictures": 1},
    ]);
    assert_eq!(found["restarts"], expected);
    assert_eq!(found["table_changes"]["quantization"], 1);
    assert_eq!(
        found["padding_octets"],
        json!({"least": 0, "mean": 100, "most": 300})
    );
    let expected = json!([{"width": 160, "height": 120, "pictures": 3}]);
    assert_eq!(found["sizes"], expected);
    let lengths = frames.map(|frame| frame.len());
    assert_eq!(found["octets"]["most"], *lengths.iter().max().unwrap());
    assert_eq!(found["octets"]["mean"], lengths.iter().sum::<usize>() / 3);
}

#[test]
fn a_camera_that_never_writes_eoi_gets_the_line_for_it() {
    let plain: Vec<_> = (0..4)
        .map(|seed| Picture { seed, ..SMALL }.encode())
        .collect();
    let mut frames: Vec<_> = plain.iter().map(|each| without_eoi(each)).collect();
    let (found, can_be_sent) = said("no-eoi", &frames);
    assert!(can_be_sent);
    assert_eq!(found["pictures"]["without_eoi"], 4);
    assert!(suggested(&found).allow_missing_eoi);
    // One that was cut short is no habit, and not sent.
    let cut = frames[3].len() * 2 / 3;
    frames[3].truncate(cut);
    let (found, can_be_sent) = said("no-eoi-cut", &frames);
    assert!(can_be_sent);
    assert_eq!(found["pictures"]["without_eoi"], 3);
    assert_eq!(found["refusals"][0]["reason"], "no-eoi");
    let (words, _) = words("no-eoi-words", &frames);
    for part in [
        "framewire can send these pictures as they are, with allow-missing-eoi = true in the configuration, except for 1 of 4.",
        "set allow-missing-eoi = true",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    // With EOI the line is not there.
    let (found, _) = said("eoi", &plain);
    assert!(!suggested(&found).allow_missing_eoi);
    // All of them cut short: that is damage, and no line helps.
    let cut: Vec<_> = plain
        .iter()
        .map(|each| truncated(each, each.len() / 2))
        .collect();
    let (found, can_be_sent) = said("cut", &cut);
    assert!(!can_be_sent && found["config"].is_null(), "{found}");
    assert_eq!(found["pictures"]["without_eoi"], 0);
}

#[test]
fn what_is_recoded_is_said() {
    let plain = Picture {
        tables: Tables::Foreign,
        ..SMALL
    }
    .encode();
    let grey = Picture {
        sampling: Sampling::Grey,
        restart_interval: Some(4),
        ..SMALL
    }
    .encode();
    for (name, jpeg, change, sampling) in [
        (
            "huffman",
            optimised_huffman(&plain),
            "huffman",
            "4:2:2 (21 11 11)",
        ),
        ("grey", grey, "grey", "grey"),
        (
            "two-rows",
            two_rows(),
            "two-rows",
            "4:2:2 with two rows of blocks in each unit (22 12 12)",
        ),
    ] {
        let (found, can_be_sent) = said(name, &[jpeg.clone(), jpeg.clone()]);
        assert!(can_be_sent, "{found}");
        assert_eq!(found["pictures"]["recoded"], 2, "{found}");
        assert_eq!(
            found["recoding"]["changes"],
            json!([{"change": change, "pictures": 2}])
        );
        assert_eq!(found["samplings"][0]["sampling"], sampling);
        assert_eq!(found["whole"]["yes"], 2);
        assert_eq!(found["does"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["advice"], json!([]));
        // What is sent has no restart markers.
        assert_eq!(found["with_restarts"], 0);
        let (words, _) = words(&format!("{name}-words"), &[jpeg]);
        assert!(
            words.contains("framewire can send these pictures: it re-codes them without loss."),
            "{words}"
        );
    }
}

/// Pictures that cannot be sent, with the name of the reason, and something of what to do.
fn refused() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let plain = SMALL.encode();
    let restarts = Picture {
        restart_interval: Some(10),
        ..SMALL
    };
    let field = |polarity| with_segment(&plain, 0xE0, &avi1(polarity));
    let sampled = |sampling| Picture { sampling, ..SMALL }.encode();
    let rgb = with_segment_for_jfif(&plain, 0xEE, &adobe(0));
    let fields = two_in_one(&field(1), &field(2));
    let tables = three_different_tables(&plain);
    let marker = with_octets_in_scan(&plain, &[0xFF, 0x3C]);
    let restart_lost = without_interval(&restarts.encode(), 3);
    vec![
        (rgb, "unsupported-colours", "ffmpeg"),
        (fields, "unsupported-fields", "ffmpeg"),
        (sampled(Sampling::S444), "unsupported-sampling", "ffmpeg"),
        (sampled(Sampling::S440), "unsupported-sampling", "ffmpeg"),
        (SMALL.progressive(), "unsupported-process", "jpegtran"),
        (SMALL.three_scans(), "unsupported-scans", "jpegtran"),
        (tables, "unsupported-quantization-tables", "ffmpeg"),
        (marker, "corrupt-scan", "cable"),
        (with_scan(&plain, &[]), "corrupt-scan", "cable"),
        (restart_lost, "corrupt-scan", "cable"),
        (vec![7; 3000], "not-jpeg", "cable"),
    ]
}

#[test]
fn what_cannot_be_sent_is_named_with_what_to_do() {
    for (jpeg, reason, to_do) in refused() {
        let (found, can_be_sent) = said(reason, std::slice::from_ref(&jpeg));
        assert!(!can_be_sent, "{found}");
        assert_eq!(found["refusals"][0]["reason"], reason);
        assert!(found["config"].is_null(), "{found}");
        assert_eq!(found["receivers"], json!([]));
        let advice = found["advice"][0].as_str().unwrap();
        assert!(advice.contains(to_do), "{advice}");
        let (words, _) = words("refused", &[jpeg]);
        let first = found["refusals"][0]["first"].as_str().unwrap();
        let first: Vec<_> = first.split_whitespace().collect();
        let first = first.join(" ");
        let verdict = format!("framewire cannot send these pictures: {first} ({reason}).");
        assert!(words.contains(&verdict), "{verdict} in {words}");
    }
}

#[test]
fn a_few_that_are_damaged_do_not_spoil_the_stream_and_most_do() {
    let plain = SMALL.encode();
    let bad = with_octets_in_scan(&plain, &[0xFF, 0x3C]);
    // Markers and length are right, codes are not.
    let zeros = with_scan(&plain, &vec![0; 5000]);
    let (words, can_be_sent) = words(
        "few",
        &[plain.clone(), bad.clone(), plain.clone(), zeros.clone()],
    );
    assert!(can_be_sent);
    for part in [
        "framewire can send these pictures as they are, except for 1 of 4.",
        "Refused: 1 of 4 pictures. The first: the scan is damaged: marker FF 3C at octet",
        "Sent, though not whole: 1 of 4 pictures. The first: the scan is damaged near its octet",
        "2 of 4: every code in them was read; not whole: 1 (the scan",
        "; not to be read so far: 1",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    let (found, can_be_sent) = said("half", &[plain.clone(), bad]);
    assert!(!can_be_sent, "{found}");
    let (found, can_be_sent) = said("zeros", &[zeros.clone(), plain, zeros]);
    assert!(can_be_sent);
    assert!(
        found["verdict"]
            .as_str()
            .unwrap()
            .ends_with(", but most of them are damaged."),
        "{found}"
    );
}

#[test]
fn receivers_are_those_that_can() {
    let no = |found: &Value| -> Vec<String> {
        let receivers = found["receivers"].as_array().unwrap().iter();
        receivers
            .filter(|each| each["shows"] == "no")
            .map(|each| each["names"].as_str().unwrap().to_owned())
            .collect()
    };
    let (found, _) = said("plain", &[SMALL.encode()]);
    assert!(no(&found).is_empty(), "{found}");
    let (found, _) = said(
        "restarts",
        &[Picture {
            restart_interval: Some(4),
            ..SMALL
        }
        .encode()],
    );
    assert_eq!(no(&found), ["MediaMTX, go2rtc, Frigate"]);
    let large = Picture {
        width: 2064,
        height: 64,
        ..SMALL
    }
    .encode();
    let (found, can_be_sent) = said("large", std::slice::from_ref(&large));
    assert!(can_be_sent);
    let names = no(&found);
    assert!(
        names[0].contains("ffplay") && names[1].contains("go2rtc"),
        "{names:?}"
    );
    assert!(
        found["does"][0].as_str().unwrap().contains("framewire sdp"),
        "{found}"
    );
}

#[test]
fn octets_and_packets_are_those_of_the_stream() {
    let jpeg = SMALL.encode();
    let (found, _) = said("packets", std::slice::from_ref(&jpeg));
    let packets = packetize(&jpeg, &mut Sender::new(1400)).unwrap();
    assert_eq!(found["packets"]["mean"], packets.len());
    // With the headers of IPv4 and UDP.
    let octets: usize = packets.iter().map(|packet| packet.len() + 28).sum();
    assert_eq!(found["packet_octets"]["mean"], octets);
    // As fast as they can be looked at is no rate; 50 a second is one.
    assert!(
        found["rate"].is_null() && found["megabits_per_second"].is_null(),
        "{found}"
    );
    let folder = folder("rate", &[jpeg]);
    let device = format!("replay:{}", folder.0.display());
    let output = framewire(&["doctor", &device, "--fps", "50", "--frames", "9", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let rate = found["rate"]["fps"].as_f64().unwrap();
    assert!((49.0..51.0).contains(&rate), "{rate}");
    assert!(
        found["rate"]["median_us"]
            .as_u64()
            .unwrap()
            .abs_diff(20_000)
            < 200,
        "{found}"
    );
    let expected = f64::from(u32::try_from(octets).unwrap()) * 8.0 * rate / 1e6;
    let megabits = found["megabits_per_second"].as_f64().unwrap();
    assert!(
        (megabits - expected).abs() < 0.02,
        "{megabits} and {expected}"
    );
}
