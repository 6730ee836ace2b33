//! What `--help` prints, and the words in it that the command line knows.

/// What `--help` prints.
pub const HELP: &str = "\
framewire - streams MJPEG cameras as RTP/JPEG (RFC 2435)

Usage: framewire [COMMAND] [OPTIONS]

Commands:
  run       stream every camera of the configuration (the default)
  demo      stream a built-in test pattern; needs no camera and no configuration
  check     read the configuration and say what is wrong with it
  devices   list capture devices with their formats and controls
  doctor    look at the pictures of one camera and say what they are like, whether
            they can be sent, and what to do: doctor [DEVICE]
  sdp       print the session description for a player: sdp [CAMERA[:OUTPUT]],
            OUTPUT counts a camera's [[camera.rtp]] from 1
  prepare   at the boot of a flashed image: put the configuration of the boot
            partition into force, network and host name included
  password  print the [[user]] block of a user: password USER asks for the
            password, or reads it from a pipe, one line
  help      print this help

Options:
  --config FILE       configuration (run, check, sdp, prepare); for run and check
                      FILE alone will do; without it ./config.toml is read, then
                      /etc/framewire/config.toml
  --device DEVICE     stream this camera, without a configuration (run): auto,
                      /dev/video0, or what 'framewire devices' prints
  --to HOST:PORT      destination (demo, run --device); default 127.0.0.1:5004
  --size WxH          picture size asked of the camera (run --device, doctor)
  --fps N             frame rate asked of the camera (run --device, doctor)
  --http HOST:PORT    where the page for browsers is (demo, run --device); demo
                      has it at 127.0.0.1:8080, or the next port that is free
  --no-http           no page (demo)
  --rtsp HOST:PORT    where players find the camera (demo, run --device); demo
                      has it at 127.0.0.1:8554, or the next port that is free
  --no-rtsp           nothing for players to ask for (demo)
  --frames N          end after N frames of each camera were taken for sending,
                      whether or not somebody listens (run, demo); look at N
                      pictures, default 60 (doctor)
  --save FILE         keep three pictures for a bug report in the new file FILE
                      (doctor)
  --timeout SECONDS   end after so long (run, demo)
  --interval SECONDS  time from one summary to the next (run, demo)
  --json              print JSON instead of text (run, demo, devices, doctor);
                      with --interval an object for each summary too
  --state DIR         where the last good configuration is kept (prepare)
  --root DIR          write below DIR instead of / and leave the system alone
                      (prepare)
  -h, --help          print this help
  -V, --version       print the version

Exit codes: 0; 78 for a wrong configuration or usage; 1 for other failures, also
when the configuration is missing or cannot be read, and when doctor finds that
the pictures cannot be sent.
";

/// Every command that `--help` lists.
pub const COMMANDS: [&str; 9] = [
    "run", "demo", "check", "devices", "doctor", "sdp", "prepare", "password", "help",
];
/// Every long option that it lists.
pub const OPTIONS: [&str; 18] = [
    "config", "device", "to", "size", "fps", "http", "no-http", "rtsp", "no-rtsp", "frames",
    "timeout", "interval", "save", "json", "state", "root", "help", "version",
];
