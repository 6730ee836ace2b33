//! The page and what belongs to it: files of the program itself.

use hyper::StatusCode;

use super::answer::{self, Answer};

/// The file of this path, if it is one of the page's.
pub fn answer(path: &str) -> Option<Answer> {
    let (content_type, text) = match path {
        "/" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/favicon.svg" => ("image/svg+xml", include_str!("page/favicon.svg")),
        "/page.css" => ("text/css; charset=utf-8", include_str!("page/page.css")),
        "/controls.js" => (
            "text/javascript; charset=utf-8",
            include_str!("page/controls.js"),
        ),
        "/page.js" => (
            "text/javascript; charset=utf-8",
            include_str!("page/page.js"),
        ),
        _ => return None,
    };
    Some(answer::whole(StatusCode::OK, content_type, text))
}
