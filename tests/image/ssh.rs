//! Logs in to the image by SSH, with a key it was made with and with another one.

use std::error::Error;
use std::process::{Command, Stdio};

use crate::wait_for;

/// Dropbear's client, which is on the card only when the image was made with --ssh.
pub const CLIENT: &str = "/lab/dbclient";

pub fn report() -> Result<(), Box<dyn Error>> {
    // The server may still be making its key.
    let answer = wait_for("a login", || login("owner"))?;
    let refused = login("stranger")?.is_none();
    println!("LAB SSH answer={answer} stranger-refused={refused}");
    Ok(())
}

/// What a command prints over there, in one word; `None` when there was no login.
fn login(key: &str) -> Result<Option<String>, Box<dyn Error>> {
    let output = Command::new(CLIENT)
        .args(["-y", "-y", "-i", &format!("/lab/{key}"), "root@127.0.0.1"])
        .arg("framewire check --config /boot/config.toml && mount -o remount,rw /boot && touch /boot/edited && id -u")
        .stdin(Stdio::null())
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = printed.split_whitespace().collect();
    Ok(output.status.success().then(|| words.join("-")))
}
