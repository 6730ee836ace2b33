//! The report for people: the verdict first, then what was seen, then what to do.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::findings::Findings;
use super::look::Huffman;
use super::receivers::Shows;
use super::report::Report;
use super::tally::{Spread, Tally};

/// Columns of a terminal that text takes, and those of the labels.
const COLUMNS: usize = 100;
const LABEL: usize = 16;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "{}\n", self.who())?;
        wrapped(f, "", &self.verdict)?;
        writeln!(f)?;
        for (label, text) in self.rows() {
            wrapped(f, &format!("  {label:<LABEL$}"), &text)?;
        }
        list(f, "What framewire does about it:", &self.does)?;
        list(f, "What you can do:", &self.advice)?;
        if !self.receivers.is_empty() {
            writeln!(
                f,
                "\nWho shows the stream (docs/receivers.md has a line for each):"
            )?;
        }
        for receiver in &self.receivers {
            let shows = match receiver.shows {
                Shows::Yes => "yes",
                Shows::Probably => "yes, not tried",
                Shows::No => "no",
            };
            let note = match receiver.note {
                "" => String::new(),
                note => format!(": {note}"),
            };
            wrapped(
                f,
                &format!("  {shows:<LABEL$}"),
                &format!("{}{note}", receiver.names),
            )?;
        }
        if let Some(config) = &self.config {
            write!(f, "\nFor config.toml:\n\n{config}")?;
        }
        Ok(())
    }
}

