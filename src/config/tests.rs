use super::*;

const MINIMAL: &str =
    "[[camera]]\nname = \"front\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("c.toml"), text.as_bytes()).map_err(|error| error.to_string())
}

/// The minimal file with `line` put in after the camera's name.
fn with_camera_line(line: &str) -> Result<Config, String> {
    parse(&MINIMAL.replacen("\n[[camera.rtp]]", &format!("\n{line}\n[[camera.rtp]]"), 1))
}

#[test]
fn the_shipped_file_equals_the_defaults() {
    let shipped = parse(include_str!("../../config.toml")).unwrap();
    let minimal = parse(MINIMAL).unwrap();
    // Positions in the file differ, values must not.
    let values = |config: &Config| {
        let camera = &config.cameras[0];
        (
            camera.name().clone(),
            camera.fps(),
            camera.device.clone(),
            (camera.width, camera.height, camera.quality, camera.buffers),
            camera.controls.clone(),
            camera.outputs.clone(),
            config.log,
        )
    };
    assert_eq!(values(&shipped), values(&minimal));
}

#[test]
fn keys_in_comments_of_the_shipped_file_are_real() {
    let shipped = include_str!("../../config.toml");
    let uncommented: Vec<_> = shipped
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest,
            Some(rest) if rest.starts_with("[network.wifi]") => rest,
            Some(rest) if rest.starts_with("[[user]]") => rest,
            _ => line,
        })
        .collect();
    let config = parse(&uncommented.join("\n")).unwrap();
    let camera = &config.cameras[0];
    assert_eq!(camera.quality.map(Quality::get), Some(85));
    assert_eq!(camera.controls.0.len(), 2);
    assert_eq!(config.users.len(), 1);
    assert_eq!(camera.outputs[0].ssrc.map(Ssrc::get), Some(0x1234_5678));
}

#[test]
fn errors_name_file_line_column_and_what_is_allowed() {
    for (line, place, allowed) in [
        ("width = 15", "c.toml:3:9:", "16..=65535"),
        ("width = \"1280\"", "c.toml:3:9:", "16..=65535"),
        ("fps = 1001", "c.toml:3:7:", "0.1..=1000"),
        ("fps = nan", "c.toml:3:7:", "0.1..=1000"),
        ("fps = 0", "c.toml:3:7:", "replay and demo"),
        ("quality = 0", "c.toml:3:11:", "1..=100"),
        ("buffers = 2", "c.toml:3:11:", "3..=32"),
        ("buffers = 99999999999", "c.toml:3:11:", "3..=32"),
        ("device = \"video0\"", "c.toml:3:10:", "\"/dev/…\""),
        ("device = \"usb:46d:082d\"", "c.toml:3:10:", "usb:VVVV:PPPP"),
        ("device = \"bus:\"", "c.toml:3:10:", "bus:BUS"),
        (
            "restart-markers = \"drop\"",
            "c.toml:3:19:",
            "\"keep\" or \"remove\"",
        ),
        (
            "verify = \"maybe\"",
            "c.toml:3:10:",
            "\"auto\", \"always\" or \"off\"",
        ),
        ("colour = 1", "c.toml:3:1:", "`width`"),
        ("controls = { gain = 1.5 }", "c.toml:3:21:", "menu entry"),
        ("width = = 3", "c.toml:3:9:", ""),
    ] {
        let error = with_camera_line(line).unwrap_err();
        assert!(error.starts_with(place), "{line}: {error}");
        assert!(error.contains(allowed), "{line}: {error}");
        assert!(error.contains(line), "{error}");
    }
}

