//! `prepare`: at the boot of a flashed image, puts the configuration on its boot partition into force.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::appliance::choice::Places;
use crate::appliance::{discovery, network};
use crate::files;

/// Where `framewire.service` of an image reads the configuration in force, below the root folder.
const IN_FORCE: &str = "run/framewire/config.toml";

/// Chooses the configuration, keeps it, complains about a wrong one, and writes the files that others read.
///
/// If something cannot be kept, complained about or printed, a line says so and the rest goes on: streaming comes first.
pub fn prepare(
    config: PathBuf,
    state: Option<PathBuf>,
    root: PathBuf,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let places = Places {
        user: config,
        state,
        root,
    };
    let choice = places.choose().inspect_err(|error| {
        passed_over(
            "framewire-error.txt",
            places.complain(Some(&format!("{error}\n"))),
        );
    })?;
    if choice.complaint.is_none() {
        passed_over("the last good configuration", places.keep(&choice.octets));
    }
    passed_over(
        "framewire-error.txt",
        places.complain(choice.complaint.as_deref()),
    );

    // Readable by all, like the boot partition that it comes from.
    files::replace(&places.root.join(IN_FORCE), &choice.octets, false).map_err(unusable)?;
    let network = network::files(&choice.config);
    for file in network.into_iter().chain(discovery::files(&choice.config)) {
        let path = places.root.join(file.path);
        files::replace(&path, file.text.as_bytes(), file.secret).map_err(unusable)?;
    }
    if let Some(hostname) = &choice.config.system.hostname {
        // In a folder other than / this is a look at what would be done.
        if places.root == Path::new("/") {
            nix::unistd::sethostname(hostname.as_str()).map_err(|error| {
                Failure::other(format!("host name {:?}: {error}", hostname.as_str()))
            })?;
        }
    }
    // Cameras do not wait for a console that takes no text.
    passed_over("stdout", tell(choice.complaint.as_deref(), out));
    Ok(())
}

fn tell(complaint: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    if let Some(complaint) = complaint {
        writeln!(out, "{complaint}")?;
    }
    writeln!(out, "ok")?;
    out.flush()
}

fn unusable(error: io::Error) -> Failure {
    Failure::other(format!("cannot write {error}"))
}

fn passed_over(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        // Where stderr is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "framewire: {what} cannot be written: {error}");
    }
}
