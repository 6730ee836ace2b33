//! Which receivers show a stream, by what its packets say.
//! docs/receivers.md has what was run, and with which versions.

use serde::Serialize;

/// What a stream asks of its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// Pictures above what packets can say.
    pub large: bool,
    /// Restart markers: types 64 and 65 of RFC 2435.
    pub restarts: bool,
}

/// Receivers, and whether they show the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receiver {
    pub names: &'static str,
    pub shows: Shows,
    pub note: &'static str,
}

/// Whether a receiver shows the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// It was run.
    Yes,
    /// By its source or its documentation; it was not run.
    Probably,
    No,
}

/// All that are known.
pub fn receivers(demands: Demands) -> [Receiver; 5] {
    let Demands { large, restarts } = demands;
    let shows = |names, shows, note| Receiver { names, shows, note };
    [
        match large {
            false => shows("GStreamer, ROS 1 node", Shows::Yes, ""),
            true => shows(
                "GStreamer",
                Shows::Yes,
                "from the session description (framewire sdp), or with x-dimensions in its caps",
            ),
        },
        match large {
            false => shows(
                "mpv, ffplay, FFmpeg, OpenCV, PyAV, VLC of Debian",
                Shows::Yes,
                "",
            ),
            true => shows(
                "mpv, ffplay, FFmpeg, OpenCV (FFmpeg), PyAV, VLC of Debian",
                Shows::No,
                "FFmpeg reads the size from the packets alone, which have no room for it",
            ),
        },
        shows(
            "VLC of Windows and macOS",
            Shows::Probably,
            match large {
                false => "",
                true => "from the session description (framewire sdp)",
            },
        ),
        shows(
            "a browser, also large pictures",
            Shows::Probably,
            "by [http] in the configuration, not by RTP",
        ),
        match (large, restarts) {
            (true, _) => shows(
                "MediaMTX, go2rtc, Frigate",
                Shows::No,
                "by their source they read the size from the packets alone",
            ),
            (_, true) => shows(
                "MediaMTX, go2rtc, Frigate",
                Shows::No,
                "by their source they cannot read restart markers; restart-markers = \"remove\" takes them out",
            ),
            _ => shows(
                "MediaMTX, go2rtc, Frigate, Home Assistant",
                Shows::Probably,
                "",
            ),
        },
    ]
}