#[test]
fn output_errors_too() {
    for (line, allowed) in [
        ("mtu = 575", "576..=9000"),
        ("mtu = 9001", "576..=9000"),
        ("ssrc = -1", "0..=4294967295"),
        ("local-port = 65536", "0..=65535"),
        ("local_port = 1", ": did you mean `local-port`? ("),
        ("paceing = 1", ": did you mean `pacing`? ("),
        (
            "interface = eth0",
            ": a text needs quotes: write interface = \"eth0\" (",
        ),
        ("pacing = 1.01", "0..=1"),
        ("pacing = -1", "0..=1"),
        ("pacing = \"fast\"", "0..=1"),
        ("rtcp = \"yes\"", "\"on\", \"mux\" or \"off\""),
        ("rtcp = true", "\"on\", \"mux\" or \"off\""),
        ("dscp = 64", "0..=63"),
        ("dscp = \"AF44\"", "\"AF41\""),
        ("ttl = 0", "1..=255"),
        ("interface = \"a-name-of-16-chr\"", "1 to 15"),
        ("interface = \"a/b\"", "1 to 15"),
    ] {
        let error = parse(&format!("{MINIMAL}{line}\n")).unwrap_err();
        assert!(error.starts_with("c.toml:5:"), "{line}: {error}");
        assert!(error.contains(allowed), "{line}: {error}");
    }
}

#[test]
fn outputs_take_names_and_fractions() {
    let lines = "pacing = 0.5\ndscp = \"ef\"\nrtcp = \"mux\"\nttl = 8\ninterface = \"eth0.5\"\n";
    let config = parse(&format!("{MINIMAL}{lines}")).unwrap();
    let output = &config.cameras[0].outputs[0];
    assert_eq!(output.pacing.map(Pacing::share), Some(0.5));
    assert_eq!(output.dscp.traffic_class(), 46 << 2);
    assert_eq!((output.rtcp, output.ttl.get()), (Rtcp::Mux, 8));
    assert_eq!(output.interface.as_ref().unwrap().as_str(), "eth0.5");
}

#[test]
fn outputs_are_bounded() {
    let many = |count| {
        let output = |port| format!("[[camera.rtp]]\ndestination = \"h:{}\"\n", 2 * port);
        let outputs: String = (1..=count).map(output).collect();
        parse(&format!("[[camera]]\nname = \"a\"\n{outputs}"))
    };
    assert_eq!(many(MAX_OUTPUTS).unwrap().cameras[0].outputs.len(), 64);
    assert!(many(MAX_OUTPUTS + 1).unwrap_err().contains("at most 64"));
}

#[test]
fn what_several_values_say_together_is_checked() {
    assert!(parse("").unwrap_err().contains("[[camera]]"));
    let lonely = parse("[[camera]]\nname = \"a\"\n").unwrap_err();
    assert!(lonely.starts_with("c.toml:2:8:"), "{lonely}");
    assert!(lonely.contains("[[camera.rtp]]"), "{lonely}");
    let single = parse(&MINIMAL.replace("[[camera]]", "[camera]")).unwrap_err();
    assert!(
        single.starts_with("c.toml:1:1: write [[camera]],"),
        "{single}"
    );
    let single = parse(&MINIMAL.replace("[[camera.rtp]]", "[camera.rtp]")).unwrap_err();
    assert!(
        single.starts_with("c.toml:3:1: write [[camera.rtp]],"),
        "{single}"
    );
    let rtp = parse(&MINIMAL.replace("[[camera.rtp]]", "[rtp]")).unwrap_err();
    assert!(rtp.starts_with("c.toml:3:"), "{rtp}");
    assert!(rtp.contains(": write [[camera.rtp]],"), "{rtp}");
    for name in ["", "Front", "a b", "ä", &"x".repeat(33)] {
        assert!(parse(&MINIMAL.replace("front", name)).is_err(), "{name}");
    }
}

#[test]
fn text_that_is_not_utf8_is_placed() {
    let error = Config::parse(Path::new("c.toml"), b"[log]\nlevel = \"\xFF\"").unwrap_err();
    assert!(error.to_string().starts_with("c.toml:2:10: not UTF-8"));
}

