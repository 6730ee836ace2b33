use crate::dns::{A, AAAA, ANY, NSEC, Name, PTR, Question, SRV, TXT};
use proptest::prelude::*;

use super::super::records::Said;
use super::*;

const SERVICES: &str = "_http._tcp.local";
const OWN: [u8; 4] = [192, 0, 2, 7];
/// From its port of multicast DNS, and from another one.
const NEIGHBOUR: ([u8; 4], u16) = ([192, 0, 2, 9], PORT);
const LEGACY: ([u8; 4], u16) = ([192, 0, 2, 9], 40_000);
/// A name is had after the first pause and all probes.
const TAKING: Duration = Duration::from_secs(2);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn records(host: &str, address: [u8; 4], cameras: &[&str]) -> Rc<Records> {
    let said = Said {
        host: host.to_owned(),
        addresses: vec![address.into()],
        port: 80,
        cameras: cameras.iter().map(|&camera| camera.to_owned()).collect(),
    };
    Rc::new(Records::new(&said).unwrap())
}

/// One that has its names and has announced them, and the time.
fn speaking() -> (Speaker, Instant) {
    let start = Instant::now();
    let mut speaker = Speaker::new(records("cam", OWN, &["front"]), Duration::ZERO, start);
    run(&mut speaker, start, TAKING + SOONEST);
    (speaker, start + 2 * (TAKING + SOONEST))
}

/// What it says in the `time` from `start`, and when.
fn run(speaker: &mut Speaker, start: Instant, time: Duration) -> Vec<(Duration, Octets)> {
    let mut said = Vec::new();
    while let Some(next) = speaker.next().filter(|next| *next < start + time) {
        let messages = speaker.speak(next).into_iter();
        said.extend(messages.map(|octets| (next.max(start) - start, octets)));
    }
    said
}

fn name(text: &str) -> Name {
    let (first, rest) = text.split_once('.').unwrap();
    Name::new(first, rest).unwrap()
}

/// A name with dots.
fn text(name: &Name) -> String {
    let (mut rest, mut labels) = (name.octets(), Vec::new());
    while rest[0] > 0 {
        let (label, further) = rest[1..].split_at(rest[0].into());
        labels.push(String::from_utf8(label.to_vec()).unwrap());
        rest = further;
    }
    labels.join(".")
}

fn query(questions: &[(&str, u16, bool)]) -> Message {
    let questions = questions.iter().map(|&(of, kind, to_one)| Question {
        name: name(of),
        kind,
        to_one,
    });
    Message {
        id: 7,
        questions: questions.collect(),
        ..Message::default()
    }
}

fn question(name: &str, kind: u16, to_one: bool) -> Octets {
    query(&[(name, kind, to_one)]).write()
}

fn read(octets: &[u8]) -> Message {
    Message::read(octets).unwrap()
}

/// Type and name of each record: those asked for, and those besides.
fn said(octets: &[u8]) -> [Vec<String>; 2] {
    let message = read(octets);
    [message.answers, message.more].map(|records| {
        let records = records.iter();
        records
            .map(|each| {
                let kinds = [
                    (A, "A"),
                    (AAAA, "AAAA"),
                    (PTR, "PTR"),
                    (SRV, "SRV"),
                    (TXT, "TXT"),
                    (NSEC, "NSEC"),
                ];
                let (_, kind) = kinds.iter().find(|(kind, _)| *kind == each.kind).unwrap();
                format!("{kind} {}", text(&each.name))
            })
            .collect()
    })
}

#[test]
fn names_are_asked_for_three_times_and_announced_twice() {
    let start = Instant::now();
    let mut speaker = Speaker::new(records("cam", OWN, &["front"]), ms(1000), start);
    let messages = run(&mut speaker, start, Duration::from_secs(60));
    assert_eq!(messages.len(), 5);
    let first = messages[0].0;
    assert!((1000..1250).contains(&first.as_millis()), "{first:?}");
    let times = messages.iter().map(|(at, _)| (*at - first).as_millis());
    assert_eq!(times.collect::<Vec<_>>(), [0, 250, 500, 750, 1750]);
    let probe = read(&messages[2].1);
    let asked = probe.questions.iter().map(|question| {
        assert_eq!(question.kind, ANY);
        text(&question.name)
    });
    let names = [
        "cam.local",
        "cam._http._tcp.local",
        "cam front._http._tcp.local",
    ];
    assert_eq!(asked.collect::<Vec<_>>(), names);
    assert_eq!(probe.wanted.len(), 5);
    let announcement = read(&messages[3].1);
    let all = announcement.answers.iter().map(|record| {
        assert_eq!(record.is_unique, record.kind != PTR, "{record:?}");
        (record.kind, record.ttl)
    });
    let service = [(PTR, 4500), (SRV, 120), (TXT, 4500)];
    let expected = [&[(A, 120), (PTR, 4500)][..], &service, &service].concat();
    assert_eq!(all.collect::<Vec<_>>(), expected);
    assert_eq!(messages[3].1, messages[4].1);
}