impl Report {
    fn who(&self) -> String {
        let looked = self.findings.pictures.looked_at;
        match &self.camera {
            Some(camera) => format!(
                "{}: {} (driver {}, {}). {looked} pictures were looked at.",
                camera.node.display(),
                camera.card,
                camera.driver,
                camera.format
            ),
            None => format!("{}: {looked} pictures were looked at.", self.device),
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let findings = &self.findings;
        let mut rows = vec![
            ("size", self.size()),
            ("rate", self.rate()),
            (
                "colour sampling",
                kinds(&findings.samplings, |seen| seen.to_string()),
            ),
            ("quantization", quantization(findings)),
            ("Huffman tables", huffman(findings)),
            ("restart markers", restarts(findings)),
            ("padding", padding(findings)),
            ("habits", habits(findings)),
            ("whole", whole(findings)),
            ("errors", self.errors()),
            ("each picture", each_picture(findings)),
        ];
        if let Some(rate) = self.megabits_per_second {
            rows.push(("network", format!("{rate} Mbit/s for each destination")));
        }
        rows.push(("memory", self.memory()));
        rows.retain(|(_, text)| !text.is_empty());
        rows
    }

    fn size(&self) -> String {
        let asked = format!("{}x{}", self.asked.width, self.asked.height);
        let seen = kinds(&self.findings.sizes, |seen| seen.to_string());
        match self.camera {
            Some(_) if seen != asked && !seen.is_empty() => format!("{seen} (asked for {asked})"),
            _ => seen,
        }
    }

    fn rate(&self) -> String {
        let asked = self.asked.fps;
        let Some(rate) = self.findings.rate else {
            return match asked > 0.0 {
                true => "unknown: too few pictures came one after the other".to_owned(),
                false => "none: as fast as they are taken".to_owned(),
            };
        };
        let Some(camera) = &self.camera else {
            return format!("{asked} pictures a second, as asked: there is no camera");
        };
        let agreed = camera
            .fps
            .map_or_else(String::new, |fps| format!(", agreed {fps}"));
        format!(
            "{:.2} pictures a second (asked for {asked}{agreed}); from one to the next {} ms ({} to {}, jitter {})",
            rate.fps,
            milliseconds(rate.median),
            milliseconds(rate.shortest),
            milliseconds(rate.longest),
            milliseconds(rate.jitter),
        )
    }

    fn errors(&self) -> String {
        let errors = self.errors;
        let counts = [
            (errors.flagged, "marked as damaged by the driver"),
            (errors.flagged_but_whole, "marked so, but whole"),
            (errors.empty, "empty"),
            (errors.lost_in_driver, "lost before they got here"),
            (errors.timestamps_replaced, "with a time that cannot be"),
            (errors.reopened, "times opened again"),
            (errors.not_looked_at, "not looked at"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match counts.is_empty() {
            true => "none".to_owned(),
            false => counts.join(", "),
        }
    }

    fn memory(&self) -> String {
        let Some(camera) = &self.camera else {
            return String::new();
        };
        let recoding = match self.findings.pictures.recoded {
            0 => "",
            _ => ", and one of framewire's own for re-coding",
        };
        format!(
            "{} buffers of {} in the driver, {} in all{recoding}",
            camera.buffers,
            amount(camera.buffer_octets),
            amount(camera.buffers.saturating_mul(camera.buffer_octets)),
        )
    }
}

fn quantization(findings: &Findings) -> String {
    let text = kinds(&findings.quantization, |seen| {
        let tables = match seen.tables {
            1 => "1 table".to_owned(),
            count => format!("{count} tables"),
        };
        let wide = match seen.bits {
            16 => " with values of 16 bits",
            _ => "",
        };
        match seen.standard_quality {
            Some(quality) => format!("{tables}{wide}, the standard ones for quality {quality}"),
            None => format!("{tables} of its own{wide}, sent with each picture"),
        }
    });
    text + &changes(findings.table_changes.quantization)
}

fn huffman(findings: &Findings) -> String {
    let text = kinds(&findings.huffman, |seen| {
        match seen {
            Huffman::Absent => "none in the picture, the standard ones are meant",
            Huffman::Standard => "the standard tables",
            Huffman::Own => "tables of its own",
        }
        .to_owned()
    });
    // What changes between pictures with and without the standard ones is nothing.
    let has_own = findings
        .huffman
        .iter()
        .any(|kind| kind.seen == Huffman::Own);
    match has_own {
        true => text + &changes(findings.table_changes.huffman),
        false => text,
    }
}

fn changes(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!("; they changed {count} times"),
    }
}

fn restarts(findings: &Findings) -> String {
    kinds(&findings.restarts, |seen| match seen.restart_interval {
        0 => "none".to_owned(),
        interval => format!("one after each {interval} units (MCUs)"),
    })
}

fn padding(findings: &Findings) -> String {
    match findings.padding_octets {
        Spread { most: 0, .. } if findings.sizes.kinds() == 0 => String::new(),
        Spread { most: 0, .. } => "none".to_owned(),
        padding => format!("{} octets behind the end of a picture", range(padding)),
    }
}

fn habits(findings: &Findings) -> String {
    let names: Vec<String> = findings
        .habits
        .iter()
        .map(|kind| format!("{} in {}", kind.seen.0.name(), kind.pictures))
        .collect();
    match names.is_empty() {
        true if findings.sizes.kinds() == 0 => String::new(),
        true => "none: written as JPEG says".to_owned(),
        false => names.join(", "),
    }
}

fn whole(findings: &Findings) -> String {
    let whole = &findings.whole;
    let looked = findings.pictures.looked_at;
    if whole.unknown == looked {
        return "unknown: they cannot be read so far".to_owned();
    }
    let mut text = format!("{} of {looked}: every code in them was read", whole.yes);
    if let Some(fault) = &whole.fault {
        text += &format!("; not whole: {} ({fault})", whole.no);
    }
    if whole.unknown > 0 {
        text += &format!("; not to be read so far: {}", whole.unknown);
    }
    text
}

fn each_picture(findings: &Findings) -> String {
    let octets = findings.octets;
    if octets.most == 0 {
        return String::new();
    }
    let mut text = amount(octets.mean);
    if octets.least < octets.most {
        text += &format!(" ({} to {})", amount(octets.least), amount(octets.most));
    }
    if findings.sendable() > 0 {
        text += &format!(", in {} packets", range(findings.packets));
    }
    let recoding = &findings.recoding;
    if recoding.octets_before > 0 {
        let percent = (100 * recoding.octets_after).div_ceil(recoding.octets_before);
        text += &format!(", re-coded to {percent} % of its octets");
    }
    text
}

/// The kinds with what they are called; with numbers when there are several.
fn kinds<T: PartialEq>(tally: &Tally<T>, called: impl Fn(&T) -> String) -> String {
    let texts: Vec<String> = tally
        .iter()
        .map(|kind| match tally.kinds() {
            1 => called(&kind.seen),
            _ => format!("{} in {}", called(&kind.seen), kind.pictures),
        })
        .collect();
    texts.join(", ")
}

fn range(spread: Spread) -> String {
    match spread.least == spread.most {
        true => spread.most.to_string(),
        false => format!("{} to {}", spread.least, spread.most),
    }
}

/// Octets, rounded.
fn amount(octets: usize) -> String {
    match octets {
        0..1000 => format!("{octets} octets"),
        1000..1_000_000 => format!("{}.{} kB", octets / 1000, octets % 1000 / 100),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

fn list(f: &mut Formatter, title: &str, lines: &[String]) -> fmt::Result {
    if !lines.is_empty() {
        writeln!(f, "\n{title}")?;
    }
    lines.iter().try_for_each(|line| wrapped(f, "  - ", line))
}

/// `text` behind `label`, in lines of [`COLUMNS`], all of which begin below its first word.
fn wrapped(f: &mut Formatter, label: &str, text: &str) -> fmt::Result {
    let indent = label.chars().count();
    let mut line = label.to_owned();
    let mut column = indent;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent && column + 1 + width > COLUMNS {
            writeln!(f, "{line}")?;
            line = " ".repeat(indent);
            column = indent;
        }
        if column > indent {
            line.push(' ');
            column += 1;
        }
        line += word;
        column += width;
    }
    writeln!(f, "{line}")
}
