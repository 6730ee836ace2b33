use proptest::prelude::*;

use super::*;

fn record(name: &Name, kind: u16, data: &[u8]) -> Record {
    Record {
        name: name.clone(),
        kind,
        is_unique: true,
        ttl: 120,
        data: data.to_vec(),
    }
}

#[test]
fn what_is_written_is_read_again_and_names_are_abbreviated() {
    let host = Name::new("cam", "local").unwrap();
    let service = Name::new("cam front", "_http._tcp.local").unwrap();
    let place = [&[0, 0, 0, 0, 0, 80][..], host.octets()].concat();
    let message = Message {
        id: 7,
        flags: RESPONSE | AUTHORITATIVE,
        questions: vec![Question {
            name: host.clone(),
            kind: ANY,
            to_one: true,
        }],
        answers: vec![record(&host, A, &[192, 0, 2, 7])],
        wanted: vec![record(&service, SRV, &place)],
        more: vec![record(&service, TXT, b"\x06path=/")],
    };
    let octets = message.write();
    let mut expected = b"\x00\x07\x84\x00\x00\x01\x00\x01\x00\x01\x00\x01".to_vec();
    expected.extend(b"\x03cam\x05local\x00\x00\xff\x80\x01");
    expected.extend(b"\xc0\x0c\x00\x01\x80\x01\x00\x00\x00\x78\x00\x04\xc0\x00\x02\x07");
    expected.extend(b"\x09cam front\x05_http\x04_tcp\xc0\x10\x00\x21\x80\x01\x00\x00\x00\x78");
    expected.extend(b"\x00\x11\x00\x00\x00\x00\x00\x50\x03cam\x05local\x00");
    expected.extend(b"\xc0\x2b\x00\x10\x80\x01\x00\x00\x00\x78\x00\x07\x06path=/");
    assert_eq!(octets, expected);
    let read = Message::read(&octets).unwrap();
    assert_eq!(format!("{read:?}"), format!("{message:?}"));
    for length in 0..octets.len() {
        assert!(Message::read(&octets[..length]).is_none(), "{length}");
    }
}

#[test]
fn capitals_count_in_texts_and_numbers_and_in_no_name() {
    let [lower, upper] = ["cam", "CAM"].map(|name| Name::new(name, "local").unwrap());
    let place = |port: u8, name: &Name| {
        let data = [&[0, 0, 0, 0, 0, port][..], name.octets()].concat();
        record(name, SRV, &data)
    };
    assert!(place(80, &lower).is_same(&place(80, &upper)));
    // As letters they would be P and p.
    assert!(!place(80, &lower).is_same(&place(112, &lower)));
    let text = |text| record(&lower, TXT, text);
    assert!(!text(b"\x04path").is_same(&text(b"\x04PATH")));
    assert!(!text(b"\x01a").is_same(&text(b"\x01a\x01b")));
    assert!(!text(b"\x01a\x01b").is_same(&text(b"\x01a")));
}

#[test]
fn names_in_data_are_put_together() {
    let mut octets = b"\x00\x00\x84\x00\x00\x00\x00\x02\x00\x00\x00\x00".to_vec();
    octets.extend(b"\x05_http\x04_tcp\x05LOCAL\x00\x00\x0c\x00\x01\x00\x00\x00\x78\x00\x06");
    octets.extend(b"\x03cam\xc0\x0c");
    // Of another class.
    octets.extend(b"\xc0\x0c\x00\x0c\x00\x03\x00\x00\x00\x78\x00\x02\xc0\x0c");
    let message = Message::read(&octets).unwrap();
    let services = Name::new("_http", "_tcp.local").unwrap();
    let [record] = &message.answers[..] else {
        panic!("{message:?}")
    };
    assert_eq!((&record.name, record.is_unique), (&services, false));
    assert_eq!(record.data, b"\x03cam\x05_http\x04_tcp\x05LOCAL\x00");
}

#[test]
fn names_that_are_too_long_or_without_end_are_none() {
    let long = "x".repeat(63);
    assert!(Name::new(&long, "local").is_some());
    assert!(Name::new(&format!("{long}x"), "local").is_none());
    assert!(Name::new("", "local").is_none());
    assert!(Name::new(&long, &[long.as_str(); 3].join(".")).is_none());
    let name = |octets: &[u8], at| Reader { octets, at }.name();
    // To itself, forwards, to one another, of a length that is none.
    for octets in [
        &b"\xc0\x00"[..],
        b"\xc0\x02\x00",
        b"\xc0\x02\xc0\x00",
        b"\x40",
    ] {
        assert!(name(octets, 0).is_none(), "{octets:?}");
    }
    assert!(name(b"\x01a\xc0\x00", 0).is_none());
    assert_eq!(
        name(b"\x01a\x00\xc0\x00", 3).unwrap().octets(),
        b"\x01a\x00"
    );
    let labels = [&[b'x'; 64][..]; 4].concat().into_iter();
    let labels: Vec<u8> = labels
        .enumerate()
        .map(|(at, octet)| if at % 64 == 0 { 63 } else { octet })
        .chain([0])
        .collect();
    assert!(name(&labels, 0).is_none());
}

proptest! {
    #[test]
    fn any_octets_are_a_message_or_none(octets: Vec<u8>, counts: [u8; 4]) {
        let head = counts.map(|count| [0, count % 4]).concat();
        let octets = [&[0; 4], &head[..], &octets].concat();
        if let Some(message) = Message::read(&octets) {
            let again = Message::read(&message.write()).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{message:?}"));
        }
    }
}
