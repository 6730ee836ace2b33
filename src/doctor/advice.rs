//! What to make of the findings: whether the pictures can be sent, what framewire does about what is unusual in them,
//! and what a person can do about the rest.

use super::findings::{Findings, Refusal};
use super::look::Change;
use super::suggestion::is_slower;
use super::visit::{Errors, Visit};
use crate::config::{self, Device};
use crate::jpeg::{Habit, Unreadable};
use crate::rtp::Refused;
use crate::rtp::carry::MAX_SIZE;

/// In one or two sentences.
pub fn verdict(findings: &Findings, errors: Errors) -> String {
    let pictures = findings.pictures;
    if !findings.make_a_stream(errors.damaged()) {
        let refusal = findings.main_refusal();
        return match refusal.filter(|_| pictures.refused > errors.damaged()) {
            Some(Refusal { first, reason, .. }) => {
                format!("framewire cannot send these pictures: {first} ({reason}).")
            }
            None => "Most pictures come damaged from the driver.".to_owned(),
        };
    }
    let mut text = match (pictures.as_they_are, pictures.recoded) {
        (_, 0) => "framewire can send these pictures as they are".to_owned(),
        (0, _) => "framewire can send these pictures: it re-codes them without loss".to_owned(),
        (_, some) => {
            format!("framewire can send these pictures; it re-codes {some} of them without loss")
        }
    };
    if pictures.without_eoi > 0 {
        text += ", with allow-missing-eoi = true in the configuration";
    }
    if pictures.refused > 0 {
        let (refused, all) = (pictures.refused, pictures.looked_at);
        text += &format!(", except for {refused} of {all}");
    }
    if findings.whole.no_but_sendable > findings.whole.yes {
        text += ", but most of them are damaged";
    }
    text + "."
}

/// What framewire does by itself about what is unusual.
pub fn does(findings: &Findings) -> Vec<String> {
    let mut does = Vec::new();
    for kind in findings.recoding.changes.iter() {
        does.push(match kind.seen {
            Change::Huffman => "Huffman tables of its own: re-coded with the standard ones, which receivers assume. Same picture, more octets",
            Change::Grey => "Grey: sent as 4:2:2 without colour. The brightness of each pixel stays as it is",
            Change::TwoRows => "Two rows of blocks in each unit (22 12 12): sent as 21 11 11. Same picture",
        }.to_owned());
    }
    for kind in findings.habits.iter() {
        let habit = kind.seen.0;
        // That one needs a line in the configuration.
        if habit != Habit::NoEndOfImage {
            does.push(format!("{}: {habit}", habit.name()));
        }
    }
    if findings.padding_octets.most > 0 {
        does.push("Octets behind the end of a picture: not sent".to_owned());
    }
    if findings.large > 0 {
        does.push(format!(
            "More than {MAX_SIZE} pixels: the size is in the session description (framewire sdp), because packets have no room for it"
        ));
    }
    does
}

/// What a person can do.
pub fn advice(camera: &config::Camera, visit: &Visit) -> Vec<String> {
    let findings = &visit.findings;
    let mut advice = Vec::new();
    for Refusal {
        reason,
        first,
        pictures,
    } in &findings.refusals
    {
        let what = of_refusal(first, camera.device.is_camera());
        let all = findings.pictures.looked_at;
        advice.push(match *pictures == all {
            // The verdict says why.
            true => what.to_owned(),
            false => {
                format!(
                    "Refused: {pictures} of {all} pictures. The first: {first} ({reason}). {what}"
                )
            }
        });
    }
    if findings.pictures.without_eoi > 0 {
        advice.push(
            "The pictures have no EOI marker at their end, and are whole: set allow-missing-eoi = true.".to_owned(),
        );
    }
    let damaged = findings.whole.no_but_sendable;
    if let Some(fault) = &findings.whole.fault
        && damaged > 0
    {
        let all = findings.pictures.looked_at;
        advice.push(format!(
            "Sent, though not whole: {damaged} of {all} pictures. The first: {fault}. Receivers show errors in them. With verify = \"always\" they are dropped. {DAMAGE}"
        ));
    }
    if let Some((agreed, real)) = is_slower(visit.camera.as_ref(), findings) {
        advice.push(format!(
            "The camera agreed to {agreed} pictures a second and delivers {real}. Many cameras expose longer in dim light: a control such as \
             exposure_dynamic_framerate = false (framewire devices) keeps the rate."
        ));
    }
    let (width, height) = (camera.width.get(), camera.height.get());
    if let Some(agreed) = &visit.camera
        && (agreed.width, agreed.height) != (width, height)
    {
        advice.push(format!(
            "Asked for {width}x{height}, the camera chose {}x{}: framewire devices lists its sizes.",
            agreed.width, agreed.height
        ));
    }
    if camera.device.is_camera() {
        of_errors(visit.errors, &mut advice);
    } else if matches!(camera.device, Device::Replay(_)) && visit.errors.not_looked_at > 0 {
        advice.push(too_slow(visit.errors.not_looked_at));
    }
    advice.extend(visit.problem.as_ref().map(|problem| {
        format!(
            "There were no more pictures in the end: {}.",
            problem.trim_end_matches('.')
        )
    }));
    advice
}

