//! Values of controls that somebody keeps: a file for each camera in the state folder, which overrides `[camera.controls]`
//! key by key until it is removed. TOML 1.0; systemd.exec(5) StateDirectory=.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::{Config, ControlValue, Controls, Name};
use crate::files;
use crate::quote;

/// The folder of the service, where whoever asks is not the service.
const OF_SERVICE: &str = "/var/lib/framewire-controls";
/// The same of a user, below the folder for such things.
const OF_USER: &str = "framewire-controls";
/// How a camera's file ends.
const EXTENSION: &str = "toml";
/// Most octets of a file: a hundred controls with long names.
const MAX_OCTETS: u64 = 16 * 1024;

/// The folder, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Option<PathBuf>);

impl Shelf {
    /// The service's folder, or the user's.
    pub fn find() -> Self {
        let of_service = Path::new(OF_SERVICE);
        Self(locate(
            |name| std::env::var_os(name),
            of_service.is_dir().then_some(of_service),
        ))
    }

    /// This folder.
    pub fn at(folder: PathBuf) -> Self {
        Self(Some(folder))
    }

    /// Makes the folder where nobody else does. Before the sandbox closes.
    pub fn make(&self) -> io::Result<()> {
        match &self.0 {
            Some(folder) if std::env::var_os("STATE_DIRECTORY").is_none() => {
                fs::create_dir_all(folder)
            }
            _ => Ok(()),
        }
    }

    /// The folder.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    /// Where the values of the camera `name` are.
    pub fn path(&self, name: &Name) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(format!("{name}.{EXTENSION}")))
    }

    /// The values that are kept for the camera `name`: none without a file, or where there is no folder. The error names
    /// a file that cannot be read.
    pub fn read(&self, name: &Name) -> Result<Controls, String> {
        let Some(path) = self.path(name) else {
            return Ok(Controls::default());
        };
        match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Controls::default()),
            read => read
                .map_err(|error| format!("{}: {error}", quote::clean(&path.display().to_string()))),
        }
    }

    /// Keeps these values for the camera `name`, and no others. Waits for the disk.
    pub fn write(&self, name: &Name, values: &Controls) -> io::Result<()> {
        let path = self.path(name);
        let path = path.ok_or_else(|| io::Error::other("there is no folder to keep values in"))?;
        files::replace(&path, text(name, values).as_bytes(), false)
    }

    /// Keeps nothing for the camera `name` any more. Waits for the disk.
    pub fn remove(&self, name: &Name) -> io::Result<()> {
        self.path(name).map_or(Ok(()), |path| files::remove(&path))
    }

    /// The cameras that there are files of, in any order.
    pub fn names(&self) -> Vec<Name> {
        let entries = self.0.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        let name = |entry: fs::DirEntry| {
            let path = PathBuf::from(entry.file_name());
            let is_ours = path
                .extension()
                .is_some_and(|extension| extension == EXTENSION);
            Name::parse(path.file_stem().filter(|_| is_ours)?.to_str()?)
        };
        entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(name)
            .collect()
    }
}

fn read(path: &Path) -> io::Result<Controls> {
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut text = String::new();
    let mut file = File::open(path)?.take(MAX_OCTETS + 1);
    file.read_to_string(&mut text)?;
    if file.limit() == 0 {
        return Err(io::Error::other(format!("longer than {MAX_OCTETS} octets")));
    }
    Config::controls(&text).map_err(io::Error::other)
}

/// The file as people read it. What a camera calls its menus' entries has no control characters: they were replaced when
/// it was read.
fn text(name: &Name, values: &Controls) -> String {
    let mut text = format!(
        "# Kept for this camera. Each line counts instead of the same one in config.toml.\n\
         # Without this file, and after a reload, config.toml counts again.\n\
         [[camera]]\nname = \"{name}\"\n[camera.controls]\n"
    );
    for (name, value) in &values.0 {
        let value = match value {
            ControlValue::Item(name) => quote::toml_string(name),
            value => value.to_string(),
        };
        text.push_str(&format!("{name} = {value}\n"));
    }
    text
}

/// The folder that systemd names, else `of_service`, else that of the user.
fn locate(
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    of_service: Option<&Path>,
) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(folders) = folder("STATE_DIRECTORY") {
        // Of several the first (systemd.exec(5)).
        return std::env::split_paths(&folders).next();
    }
    if let Some(folder) = of_service {
        return Some(folder.to_owned());
    }
    let of_user = folder("XDG_STATE_HOME").map(PathBuf::from);
    let of_user = of_user.or_else(|| Some(PathBuf::from(folder("HOME")?).join(".local/state")));
    Some(of_user?.join(OF_USER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is removed at the end.
    struct Place(Shelf);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("framewire-kept-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(Shelf(Some(folder)))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.folder().unwrap());
        }
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again_as_it_was_until_it_is_removed() {
        let place = Place::new("again");
        let (shelf, front) = (&place.0, name("front"));
        assert_eq!(shelf.read(&front), Ok(Controls::default()));
        let values = Controls(vec![
            ("brightness".into(), ControlValue::Integer(-7)),
            ("hflip".into(), ControlValue::Boolean(true)),
            (
                "mode".into(),
                ControlValue::Item("\"Auto\" \\ é = #1".into()),
            ),
            ("wide".into(), ControlValue::Integer(i64::MIN)),
        ]);
        shelf.write(&front, &values).unwrap();
        assert_eq!(shelf.read(&front), Ok(values));
        assert_eq!(shelf.read(&name("rear")), Ok(Controls::default()));
        assert_eq!(shelf.names(), std::slice::from_ref(&front));
        shelf.remove(&front).unwrap();
        shelf.remove(&front).unwrap();
        assert_eq!(shelf.read(&front), Ok(Controls::default()));
    }

    #[test]
    fn a_file_of_somebody_else_is_named_and_is_no_harm() {
        let place = Place::new("foreign");
        let front = name("front");
        let path = place.0.path(&front).unwrap();
        for (octets, words) in [
            (&b"[[camera]]\nname"[..], "in: name"),
            (
                b"[[camera]]\nname = \"front\"\n[camera.controls]\nbrightness = [1]",
                "a control value",
            ),
            (b"brightness = 1", "in: brightness"),
            (b"[log]", "one [[camera]]"),
            (b"\xFF", "UTF-8"),
            (&vec![b'#'; 20_000], "longer than 16384 octets"),
        ] {
            fs::write(&path, octets).unwrap();
            let error = place.0.read(&front).unwrap_err();
            let start = format!("{}: ", path.display());
            assert!(
                error.starts_with(&start) && error.contains(words),
                "{error}"
            );
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(place.0.read(&front).unwrap_err().ends_with("not a file"));
    }

    #[test]
    fn the_folder_is_that_of_the_service_before_that_of_the_user() {
        let all = [
            ("STATE_DIRECTORY", "/a:/b"),
            ("XDG_STATE_HOME", "/c"),
            ("HOME", "/d"),
        ];
        let found = |skip: usize, of_service| {
            let known = &all[skip..];
            let variable = |name: &str| {
                let found = known.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.into())
            };
            locate(variable, of_service).map(|path| path.display().to_string())
        };
        let service = Path::new("/s");
        assert_eq!(found(0, Some(service)).unwrap(), "/a");
        assert_eq!(found(1, Some(service)).unwrap(), "/s");
        assert_eq!(found(1, None).unwrap(), "/c/framewire-controls");
        assert_eq!(
            found(2, None).unwrap(),
            "/d/.local/state/framewire-controls"
        );
        assert_eq!(found(3, None), None);
    }
}
