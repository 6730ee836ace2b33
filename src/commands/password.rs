//! `password`: prints the `[[user]]` block of a user, with hashes of a password that is asked for.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use super::failure::Failure;
use super::terminal::Silent;
use crate::config::{User, UserName};

/// Longest password in octets.
const MAX_PASSWORD: usize = 256;
/// Octets of the longest line that is read: a password, and what ends the line.
const MAX_LINE: u64 = 260;

/// Asks at a terminal, otherwise reads a line, and prints the block for `name`.
pub fn password(name: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let name = UserName::new(name).map_err(Failure::config)?;
    let password = if io::stdin().is_terminal() {
        ask(&name)?
    } else {
        read(&mut io::stdin().lock())?
    };
    let user = User::new(name, &password);
    writeln!(
        out,
        "[[user]]\nname = \"{}\"\nmd5 = \"{}\"\nsha256 = \"{}\"",
        user.name.as_str(),
        user.md5.as_str(),
        user.sha256.as_str()
    )?;
    Ok(())
}

/// Twice, because nobody sees what is typed. What is printed may go to a file, so the questions do not go there.
fn ask(name: &UserName) -> Result<String, Failure> {
    let terminal = Silent::begin()?;
    let line = |question: String| {
        io::stderr().write_all(question.as_bytes())?;
        terminal.wait()?;
        read(&mut io::stdin().lock())
    };
    let password = line(format!("Password of {}: ", name.as_str()))?;
    if line("The same again: ".to_owned())? == password {
        Ok(password)
    } else {
        Err(Failure::other("the two passwords differ: try again"))
    }
}

/// One line that can be a password.
fn read(input: &mut impl BufRead) -> Result<String, Failure> {
    let mut octets = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut octets)?;
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let problem = if line.len() > MAX_PASSWORD {
        format!("the password is too long: at most {MAX_PASSWORD} octets")
    } else {
        match std::str::from_utf8(line) {
            Ok("") => "no password: type one, or give it as one line of standard input".to_owned(),
            Ok(text) if text.contains(char::is_control) => {
                "the password has a control character: no browser can send it".to_owned()
            }
            Ok(text) => return Ok(text.to_owned()),
            Err(_) => "the password is no UTF-8 text".to_owned(),
        }
    };
    Err(Failure::other(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut line: &[u8]) -> Result<String, String> {
        read(&mut line).map_err(|failure| failure.message)
    }

    #[test]
    fn a_password_is_one_line_of_text() {
        let longest = "x".repeat(MAX_PASSWORD);
        for (line, password) in [
            ("secret\n", "secret"),
            ("secret", "secret"),
            ("a b:\"\\ü\r\nmore\n", "a b:\"\\ü"),
            (&format!("{longest}\r\n"), &longest),
        ] {
            assert_eq!(of(line.as_bytes()).as_deref(), Ok(password));
        }
        for (line, problem) in [
            (&b""[..], "no password"),
            (b"\nx", "no password"),
            (b"a\x1bb\n", "control"),
            (b"\xff\n", "UTF-8"),
            (&[b'x'; MAX_PASSWORD + 1], "at most 256"),
            (&[b'x'; 100_000], "at most 256"),
        ] {
            assert!(of(line).unwrap_err().contains(problem), "{problem}");
        }
    }
}
