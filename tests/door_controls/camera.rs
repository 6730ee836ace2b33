//! A door with a camera behind it that has three controls, and does with them as it is told or not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use framewire::config::{Config, ControlValue, Controls, Discovery, User, UserName};
use framewire::directory::Entry;
use framewire::door::{Behind, Bound, Door, Ways, bind};
use framewire::kept::Shelf;
use framewire::panel::{Control, Kind, MenuItem, Order, Outcome, Panel, Refusal};
use framewire::stats::Stats;
use framewire::viewers::Viewers;
use serde_json::Value;

use super::PATH;
use super::answers::basic;
use super::support::folder::Folder;
use super::support::http::Answer;

#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    Willing,
    /// Sets nothing.
    Refusing,
    /// Is not there.
    Away,
    /// Does not look at what is asked.
    Silent,
}

pub struct House {
    _door: Door,
    port: u16,
    state: PathBuf,
    panel: Arc<Panel>,
    stop: Arc<AtomicBool>,
    camera: Option<JoinHandle<()>>,
}

impl House {
    pub fn new(folder: &Folder, users: &[&str], manner: Manner) -> Self {
        let text = "[[camera]]\nname = \"front\"\n[camera.controls]\nbrightness = 140\n\
                    [http]\nlisten = \"127.0.0.1:1\"\n";
        let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let user = |name: &&str| User::new(UserName::new(name).expect("a name"), "right");
        let users: Vec<User> = users.iter().map(user).collect();
        let state = folder.0.join("state");
        let _ = std::fs::create_dir(&state);
        let (stats, panel) = (Arc::<Stats>::default(), Arc::<Panel>::default());
        if manner == Manner::Away {
            stats.source_missing("unplugged");
        }
        let behind = Behind {
            shelf: Shelf::at(state.clone()),
            ..Behind::default()
        };
        behind.directory.set(vec![Entry {
            config: Arc::new(config.cameras[0].clone()),
            stats,
            viewers: Arc::new(Viewers::new().expect("a bell")),
            panel: panel.clone(),
        }]);
        let http = config.http.expect("a door");
        let quiet = Discovery { mdns: false };
        let ways = Ways {
            http: Some(http),
            rtsp: None,
            discovery: quiet,
        };
        let bound = Bound {
            http: vec![listener],
            ..Bound::default()
        };
        let door = Door::open(ways, &users, bound, behind, Instant::now());
        let stop = Arc::new(AtomicBool::new(false));
        let camera = thread::spawn({
            let (panel, stop) = (panel.clone(), stop.clone());
            move || serve(&panel, manner, &stop)
        });
        Self {
            _door: door,
            port,
            state,
            panel,
            stop,
            camera: Some(camera),
        }
    }

    pub fn ask(&self, method: &str, path: &str, lines: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n{body}"
        );
        // The door may close before it has read a body that it refuses.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Answer::begin(stream);
        let _ = answer.rest.read_to_end(&mut answer.body);
        answer
    }

    /// As Anna, and as a program would.
    fn json(&self, method: &str, body: &str) -> (u16, Value) {
        let anna = basic("anna", "right");
        let lines = format!("Authorization: {anna}\r\nContent-Type: application/json\r\n");
        let answer = self.ask(method, PATH, &lines, body);
        assert_eq!(answer.field("content-type"), Some("application/json"));
        let json = serde_json::from_slice(&answer.body).expect("JSON");
        (answer.status, json)
    }

    pub fn get(&self) -> (u16, Value) {
        self.json("GET", "")
    }

    pub fn post(&self, body: &str) -> (u16, Value) {
        self.json("POST", body)
    }

    /// What is kept for the camera `name`.
    pub fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.state.join(format!("{name}.toml"))).ok()
    }

    /// This is kept from before.
    pub fn keeps(&self, text: &str) {
        std::fs::write(self.state.join("front.toml"), text).expect("a file");
        let hue = ("hue".to_owned(), ControlValue::Integer(3));
        self.panel.keep(Controls(vec![hue]));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.camera.take().map(JoinHandle::join);
    }
}

fn serve(panel: &Panel, manner: Manner, stop: &AtomicBool) {
    let menu = ["Auto", "Manual \"M\""];
    let mut controls = vec![
        control("brightness", Some("bright"), Kind::Integer, (255, 128), &[]),
        control("mode", None, Kind::Menu, (1, 0), &menu),
        control("flip", None, Kind::Boolean, (1, 0), &[]),
    ];
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(5));
        if matches!(manner, Manner::Silent | Manner::Away) {
            continue;
        }
        while let Some(order) = panel.take() {
            let outcome = match manner {
                Manner::Refusing if !order.settings.is_empty() => {
                    Err(Refusal::Failed("it does not want to".to_owned()))
                }
                _ => obey(&order, &mut controls),
            };
            panel.answer(&order, outcome, Some(controls.clone()));
        }
    }
}

fn obey(order: &Order, controls: &mut [Control]) -> Outcome {
    for (name, value) in &order.settings {
        let control = controls.iter_mut().find(|control| control.is(name));
        let wrong = |problem: &str| Refusal::Wrong(format!("{name}: {problem}"));
        let control = control.ok_or_else(|| wrong("no such control"))?;
        let number = match value {
            // As the configuration above has it.
            None if control.name == "brightness" => 140,
            None => control.default,
            Some(ControlValue::Integer(number)) => *number,
            Some(ControlValue::Boolean(on)) => i64::from(*on),
            Some(ControlValue::Item(name)) => {
                let item = control.menu.iter().find(|item| item.name == *name);
                item.ok_or_else(|| wrong(name))?.index.into()
            }
        };
        if !(control.minimum..=control.maximum).contains(&number) {
            return Err(wrong("out of range, allowed: 0..=255"));
        }
        control.value = Some(number);
    }
    Ok(Vec::new())
}

fn control(
    name: &str,
    short_name: Option<&'static str>,
    kind: Kind,
    (maximum, default): (i64, i64),
    menu: &[&str],
) -> Control {
    Control {
        id: 1,
        is_wide: false,
        name: name.to_owned(),
        short_name,
        kind,
        minimum: 0,
        maximum,
        step: 1,
        default,
        value: Some(default),
        read_only: false,
        inactive: false,
        grabbed: false,
        menu: (0..)
            .zip(menu)
            .map(|(index, name)| MenuItem {
                index,
                name: (*name).to_owned(),
            })
            .collect(),
        configured: None,
        kept: None,
    }
}
