//! Which answer each request gets.

use super::DEMO;
use super::support::folder::Folder;
use super::support::rtsp::Players;

const TCP: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
const UDP: &str = "Transport: RTP/AVP/UDP;unicast;client_port=5000-5001\r\n";

#[test]
fn a_player_is_told_what_there_is_and_how_to_get_it() {
    let folder = Folder::new("rtsp-describe");
    let players = Players::open(&folder, DEMO, "");
    let mut client = players.connect();
    let url = players.url();
    let options = client.ask("OPTIONS", &url, "");
    let methods = options.field("public").expect("methods");
    for method in [
        "DESCRIBE",
        "SETUP",
        "PLAY",
        "PAUSE",
        "TEARDOWN",
        "GET_PARAMETER",
        "SET_PARAMETER",
    ] {
        assert!(methods.contains(method), "{methods}");
    }
    for asked in [
        &url,
        &format!("{url}/"),
        &format!("{url}?tcp&x=/"),
        &format!("{url}/trackID=0"),
    ] {
        let answer = client.ask("DESCRIBE", asked, "Accept: application/sdp\r\n");
        assert_eq!(answer.status, 200, "{asked}");
        assert_eq!(
            answer.field("content-base"),
            Some(format!("{url}/").as_str())
        );
        assert_eq!(answer.field("content-type"), Some("application/sdp"));
        let text = answer.text();
        for line in [
            "\r\na=control:*\r\n",
            "\r\na=range:npt=now-\r\n",
            "\r\nm=video 0 RTP/AVP 26\r\n",
            "\r\na=rtpmap:26 JPEG/90000\r\n",
            "\r\na=framerate:30\r\n",
            "\r\na=control:trackID=0\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(!text.contains("a=x-dimensions"), "{text}");
    }
    let with_password = url.replace("rtsp://", "rtsp://anna:secret@");
    let answer = client.ask("DESCRIBE", &with_password, "");
    assert_eq!(
        answer.field("content-base"),
        Some(format!("{url}/").as_str())
    );
}

#[test]
fn a_session_is_obeyed_by_each_form_of_its_address() {
    let folder = Folder::new("rtsp-session");
    let players = Players::open(&folder, DEMO, "");
    let (mut client, url) = (players.connect(), players.url());
    let setup = client.set_up(&url, "");
    let transport = setup.field("transport").expect("a transport");
    assert!(
        transport.starts_with("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc="),
        "{transport}"
    );
    let session = setup.field("session").expect("a session");
    assert!(session.ends_with(";timeout=60"), "{session}");
    for asked in [&url, &format!("{url}/"), &format!("{url}/trackID=0")] {
        let answer = client.ask("PLAY", asked, "Range: npt=0.000-\r\n");
        assert_eq!(
            (answer.status, answer.field("range")),
            (200, Some("npt=now-"))
        );
    }
    for method in [
        "GET_PARAMETER",
        "SET_PARAMETER",
        "OPTIONS",
        "PAUSE",
        "PLAY",
        "TEARDOWN",
    ] {
        let answer = client.ask(method, &format!("{url}/"), "");
        assert_eq!(answer.status, 200, "{method}");
        let id = client.session.trim_start_matches("Session: ").trim_end();
        assert_eq!(answer.field("session"), Some(id), "{method}");
        assert!(answer.body.is_empty(), "{method}");
    }
    assert_eq!(client.ask("PLAY", &url, "").status, 454);
}

#[test]
fn what_is_not_there_is_refused_by_its_own_status() {
    let folder = Folder::new("rtsp-statuses");
    let players = Players::open(&folder, DEMO, "");
    let url = players.url();
    let other = url.replace("/front", "/rear");
    let root = url.replace("/front", "/");
    let mut client = players.connect();
    let unknown = "Session: 0123456789abcdef\r\n";
    let backchannel = "Require: www.onvif.org/ver20/backchannel\r\n";
    for (method, url, lines, status) in [
        ("DESCRIBE", &other, "", 404),
        ("DESCRIBE", &root, "", 404),
        ("DESCRIBE", &url, "Accept: text/html\r\n", 406),
        ("DESCRIBE", &url, backchannel, 551),
        ("OPTIONS", &other, "", 200),
        ("SETUP", &other, TCP, 404),
        ("SETUP", &url, "", 400),
        (
            "SETUP",
            &url,
            "Transport: RTP/AVP;unicast;client_port=70000\r\n",
            461,
        ),
        ("SETUP", &url, "Transport: RTP/AVP;multicast\r\n", 461),
        ("SETUP", &url, "Transport: RTP/AVP/TCP;mode=record\r\n", 461),
        ("SETUP", &url, &format!("{unknown}{TCP}"), 454),
        ("PLAY", &url, "", 454),
        ("PLAY", &url, unknown, 454),
        ("PAUSE", &url, unknown, 454),
        ("TEARDOWN", &url, unknown, 454),
        ("GET_PARAMETER", &url, unknown, 454),
        ("GET_PARAMETER", &url, "", 200),
        ("SET_PARAMETER", &other, "", 200),
        ("SET_PARAMETER", &url, "Content-Length: 3\r\n\r\nx", 451),
        ("ANNOUNCE", &url, "", 405),
        ("RECORD", &url, "", 405),
        ("describe", &url, "", 501),
        ("BREW", &url, "", 501),
    ] {
        let answer = client.ask(method, url, lines);
        assert_eq!(answer.status, status, "{method} {url} {lines}");
        if status == 551 {
            let unsupported = answer.field("unsupported");
            assert_eq!(unsupported, Some("www.onvif.org/ver20/backchannel"));
        }
    }
}

#[test]
fn one_connection_has_one_session_and_all_together_so_many_as_may_be() {
    let folder = Folder::new("rtsp-sessions");
    let players = Players::open(&folder, DEMO, "max-clients = 2\n");
    let url = players.url();
    let other = url.replace("/front", "/rear");
    let mut client = players.connect();
    client.set_up(&url, "");
    for lines in [TCP, UDP] {
        assert_eq!(client.ask("SETUP", &url, lines).status, 455, "{lines}");
    }
    let session = std::mem::take(&mut client.session);
    assert_eq!(client.ask("SETUP", &url, TCP).status, 455);
    assert_eq!(client.ask("PLAY", &other, &session).status, 404);
    let mut second = players.connect();
    // Another's session is none.
    assert_eq!(second.ask("PLAY", &url, &session).status, 454);
    second.set_up(&url, "");
    let mut third = players.connect();
    assert_eq!(third.ask("SETUP", &url, TCP).status, 453);
    assert_eq!(client.ask("TEARDOWN", &url, &session).status, 200);
    third.set_up(&url, "");
    let status = players.status();
    assert_eq!(
        (&status["sessions"], &status["sessions_refused"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn numbers_and_versions_are_looked_at() {
    let folder = Folder::new("rtsp-numbers");
    let players = Players::open(&folder, DEMO, "");
    let mut client = players.connect();
    for (request, status, cseq) in [
        ("OPTIONS * RTSP/1.0\r\nCSeq: 0\r\n\r\n", 200, Some("0")),
        (
            "OPTIONS * RTSP/1.0\r\ncseq:4294967295\r\n\r\n",
            200,
            Some("4294967295"),
        ),
        ("OPTIONS * RTSP/1.0\r\n\r\n", 400, None),
        ("OPTIONS * RTSP/1.0\r\nCSeq: x\r\n\r\n", 400, None),
        (
            "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2\r\n\r\n",
            400,
            None,
        ),
        ("OPTIONS * RTSP/1.0\r\nCSeq: 99999999999\r\n\r\n", 400, None),
        ("OPTIONS * RTSP/2.0\r\nCSeq: 3\r\n\r\n", 505, Some("3")),
        (
            "OPTIONS * RTSP/1.0\r\nDate: x\r\n folded\r\nCSeq: 4\r\n\r\n",
            200,
            Some("4"),
        ),
    ] {
        client.write(request.as_bytes());
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.field("cseq")),
            (status, cseq),
            "{request}"
        );
    }
}
