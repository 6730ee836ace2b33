//! Builds what runs inside the machine: static programs, with the cargo that runs this test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;
use crate::tool::Failure;

pub struct Binaries {
    pub init: PathBuf,
    pub framewire: PathBuf,
}

pub fn static_binaries(machine: &Machine, target: &Path) -> Result<Binaries, Failure> {
    let triple = machine.rust_target;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--release", "--target", triple]);
    cargo
        .args(["-p", "framewire", "-p", "framewire-lab"])
        .arg("--target-dir")
        .arg(target);
    // Its messages go to the terminal: they are the reason when it fails.
    if !cargo.status()?.success() {
        return Err(
            format!("the static programs did not build: rustup target add {triple}?").into(),
        );
    }
    let release = target.join(triple).join("release");
    Ok(Binaries {
        init: release.join("framewire-lab"),
        framewire: release.join("framewire"),
    })
}
