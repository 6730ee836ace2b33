//! The text in which Prometheus reads figures: its exposition format, version 0.0.4.

use std::fmt::Display;
use std::time::Duration;

use super::seconds::seconds;
use crate::stats::latency::Cumulative;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A label and its value.
pub type Label<'a> = (&'static str, &'a str);

/// Which kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, and begins anew with the program.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations by their length.
    Histogram,
}

/// All figures.
#[derive(Debug, Default)]
pub struct Page(String);

/// The figures of one name.
pub struct Family<'p> {
    page: &'p mut Page,
    name: &'static str,
}

impl Page {
    /// Begins the figures of a name. Each name is begun once, and is there even when nothing has such a figure.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self.0.push_str(&head);
        Family { page: self, name }
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// One figure.
    pub fn sample(&mut self, labels: &[Label], value: impl Display) {
        self.line("", labels, &value);
    }

    /// The lines of a histogram, in seconds.
    pub fn histogram(&mut self, labels: &[Label], histogram: &Cumulative) {
        let lengths = histogram.shorter.iter();
        let lengths =
            lengths.map(|&(micros, count)| (seconds(Duration::from_micros(micros)), count));
        for (length, count) in lengths.chain([("+Inf".to_owned(), histogram.count)]) {
            let with_length = [labels, &[("le", &length)]].concat();
            self.line("_bucket", &with_length, &count);
        }
        self.line(
            "_sum",
            labels,
            &seconds(Duration::from_micros(histogram.sum)),
        );
        self.line("_count", labels, &histogram.count);
    }

    fn line(&mut self, ending: &str, labels: &[Label], value: &dyn Display) {
        let text = &mut self.page.0;
        text.push_str(self.name);
        text.push_str(ending);
        let mut separator = '{';
        for (name, value) in labels {
            text.push(separator);
            text.push_str(&format!("{name}=\"{}\"", escaped(value)));
            separator = ',';
        }
        if !labels.is_empty() {
            text.push('}');
        }
        text.push_str(&format!(" {value}\n"));
    }
}

/// What would end a label's value, or its line, is written in another way.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        let mut family = page.family("a_total", Kind::Counter, "What it is.");
        family.sample(&[], 1);
        family.sample(&[("one", "a\"b\\c\nd"), ("two", "ä")], 2.5);
        assert_eq!(
            page.into_text(),
            "# HELP a_total What it is.\n# TYPE a_total counter\na_total 1\na_total{one=\"a\\\"b\\\\c\\nd\",two=\"ä\"} 2.5\n"
        );
    }

    #[test]
    fn a_histogram_is_in_seconds_and_ends_with_all() {
        let histogram = Cumulative {
            shorter: vec![(16, 2), (1 << 20, 5)],
            count: 6,
            sum: 12_345_678,
        };
        let mut page = Page::default();
        page.family("a_seconds", Kind::Histogram, "x")
            .histogram(&[("camera", "front")], &histogram);
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "a_seconds_bucket{camera=\"front\",le=\"0.000016\"} 2",
                "a_seconds_bucket{camera=\"front\",le=\"1.048576\"} 5",
                "a_seconds_bucket{camera=\"front\",le=\"+Inf\"} 6",
                "a_seconds_sum{camera=\"front\"} 12.345678",
                "a_seconds_count{camera=\"front\"} 6",
            ]
        );
    }
}
