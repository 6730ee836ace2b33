use super::*;

fn parse(line: &str) -> Result<Command, String> {
    Command::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn run_is_the_default() {
    let config = Some("x.toml".into());
    let streaming = Streaming {
        frames: Some(3),
        timeout: Some(Duration::from_secs(9)),
        interval: Some(Duration::from_secs(2)),
        json: true,
    };
    let expected = Ok(Command::Run { config, streaming });
    for line in [
        "--config x.toml --frames 3 --timeout 9 --interval 2 --json",
        "run --config=x.toml --json --interval=2 --timeout=9 --frames=3",
    ] {
        assert_eq!(parse(line), expected);
    }
}

#[test]
fn each_command_takes_its_own_options() {
    assert_eq!(parse("devices --json"), Ok(Command::Devices { json: true }));
    let sdp = |stream| {
        Ok(Command::Sdp {
            config: None,
            stream: Some(stream),
        })
    };
    assert_eq!(parse("sdp front"), sdp(("front".to_owned(), None)));
    assert_eq!(parse("sdp front:2"), sdp(("front".to_owned(), Some(2))));
    assert_eq!(parse("run --help"), Ok(Command::Help));
    assert_eq!(parse("-V"), Ok(Command::Version));
}

#[test]
fn a_file_needs_no_option() {
    let streaming = Streaming::default();
    let config = Some("x.toml".into());
    assert_eq!(parse("run x.toml"), Ok(Command::Run { config, streaming }));
    let config = Some("x.toml".into());
    assert_eq!(parse("check x.toml"), Ok(Command::Check { config }));
    assert_eq!(parse("help"), Ok(Command::Help));
    assert_eq!(parse("help run"), Ok(Command::Help));
}

#[test]
fn a_camera_needs_no_file() {
    let camera = |line: &str| match parse(line) {
        Ok(Command::One { camera, .. }) => {
            let size = camera
                .size
                .map(|(width, height)| (width.get(), height.get()));
            let (device, to) = (camera.device.to_string(), camera.to.to_string());
            (device, to, size, camera.fps.and_then(Fps::millihertz))
        }
        other => panic!("{line}: {other:?}"),
    };
    let default = || "127.0.0.1:5004".to_owned();
    assert_eq!(camera("demo"), ("demo".to_owned(), default(), None, None));
    assert_eq!(camera("demo --to [::1]:6000").1, "[::1]:6000");
    assert_eq!(
        camera("run --device auto"),
        ("auto".to_owned(), default(), None, None)
    );
    let all = "run --device usb:046d:082d --to cam.local:6000 --size 640x480 --fps 7.5 --json";
    let (device, to) = ("usb:046d:082d".to_owned(), "cam.local:6000".to_owned());
    assert_eq!(camera(all), (device, to, Some((640, 480)), Some(7500)));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    for (line, named) in [
        ("stream", "stream"),
        ("--verbose", "--verbose"),
        ("chekc", "(did you mean \"check\"?)"),
        ("demo --jsno", "(did you mean '--json'?)"),
        ("demo front", "front"),
        ("run --config a b", "not \"b\" too"),
        ("run --device auto x", "not both"),
        ("run --device auto --config x", "not both"),
        ("run --device video0", "/dev/…"),
        ("run --device auto --size 640", "WIDTHxHEIGHT"),
        ("run --device auto --size 8x8", "WIDTHxHEIGHT"),
        ("run --device auto --fps 0", "needs a rate"),
        ("run --device auto --fps fast", "0.1..=1000"),
        ("run --size 640x480", "together with --device"),
        ("demo --fps 5", "--fps"),
        ("check --device auto", "--device"),
        ("demo --to 0.0.0.0:5004", "to listen on"),
        ("sdp a b", "\"b\""),
        ("sdp a:0", "a:0"),
        ("demo --config x", "--config"),
        ("run --to h:1", "--to"),
        ("check --json", "--json"),
        ("check --state x", "--state"),
        ("run --root x", "--root"),
        ("prepare", "--config"),
        ("password", "needs a USER"),
        ("password a b", "\"b\""),
        ("password a --json", "--json"),
        ("devices --frames 1", "--frames"),
        ("run --frames 0", "from 1"),
        ("run --frames x", "from 1"),
        ("check --timeout 1", "--timeout"),
        ("run --timeout 0", "from 1"),
        ("devices --interval 1", "--interval"),
        ("run --interval 0", "from 1"),
        ("run --timeout 1.5", "from 1"),
        ("demo --to nowhere", "HOST:PORT"),
        ("run --config", "--config"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(named), "{line}: {error}");
    }
}

#[test]
fn what_is_refused_is_quoted_in_one_short_line() {
    let long = "x".repeat(100_000);
    for argument in ["--a\n\x1b[2J", "a\nb", &long, &format!("--{long}")] {
        let error = Command::parse([argument.into()]).unwrap_err();
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(error.len() < 1000, "{error}");
    }
}