/// What happened to pictures on their way here.
fn of_errors(errors: Errors, advice: &mut Vec<String>) {
    let damaged = errors.damaged();
    let Errors {
        lost_in_driver,
        timestamps_replaced,
        reopened,
        not_looked_at,
        ..
    } = errors;
    if damaged > 0 {
        advice.push(format!(
            "Damaged on the way, by what the driver says: {damaged} pictures. {CABLE}"
        ));
    }
    if lost_in_driver > 0 {
        advice.push(format!(
            "Missing, because the bus or this machine was too busy: {lost_in_driver} pictures. {CABLE} On a machine that stalls, more buffers \
             help (buffers = 8)."
        ));
    }
    if timestamps_replaced > 0 {
        advice.push(format!(
            "With a time of capture that cannot be: {timestamps_replaced} pictures. With uvcvideo, set its parameter clock to CLOCK_MONOTONIC, \
             its default."
        ));
    }
    if reopened > 0 {
        advice.push(format!(
            "Times that the camera failed and was opened again: {reopened}. {CABLE}"
        ));
    }
    if not_looked_at > 0 {
        advice.push(too_slow(not_looked_at));
    }
}

fn too_slow(pictures: u64) -> String {
    format!(
        "Not looked at, because this machine was too slow for it: {pictures} pictures. To send them is less work."
    )
}

/// Something is lost on the way.
const CABLE: &str =
    "Try another cable, another USB port, no hub, a better power supply, or a smaller size.";
/// The same, or the camera writes something unknown.
const DAMAGE: &str = "If that befalls some pictures only, try another cable, another USB port, no hub, a better power supply, or a smaller \
                      size. If it befalls all, try another size, and report it with the file of --save.";
/// The camera writes what cannot be carried.
const OTHERWISE: &str = "Try other sizes (--size), or newer firmware of the camera, and report it with the file of --save.";

/// After the reason itself, for pictures of a camera, or for files.
fn of_refusal(refused: &Refused, is_camera: bool) -> &'static str {
    match refused {
        Refused::Unreadable(
            Unreadable::Process(_) | Unreadable::Precision(_) | Unreadable::Scans(..),
        )
        | Refused::Scans => match is_camera {
            true => {
                "Look for a setting, another size or newer firmware of the camera, with baseline JPEG."
            }
            false => "Make baseline files of them, with jpegtran.",
        },
        Refused::Unreadable(_) | Refused::Corrupt(_) => DAMAGE,
        _ if !is_camera => "Encode the files again, with ffmpeg -pix_fmt yuvj422p.",
        Refused::Fields => "Choose a progressive mode of the camera.",
        Refused::Rgb | Refused::Components(_) => {
            "Look for a setting or newer firmware of the camera, with YCbCr colours."
        }
        Refused::Sampling(..) => {
            "Try other sizes (--size): some cameras have 4:2:2 or 4:2:0 there."
        }
        Refused::ScanSize(_) => "Ask for a smaller size or a lower quality.",
        _ => OTHERWISE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_and_files_have_other_remedies() {
        for (refused, of_camera, of_files) in [
            (Refused::Fields, "progressive", "ffmpeg"),
            (Refused::Rgb, "YCbCr", "ffmpeg"),
            (Refused::Sampling(0x11, 0x11, 0x11), "--size", "ffmpeg"),
            (Unreadable::Process(2).into(), "firmware", "jpegtran"),
            (Refused::ChrominanceTables, "newer firmware", "ffmpeg"),
            (Refused::ScanSize(1 << 24), "smaller", "ffmpeg"),
            (Unreadable::NotJpeg.into(), "cable", "cable"),
        ] {
            for (is_camera, said) in [(true, of_camera), (false, of_files)] {
                let what = of_refusal(&refused, is_camera);
                assert!(what.contains(said), "{refused}: {what}");
            }
        }
    }
}