#[test]
fn what_is_asked_for_is_answered_with_what_belongs_to_it() {
    let (mut speaker, now) = speaking();
    let services = question("_HTTP._tcp.local", PTR, false);
    assert_eq!(
        speaker.hear(&services, NEIGHBOUR.into(), false, now),
        Heard::default()
    );
    let messages = run(&mut speaker, now, TAKING);
    let [(at, answer)] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert!((20..120).contains(&at.as_millis()), "{at:?}");
    let [answers, more] = said(answer);
    assert_eq!(answers, ["PTR _http._tcp.local"; 2]);
    let belonging = [
        "A cam.local",
        "NSEC cam.local",
        "SRV cam._http._tcp.local",
        "TXT cam._http._tcp.local",
        "SRV cam front._http._tcp.local",
        "TXT cam front._http._tcp.local",
    ];
    assert_eq!(more, belonging);
    let now = now + TAKING;
    for (name, kind, expected) in [
        (
            "_services._dns-sd._udp.local",
            PTR,
            Some("PTR _services._dns-sd._udp.local"),
        ),
        ("CAM.local", A, Some("A cam.local")),
        ("cam.local", AAAA, Some("NSEC cam.local")),
        (
            "cam front._http._tcp.local",
            A,
            Some("NSEC cam front._http._tcp.local"),
        ),
        ("other.local", A, None),
        ("rear._http._tcp.local", SRV, None),
    ] {
        let mut speaker = self::speaking().0;
        let asked = question(name, kind, false);
        assert_eq!(
            speaker.hear(&asked, NEIGHBOUR.into(), false, now),
            Heard::default()
        );
        let messages = run(&mut speaker, now, TAKING);
        let answers = messages
            .iter()
            .flat_map(|(_, octets)| said(octets)[0].clone());
        assert_eq!(
            answers.collect::<Vec<_>>(),
            Vec::from_iter(expected),
            "{name} {kind:?}"
        );
        // What only we may say need not wait for others.
        assert!(kind == PTR || messages.iter().all(|(at, _)| at.is_zero()));
    }
}

#[test]
fn a_record_is_said_to_all_once_a_second() {
    let (mut speaker, now) = speaking();
    let asked = question("cam.local", A, false);
    let mut times = Vec::new();
    for step in 0..30 {
        let now = now + ms(100) * step;
        speaker.hear(&asked, NEIGHBOUR.into(), false, now);
        let messages = run(&mut speaker, now, ms(100));
        times.extend(messages.iter().map(|(at, _)| ms(100) * step + *at));
    }
    assert_eq!(times, [ms(0), ms(1000), ms(2000)]);
    // Who wants the name hears sooner that it is taken.
    let probe = &run(
        &mut Speaker::new(records("cam", [1; 4], &[]), ms(0), now),
        now,
        TAKING,
    )[0]
    .1;
    let now = now + ms(2950);
    assert!(!speaker.hear(probe, NEIGHBOUR.into(), false, now).is_taken);
    let defended = run(&mut speaker, now, ms(500));
    assert!(said(&defended[0].1)[0].contains(&"A cam.local".to_owned()));
    assert!(defended[0].0 < ms(250), "{defended:?}");
}

#[test]
fn one_alone_gets_an_answer_while_all_remember_it() {
    let (mut speaker, now) = speaking();
    let asked = question("cam.local", A, true);
    let heard = speaker.hear(&asked, NEIGHBOUR.into(), false, now);
    assert_eq!(said(&heard.to_one[0])[0], ["A cam.local"]);
    assert!(run(&mut speaker, now, TAKING).is_empty());
    // After a quarter of 120 s all are reminded.
    let now = now + Duration::from_secs(30);
    assert_eq!(
        speaker.hear(&asked, NEIGHBOUR.into(), false, now),
        Heard::default()
    );
    assert_eq!(run(&mut speaker, now, TAKING).len(), 1);
}