#[test]
fn devices_and_destinations_in_all_forms() {
    for text in [
        "auto",
        "demo",
        "/dev/video0",
        "usb:046d:082d",
        "usb:046d:082d:A:B",
        "replay:/x/y",
    ] {
        assert_eq!(Device::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "",
        "usb:046d",
        "usb:046d:082d:",
        "replay:",
        "v4l:0",
        "/dev/video0\0",
    ] {
        assert_eq!(Device::parse(text), None, "{text}");
    }
    for text in [
        "192.168.1.20:5004",
        "[fe80::1%eth0]:5004",
        "[ff02::1]:1",
        "host.local:65535",
    ] {
        assert_eq!(Destination::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "host", "host:0", "host:+1", ":5004", "::1:5004", "[host]:1", "a b:1", "h:65536",
    ] {
        assert_eq!(Destination::parse(text), None, "{text}");
    }
}

#[test]
fn fractional_rates_are_kept() {
    let config = with_camera_line("fps = 7.5").unwrap();
    assert_eq!(config.cameras[0].fps().millihertz(), Some(7500));
    let config = with_camera_line("device = \"demo\"\nfps = 0").unwrap();
    assert_eq!(config.cameras[0].fps().millihertz(), None);
}

#[test]
fn network_values_and_their_combinations_are_checked() {
    let with = |text: &str| parse(&format!("{MINIMAL}{text}"));
    let config =
        with("[network]\naddress = \"10.0.0.2/8\"\ngateway = \"10.0.0.1\"\nvlan = 7").unwrap();
    assert_eq!(config.network.address.unwrap().to_string(), "10.0.0.2/8");
    for (text, place, allowed) in [
        (
            "[network]\naddress = \"10.0.0.2\"",
            "c.toml:6:11:",
            "prefix",
        ),
        (
            "[network]\naddress = \"10.0.0.2/33\"",
            "c.toml:6:11:",
            "prefix",
        ),
        ("[network]\ngateway = \"10.0.0.1\"", "c.toml:6:11:", "DHCP"),
        (
            "[network]\ngateway = \"::1\"\naddress = \"10.0.0.2/8\"",
            "c.toml:6:11:",
            "families",
        ),
        ("[network]\nvlan = 4095", "c.toml:6:8:", "1..=4094"),
        ("[network]\ndns = [\"x\"]", "c.toml:6:8:", ""),
        ("[system]\nhostname = \"-a\"", "c.toml:6:12:", "1 to 63"),
        ("[network.wifi]\nssid = \"a\"", "c.toml:5:1:", "country"),
        (
            "[network.wifi]\nssid = \"a\"\ncountry = \"de\"",
            "c.toml:7:11:",
            "two capital letters",
        ),
        (
            "[network.wifi]\nssid = \"a\"\ncountry = \"DE\"\npassphrase = \"short\"",
            "c.toml:8:14:",
            "8 to 63",
        ),
    ] {
        let error = with(text).unwrap_err();
        assert!(error.starts_with(place), "{text}: {error}");
        assert!(error.contains(allowed), "{text}: {error}");
    }
}

#[test]
fn a_passphrase_is_shown_to_nobody() {
    let wifi = "[network.wifi]\nssid = \"a\"\ncountry = \"DE\"\npassphrase = ";
    for value in [
        "\"5ecret\"",
        "\"5ecret5ecret",
        "5ecret5ecret",
        "[\"5ecret5ecret\"]",
        "55555555",
        "55555555555555555555555555555555",
        "5555.5555",
    ] {
        let error = parse(&format!("{MINIMAL}{wifi}{value}")).unwrap_err();
        assert!(error.starts_with("c.toml:8:"), "{error}");
        assert!(error.contains("passphrase = …"), "{error}");
        assert!(
            !error.contains("5ecret") && !error.contains("5555"),
            "{error}"
        );
    }
    let config = parse(&format!("{MINIMAL}{wifi}\"5ecret5ecret\"")).unwrap();
    assert!(!format!("{config:?}").contains("5ecret"), "{config:?}");
}

/// A user, who is on lines 6 to 9 of a file.
const USER: &str = "[[user]]\nname = \"anna\"\nmd5 = \"MD5\"\nsha256 = \"SHA256\"\n";

fn user(name: &str, md5: &str, sha256: &str) -> String {
    let user = USER.replace("MD5", md5).replace("SHA256", sha256);
    user.replace("anna", name)
}

#[test]
fn users_have_a_name_of_their_own_and_two_hashes() {
    let (md5, sha256) = ("1234567890ABCDEF".repeat(2), "fedcba0987654321".repeat(4));
    let with = |text: &str| parse(&format!("{MINIMAL}{text}"));
    let config = with(&user("anna", &md5, &sha256)).unwrap();
    assert_eq!(config.users[0].md5.as_str(), md5.to_ascii_lowercase());
    assert!(!format!("{config:?}").contains("90abcdef"), "{config:?}");
    let of = |name: &str| user(name, &md5, &sha256);
    let many: String = (0..65).map(|number| of(&number.to_string())).collect();
    for (text, place, allowed) in [
        (of("a:b"), "c.toml:6:8:", "1 to 64"),
        (of("anna") + &of("anna"), "c.toml:10:8:", "c.toml:6:8"),
        (many, "c.toml:262:8:", "at most 64"),
        (
            user("a", &md5.replace("12", "1"), &sha256),
            "c.toml:7:7:",
            "32 hex",
        ),
        (user("a", &md5, &md5), "c.toml:8:10:", "64 hex"),
        (
            user("a", &md5.replace('A', "g"), &sha256),
            "c.toml:7:7:",
            "32 hex",
        ),
        (
            of("a").replace("sha256", "password"),
            "c.toml:8:1:",
            "framewire password",
        ),
        (
            of("a").replace("sha256 ", "sha256 = 1\n#"),
            "c.toml:8:10:",
            "64 hex",
        ),
        (
            of("a").replace(&format!("\"{md5}\""), &md5),
            "c.toml:7:",
            "",
        ),
        (
            of("a").replace(&sha256, &format!("{sha256}\u{1}")),
            "c.toml:8:",
            "",
        ),
        (
            of("a").replace("[[user]]", "[user]"),
            "c.toml:5:1:",
            "[[user]]",
        ),
        (
            format!("user = [{{ name = \"a\", md5 = \"{md5}\", x = 1 }}]\n"),
            "c.toml:",
            "",
        ),
    ] {
        let error = with(&text).unwrap_err();
        assert!(error.starts_with(place), "{text}: {error}");
        assert!(error.contains(allowed), "{text}: {error}");
        for secret in ["90AB", "90ab", "dcba09"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

#[test]
fn what_editors_do_to_a_file_is_tolerated_or_named() {
    let crlf = format!(
        "\u{FEFF}{}",
        MINIMAL.replace('\n', "\r\n").replace(" = ", "\t=\t")
    );
    assert_eq!(parse(&crlf).unwrap().cameras.len(), 1);
    let error = parse(&MINIMAL.replace("\"front\"", "\u{201C}front\u{201D}")).unwrap_err();
    assert!(
        error.starts_with("c.toml:2:8: a typographic quote \u{201C}"),
        "{error}"
    );
    let error = parse(&MINIMAL.replace("name = ", "name\u{A0}= ")).unwrap_err();
    assert!(error.contains("no-break space"), "{error}");
}

#[test]
fn what_is_quoted_is_short_and_harmless() {
    for (line, place, allowed) in [
        ("K = 1", "c.toml:3:1:", "`width`"),
        ("device = \"K\"", "c.toml:3:10:", "\"demo\""),
        ("width = K", "c.toml:3:9:", ""),
        ("# K\nfps = 0", "c.toml:4:7:", "replay and demo"),
    ] {
        let error = with_camera_line(&line.replace('K', &"k".repeat(100_000))).unwrap_err();
        assert!(error.starts_with(place), "{error}");
        assert!(error.contains(allowed), "{error}");
        assert!(error.len() < 1000, "{error}");
    }
    let error = parse("a = \"\x1b[2J\x07\"\n").unwrap_err();
    assert!(!error.contains(['\x1b', '\x07']), "{error:?}");
    let error = parse(&format!("{MINIMAL}mtu = 1\0\0")).unwrap_err();
    assert!(error.starts_with("c.toml:5:8: a NUL character"), "{error}");
}
