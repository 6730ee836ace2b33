//! All that is known after a visit, as JSON has it; docs/doctor.md describes each key.

use std::path::PathBuf;

use serde::Serialize;

use super::advice;
use super::findings::Findings;
use super::receivers::{Demands, Receiver, receivers};
use super::suggestion;
use super::visit::{Errors, Visit};
use crate::capture::Agreement;
use crate::config;

/// Raised when a key goes or means something else; a new key is none of it.
const VERSION: u32 = 1;

/// What `framewire doctor` says.
#[derive(Debug, Serialize)]
pub struct Report {
    version: u32,
    framewire: &'static str,
    pub(super) device: String,
    pub(super) camera: Option<Agreement>,
    pub(super) asked: Asked,
    can_be_sent: bool,
    pub(super) verdict: String,
    #[serde(flatten)]
    pub(super) findings: Findings,
    pub(super) megabits_per_second: Option<f64>,
    pub(super) errors: Errors,
    /// Why there were no more pictures.
    pub(super) problem: Option<String>,
    /// What framewire does about what is unusual.
    pub(super) does: Vec<String>,
    /// What a person can do.
    pub(super) advice: Vec<String>,
    pub(super) receivers: Vec<Receiver>,
    /// Lines for config.toml.
    pub(super) config: Option<String>,
    pub(super) saved: Option<PathBuf>,
}

/// What was asked of the camera.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Asked {
    pub width: u32,
    pub height: u32,
    /// 0 = as fast as they can be looked at.
    pub fps: f64,
}

impl Report {
    /// Of what the `visit` to `camera` has brought, which is called `stable`; some pictures were `saved`.
    pub fn new(
        camera: &config::Camera,
        visit: Visit,
        stable: &str,
        saved: Option<PathBuf>,
    ) -> Self {
        let asked = Asked {
            width: camera.width.get(),
            height: camera.height.get(),
            fps: camera
                .fps()
                .millihertz()
                .map_or(0.0, |rate| f64::from(rate) / 1000.0),
        };
        let does = advice::does(&visit.findings);
        let advice = advice::advice(camera, &visit);
        let Visit {
            findings,
            camera: agreed,
            errors,
            problem,
            ..
        } = visit;
        let can_be_sent = findings.make_a_stream(errors.damaged());
        let demands = Demands {
            large: findings.large > 0,
            restarts: findings.with_restarts > 0,
        };
        Self {
            version: VERSION,
            framewire: env!("CARGO_PKG_VERSION"),
            device: camera.device.to_string(),
            asked,
            can_be_sent,
            verdict: advice::verdict(&findings, errors),
            megabits_per_second: findings.megabits_per_second(),
            errors,
            problem,
            does,
            advice,
            receivers: match can_be_sent {
                true => receivers(demands).into(),
                false => Vec::new(),
            },
            config: can_be_sent
                .then(|| suggestion::lines(camera, agreed.as_ref(), stable, &findings)),
            camera: agreed,
            findings,
            saved,
        }
    }

    /// Whether the pictures make a stream.
    pub fn can_be_sent(&self) -> bool {
        self.can_be_sent
    }
}
