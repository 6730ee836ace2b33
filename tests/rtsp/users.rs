//! The door with users: as those ask who have a password, each in their own way, and who have none.

use md5::Md5;
use sha2::{Digest, Sha256};

use framewire::config::{User, UserName};

use super::DEMO;
use super::support::folder::Folder;
use super::support::rtsp::{Answer, Client, Players};

const METHODS: [&str; 7] = [
    "DESCRIBE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "TEARDOWN",
    "GET_PARAMETER",
    "SET_PARAMETER",
];

/// The `[[user]]` block of somebody.
fn block(name: &str, password: &str) -> String {
    let user = User::new(UserName::new(name).expect("a name"), password);
    let (md5, sha256) = (user.md5.as_str(), user.sha256.as_str());
    format!("[[user]]\nname = \"{name}\"\nmd5 = \"{md5}\"\nsha256 = \"{sha256}\"\n")
}

fn players(folder: &Folder) -> Players {
    Players::open(folder, &(DEMO.to_owned() + &block("anna", "right")), "")
}

fn nonce(refusal: &Answer) -> String {
    assert_eq!(refusal.status, 401);
    let field = refusal.field("www-authenticate").expect("a challenge");
    let (_, rest) = field.split_once("nonce=\"").expect("a nonce");
    rest.split('"').next().expect("a nonce").to_owned()
}

fn hash<H: Digest>(text: &str) -> String {
    let octets = H::digest(text);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// As it is answered: the hash, and what says how.
#[derive(Clone, Copy)]
struct Way {
    hash: fn(&str) -> String,
    more: &'static str,
}

const SHA256: Way = Way {
    hash: hash::<Sha256>,
    more: "algorithm=SHA-256, qop=\"auth\", nc=00000001, cnonce=\"abc\", ",
};
const MD5: Way = Way {
    hash: hash::<Md5>,
    more: "qop=auth, nc=00000001, cnonce=\"abc\", ",
};
/// RFC 2069.
const OLD: Way = Way {
    hash: hash::<Md5>,
    more: "",
};

fn credentials(way: Way, password: &str, nonce: &str, method: &str, uri: &str) -> String {
    let Way { hash, more } = way;
    let secret = hash(&format!("anna:framewire:{password}"));
    let request = hash(&format!("{method}:{uri}"));
    let middle = if more.is_empty() {
        ""
    } else {
        "00000001:abc:auth:"
    };
    let response = hash(&format!("{secret}:{nonce}:{middle}{request}"));
    format!(
        "Authorization: Digest username=\"anna\", realm=\"framewire\", nonce=\"{nonce}\", uri=\"{uri}\", {more}response=\"{response}\"\r\n"
    )
}

#[test]
fn all_but_options_asks_for_a_password_in_one_line() {
    let folder = Folder::new("rtsp-users-ask");
    let players = players(&folder);
    let url = players.url();
    let mut client = players.connect();
    assert_eq!(client.ask("OPTIONS", &url, "").status, 200);
    for method in METHODS {
        for url in [&url, &url.replace("front", "none")] {
            let refusal = client.ask(method, url, "");
            assert_eq!(refusal.status, 401, "{method} {url}");
            let mut fields = refusal.fields.iter();
            let asked: Vec<_> = fields
                .by_ref()
                .filter(|(name, _)| name == "www-authenticate")
                .collect();
            let [(_, challenge)] = asked[..] else {
                panic!("{asked:?}");
            };
            assert!(
                challenge.starts_with("Digest realm=\"framewire\", nonce=\""),
                "{challenge}"
            );
            let order = [
                "algorithm=SHA-256, qop=\"auth\", Digest ",
                "algorithm=MD5, qop=\"auth\"",
            ];
            let [first, last] = order.map(|words| challenge.find(words).expect(words));
            assert!(first < last && !challenge.contains("Basic"), "{challenge}");
        }
    }
}

#[test]
fn each_way_to_answer_lets_the_right_one_in() {
    let folder = Folder::new("rtsp-users-ways");
    let players = players(&folder);
    let url = players.url();
    let track = format!("{url}/trackID=0");
    let transport = "Transport: RTP/AVP/TCP;interleaved=0-1\r\n";
    for way in [SHA256, MD5, OLD] {
        let mut client: Client = players.connect();
        let nonce = nonce(&client.ask("DESCRIBE", &url, ""));
        // As live555 hashes its SETUP, as others do who leave the slash or all before the path out.
        for uri in [
            &track,
            &url,
            &format!("{url}/"),
            "/front",
            "/front/trackID=0",
        ] {
            let right = credentials(way, "right", &nonce, "SETUP", uri);
            let answer = client.ask("SETUP", &track, &format!("{transport}{right}"));
            assert_eq!(answer.status, 200, "{uri} {}", way.more);
            let session = answer.field("session").expect("a session");
            let (id, _) = session.split_once(';').expect("a time-out");
            let right = credentials(way, "right", &nonce, "TEARDOWN", uri);
            let session = format!("Session: {id}\r\n{right}");
            assert_eq!(client.ask("TEARDOWN", &url, &session).status, 200);
        }
        for (uri, method) in [("/rear", "DESCRIBE"), (url.as_str(), "PLAY")] {
            let other = credentials(way, "right", &nonce, method, uri);
            assert_eq!(
                client.ask("DESCRIBE", &url, &other).status,
                401,
                "{uri} {method}"
            );
        }
        let wrong = credentials(way, "wrong", &nonce, "DESCRIBE", &url);
        assert_eq!(client.ask("DESCRIBE", &url, &wrong).status, 401);
    }
}

#[test]
fn who_guesses_must_wait_and_who_is_struck_out_sees_no_more() {
    let folder = Folder::new("rtsp-users-out");
    let players = players(&folder);
    let url = players.url();
    let mut client = players.connect();
    let nonce = nonce(&client.ask("DESCRIBE", &url, ""));
    let right = |method: &str| credentials(MD5, "right", &nonce, method, &url);
    let transport = "Transport: RTP/AVP/TCP;interleaved=0-1\r\n";
    let answer = client.ask("SETUP", &url, &format!("{transport}{}", right("SETUP")));
    let session = answer.field("session").expect("a session");
    client.session = format!("Session: {}\r\n", session.split(';').next().expect("an id"));
    assert_eq!(client.ask("PLAY", &url, &right("PLAY")).status, 200);
    client.picture();
    let mut guesser = players.connect();
    let wrong = credentials(MD5, "wrong", &nonce, "DESCRIBE", &url);
    for _ in 0..10 {
        assert_eq!(guesser.ask("DESCRIBE", &url, &wrong).status, 401);
    }
    let answer = guesser.ask("DESCRIBE", &url, &wrong);
    assert_eq!(
        (answer.status, answer.field("retry-after").is_some()),
        (503, true)
    );
    client.picture();
    players.reload(&folder, &(DEMO.to_owned() + &block("otto", "other")));
    assert!(client.ends());
}
