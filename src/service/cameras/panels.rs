//! Where each camera's controls are set, with the values that are kept for them.

use std::sync::Arc;

use tracing::{info, warn};

use super::Cameras;
use crate::config::{self, Controls};
use crate::panel::{Panel, Setting};

impl Cameras {
    /// Where the controls of a camera are set; the same as long as it is configured.
    pub(super) fn panel(&self, config: &config::Camera) -> Arc<Panel> {
        let name = config.name();
        let known = self.directory.find(name.as_str());
        known.map_or_else(
            || Arc::new(Panel::new(self.kept(name))),
            |entry| entry.panel,
        )
    }

    /// The values that are kept for the controls of a camera.
    fn kept(&self, name: &config::Name) -> Controls {
        let kept = self.shelf.read(name).unwrap_or_else(|problem| {
            warn!("{name}: {problem}: no values of controls are kept");
            Controls::default()
        });
        if !kept.0.is_empty() {
            info!("{name}: instead of [camera.controls] {kept} counts, which was kept");
        }
        kept
    }

    /// Somebody may have removed or edited files of the shelf. Such changes are in force at once.
    pub(super) fn read_kept(&self, wanted: &[config::Camera]) {
        for entry in self.directory.entries() {
            let name = entry.config.name();
            if !wanted.iter().any(|wanted| wanted.name() == name) {
                continue;
            }
            let (before, now) = (entry.panel.kept(), self.kept(name));
            if *before != now {
                let settings = changes(&before, &now);
                entry.panel.keep(now);
                entry.panel.change(settings);
            }
        }
    }
}

/// What is to be set when these were kept before, and those are now.
fn changes(before: &Controls, now: &Controls) -> Vec<Setting> {
    let is_gone = |name: &String| !now.0.iter().any(|(kept, _)| kept == name);
    let gone = before.0.iter().filter(|(name, _)| is_gone(name));
    let gone = gone.map(|(name, _)| (name.clone(), None));
    let kept = now.0.iter();
    gone.chain(kept.map(|(name, value)| (name.clone(), Some(value.clone()))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ControlValue;

    #[test]
    fn what_is_kept_no_more_goes_back_and_the_rest_is_set() {
        let kept = |values: &[(&str, i64)]| {
            let values = values.iter();
            Controls(
                values
                    .map(|&(name, value)| (name.to_owned(), ControlValue::Integer(value)))
                    .collect(),
            )
        };
        let changes = changes(
            &kept(&[("gain", 1), ("hue", 2)]),
            &kept(&[("hue", 3), ("zoom", 4)]),
        );
        let integer = |value| Some(ControlValue::Integer(value));
        let expected = [("gain", None), ("hue", integer(3)), ("zoom", integer(4))];
        assert_eq!(
            changes,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }
}
