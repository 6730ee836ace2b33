//! Whether a request that changes something comes from our own page, or from no page at all: a browser sends the user's
//! password along with what any other page has it send. Fetch Standard (Origin, CORS-preflight), Fetch Metadata (Sec-Fetch-Site).

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{StatusCode, Uri};

/// The site of whoever has sent a request, as browsers tell it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The type that no form of another page can send unasked.
const JSON: &str = "application/json";

/// Why a request with these fields changes nothing, if so.
pub fn refusal(fields: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let site = fields.get(SEC_FETCH_SITE).map(|site| site.as_bytes());
    if !matches!(site, None | Some(b"same-origin" | b"none")) || !is_own(fields) {
        let problem = "this comes from a page of another server";
        return Some((StatusCode::FORBIDDEN, problem));
    }
    (!is_json(fields)).then_some((
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Content-Type: application/json is needed",
    ))
}

/// Whether the page, if it is one, was opened under the name that is asked now.
fn is_own(fields: &HeaderMap) -> bool {
    let Some(origin) = fields.get(header::ORIGIN) else {
        return true;
    };
    let text = |field: Option<&header::HeaderValue>| field?.to_str().ok().map(str::to_owned);
    let origin = text(Some(origin)).and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority);
    let host = text(fields.get(header::HOST));
    authority.is_some_and(|authority| {
        host.is_some_and(|host| authority.as_str().eq_ignore_ascii_case(&host))
    })
}

fn is_json(fields: &HeaderMap) -> bool {
    let mut types = fields.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return false;
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let (kind, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    kind.trim().eq_ignore_ascii_case(JSON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(fields: &[(&str, &str)]) -> u16 {
        let fields = fields.iter().map(|(name, value)| {
            let name = name.parse::<HeaderName>().unwrap();
            (name, value.parse().unwrap())
        });
        refusal(&fields.collect()).map_or(200, |(status, _)| status.as_u16())
    }

    #[test]
    fn only_our_own_page_and_programs_change_something() {
        let host = ("host", "Camera.local:8080");
        let json = ("content-type", "application/json");
        for (more, expected) in [
            (&[json][..], 200),
            (&[("content-type", "application/json; charset=utf-8")], 200),
            (&[], 415),
            (&[("content-type", "text/plain")], 415),
            (
                &[("content-type", "application/x-www-form-urlencoded")],
                415,
            ),
            (&[("content-type", "text/plain; application/json")], 415),
            (&[json, ("sec-fetch-site", "same-origin")], 200),
            (&[json, ("sec-fetch-site", "none")], 200),
            (&[json, ("sec-fetch-site", "same-site")], 403),
            (&[json, ("sec-fetch-site", "cross-site")], 403),
            (&[json, ("origin", "http://camera.local:8080")], 200),
            (&[json, ("origin", "http://camera.local:8081")], 403),
            (&[json, ("origin", "http://camera.local")], 403),
            (&[json, ("origin", "https://evil.example")], 403),
            (&[json, ("origin", "null")], 403),
            (&[json, ("origin", "")], 403),
        ] {
            assert_eq!(status(&[&[host], more].concat()), expected, "{more:?}");
        }
        assert_eq!(status(&[json, ("origin", "http://camera.local")]), 403);
    }
}
