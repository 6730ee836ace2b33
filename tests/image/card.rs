//! The image as a card in a card reader: the FAT partition is written and read with mtools, without mounting it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool::{Failure, output};

/// A copy of the image, for one test to write on.
pub struct Card {
    pub image: PathBuf,
}

/// The first partition starts at 1 MiB.
const PARTITION: &str = "@@1M";
/// Of several entries systemd-boot takes the first: one with a sort-key comes before those without.
const ENTRY: &str = "title camera and receiver
sort-key 0
linux /framewire/linux
initrd /framewire/initrd.img
initrd /lab.img
options quiet loglevel=4 panic=-1 ";

impl Card {
    /// Copies the image, beside it, and adds two files to its boot partition, the second initrd and a boot entry that names
    /// it. None of the image's own files is touched.
    pub fn new(product: &Path, second_initrd: &[u8], arguments: &str) -> Result<Self, Failure> {
        let card = Self::copy(product, "card")?;
        card.write("lab.img", second_initrd)?;
        card.write(
            "loader/entries/lab.conf",
            format!("{ENTRY}{arguments}\n").as_bytes(),
        )?;
        Ok(card)
    }

    /// The image itself, to be read.
    pub fn whole(image: &Path) -> Self {
        Self {
            image: image.into(),
        }
    }

    /// A copy of the image as it is, beside it.
    pub fn copy(product: &Path, extension: &str) -> Result<Self, Failure> {
        let image = product.with_extension(extension);
        fs::copy(product, &image)?;
        Ok(Self { image })
    }

    pub fn write(&self, name: &str, octets: &[u8]) -> Result<(), Failure> {
        let file = self.image.with_extension("tmp");
        fs::write(&file, octets)?;
        let mut command = self.mtool("mcopy");
        output(
            command.arg("-o").arg(&file).arg(format!("::{name}")),
            "mtools",
        )?;
        Ok(())
    }

    /// `None` when there is no such file.
    pub fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        if !self.names()?.contains(name) {
            return Ok(None);
        }
        Ok(Some(String::from_utf8(self.octets(name)?)?))
    }

    pub fn octets(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = format!("::/{name}");
        output(self.mtool("mtype").arg(path), "mtools")
    }

    /// The files of the first folder.
    pub fn names(&self) -> Result<BTreeSet<String>, Failure> {
        let listed = output(self.mtool("mdir").args(["-b", "::"]), "mtools")?;
        let listed = String::from_utf8(listed)?;
        let names = listed.lines().filter_map(|line| line.strip_prefix("::/"));
        Ok(names.map(str::to_owned).collect())
    }

    fn mtool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("-i")
            .arg(format!("{}{PARTITION}", self.image.display()));
        command
    }
}
