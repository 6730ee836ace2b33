//! The door with users, as those who have a password, who guess one, and who play with headers see it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "door_users/answers.rs"]
mod answers;
#[path = "door_users/password.rs"]
mod password;
mod support;

use std::io::Read;
use std::time::{Duration, Instant};

use answers::{Algorithm, answer, basic, block, challenge};
use nix::sys::signal::Signal;
use support::folder::Folder;
use support::http::{Answer, Door, free_port};
use support::program::{LONG, command, text};

/// The test pattern to nobody but those who come.
const DEMO: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n";

const ADDRESSES: [&str; 9] = [
    "/",
    "/page.js",
    "/api/status",
    "/front.sdp",
    "/front/snapshot.jpg",
    "/front/stream",
    "/front/stream.mjpg",
    "/stream?camera=front",
    "/nothing",
];

/// GET with these lines in its head; the answer as far as its head.
fn get(door: &Door, target: &str, lines: &str) -> Answer {
    use std::io::Write;
    let mut stream = door.connect();
    let request = format!("GET {target} HTTP/1.0\r\nHost: localhost\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    Answer::begin(stream)
}

fn with(door: &Door, target: &str, authorization: &str) -> u16 {
    get(door, target, &format!("Authorization: {authorization}\r\n")).status
}

#[test]
fn everything_asks_for_a_password_but_whether_all_is_well() {
    let folder = Folder::new("door-users-routes");
    let door = Door::open(&folder, &(DEMO.to_owned() + &block("anna", "right")));
    for target in ADDRESSES {
        let answer = get(&door, target, "");
        assert_eq!(answer.status, 401, "{target}");
        let fields: Vec<_> = (answer.head.iter())
            .filter(|(name, _)| name == "www-authenticate")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(fields.len(), 2, "{fields:?}");
        assert!(fields[0].starts_with("Digest realm=\"framewire\", nonce=\""));
        let order = ["algorithm=SHA-256, qop=\"auth\", Digest ", "algorithm=MD5"];
        let [first, last] = order.map(|words| fields[0].find(words).expect(words));
        assert!(first < last, "{}", fields[0]);
        assert_eq!(fields[1], "Basic realm=\"framewire\"");
        let known = with(&door, target, &basic("anna", "right"));
        assert_ne!(known, 401, "{target}");
        assert_eq!(
            with(&door, target, &basic("anna", "Right")),
            401,
            "{target}"
        );
    }
    // In one word only, without names.
    let mut health = get(&door, "/healthz", "");
    let mut said = String::new();
    health.rest.read_to_string(&mut said).expect("a body");
    assert_eq!((health.status, said.as_str()), (200, "ok\n"));
    assert_eq!(with(&door, "/healthz", &basic("anna", "wrong")), 401);
}

#[test]
fn both_algorithms_and_the_old_form_are_answers() {
    let folder = Folder::new("door-users-digest");
    let door = Door::open(&folder, &(DEMO.to_owned() + &block("anna", "right")));
    let asked = get(&door, "/", "");
    let nonce = challenge(&asked);
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::WithoutQop] {
        for target in ["/", "/api/status?x=1"] {
            let right = answer(algorithm, "anna", "right", &nonce, target);
            assert_eq!(with(&door, target, &right), 200, "{right}");
            assert_eq!(with(&door, "/page.js", &right), 401, "{right}");
            let wrong = answer(algorithm, "anna", "wrong", &nonce, target);
            assert_eq!(with(&door, target, &wrong), 401, "{wrong}");
        }
    }
    // As after a restart: the same password again, with a nonce of this one.
    let foreign = nonce.replace(&nonce[16..], &"0".repeat(32));
    let old = answer(Algorithm::Sha256, "anna", "right", &foreign, "/");
    let refused = get(&door, "/", &format!("Authorization: {old}\r\n"));
    assert_eq!(refused.status, 401);
    let field = refused.field("www-authenticate").expect("a challenge");
    assert_eq!(field.matches("stale=true").count(), 2, "{field}");
    let again = answer(
        Algorithm::Sha256,
        "anna",
        "right",
        &challenge(&refused),
        "/",
    );
    assert_eq!(with(&door, "/", &again), 200);
}

