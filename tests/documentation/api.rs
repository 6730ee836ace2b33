//! docs/api.md: each path, key and figure of the door has its row, and each row is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::counters::keys;
use super::pages::{ROOT, page};
use crate::support::folder::Folder;
use crate::support::http::{Door, free_port};
use crate::support::program::receiver;

/// The cells of the rows below `heading` whose first cell is code, without the marks of code.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let sections = page("docs/api.md").sections();
    let mut sections = sections.into_iter();
    let (_, _, text) = sections
        .find(|(_, found, _)| found == heading)
        .unwrap_or_else(|| panic!("no section {heading}"));
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect()
}

fn first_cells(heading: &str) -> BTreeSet<String> {
    let rows = rows(heading).into_iter();
    rows.map(|mut row| row.swap_remove(0)).collect()
}

/// The program with a camera that somebody receives and somebody watches, and the picture that was seen.
struct House {
    door: Door,
    _receiver: std::net::UdpSocket,
    _folder: Folder,
}

impl House {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (receiver, port) = receiver();
        let camera = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n\
             [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nrtcp = \"off\"\n\
             [rtsp]\nlisten = \"127.0.0.1:{}\"\n",
            free_port()
        );
        let door = Door::open(&folder, &camera);
        door.waits_for("streaming");
        Self {
            door,
            _receiver: receiver,
            _folder: folder,
        }
    }
}

#[test]
fn each_path_has_its_row_and_each_row_its_path() {
    let house = House::new("api-paths");
    for row in rows("HTTP") {
        let path = row[0].replace("NAME", "front");
        let content_type = match path.contains("stream") {
            true => {
                let pictures = house.door.stream(&path);
                pictures.answer.field("content-type").map(str::to_owned)
            }
            false => {
                let answer = house.door.get(&path);
                assert_eq!(answer.status, 200, "{path}");
                answer.field("content-type").map(str::to_owned)
            }
        };
        assert_eq!(content_type.as_ref(), Some(&row[1]), "{path}");
    }
    assert_eq!(first_cells("HTTP"), paths());
}

/// The texts that the door compares paths with: those before the arrow of an arm.
fn paths() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for file in ["routes.rs", "page.rs"] {
        let source = fs::read_to_string(Path::new(ROOT).join("src/door").join(file)).unwrap();
        let arms = source.lines().map(str::trim).filter_map(|line| {
            let (pattern, _) = line.split_once(" =>")?;
            line.starts_with('"').then(|| pattern.to_owned())
        });
        for pattern in arms {
            let texts = pattern.split('"').skip(1).step_by(2);
            paths.extend(texts.map(|text| match text.chars().next() {
                Some('/') => text.to_owned(),
                Some('.') => format!("/NAME{text}"),
                _ => format!("/NAME/{text}"),
            }));
        }
    }
    // Its name is amid the path.
    let source = fs::read_to_string(Path::new(ROOT).join("src/door/controls.rs")).unwrap();
    for part in [
        "strip_prefix(\"/api/cameras/\")",
        "strip_suffix(\"/controls\")",
    ] {
        assert!(source.contains(part), "{part}");
    }
    paths.insert("/api/cameras/NAME/controls".to_owned());
    paths
}

#[test]
fn the_fields_of_a_part_are_those_of_the_page() {
    let house = House::new("api-fields");
    let (head, _) = house.door.stream("/stream").described().expect("a picture");
    let fields: BTreeSet<String> = head.into_iter().map(|(name, _)| name).collect();
    let documented = rows("Streams").into_iter().map(|row| row[0].to_lowercase());
    let documented: BTreeSet<String> = documented.filter(|cell| !cell.contains('=')).collect();
    assert_eq!(documented, fields);
}

#[test]
fn each_key_of_the_status_has_its_row_and_each_row_its_key() {
    let house = House::new("api-status");
    let mut pictures = house.door.stream("/front/stream");
    assert!(pictures.described().is_some());
    let status = house.door.status();
    let camera = &status["cameras"][0];
    let is = |heading: &str, object: &Value| assert_eq!(first_cells(heading), keys(object));
    is("Status", &status);
    is("Viewers", &camera["viewers"]);
    let controls = house.door.get("/api/cameras/front/controls");
    let controls: Value = serde_json::from_slice(&controls.body).expect("JSON");
    is("Controls", &controls);
    is("Connections", &status["http"]);
    is("Clients", &status["http"]["clients"][0]);
    is("Players", &status["rtsp"]);
    let counters = super::counters::rows("Of a camera");
    assert_eq!(&counters | &first_cells("Cameras"), keys(camera));
    assert!(counters.is_disjoint(&first_cells("Cameras")));
    let version = rows("Status").remove(0);
    assert!(version[1].ends_with(&format!(": {}", status["version"])));
}

#[test]
fn each_key_of_a_control_has_its_row_and_each_row_its_key() {
    let control = framewire::panel::Control {
        id: 1,
        is_wide: false,
        name: String::new(),
        short_name: None,
        kind: framewire::panel::Kind::Menu,
        minimum: 0,
        maximum: 0,
        step: 1,
        default: 0,
        value: None,
        read_only: false,
        inactive: false,
        grabbed: false,
        menu: Vec::new(),
        configured: Some(framewire::config::ControlValue::Integer(1)),
        kept: Some(framewire::config::ControlValue::Boolean(true)),
    };
    let there = keys(&serde_json::to_value(control).unwrap());
    assert_eq!(first_cells("A control"), there);
}

#[test]
fn each_figure_has_its_row_and_each_row_its_figure() {
    let house = House::new("api-metrics");
    let text = house.door.get("/metrics").text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let printed: BTreeMap<String, String> = types
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    let metrics = rows("Metrics").into_iter().filter(|row| row.len() == 4);
    let documented = metrics.clone().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(documented.collect::<BTreeMap<_, _>>(), printed);
    let labels = rows("Metrics").into_iter().filter(|row| row.len() == 2);
    let labels: BTreeSet<String> = labels.map(|row| row[0].clone()).collect();
    let mut used = BTreeSet::new();
    for row in metrics {
        let samples = text.lines().filter_map(|line| line.strip_prefix(&row[0]));
        let mut samples = samples.map(|rest| rest.trim_start_matches("_bucket"));
        let sample = samples.find(|rest| rest.starts_with(['{', ' ']));
        let expected: Vec<&str> = row[2]
            .split(", ")
            .filter(|label| *label != "none")
            .collect();
        used.extend(expected.iter().map(|label| (*label).to_owned()));
        // There is no receiver here.
        if let Some(sample) = sample {
            let names = sample
                .split("=\"")
                .map(|part| part.rsplit(['{', ',']).next().unwrap());
            let names: Vec<&str> = names.collect();
            assert_eq!(names[..names.len() - 1], expected, "{sample}");
        }
    }
    assert_eq!(labels, used);
}
