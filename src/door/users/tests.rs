use super::*;
use crate::door::digest::is_right;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn user(name: &str, password: &str) -> User {
    User::new(UserName::new(name).unwrap(), password)
}

fn access(users: &[User], now: Instant) -> Access {
    let list = Arc::new(Users::default());
    list.set(users);
    Access::new(list, now).unwrap()
}

fn request(target: &str, fields: &[&str]) -> Request<()> {
    let mut request = Request::builder().uri(target);
    for field in fields {
        request = request.header(header::AUTHORIZATION, *field);
    }
    request.body(()).unwrap()
}

/// The name that was let in, or the status of the refusal.
fn admit(access: &Access, target: &str, fields: &[&str], from: IpAddr, now: Instant) -> String {
    match access.admit(&request(target, fields), from, now) {
        Ok(user) => user.map_or("all".to_owned(), |user| user.name.as_str().to_owned()),
        Err(refusal) => {
            let answer = refusal.answer();
            let challenges = answer.headers().get_all(header::WWW_AUTHENTICATE);
            let stale = |field: &HeaderValue| field.to_str().unwrap().contains("stale=true");
            let is_stale = challenges.iter().any(stale);
            let is_asked = challenges.iter().count() > 0;
            let status = answer.status().as_u16();
            assert_eq!(is_asked, status == 401);
            format!("{status}{}", if is_stale { " stale" } else { "" })
        }
    }
}

/// The right answer of Anna, whose password is "right", for `uri`.
fn by_digest(nonce: &str, uri: &str) -> String {
    let answer = |response| Digest {
        name: "anna",
        nonce,
        uri,
        response,
        algorithm: super::super::authorization::Algorithm::Md5,
        count: None,
    };
    let user = user("anna", "right");
    let hash = |text: String| {
        use md5::Digest as _;
        hexadecimal(&md5::Md5::digest(text))
    };
    let request = hash(format!("GET:{uri}"));
    let response = hash(format!("{}:{nonce}:{request}", user.md5.as_str()));
    assert!(is_right(&answer(&response), "GET", &user));
    format!("Digest username=\"anna\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\"")
}

/// "anna:right", "anna:wrong" and "otto:right" in base64.
const RIGHT: &str = "Basic YW5uYTpyaWdodA==";
const WRONG: &str = "Basic YW5uYTp3cm9uZw==";
const UNKNOWN: &str = "Basic b3R0bzpyaWdodA==";

#[test]
fn without_users_all_come_in_and_with_some_only_they() {
    let now = Instant::now();
    let open = access(&[], now);
    assert_eq!(admit(&open, "/", &[], HERE, now), "all");
    assert_eq!(admit(&open, "/", &[WRONG], HERE, now), "all");
    let shut = access(&[user("berta", "x"), user("anna", "right")], now);
    for (fields, expected) in [
        (&[][..], "401"),
        (&[RIGHT], "anna"),
        (&[WRONG], "401"),
        (&[UNKNOWN], "401"),
        (&[RIGHT, RIGHT], "401"),
        (&["Bearer x"], "401"),
    ] {
        assert_eq!(admit(&shut, "/", fields, HERE, now), expected, "{fields:?}");
    }
    assert_eq!(shut.wrong(), 2);
}

#[test]
fn an_answer_is_good_for_its_path_its_client_and_its_time() {
    let now = Instant::now();
    let access = access(&[user("anna", "right")], now);
    let nonce = access.nonces.make(HERE, now);
    let old = now + Duration::from_secs(3601);
    let foreign = Nonces::new([1; 32], now).make(HERE, now);
    let get = |target: &str, field: &str, from: IpAddr, at: Instant| {
        admit(&access, target, &[field], from, at)
    };
    let field = by_digest(&nonce, "/a?b");
    // Again and again, as those do who know no counting.
    for _ in 0..3 {
        assert_eq!(get("/a?b", &field, HERE, now), "anna");
    }
    assert_eq!(get("/a", &field, HERE, now), "anna");
    assert_eq!(get("/b", &field, HERE, now), "401");
    assert_eq!(get("/a", &field, THERE, now), "401 stale");
    assert_eq!(get("/a", &field, HERE, old), "401 stale");
    assert_eq!(
        get("/a", &by_digest(&foreign, "/a"), HERE, now),
        "401 stale"
    );
    let whole = by_digest(&nonce, "http://camera/a");
    assert_eq!(get("/a", &whole, HERE, now), "anna");
    assert_eq!(access.wrong(), 0);
    let wrong = field.replace("response=\"", "response=\"0");
    assert_eq!(get("/a", &wrong, HERE, now), "401");
    assert_eq!(access.wrong(), 1);
}

#[test]
fn who_guesses_must_wait_even_with_the_right_one() {
    let now = Instant::now();
    let access = access(&[user("anna", "right")], now);
    for field in [WRONG, UNKNOWN].iter().cycle().take(10) {
        assert_eq!(admit(&access, "/", &[field], HERE, now), "401");
        // To be asked is no mistake, and what cannot be read is no guess.
        assert_eq!(admit(&access, "/", &[], HERE, now), "401");
        assert_eq!(admit(&access, "/", &["Digest x"], THERE, now), "401");
    }
    assert_eq!(admit(&access, "/", &[WRONG], HERE, now), "429");
    assert_eq!(admit(&access, "/", &[RIGHT], HERE, now), "429");
    assert_eq!(admit(&access, "/", &[], HERE, now), "401");
    assert_eq!(admit(&access, "/", &[RIGHT], THERE, now), "anna");
    let later = now + Duration::from_secs(11);
    assert_eq!(admit(&access, "/", &[RIGHT], HERE, later), "anna");
    assert_eq!(access.wrong(), 10);
}