#[test]
fn who_guesses_is_shut_out_for_a_while_and_nobody_else() {
    let folder = Folder::new("door-users-guesses");
    let door = Door::open(&folder, &(DEMO.to_owned() + &block("anna", "right")));
    let right = basic("anna", "right");
    let mut stream = get(
        &door,
        "/front/stream",
        &format!("Authorization: {right}\r\n"),
    );
    assert_eq!(stream.status, 200);
    let mut guesses = 0;
    while with(&door, "/", &basic("otto", &guesses.to_string())) == 401 {
        guesses += 1;
        assert!(guesses < 20, "nobody stops it");
    }
    // A slow machine forgives one in between.
    assert!((10..13).contains(&guesses), "{guesses}");
    let refused = get(&door, "/", &format!("Authorization: {right}\r\n"));
    let wait = refused.field("retry-after").expect("a time");
    assert!((1..=11).contains(&wait.parse::<u32>().expect("a number")));
    assert_eq!(refused.status, 429);
    assert_eq!(get(&door, "/", "").status, 401);
    // Pictures go on.
    let mut octets = vec![0; 200_000];
    stream.rest.read_exact(&mut octets).expect("pictures");
    let deadline = Instant::now() + LONG;
    while with(&door, "/", &right) != 200 {
        assert!(Instant::now() < deadline, "for ever");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn odd_credentials_cost_nothing() {
    let folder = Folder::new("door-users-odd");
    let door = Door::open(&folder, &(DEMO.to_owned() + &block("anna", "right")));
    let nonce = challenge(&get(&door, "/", ""));
    let right = answer(Algorithm::Sha256, "anna", "right", &nonce, "/");
    for odd in [
        String::new(),
        "Digest".to_owned(),
        "Digest ".to_owned() + &",".repeat(5000),
        "Digest ".to_owned() + &"a=".repeat(2500),
        "Digest username=\"".to_owned() + &"a".repeat(5000),
        "Basic ".to_owned() + &"QUFB".repeat(1500),
        "Basic QQ==".to_owned(),
        "Basic =".to_owned(),
        "Basic \u{1F600}".to_owned(),
        "Bearer abc".to_owned(),
        "Negotiate abc".to_owned(),
        right.replace("SHA-256", "SHA-512-256"),
        right.replace("qop=auth", "qop=auth-int"),
        right.replace("Digest ", "Digest username=\"otto\", "),
        right.replace("uri=\"/\"", "uri=\"*\""),
        right.replace("uri=\"/\"", "uri=\"//\""),
        right.replace("uri=\"/\"", "uri=\"http://[\""),
        right.replace("nc=00000001, ", ""),
        right.clone() + "\r\nAuthorization: " + &right,
    ] {
        assert_eq!(with(&door, "/", &odd), 401, "{odd}");
    }
    let huge = format!("{right}, x=\"{}\"", "x".repeat(20_000));
    let status = with(&door, "/", &huge);
    assert!(status == 431 || status == 400, "{status}");
    let unquoted = right.replace(['"'], "");
    assert_eq!(with(&door, "/", &unquoted), 200, "{unquoted}");
    // All of that was no guess.
    let request = format!("Authorization: {}\r\n", basic("anna", "right"));
    let mut status = get(&door, "/api/status", &request);
    status.rest.read_to_end(&mut status.body).expect("a body");
    let status: serde_json::Value = serde_json::from_slice(&status.body).expect("JSON");
    assert_eq!(status["http"]["wrong_passwords"], 0);
}

/// Whether the pictures end soon.
fn ends(stream: &mut Answer) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut octets = [0; 65536];
    while Instant::now() < deadline {
        match stream.rest.read(&mut octets) {
            Ok(0) | Err(_) => return true,
            Ok(_) => {}
        }
    }
    false
}

#[test]
fn other_users_are_let_in_at_once_and_the_streams_of_removed_ones_end() {
    let folder = Folder::new("door-users-reload");
    let (anna, otto) = (block("anna", "right"), block("otto", "right"));
    let door = Door::open(&folder, DEMO);
    let write = |users: &str| {
        let http = format!("[http]\nlisten = \"127.0.0.1:{}\"\n", door.port);
        folder.write("config.toml", format!("{DEMO}{users}{http}"));
        door.signal(Signal::SIGHUP);
    };
    let comes_to = |credentials: &str, status: u16| {
        let deadline = Instant::now() + LONG;
        while with(&door, "/", credentials) != status {
            assert!(Instant::now() < deadline, "{credentials} never {status}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let stream = |credentials: &str| {
        let field = format!("Authorization: {credentials}\r\n");
        let stream = get(&door, "/front/stream", &field);
        assert_eq!(stream.status, 200);
        stream
    };
    let [anna_right, otto_right] = ["anna", "otto"].map(|name| basic(name, "right"));
    let mut of_nobody = stream("none");
    write(&(anna.clone() + &otto));
    comes_to("none", 401);
    assert!(ends(&mut of_nobody));
    let mut of_anna = stream(&anna_right);
    let mut of_otto = stream(&otto_right);
    write(&otto);
    comes_to(&anna_right, 401);
    assert!(ends(&mut of_anna));
    // The same name with another password is somebody else.
    let mut octets = vec![0; 200_000];
    of_otto.rest.read_exact(&mut octets).expect("pictures");
    write(&block("otto", "other"));
    comes_to(&basic("otto", "other"), 200);
    assert!(ends(&mut of_otto));
    write("");
    comes_to("none", 200);
}

const WARNING: &str = "sees the cameras: no [[user]] is configured";

/// What the log says when the door listens on `address` with these users, until it is open.
fn log_of(address: &str, users: &str) -> String {
    let folder = Folder::new(&format!("door-users-log-{}", users.len()));
    let http = format!("[http]\nlisten = \"{address}:{}\"\n", free_port());
    let config = folder.write("config.toml", format!("{DEMO}{users}{http}"));
    let mut command = command(&["run", "--config", &config, "--timeout", "2"]);
    let output = command.output().expect("framewire runs");
    text(&output.stderr)
}

#[test]
fn the_demo_warns_too() {
    let at = format!("0.0.0.0:{}", free_port());
    let arguments = [
        "demo",
        "--http",
        &at,
        "--to",
        "127.0.0.1:9",
        "--timeout",
        "1",
    ];
    let output = command(&arguments).output().expect("framewire runs");
    let log = text(&output.stderr);
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
}

#[test]
fn the_log_warns_of_a_door_that_is_open_to_the_network_and_of_no_other() {
    let anna = block("anna", "right");
    for (address, users, warnings) in [
        ("0.0.0.0", "", 1),
        ("127.0.0.1", "", 0),
        ("0.0.0.0", anna.as_str(), 0),
    ] {
        let log = log_of(address, users);
        assert!(log.contains("shows the cameras"), "{log}");
        assert_eq!(log.matches(WARNING).count(), warnings, "{log}");
        // Of what is secret there is nothing.
        let user = framewire::config::User::new(
            framewire::config::UserName::new("anna").expect("a name"),
            "right",
        );
        assert!(!log.contains(user.md5.as_str()) && !log.contains(user.sha256.as_str()));
    }
}