#[test]
fn what_is_known_is_not_said_again() {
    let all = message::responses(&records("cam", OWN, &["front"]), &[2, 3], &[]);
    let mut asked = query(&[(SERVICES, PTR, false)]);
    asked.answers = read(&all[0]).answers;
    assert!(asked.answers.iter().all(|record| record.kind == PTR));
    let (mut speaker, now) = speaking();
    speaker.hear(&asked.write(), NEIGHBOUR.into(), false, now);
    let messages = run(&mut speaker, now, TAKING);
    assert_eq!(
        said(&messages[0].1)[0],
        ["PTR _http._tcp.local"],
        "the other one"
    );
    for known in &mut asked.answers {
        known.ttl = 4500 / 2 - 1;
    }
    let now = now + TAKING;
    speaker.hear(&asked.write(), NEIGHBOUR.into(), false, now);
    let messages = run(&mut speaker, now, TAKING);
    assert_eq!(said(&messages[0].1)[0], ["PTR _http._tcp.local"; 2]);
}

#[test]
fn more_that_is_known_is_waited_for() {
    let (mut speaker, now) = speaking();
    let mut asked = query(&[(SERVICES, PTR, false)]);
    asked.flags = TRUNCATED;
    speaker.hear(&asked.write(), NEIGHBOUR.into(), false, now);
    assert!(run(&mut speaker, now, ms(399)).is_empty());
    let all = records("cam", OWN, &["front"]);
    let announced: Vec<usize> = all.announced().collect();
    let all = message::responses(&all, &announced, &[]);
    let mut known = query(&[]);
    known.answers = read(&all[0]).answers;
    // Of another one it is known, too; but that one has not asked.
    let other = ([192, 0, 2, 8], PORT).into();
    speaker.hear(&known.write(), other, false, now + ms(300));
    let mut also = self::speaking().0;
    also.hear(&asked.write(), NEIGHBOUR.into(), false, now);
    also.hear(&known.write(), NEIGHBOUR.into(), false, now + ms(300));
    assert_eq!(run(&mut speaker, now, TAKING).len(), 1);
    assert!(run(&mut also, now, TAKING).is_empty());
}

#[test]
fn who_knows_no_multicast_gets_an_answer_of_the_plain_kind() {
    let (mut speaker, now) = speaking();
    let asked = question("cam.local", A, false);
    let heard = speaker.hear(&asked, LEGACY.into(), false, now);
    let packet = read(&heard.to_one[0]);
    assert_eq!((packet.id, packet.questions.len()), (7, 1));
    let record = &packet.answers[0];
    assert!(!record.is_unique && record.ttl <= 10, "{record:?}");
    assert!(run(&mut speaker, now, TAKING).is_empty());
}

#[test]
fn one_that_asks_very_often_gets_so_many_answers_and_no_more() {
    let (mut speaker, now) = speaking();
    let asked = question("cam.local", A, false);
    let answers: usize = (0..10_000)
        .map(|number| {
            speaker
                .hear(&asked, LEGACY.into(), false, now + ms(number) / 10)
                .to_one
                .len()
        })
        .sum();
    assert_eq!(answers, 30);
    let later = now + BUDGET_TIME;
    assert_eq!(
        speaker
            .hear(&asked, LEGACY.into(), false, later)
            .to_one
            .len(),
        1
    );
}

