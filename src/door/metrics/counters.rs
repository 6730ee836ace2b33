//! The counters and what is told of them: name, explanation, value.

use crate::stats::Summary;
use crate::stats::latency::{Histogram, Latency};
use crate::stats::output::{OutputSummary, Receiver};
use crate::viewers::ViewersSummary;

/// A counter of a `T`: name, explanation, value.
pub type Counter<T> = (&'static str, &'static str, fn(&T) -> u64);

pub const OF_CAMERA: &[Counter<Summary>] = &[
    (
        "framewire_camera_reopened_total",
        "How often the camera was opened again after the first time.",
        |camera| camera.reopened,
    ),
    (
        "framewire_camera_frames_captured_total",
        "Buffers taken from the source, damaged ones included.",
        |camera| camera.frames_captured,
    ),
    (
        "framewire_camera_frames_sent_total",
        "Frames that the kernel took completely for at least one destination, or that were shown to a viewer.",
        |camera| camera.frames_sent,
    ),
    (
        "framewire_camera_sequence_gaps_total",
        "Frames missing by the driver's count.",
        |camera| camera.sequence_gaps,
    ),
    (
        "framewire_camera_timestamps_replaced_total",
        "Frames whose timestamp from the driver could not be.",
        |camera| camera.timestamps_replaced,
    ),
    (
        "framewire_camera_flagged_but_whole_total",
        "Frames that the driver marked as damaged, and that were found whole.",
        |camera| camera.flagged_but_whole,
    ),
    (
        "framewire_camera_packets_sent_total",
        "RTP packets to all destinations.",
        |camera| camera.packets_sent,
    ),
    (
        "framewire_camera_sent_bytes_total",
        "UDP payload to all destinations.",
        |camera| camera.octets_sent,
    ),
    (
        "framewire_camera_send_calls_total",
        "System calls that sent packets.",
        |camera| camera.send_calls,
    ),
    (
        "framewire_camera_send_errors_total",
        "Frames that one destination did not get completely.",
        |camera| camera.send_errors,
    ),
];

pub const OF_VIEWERS: &[Counter<ViewersSummary>] = &[
    (
        "framewire_viewers_frames_shown_total",
        "Pictures made for viewers.",
        |viewers| viewers.frames_shown,
    ),
    (
        "framewire_viewers_frames_sent_total",
        "Pictures sent to viewers, each to each counted.",
        |viewers| viewers.frames_sent,
    ),
    (
        "framewire_viewers_frames_skipped_total",
        "Pictures that a viewer was too slow for.",
        |viewers| viewers.frames_skipped,
    ),
    (
        "framewire_viewers_sent_bytes_total",
        "Octets of the pictures sent to viewers.",
        |viewers| viewers.octets_sent,
    ),
];

pub const OF_OUTPUT: &[Counter<OutputSummary>] = &[
    (
        "framewire_output_frames_sent_total",
        "Frames that the kernel took completely.",
        |output| output.frames_sent,
    ),
    (
        "framewire_output_frames_failed_total",
        "Frames that the kernel did not take completely.",
        |output| output.frames_failed,
    ),
    (
        "framewire_output_frames_skipped_total",
        "Frames not tried, because the destination had failed shortly before.",
        |output| output.frames_skipped,
    ),
    (
        "framewire_output_packets_sent_total",
        "RTP packets.",
        |output| output.packets_sent,
    ),
    (
        "framewire_output_sent_bytes_total",
        "UDP payload.",
        |output| output.octets_sent,
    ),
];

/// Name, explanation, value of a figure that receivers report; `None` when this one does not.
pub type Reported = (&'static str, &'static str, fn(&Receiver) -> Option<f64>);

pub const OF_RECEIVER: &[Reported] = &[
    (
        "framewire_receiver_lost_ratio",
        "Share of packets lost between the receiver's last two reports.",
        |receiver| Some(receiver.fraction_lost.into()),
    ),
    (
        "framewire_receiver_packets_lost",
        "Packets lost since the receiver joined.",
        |receiver| Some(receiver.packets_lost.into()),
    ),
    (
        "framewire_receiver_jitter_seconds",
        "How much the time on the way varies.",
        |receiver| Some(f64::from(receiver.jitter_ms) / 1000.0),
    ),
    (
        "framewire_receiver_round_trip_seconds",
        "The time there and back.",
        |receiver| Some(f64::from(receiver.round_trip_ms?) / 1000.0),
    ),
];

/// Name, explanation, and which of the histograms.
pub type Way = (&'static str, &'static str, fn(&Latency) -> &Histogram);

pub const LATENCIES: [Way; 3] = [
    (
        "framewire_camera_capture_to_dequeue_seconds",
        "From the picture being taken to framewire having its buffer.",
        |latency| &latency.capture_to_dequeue,
    ),
    (
        "framewire_camera_dequeue_to_first_packet_seconds",
        "From there to the system call with the first packet.",
        |latency| &latency.dequeue_to_first_packet,
    ),
    (
        "framewire_camera_first_to_last_packet_seconds",
        "From there to the last packet of the last destination.",
        |latency| &latency.first_to_last_packet,
    ),
];
