//! A sandbox of the process' own: from the start on it reaches no file but devices, the configuration and what
//! the configuration names, whatever a parser's bug may try.
//! Landlock (landlock(7)), as far as the kernel knows it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, make_bitflags, path_beneath_rules,
};
use tracing::{debug, info, warn};

use crate::config::{Config, Device};

/// The newest rights that are handled: since this version ioctl(2) on devices is one of them.
const RIGHTS: ABI = ABI::V5;
/// Files that getaddrinfo(3) reads.
const NAME_FILES: [&str; 6] = [
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/services",
];
/// The one of them that names the name servers.
const RESOLVER: &str = "/etc/resolv.conf";
/// Where glibc finds the libraries with which it looks up names.
const LIBRARIES: [&str; 4] = ["/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib"];

/// What may be done below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// Read files, list folders.
    Read,
    /// The same; and write to devices and control them.
    Devices,
    /// The same as reading; and make, replace and remove files.
    Keep,
}

impl Rights {
    fn to_landlock(self) -> BitFlags<AccessFs> {
        match self {
            Self::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
            Self::Devices => make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | IoctlDev}),
            Self::Keep => make_bitflags!(AccessFs::{
                ReadFile | ReadDir | WriteFile | Truncate | MakeReg | RemoveFile
            }),
        }
    }
}

/// A path, and what may be done below it.
type Rule = (PathBuf, Rights);

/// What is allowed. It cannot be widened.
#[derive(Debug)]
pub struct Sandbox {
    /// `None` when the kernel refused.
    allowed: Option<Vec<Rule>>,
}

impl Sandbox {
    /// Locks this thread, and those that it will start, into what `config`, read from `path`, needs, and the folder
    /// `kept`.
    /// Without Landlock in the kernel nothing is locked, and the log says so.
    pub fn enter(path: Option<&Path>, kept: Option<&Path>, config: &Config) -> Self {
        let (allowed, absent): (Vec<_>, Vec<_>) = needed(path, kept, config)
            .into_iter()
            .partition(|(path, _)| path.exists());
        let covered = |rule: &Rule| covers(&allowed, rule);
        for (path, _) in absent.into_iter().filter(|rule| !covered(rule)) {
            warn!(
                "{}: not there, and later out of reach of the sandbox: put it there, then restart framewire",
                path.display()
            );
        }
        let locked = match restrict(&allowed) {
            Ok(RulesetStatus::NotEnforced) => {
                info!("no Landlock in this kernel: files are as open as the user's rights are");
                false
            }
            Ok(status) => {
                debug!("Landlock: {status:?}: {allowed:?}");
                true
            }
            Err(error) => {
                warn!("no Landlock: {error}");
                false
            }
        };
        Self {
            allowed: locked.then_some(allowed),
        }
    }

    /// Warns of what `config` needs and will not get before a restart.
    pub fn check(&self, path: Option<&Path>, kept: Option<&Path>, config: &Config) {
        for missing in self.missing(path, kept, config) {
            warn!(
                "{}: out of reach of the sandbox that was set up at the start: restart framewire",
                missing.display()
            );
        }
    }

    fn missing(&self, path: Option<&Path>, kept: Option<&Path>, config: &Config) -> Vec<PathBuf> {
        let Some(allowed) = &self.allowed else {
            return Vec::new();
        };
        let needed = needed(path, kept, config).into_iter();
        needed
            .filter(|rule| !covers(allowed, rule))
            .map(|(path, _)| path)
            .collect()
    }
}

/// Whether `rule` is among `allowed`, or below one of them.
fn covers(allowed: &[Rule], (path, rights): &Rule) -> bool {
    let mut allowed = allowed.iter();
    allowed.any(|(above, given)| path.starts_with(above) && given == rights)
}

/// What `config`, read from `path`, needs, and the folder `kept` where it is there; sources by their names, whether they are there or not.
fn needed(path: Option<&Path>, kept: Option<&Path>, config: &Config) -> Vec<Rule> {
    let mut read: Vec<PathBuf> = NAME_FILES.map(PathBuf::from).into();
    read.extend(name_server_folder(config));
    if cfg!(target_env = "gnu") {
        read.extend(LIBRARIES.map(PathBuf::from));
    }
    // What identifies a USB camera.
    read.push("/sys".into());
    read.extend(path.map(folder));
    // The same behind a link.
    read.extend(path.and_then(|path| Some(folder(&fs::canonicalize(path).ok()?))));
    read.retain(|path| path.exists());
    let mut rules: Vec<Rule> = read.into_iter().map(|path| (path, Rights::Read)).collect();
    rules.push(("/dev".into(), Rights::Devices));
    let kept = kept.filter(|folder| folder.is_dir());
    rules.extend(kept.map(|folder| (folder.to_owned(), Rights::Keep)));
    for camera in &config.cameras {
        match &camera.device {
            Device::Replay(path) => rules.push((path.clone(), Rights::Read)),
            Device::Path(path) => rules.push((path.clone(), Rights::Devices)),
            Device::Auto | Device::Usb { .. } | Device::Bus(_) | Device::Demo => {}
        }
    }
    rules
}

