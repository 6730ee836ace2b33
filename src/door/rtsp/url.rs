//! What a URL names: a camera, as a whole or by its only track. Queries are for others. RFC 2326 3.2, C.1.1 (control).

use rtsp_types::Url;

/// The track's name, after the camera's; some programs look for just that.
pub const TRACK: &str = "trackID=0";

/// The camera that `url` names.
pub fn camera(url: &Url) -> Option<&str> {
    of_path(url.path())
}

/// The same of the path alone.
fn of_path(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let is_known = matches!(rest, "" | TRACK) || rest.strip_suffix('/') == Some(TRACK);
    (!name.is_empty() && is_known).then_some(name)
}

/// Whether `text`, which a client has hashed as its URL, is one of the same camera: some leave the track out, some all
/// before the path.
pub fn is_of(text: &str, camera_name: &str) -> bool {
    match Url::parse(text) {
        Ok(url) => camera(&url) == Some(camera_name),
        Err(_) => of_path(text.split('?').next().unwrap_or(text)) == Some(camera_name),
    }
}

/// What the addresses in the description of `camera_name` begin with: the slash at its end is for those who only append.
pub fn base(url: &Url, camera_name: &str) -> String {
    let mut base = url.clone();
    // Fails for URLs without a host, which have no credentials.
    let _ = base.set_username("");
    let _ = base.set_password(None);
    base.set_query(None);
    base.set_fragment(None);
    base.set_path(&format!("/{camera_name}/"));
    base.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_camera_are_known() {
        for (text, expected) in [
            ("rtsp://h/front", Some("front")),
            ("rtsp://h:8554/front/", Some("front")),
            ("rtsp://u:p@h/front/trackID=0?x=/y", Some("front")),
            ("rtsp://[::1]:8554/front/trackID=0/", Some("front")),
            ("rtsp://h/front?tcp", Some("front")),
            ("rtsp://h/", None),
            ("rtsp://h", None),
            ("rtsp://h//front", None),
            ("rtsp://h/front/trackID=1", None),
            ("rtsp://h/front/stream", None),
        ] {
            assert_eq!(camera(&Url::parse(text).unwrap()), expected, "{text}");
            assert_eq!(is_of(text, "front"), expected.is_some(), "{text}");
        }
        assert!(is_of("/front", "front") && is_of("/front/?x", "front"));
        assert!(!is_of("/rear", "front") && !is_of("front", "front") && !is_of("", "front"));
    }

    #[test]
    fn the_base_has_a_slash_and_no_secrets() {
        for (text, expected) in [
            (
                "rtsp://u:p@cam.local:8554/front?x#y",
                "rtsp://cam.local:8554/front/",
            ),
            (
                "rtsp://[fe80::1]/front/trackID=0",
                "rtsp://[fe80::1]/front/",
            ),
        ] {
            assert_eq!(base(&Url::parse(text).unwrap(), "front"), expected);
        }
    }
}
