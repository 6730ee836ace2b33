//! Pictures one after the other in one file, each as it came, whole or not: where one ends is said, not searched.
//! RFC 2046 5.1 (multipart); the file is what MJPEG over HTTP sends (multipart/x-mixed-replace), FFmpeg's `mpjpeg`.

use std::io::{self, Write};

use bytes::Bytes;

/// What stands between the pictures that are written here.
const BOUNDARY: &str = "framewire";
/// Ends the header of a part.
const HEADER_END: &[u8] = b"\r\n\r\n";
/// The header that says how many octets a part has.
const LENGTH: &str = "content-length";

/// Writes one picture.
pub fn write(picture: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let octets = picture.len();
    write!(
        out,
        "--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {octets}\r\n\r\n"
    )?;
    out.write_all(picture)?;
    out.write_all(b"\r\n")
}

/// The pictures of a file, whoever has written it; `None` when it is none of this kind, or not to its end.
pub fn read(file: &Bytes) -> Option<Vec<Bytes>> {
    let mut pictures = Vec::new();
    let mut at = 0;
    while let Some((start, length)) = part(file.get(at..)?)? {
        let end = (at + start).checked_add(length)?;
        file.get(at + start..end)?;
        pictures.push(file.slice(at + start..end));
        at = end;
    }
    Some(pictures)
}

/// Where the first part of `rest` has its content, and of how many octets; no part at the end of the file.
fn part(rest: &[u8]) -> Option<Option<(usize, usize)>> {
    let blank = rest.iter().take_while(|octet| b"\r\n".contains(octet));
    let begin = blank.count();
    let rest = rest.get(begin..)?;
    if rest.is_empty() {
        return Some(None);
    }
    let end = memchr::memmem::find(rest.strip_prefix(b"--")?, HEADER_END);
    let Some(end) = end else {
        // The last boundary, which nothing follows.
        return rest.trim_ascii_end().ends_with(b"--").then_some(None);
    };
    let content = b"--".len() + end + HEADER_END.len();
    let header = str::from_utf8(rest.get(..content)?).ok()?;
    let length = header.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.trim().eq_ignore_ascii_case(LENGTH);
        is_length.then(|| value.trim().parse().ok())?
    })?;
    Some(Some((begin + content, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_octet_for_octet() {
        // Neither whole, nor free of what stands between parts.
        let pictures: [&[u8]; 4] = [b"", b"\xFF\xD8", b"\r\n--framewire\r\n\r\n", b"\r\n"];
        let mut file = Vec::new();
        for picture in pictures {
            write(picture, &mut file).unwrap();
        }
        let file = Bytes::from(file);
        assert_eq!(read(&file).unwrap(), pictures);
        // One that ends within a picture, or within the header of one.
        assert_eq!(read(&file.slice(..file.len() - 3)), None);
        assert_eq!(read(&file.slice(..20)), None);
    }

    #[test]
    fn files_of_others_are_read_too() {
        let file = b"\r\n--x y\r\ncontent-length:3\r\nX-Timestamp: 1\r\n\r\nabc\r\n--x y\r\nContent-Length: 0\r\n\r\n\r\n--x y--\r\n";
        assert_eq!(read(&Bytes::from_static(file)).unwrap(), [&b"abc"[..], b""]);
        for other in [
            &b"\xFF\xD8\xFF\xD9"[..],
            b"--x\r\nContent-Type: image/jpeg\r\n\r\nabc",
            b"--x\r\nContent-Length: 18446744073709551615\r\n\r\nabc",
            b"--x\r\nContent-Length: -1\r\n\r\nabc",
        ] {
            assert_eq!(read(&Bytes::from_static(other)), None, "{other:?}");
        }
    }
}
