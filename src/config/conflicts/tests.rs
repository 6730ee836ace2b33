use std::path::Path;

use crate::config::Config;

/// Two cameras with an output each; `one` and `other` follow `destination = ` on lines 5 and 10.
fn check(one: &str, other: &str) -> Result<(), String> {
    let output = |lines: &str| format!("[[camera.rtp]]\ndestination = {lines}\n");
    let camera = |name| format!("[[camera]]\nname = \"{name}\"\n\n");
    let (one, other) = (output(one), output(other));
    let text = format!("{}{one}{}{other}", camera("a"), camera("b"));
    let config = Config::parse(Path::new("c.toml"), text.as_bytes());
    config.map(drop).map_err(|error| error.to_string())
}

fn assert_refused(one: &str, other: &str, [at, and]: [&str; 2], said: &str) {
    let error = check(one, other).unwrap_err();
    assert!(error.starts_with(&format!("c.toml:{at}: ")), "{error}");
    let and = format!("; the other is c.toml:{and}\n");
    assert!(error.contains(&and), "{error}");
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_port_of_a_receiver_belongs_to_one_output() {
    for (one, other, at, and, said) in [
        ("\"h:2\"", "\"h:2\"", "10:15", "5:15", "two outputs to h:2"),
        (
            "\"Cam.Local:2\"",
            "\"cam.local.:2\"",
            "10:15",
            "5:15",
            "two outputs to cam.local.:2",
        ),
        (
            "\"[2001:db8:0::1]:2\"",
            "\"[2001:DB8::1]:2\"\ninterface = \"eth0\"",
            "10:15",
            "5:15",
            "two outputs to [2001:DB8::1]:2",
        ),
        (
            "\"[::ffff:10.0.0.1]:2\"",
            "\"10.0.0.1:2\"",
            "10:15",
            "5:15",
            "two outputs",
        ),
        (
            "\"239.1.2.3:2\"",
            "\"239.1.2.3:2\"\ninterface = \"eth0\"",
            "10:15",
            "5:15",
            "two outputs",
        ),
        (
            "\"h:2\"",
            "\"h:3\"",
            "10:15",
            "5:15",
            "port 3 of h gets the stream of one output and the RTCP reports of another",
        ),
        (
            "\"h:3\"\nrtcp = \"off\"",
            "\"h:2\"",
            "11:15",
            "5:15",
            "port 3 of h gets the stream",
        ),
    ] {
        assert_refused(one, other, [at, and], said);
    }
}

#[test]
fn a_local_port_belongs_to_one_socket() {
    for (one, other, at, and, said) in [
        (
            "\"h:2\"\nlocal-port = 7",
            "\"i:2\"\nlocal-port = 7",
            "12:14",
            "6:14",
            "local-port 7 is taken",
        ),
        (
            "\"h:2\"\nlocal-port = 7",
            "\"i:2\"\nlocal-port = 8",
            "12:14",
            "6:14",
            "local-port 8 is that of the RTCP reports",
        ),
        (
            "\"h:2\"\nlocal-port = 8",
            "\"i:2\"\nlocal-port = 7",
            "12:14",
            "6:14",
            "local-port 8 is that of the RTCP reports",
        ),
        (
            "\"h:2\"\nlocal-port = 5005",
            "\"239.1.2.3:5004\"",
            "11:15",
            "6:14",
            "local-port 5005 is that of the RTCP reports",
        ),
    ] {
        assert_refused(one, other, [at, and], said);
    }
}

#[test]
fn outputs_that_do_not_are_not() {
    for (one, other) in [
        ("\"h:2\"", "\"i:2\""),
        ("\"h:2\"", "\"h:4\""),
        ("\"h:2\"\nrtcp = \"mux\"", "\"h:3\""),
        ("\"h:2\"\nrtcp = \"off\"", "\"h:3\""),
        ("\"h:65535\"", "\"h:65534\"\nrtcp = \"off\""),
        (
            "\"239.1.2.3:2\"\ninterface = \"eth0\"",
            "\"239.1.2.3:2\"\ninterface = \"eth1\"",
        ),
        ("\"[fe80::1%eth0]:2\"", "\"[fe80::1%eth1]:2\""),
        ("\"h:2\"\nlocal-port = 0", "\"i:2\"\nlocal-port = 0"),
        ("\"h:2\"\nlocal-port = 7", "\"i:2\"\nlocal-port = 9"),
        (
            "\"h:2\"\nlocal-port = 7\nrtcp = \"off\"",
            "\"i:2\"\nlocal-port = 8",
        ),
    ] {
        assert_eq!(check(one, other), Ok(()), "{one} {other}");
    }
}

#[test]
fn destinations_that_nothing_reaches_are_refused() {
    for (destination, said) in [
        ("\"192.168.001.010:2\"", "\"192.168.001.010\" is no IPv4"),
        ("\"192.168.1:2\"", "is no IPv4 address: write four numbers"),
        ("\"10.0.0.256:2\"", "is no IPv4 address"),
        ("\"10.0.0.1.:2\"", "is no IPv4 address"),
        ("\"3232235786:2\"", "is no IPv4 address"),
        ("\"0xC0A8010A:2\"", "is no IPv4 address"),
        ("\"0.0.0.0:2\"", "0.0.0.0 is an address to listen on"),
        ("\"[::]:2\"", ":: is an address to listen on"),
        ("\"[::ffff:0.0.0.0]:2\"", "is an address to listen on"),
        ("\"255.255.255.255:2\"", "is the broadcast address"),
        ("\"[fe80::1]:2\"", "write \"[fe80::1%eth0]:2\", or set"),
        ("\"[ff02::1]:2\"", "is valid on one network interface only"),
        (
            "\"[fe80::1%eth0]:2\"\ninterface = \"eth1\"",
            "the zone \"eth0\" is not the interface \"eth1\"",
        ),
    ] {
        let error = check(destination, "\"h:2\"").unwrap_err();
        assert!(error.starts_with("c.toml:5:15: "), "{error}");
        assert!(error.contains(said), "{error}");
    }
    for destination in [
        "\"10.0.0.1:2\"",
        "\"camera-1:2\"",
        "\"1.example:2\"",
        "\"0xyz:2\"",
        "\"[fe80::1%eth0]:2\"",
        "\"[fe80::1%2]:2\"\ninterface = \"eth0\"",
        "\"[fe80::1]:2\"\ninterface = \"eth0\"",
        "\"[ff15::1]:2\"",
        "\"192.168.1.255:2\"",
    ] {
        assert_eq!(check(destination, "\"h:2\""), Ok(()), "{destination}");
    }
}

#[test]
fn other_lines_name_both_places_too() {
    let refused = |text: &str| {
        let error = Config::parse(Path::new("c.toml"), text.as_bytes()).unwrap_err();
        error.to_string()
    };
    let output = "[[camera.rtp]]\ndestination = \"h:2\"\n";
    for (text, start, end) in [
        (
            format!("[[camera]]\nname = \"a\"\n{output}[[camera]]\nname = \"a\"\n{output}"),
            "c.toml:6:8: camera name \"a\" is taken",
            "; the other is c.toml:2:8\n",
        ),
        (
            format!("[[camera]]\nname = \"a\"\ndevice = \"auto\"\nfps = 0\n{output}"),
            "c.toml:4:7: fps 0",
            "; the other is c.toml:3:10\n",
        ),
        (
            format!(
                "[[camera]]\nname = \"a\"\n{output}[network]\ngateway = \"::1\"\naddress = \"10.0.0.2/8\""
            ),
            "c.toml:6:11: gateway and address",
            "; the other is c.toml:7:11\n",
        ),
    ] {
        let error = refused(&text);
        assert!(error.starts_with(start) && error.contains(end), "{error}");
    }
}

#[test]
fn a_camera_for_players_alone_is_right_and_each_door_has_its_own_port() {
    let check = |doors: &str| {
        let text = format!("[[camera]]\nname = \"a\"\non-demand = true\n{doors}");
        let config = Config::parse(Path::new("c.toml"), text.as_bytes());
        config.map(drop).map_err(|error| error.to_string())
    };
    let rtsp = "[rtsp]\nlisten = [\"[::]:8554\", \"127.0.0.1:8080\"]\n";
    assert_eq!(check(rtsp), Ok(()));
    assert!(check("").unwrap_err().contains("nobody could ask"));
    for (listen, is_right) in [("[::]:8080", true), ("127.0.0.1:8080", false)] {
        let error = check(&format!("{rtsp}[http]\nlisten = \"{listen}\"\n")).err();
        let said = "c.toml:7:10: [http] and [rtsp] listen on 127.0.0.1:8080: each needs its own port; the other is c.toml:5:10\n";
        assert_eq!(error.is_none(), is_right, "{error:?}");
        assert!(is_right || error.is_some_and(|error| error.starts_with(said)));
    }
}
