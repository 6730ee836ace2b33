//! The controls of a camera at the door: listed, set, kept, and refused in words. The camera here is a thread that does
//! what a camera's thread does; the lab has a real driver.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and a table of cases may be long"
)]

#[path = "door_users/answers.rs"]
#[expect(dead_code, reason = "tests/door_users.rs uses all of it")]
mod answers;
#[path = "door_controls/camera.rs"]
mod camera;
#[path = "door_controls/files.rs"]
mod files;
mod support;

use std::time::{Duration, Instant};

use answers::{Algorithm, basic, challenge, counted};
use camera::{House, Manner};
use serde_json::{Value, json};
use support::folder::Folder;

const PATH: &str = "/api/cameras/front/controls";

fn control<'a>(list: &'a Value, name: &str) -> &'a Value {
    let mut controls = list["controls"].as_array().expect("a list").iter();
    controls.find(|each| each["name"] == name).expect(name)
}

#[test]
fn what_can_be_set_is_listed_with_its_range_and_what_counts() {
    let folder = Folder::new("controls-list");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let (status, list) = house.get();
    assert_eq!((status, &list["camera"]), (200, &json!("front")));
    assert_eq!(list["settable"], true);
    let expected = json!({
        "name": "brightness", "short_name": "bright", "kind": "integer", "minimum": 0, "maximum": 255, "step": 1,
        "default": 128, "value": 128, "read_only": false, "inactive": false, "grabbed": false, "menu": [],
        "configured": 140,
    });
    assert_eq!(control(&list, "brightness"), &expected);
    let menu = &control(&list, "mode")["menu"];
    assert_eq!(menu[1], json!({"index": 1, "name": "Manual \"M\""}));
    // Without users all may look, and nobody may set anything.
    let open = House::new(&folder, &[], Manner::Willing);
    let (status, list) = open.get();
    assert_eq!((status, &list["settable"]), (200, &json!(false)));
    let (status, answer) = open.post(r#"{"controls":{"brightness":1}}"#);
    assert_eq!(status, 403);
    let words = answer["error"].as_str().expect("words");
    assert!(words.contains("framewire password"), "{words}");
}

#[test]
fn what_is_set_is_read_back_and_kept_until_it_is_removed() {
    let folder = Folder::new("controls-keep");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let (status, list) = house.post(r#"{"controls":{"brightness":200}}"#);
    assert_eq!(
        (status, &control(&list, "brightness")["value"]),
        (200, &json!(200))
    );
    assert!(control(&list, "brightness")["kept"].is_null());
    assert_eq!(house.file("front"), None);
    let body = r#"{"controls":{"mode":"Manual \"M\"","bright":90},"keep":true}"#;
    let (status, list) = house.post(body);
    assert_eq!(status, 200, "{list}");
    let brightness = control(&list, "brightness");
    assert_eq!(
        (&brightness["value"], &brightness["kept"]),
        (&json!(90), &json!(90))
    );
    assert_eq!(control(&list, "mode")["kept"], "Manual \"M\"");
    let file = house.file("front").expect("a file");
    assert!(
        file.ends_with("\nbrightness = 90\nmode = \"Manual \\\"M\\\"\"\n"),
        "{file}"
    );
    // Another one besides.
    let (_, list) = house.post(r#"{"controls":{"flip":true},"keep":true}"#);
    assert_eq!(control(&list, "flip")["kept"], true);
    assert!(
        house
            .file("front")
            .expect("a file")
            .contains("\nbrightness = 90\n")
    );
    let (status, list) = house.post(r#"{"keep":false}"#);
    assert_eq!(status, 200, "{list}");
    for (name, value) in [("brightness", 140), ("mode", 0), ("flip", 0)] {
        let control = control(&list, name);
        assert_eq!(
            (&control["value"], &control["kept"]),
            (&json!(value), &Value::Null),
            "{name}"
        );
    }
    assert_eq!(house.file("front"), None);
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let folder = Folder::new("controls-words");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let long = format!("{{\"controls\":{{\"{}\":1}}}}", "x".repeat(4096));
    for (body, status, words) in [
        (
            r#"{"controls":{"brightness":256},"keep":true}"#,
            400,
            "allowed: 0..=255",
        ),
        (r#"{"controls":{"zoom":1}}"#, 400, "no such control"),
        (r#"{"controls":{"brightness":"x"}}"#, 400, "x"),
        (r#"{"controls":{"brightness":1.5}}"#, 400, "a control value"),
        (
            r#"{"controls":{"brightness":18446744073709551615}}"#,
            400,
            "a control value",
        ),
        (r#"{"controls":{}}"#, 400, "no controls"),
        (r#"{"keep":true}"#, 400, "no controls"),
        (
            r#"{"controls":{"flip":true},"keep":false}"#,
            400,
            "keep = false",
        ),
        (r#"{"contrls":{}}"#, 400, "unknown field"),
        ("", 400, "EOF"),
        ("[]", 400, ""),
        (&long, 413, "4096"),
    ] {
        let (got, answer) = house.post(body);
        let error = answer["error"].as_str().expect("words");
        assert!(
            got == status && error.contains(words),
            "{body}: {got} {error}"
        );
    }
    assert_eq!(house.file("front"), None);
    let refusing = House::new(&folder, &["anna"], Manner::Refusing);
    let (status, answer) = refusing.post(r#"{"controls":{"brightness":1},"keep":true}"#);
    assert_eq!(
        (status, answer),
        (409, json!({"error": "it does not want to"}))
    );
    assert_eq!(refusing.file("front"), None);
}

#[test]
fn a_camera_that_is_away_or_silent_costs_nobody_much_time() {
    let folder = Folder::new("controls-away");
    let away = House::new(&folder, &["anna"], Manner::Away);
    away.keeps("hue = 3\n");
    for (status, answer) in [away.get(), away.post(r#"{"controls":{"hue":1}}"#)] {
        let words = answer["error"].as_str().expect("words");
        assert!(
            status == 503 && words.ends_with("unplugged"),
            "{status} {words}"
        );
    }
    // What is kept can be removed all the same.
    assert_eq!(away.post(r#"{"keep":false}"#).0, 200);
    assert_eq!(away.file("front"), None);
    let silent = House::new(&folder, &["anna"], Manner::Silent);
    let start = Instant::now();
    let (status, answer) = silent.get();
    assert_eq!(status, 504, "{answer}");
    let took = start.elapsed();
    assert!(
        took > Duration::from_secs(2) && took < Duration::from_secs(20),
        "{took:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_keeps_nothing_and_says_so() {
    let folder = Folder::new("controls-disk");
    folder.write("state", "a file where the folder should be");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let (status, answer) = house.post(r#"{"controls":{"brightness":1},"keep":true}"#);
    let words = answer["error"].as_str().expect("words");
    assert!(
        status == 500 && words.starts_with("it cannot be kept: "),
        "{status} {words}"
    );
    let (_, list) = house.get();
    assert!(control(&list, "brightness")["kept"].is_null());
}

#[test]
fn only_our_own_page_and_programs_may_set() {
    let folder = Folder::new("controls-csrf");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let body = r#"{"controls":{"brightness":1}}"#;
    let anna = format!("Authorization: {}\r\n", basic("anna", "right"));
    let json = "Content-Type: application/json\r\n";
    for (method, path, lines, status) in [
        ("POST", PATH, format!("{anna}{json}"), 200),
        ("POST", PATH, json.to_owned(), 401),
        ("POST", PATH, anna.clone(), 415),
        (
            "POST",
            PATH,
            format!("{anna}Content-Type: text/plain\r\n"),
            415,
        ),
        (
            "POST",
            PATH,
            format!("{anna}{json}Sec-Fetch-Site: cross-site\r\n"),
            403,
        ),
        (
            "POST",
            PATH,
            format!("{anna}{json}Origin: http://evil.example\r\n"),
            403,
        ),
        (
            "POST",
            PATH,
            format!("{anna}{json}Origin: http://localhost\r\n"),
            200,
        ),
        ("PUT", PATH, format!("{anna}{json}"), 405),
        ("DELETE", PATH, format!("{anna}{json}"), 405),
        ("OPTIONS", PATH, String::new(), 405),
        ("POST", "/api/status", format!("{anna}{json}"), 405),
        (
            "POST",
            "/api/cameras/rear/controls",
            format!("{anna}{json}"),
            404,
        ),
        (
            "POST",
            "/api/cameras/front/other",
            format!("{anna}{json}"),
            405,
        ),
    ] {
        let answer = house.ask(method, path, &lines, body);
        assert_eq!(answer.status, status, "{method} {path} {lines}");
        if status == 405 {
            let posts = answer.field("allow").expect("Allow").contains("POST");
            assert_eq!(posts, path == PATH);
        }
    }
    // GET changes nothing, whatever it carries.
    house.post(r#"{"controls":{"brightness":77}}"#);
    assert_eq!(
        house
            .ask("GET", PATH, &format!("{anna}{json}"), body)
            .status,
        200
    );
    std::thread::sleep(Duration::from_millis(1100)); // read anew
    assert_eq!(control(&house.get().1, "brightness")["value"], 77);
}

#[test]
fn what_somebody_has_heard_cannot_be_sent_again() {
    let folder = Folder::new("controls-replay");
    let house = House::new(&folder, &["anna"], Manner::Willing);
    let body = r#"{"controls":{"brightness":1}}"#;
    let nonce = challenge(&house.ask("GET", PATH, "", ""));
    let answer_with = |algorithm, count| {
        let anna = ("anna", "right");
        let field = counted(algorithm, "POST", anna, &nonce, PATH, count);
        let lines = format!("Authorization: {field}\r\nContent-Type: application/json\r\n");
        let answer = house.ask("POST", PATH, &lines, body);
        let is_stale = |(name, value): &(String, String)| {
            name == "www-authenticate" && value.contains("stale=true")
        };
        (answer.status, answer.head.iter().any(is_stale))
    };
    assert_eq!(answer_with(Algorithm::Sha256, 1), (200, false));
    assert_eq!(answer_with(Algorithm::Sha256, 1), (401, true));
    assert_eq!(answer_with(Algorithm::Md5, 1), (401, true));
    assert_eq!(answer_with(Algorithm::Md5, 5), (200, false));
    assert_eq!(answer_with(Algorithm::Sha256, 4), (401, true));
    assert_eq!(answer_with(Algorithm::Sha256, 6), (200, false));
    assert_eq!(answer_with(Algorithm::WithoutQop, 7), (401, true));
}
