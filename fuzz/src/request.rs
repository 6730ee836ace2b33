//! What holds for whatever comes over a connection to the door.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use framewire::config::{Config, User, UserName};
use framewire::directory::Entry;
use framewire::door::octets::answer;
use framewire::viewers::Viewers;

/// Who asks has said all, and no picture comes: nothing is left to wait for.
const LONGEST: Duration = Duration::from_secs(5);
/// In all answers that tell of the camera, and in no others.
const CAMERA: &str = "name-of-the-camera";
/// What the door may say of a request.
const STATUSES: [&str; 16] = [
    "200", "400", "401", "403", "404", "405", "408", "409", "413", "414", "415", "421", "429",
    "431", "503", "504",
];

static CAMERAS: LazyLock<[Entry; 1]> = LazyLock::new(|| {
    let text = format!(
        "[[camera]]\nname = \"{CAMERA}\"\ndevice = \"demo\"\n[http]\nlisten = \"127.0.0.1:1\"\n"
    );
    let config = Config::parse(Path::new("c.toml"), text.as_bytes()).expect("a configuration");
    [Entry {
        config: Arc::new(config.cameras[0].clone()),
        panel: Arc::default(),
        stats: Arc::default(),
        viewers: Arc::new(Viewers::new().expect("two bells")),
    }]
});
static USERS: LazyLock<[User; 1]> = LazyLock::new(|| {
    let name = UserName::new("somebody").expect("a name");
    [User::new(name, "R7 and no more of it")]
});

/// A connection's octets, to a door that is open for all and to one with a user, at once and octet by octet: what is
/// answered is HTTP, soon over, and tells nobody of the cameras who has not said the password.
pub fn request(octets: &[u8]) {
    let [open, slowly] = [usize::MAX, 1].map(|piece| status(&said(octets, piece, &[])));
    // What is wrong in more than one way is refused for whatever is seen first, or not answered.
    let is_refused =
        |status: &Option<String>| status.as_ref().is_none_or(|status| status.starts_with('4'));
    assert!(
        open == slowly || is_refused(&open) && is_refused(&slowly),
        "{open:?}, {slowly:?}"
    );
    for piece in [usize::MAX, 7] {
        let closed = said(octets, piece, USERS.as_slice());
        let closed = String::from_utf8_lossy(&closed);
        assert!(!closed.contains(CAMERA), "{closed}");
    }
}

fn said(octets: &[u8], piece: usize, users: &[User]) -> Vec<u8> {
    let start = Instant::now();
    let said = answer(octets, piece, users, CAMERAS.as_slice()).expect("an answer, or none");
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
    let viewers = CAMERAS[0].viewers.summary();
    assert_eq!(viewers.watching, 0, "somebody watches for ever");
    said
}

/// The status of the first answer, if there is one: its head is as HTTP wants it, RFC 9112 4 and 5.
fn status(said: &[u8]) -> Option<String> {
    if said.is_empty() {
        return None;
    }
    let end = said.windows(4).position(|four| four == b"\r\n\r\n");
    let head = str::from_utf8(&said[..end.expect("an end of the head")]).expect("ASCII");
    let mut lines = head.split("\r\n");
    let first = lines.next().expect("a status line");
    let (version, status) = first.split_once(' ').expect("a status");
    assert!(matches!(version, "HTTP/1.0" | "HTTP/1.1"), "{first}");
    for line in lines {
        let (name, value) = line.split_once(": ").expect(line);
        assert!(
            name.bytes()
                .all(|octet| octet == b'-' || octet.is_ascii_alphanumeric()),
            "{line}"
        );
        assert!(!value.contains(char::is_control), "{line:?}");
    }
    let status = status.get(..3).expect("three digits");
    assert!(STATUSES.contains(&status), "{first}");
    Some(status.to_owned())
}
