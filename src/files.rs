//! Writes files so that a power cut at any time leaves the old or the new one, also where the file system is
//! mounted read-only.
//! rename(2), fsync(2), mount(2) MS_REMOUNT.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};

/// Permissions of a file that everybody may read.
const READABLE: u32 = 0o644;
/// Permissions of a file with a passphrase.
const SECRET: u32 = 0o600;

/// Replaces `path` by a file that holds `octets`; its folder is made when it is missing. An error names `path`.
pub fn replace(path: &Path, octets: &[u8], secret: bool) -> io::Result<()> {
    replace_unnamed(path, octets, secret).map_err(|error| named(path, error))
}

fn replace_unnamed(path: &Path, octets: &[u8], secret: bool) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let new = unfinished(path);
    // One that a power cut left behind may have other permissions.
    remove(&new)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if secret { SECRET } else { READABLE })
        .open(&new)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// Where [`replace`] writes before it renames; a power cut can leave it there.
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Removes `path`; nothing there is as good. An error names `path`.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, error)),
        _ => Ok(()),
    }
}

/// Whether `path` is a file of just these octets; one of another length, however long, is not read.
pub fn holds(path: &Path, octets: &[u8]) -> bool {
    let length = fs::metadata(path).map(|metadata| metadata.is_file().then_some(metadata.len()));
    let alike = matches!(length, Ok(Some(length)) if usize::try_from(length) == Ok(octets.len()));
    alike && fs::read(path).is_ok_and(|held| held == octets)
}

/// The folder that `path` lies in.
pub fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|folder| *folder != Path::new(""));
    parent.unwrap_or(Path::new("."))
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Runs `write`, which changes something in `folder`, with the file system mounted read-write for as long
/// as that takes.
pub fn with_writable(folder: &Path, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let on = |error: io::Error| named(folder, error);
    let file_system = statvfs(folder).map_err(|errno| on(errno.into()))?;
    if !file_system.flags().contains(FsFlags::ST_RDONLY) {
        return write();
    }
    let mount_point = mount_point(folder).map_err(on)?;
    remount(&mount_point, MsFlags::empty()).map_err(on)?;
    let written = write();
    // Also after a failure; of the two errors the first tells more.
    let restored = remount(&mount_point, MsFlags::MS_RDONLY).map_err(on);
    written.and(restored)
}

/// Remounting sets all flags again: those of a boot partition that holds data only.
fn remount(mount_point: &Path, flags: MsFlags) -> io::Result<()> {
    let data_only = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let flags = MsFlags::MS_REMOUNT | data_only | flags;
    mount(None::<&str>, mount_point, None::<&str>, flags, None::<&str>)?;
    Ok(())
}

/// The topmost folder of the file system that `folder` is on.
fn mount_point(folder: &Path) -> io::Result<PathBuf> {
    let mut found = fs::canonicalize(folder)?;
    let device = fs::metadata(&found)?.dev();
    while let Some(parent) = found.parent() {
        if fs::metadata(parent)?.dev() != device {
            break;
        }
        found = parent.to_owned();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions() {
        let folder = std::env::temp_dir().join(format!("framewire-files-{}", std::process::id()));
        let path = folder.join("a/b");
        let permissions = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"one", false).unwrap();
        fs::write(folder.join("a/b.new"), b"left behind").unwrap();
        replace(&path, b"two", true).unwrap();
        let held = (fs::read(&path).unwrap(), permissions());
        let names = fs::read_dir(folder.join("a")).unwrap().count();
        remove(&path).unwrap();
        remove(&path).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((held, names), ((b"two".to_vec(), 0o600), 1));
    }

    #[test]
    fn a_folder_lies_on_its_mount_point() {
        let proc = mount_point(Path::new("/proc/self/net"));
        assert_eq!(proc.unwrap(), Path::new("/proc"));
        assert_eq!(mount_point(Path::new("/")).unwrap(), Path::new("/"));
    }
}