/// The folder of a file that may be replaced by another of its name; of a file in the root the file alone.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => ".".into(),
        Some(folder) if folder != Path::new("/") => folder.to_owned(),
        _ => path.to_owned(),
    }
}

/// Where the file with the name servers is replaced by whoever manages the network. Mostly it is a link into a
/// folder of its own; a plain file needs all of /etc, and that is given only when a destination is a name.
fn name_server_folder(config: &Config) -> Option<PathBuf> {
    let target = fs::read_link(RESOLVER).unwrap_or_else(|_| RESOLVER.into());
    let target = Path::new("/etc").join(target);
    // What is not there yet at boot comes into the nearest folder that is.
    let folder = target
        .ancestors()
        .skip(1)
        .find_map(|path| fs::canonicalize(path).ok())?;
    let is_name = |host: &str| {
        let address = host.split('%').next().unwrap_or_default();
        address.parse::<IpAddr>().is_err()
    };
    let mut outputs = config.cameras.iter().flat_map(|camera| &camera.outputs);
    let mut has_names = || outputs.any(|output| is_name(&output.destination.host));
    (folder != Path::new("/") && (folder != Path::new("/etc") || has_names())).then_some(folder)
}

/// Locks this thread; what is not listed is denied.
fn restrict(allowed: &[Rule]) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))?
        .create()?;
    for (path, rights) in allowed {
        ruleset = ruleset.add_rules(path_beneath_rules([path], rights.to_landlock()))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

#[cfg(test)]
mod tests {
    use std::io::IsTerminal;
    use std::thread;

    use super::*;

    fn config(device: &str, destination: &str) -> Config {
        let text = format!(
            "[[camera]]\nname = \"x\"\ndevice = \"{device}\"\n[[camera.rtp]]\ndestination = \"{destination}:1\"\n"
        );
        Config::parse(Path::new("test"), text.as_bytes()).unwrap()
    }

    #[test]
    fn the_configuration_and_devices_are_within_reach_and_nothing_else_is() {
        let root = std::env::temp_dir().join(format!("framewire-sandbox-{}", std::process::id()));
        for file in [
            "etc/config.toml",
            "pictures/1.jpg",
            "elsewhere/2.jpg",
            "kept/x",
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "x").unwrap();
        }
        let replay = |folder| {
            config(
                &format!("replay:{}", root.join(folder).display()),
                "127.0.0.1",
            )
        };
        let (path, kept) = (root.join("etc/config.toml"), root.join("kept"));
        // Landlock holds for a thread and those that it starts.
        let inside = || {
            let sandbox = Sandbox::enter(Some(&path), Some(&kept), &replay("pictures"));
            assert!(
                sandbox.allowed.is_some(),
                "this kernel has no Landlock: the sandbox cannot be tested here"
            );
            let denied = |result: std::io::Result<()>| {
                assert_eq!(
                    result.unwrap_err().kind(),
                    std::io::ErrorKind::PermissionDenied
                );
            };
            for closed in ["/etc/passwd", "elsewhere/2.jpg"] {
                denied(fs::read(root.join(closed)).map(|_| ()));
            }
            denied(fs::write(&path, "x"));
            denied(fs::remove_file(root.join("pictures/1.jpg")));
            denied(std::process::Command::new("/bin/true").status().map(|_| ()));
            for open in ["etc/config.toml", "pictures/1.jpg", "/etc/hosts"] {
                fs::read(root.join(open)).unwrap();
            }
            fs::write("/dev/null", "x").unwrap();
            // TCGETS, as an example of an ioctl on a device.
            assert!(fs::File::open("/dev/ptmx").unwrap().is_terminal());
            // As values of controls are kept.
            for octets in ["1", "2"] {
                crate::files::replace(&kept.join("front.toml"), octets.as_bytes(), false).unwrap();
            }
            fs::remove_file(kept.join("front.toml")).unwrap();
            denied(fs::create_dir(kept.join("y")));
            let elsewhere = sandbox.missing(Some(&path), None, &replay("elsewhere"));
            assert_eq!(elsewhere, [root.join("elsewhere")]);
            assert!(
                sandbox
                    .missing(Some(&path), None, &config("demo", "127.0.0.1"))
                    .is_empty()
            );
        };
        thread::scope(|scope| {
            let done = scope.spawn(inside).join();
            fs::remove_dir_all(&root).unwrap();
            done.unwrap();
        });
    }

    #[test]
    fn only_names_open_more_of_etc() {
        let etc = |destination| {
            let rules = needed(None, None, &config("auto", destination));
            rules.contains(&("/etc".into(), Rights::Read))
        };
        assert!(!etc("127.0.0.1"));
        assert!(!etc("[fe80::1%eth0]"));
        let link = fs::read_link(RESOLVER).is_ok_and(|target| target.components().count() > 1);
        assert_eq!(etc("receiver.example"), !link);
    }
}
