//! Asks the HTTP door of framewire, as a user with a password.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

const ADDRESS: &str = "127.0.0.1:8080";
const LIMIT: Duration = Duration::from_secs(20);

/// The door and a user whose name is anna, and whose password is right.
pub const CONFIG: &str = "[http]\nlisten = \"127.0.0.1:8080\"\n[[user]]\nname = \"anna\"\n\
    md5 = \"b7e8548fdd213dcfbf68be3507dc92ca\"\n\
    sha256 = \"6b4b771cc78b49a29877d13f2026c7f02c28ff8522b75b092d12f4a1325472f1\"\n";
/// The same in base64.
const CREDENTIALS: &str = "YW5uYTpyaWdodA==";

/// Status and JSON of the answer; without a `body` it is asked by GET.
pub fn ask(path: &str, body: Option<&str>) -> Result<(u16, Value), Box<dyn Error>> {
    let mut stream = TcpStream::connect(ADDRESS)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.unwrap_or_default();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic {CREDENTIALS}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let json = serde_json::from_str(body).map_err(|error| format!("{error}: {answer}"))?;
    Ok((status, json))
}
