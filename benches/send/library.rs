//! All that the benchmark knows of framewire's insides.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::{Config, Mtu, Output, Pacing};
use framewire::frame::{Frame, Suspicion};
use framewire::jpeg::{Image, Parser};
use framewire::ledger::Identity;
use framewire::rtp::{Packetizer, carry};
use framewire::sessions::{Session, Sessions};
use framewire::stats::Stats;
use framewire::transmit::Transmitter;
use framewire::transmit::batch::{Batch, Entries, Headers, Slices};

use crate::sender::Sender;

/// framewire's send path as a camera's thread takes it, each frame in one burst to each destination.
pub struct Framewire {
    parser: Parser,
    transmitter: Transmitter<'static>,
    stats: &'static Stats,
    frames: Vec<Bytes>,
    sequence: u32,
}

impl Framewire {
    pub fn new(pictures: &[Vec<u8>], destinations: &[SocketAddr]) -> Self {
        let mut text = "[[camera]]\nname = \"x\"\n".to_owned();
        for destination in destinations {
            text += &format!("[[camera.rtp]]\ndestination = \"{destination}\"\npacing = 0\n");
        }
        let config = Config::parse("bench".as_ref(), text.as_bytes()).expect("a configuration");
        let stats: &Stats = Box::leak(Box::default());
        let mut transmitter = Transmitter::new("bench", stats);
        transmitter.set_outputs(&config.cameras[0].outputs);
        Self::with(pictures, transmitter, stats)
    }

    /// The same with streams that viewers have asked for.
    pub fn of_sessions(pictures: &[Vec<u8>], destinations: &[SocketAddr]) -> Self {
        let stats: &Stats = Box::leak(Box::default());
        let mut transmitter = Transmitter::new("bench", stats);
        let sessions = Sessions::default();
        for destination in destinations {
            let identity = Identity {
                ssrc: 1,
                clock_offset: 0,
                sequence_number: 0,
                report_port: 0,
                source: None,
            };
            let output = Output {
                pacing: Some(Pacing::BURST),
                ..Output::to_viewer(*destination, 0)
            };
            assert!(sessions.add(&Arc::new(Session::new(output, identity))));
        }
        transmitter.follow(&sessions);
        Self::with(pictures, transmitter, stats)
    }

    fn with(
        pictures: &[Vec<u8>],
        transmitter: Transmitter<'static>,
        stats: &'static Stats,
    ) -> Self {
        Self {
            parser: Parser::default(),
            transmitter,
            stats,
            frames: pictures.iter().cloned().map(Bytes::from).collect(),
            sequence: 0,
        }
    }
}

impl Sender for Framewire {
    fn send(&mut self, index: usize) {
        let now = monotonic_now();
        let frame = Frame {
            data: self.frames[index % self.frames.len()].clone(),
            sequence: self.sequence,
            captured: now,
            dequeued: now,
            suspicion: Suspicion::None,
        };
        let image = self.parser.parse(&frame.data).expect("a picture");
        let picture = carry(&image).expect("a picture that can be carried");
        let mut flight = self.transmitter.begin(&frame, &picture);
        while let Some(due) = flight.next_due() {
            sleep_until(due);
            flight.send_due();
        }
        flight.end().expect("the frame is sent");
        self.stats.frame_sent();
        self.sequence += 1;
    }

    fn has_sent_all(&self) -> bool {
        let summary = serde_json::to_value(self.stats.summary("bench")).expect("JSON");
        summary["frames_sent"] == self.sequence && summary["send_errors"] == 0
    }
}

/// The packets of frames, for senders that are not framewire's.
pub struct Packets {
    packetizer: Packetizer,
    header: Vec<u8>,
}

impl Packets {
    pub fn new() -> Self {
        Self {
            packetizer: Packetizer::new(1, 0),
            header: Vec::new(),
        }
    }

    /// Octets of every packet but the last of a frame.
    pub fn full_octets() -> usize {
        Mtu::default().udp_payload(false)
    }

    /// Hands header and part of the scan of each packet of the picture to `take`.
    pub fn each<'a>(&mut self, jpeg: &'a [u8], mut take: impl FnMut(&[u8], &'a [u8])) {
        let image = Image::parse(jpeg).expect("a picture");
        let picture = carry(&image).expect("a picture that can be carried");
        // The packets' own slices live only as long as `picture`.
        let mut rest = picture.scan;
        for packet in self
            .packetizer
            .packets(&picture, 0, None, Self::full_octets())
        {
            self.header.clear();
            packet.write_header(|part| self.header.extend_from_slice(part));
            let (scan, after) = rest.split_at(packet.scan.len());
            rest = after;
            take(&self.header, scan);
        }
    }
}

/// What framewire does before any system call: markers, tables, headers, gather list.
pub struct ParseAndHeaders {
    pictures: Vec<Vec<u8>>,
    parser: Parser,
    packetizer: Packetizer,
}

impl ParseAndHeaders {
    pub fn new(pictures: &[Vec<u8>]) -> Self {
        Self {
            pictures: pictures.to_vec(),
            parser: Parser::default(),
            packetizer: Packetizer::new(1, 0),
        }
    }
}

impl Sender for ParseAndHeaders {
    fn send(&mut self, index: usize) {
        let jpeg = &self.pictures[index % self.pictures.len()];
        let image = self.parser.parse(jpeg).expect("a picture");
        let picture = carry(&image).expect("a picture that can be carried");
        let packets = self
            .packetizer
            .packets(&picture, 0, None, Packets::full_octets());
        let mut headers = Headers::new();
        let mut entries = Entries::new();
        let batch = Batch::new(packets, usize::MAX, &mut headers, &mut entries);
        let mut slices = Slices::new();
        batch.gather(&mut slices);
        black_box(&slices);
    }
}
