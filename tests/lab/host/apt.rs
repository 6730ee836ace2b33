//! apt with settings and package lists of its own, so that it serves any architecture, needs no root, and leaves the
//! host's apt as it is: adding a foreign architecture there would make every later update of the host depend on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool::{Failure, output};

/// A release, whatever the host runs: the lab's kernel changes with Debian's point releases only. Of its indices
/// only that of the packages is wanted.
fn source(release: &str) -> String {
    format!(
        "deb [target=Packages signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
        http://deb.debian.org/debian {release} main\n"
    )
}

pub struct Apt {
    /// Given on the command line, where they come before the files in /etc/apt; of those only a proxy matters here.
    options: Vec<String>,
}

impl Apt {
    /// apt for a release of Debian and an architecture, with the current list of its packages.
    pub fn new(lab: &Path, release: &str, architecture: &str) -> Result<Self, Failure> {
        let root = lab.join(format!("apt-{release}-{architecture}"));
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let place = |name: &str| -> PathBuf { root.join(name) };
        fs::write(place("sources.list"), source(release))?;
        fs::write(place("status"), "")?; // nothing is installed there
        let set = |key: &str, value: &str| format!("-o{key}={value}");
        let lead = |key: &str, name: &str| set(key, &place(name).display().to_string());
        let apt = Self {
            options: vec![
                set("APT::Architecture", architecture),
                set("APT::Architectures", architecture),
                lead("Dir::State", "state"),
                lead("Dir::State::status", "status"),
                lead("Dir::Cache", "cache"),
                lead("Dir::Etc::SourceList", "sources.list"),
                set("Dir::Etc::SourceParts", "/dev/null"),
                // As root apt would download as the user _apt, who may not enter the target directory.
                set("APT::Sandbox::User", "root"),
            ],
        };
        // Without a network this succeeds as well, and an earlier list serves.
        apt.run("apt-get", &["-qq", "update"], &root)?;
        Ok(apt)
    }

    /// What a package depends on, a name each.
    pub fn dependencies(&self, package: &str) -> Result<Vec<String>, Failure> {
        let printed = self.run("apt-cache", &["depends", package], Path::new("."))?;
        let printed = String::from_utf8(printed)?;
        let names = printed
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }

    /// Downloads a package into an empty folder.
    pub fn download(&self, package: &str, folder: &Path) -> Result<PathBuf, Failure> {
        self.run("apt-get", &["-qq", "download", package], folder)?;
        let file = fs::read_dir(folder)?.next();
        Ok(file.ok_or("apt-get download left no file")??.path())
    }

    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> Result<Vec<u8>, Failure> {
        let mut command = Command::new(program);
        command.args(&self.options).args(arguments);
        output(command.current_dir(folder), "apt")
    }
}