#[test]
fn a_name_is_taken_by_who_has_it() {
    let start = Instant::now();
    let announcement = |address: [u8; 4], cameras: &[&str]| {
        let mut other = Speaker::new(records("Cam", address, cameras), ms(0), start);
        run(&mut other, start, TAKING)[3].1.clone()
    };
    let now = start + TAKING;
    let good_bye = {
        let mut other = Speaker::new(records("cam", [1; 4], &[]), ms(0), start);
        run(&mut other, start, TAKING);
        other.good_bye(false).remove(0)
    };
    for (octets, from, is_own, is_taken) in [
        (announcement([192, 0, 2, 9], &[]), NEIGHBOUR, false, true),
        (announcement(OWN, &["front"]), NEIGHBOUR, false, false),
        (good_bye, NEIGHBOUR, false, false),
        (announcement([192, 0, 2, 9], &[]), LEGACY, false, false),
        // Our own other interface.
        (announcement([192, 0, 2, 9], &[]), NEIGHBOUR, true, false),
    ] {
        let mut speaker = Speaker::new(records("cam", OWN, &["front"]), ms(5000), start);
        let heard = speaker.hear(&octets, from.into(), is_own, now);
        assert_eq!(heard.is_taken, is_taken);
    }
    // Who has had it asks for it again, and then gives way.
    let (mut speaker, now) = speaking();
    let other = announcement([192, 0, 2, 9], &[]);
    assert!(!speaker.hear(&other, NEIGHBOUR.into(), false, now).is_taken);
    let probes = run(&mut speaker, now, ms(100));
    assert_eq!(read(&probes[0].1).questions.len(), 3);
    assert!(speaker.hear(&other, NEIGHBOUR.into(), false, now).is_taken);
}

#[test]
fn of_two_that_want_a_name_the_greater_one_has_it() {
    let start = Instant::now();
    for (last, wins) in [(1, true), (7, true), (9, false)] {
        let mut other = Speaker::new(records("cam", [192, 0, 2, last], &["front"]), ms(0), start);
        let probe = run(&mut other, start, ms(400))[0].1.clone();
        let mut speaker = Speaker::new(records("cam", OWN, &["front"]), ms(0), start);
        run(&mut speaker, start, ms(400));
        let now = start + ms(400);
        assert!(!speaker.hear(&probe, NEIGHBOUR.into(), false, now).is_taken);
        let next = speaker.next().unwrap();
        assert_eq!(next < now + GIVE_WAY, wins, "{last}");
    }
}

#[test]
fn what_is_none_any_more_is_said_at_the_end_and_at_a_change() {
    let (mut speaker, now) = speaking();
    let [all, none] = said(&speaker.good_bye(false)[0]);
    assert_eq!((all.len(), none.len()), (8, 0));
    let packet = speaker.good_bye(false);
    let packet = read(&packet[0]);
    assert!(packet.answers.iter().all(|record| record.ttl == 0));
    let [kept, _] = said(&speaker.good_bye(true)[0]);
    assert!(!kept.contains(&"A cam.local".to_owned()) && kept.len() == 7);
    let last_word = speaker.change(records("cam", OWN, &[]), ms(0), now);
    let camera = "cam front._http._tcp.local";
    let gone = [
        "PTR _http._tcp.local",
        &format!("SRV {camera}"),
        &format!("TXT {camera}"),
    ];
    assert_eq!(said(&last_word[0])[0], gone);
    assert!(
        speaker.good_bye(false).is_empty(),
        "nothing is announced yet"
    );
}

#[test]
fn many_cameras_take_several_messages_and_a_long_name_is_shortened() {
    let start = Instant::now();
    let names: Vec<String> = (0..64).map(|number| format!("camera-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut speaker = Speaker::new(records("cam", OWN, &names), ms(0), start);
    let messages = run(&mut speaker, start, TAKING);
    let longest = messages.iter().map(|(_, octets)| octets.len()).max();
    assert!(longest.unwrap() <= 1472, "{longest:?}");
    let all = messages
        .iter()
        .flat_map(|(_, octets)| said(octets)[0].clone());
    assert_eq!(all.collect::<Vec<_>>().len(), 2 * (2 + 3 * 65));

    let long = records(&"h".repeat(60), OWN, &["front"]);
    let names: Vec<_> = long.unique_names().map(text).collect();
    assert_eq!(names[2], "front._http._tcp.local");
}

proptest! {
    #[test]
    fn any_octets_are_a_message_or_none(octets: Vec<u8>, kind in 0..3_u8) {
        let (mut speaker, now) = speaking();
        let mut octets = octets;
        // Some that pass for a query with questions, or for a response.
        if kind > 0 {
            octets.splice(..0, [0, 7, (kind - 1) << 7, 0, 0, 3, 0, 1, 0, 1, 0, 1]);
        }
        for from in [NEIGHBOUR, LEGACY] {
            let heard = speaker.hear(&octets, from.into(), false, now);
            prop_assert!(heard.to_one.len() <= 1);
        }
        run(&mut speaker, now, TAKING);
    }
}
