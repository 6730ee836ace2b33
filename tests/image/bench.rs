//! What all tests of the image share: programs and pictures, and the images themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use crate::boards::Kernel;
use crate::card::Card;
use crate::frames::Film;
use crate::machine::Machine;
use crate::overlay;
use crate::tool::{Failure, output};
use crate::{build, check, frames, model, studio};

pub struct Bench {
    pub folder: PathBuf,
    package: PathBuf,
    program: PathBuf,
    films: Vec<Film>,
    /// Made from the package, without any option.
    pub image: PathBuf,
    /// The config.toml of each image.
    pub config: String,
}

impl Bench {
    /// The first test that asks for it makes it, with all downloads.
    pub fn get() -> Result<&'static Self, Failure> {
        static BENCH: OnceLock<Result<Bench, String>> = OnceLock::new();
        let bench = BENCH.get_or_init(|| Self::new().map_err(|failure| failure.to_string()));
        bench.as_ref().map_err(|failure| failure.clone().into())
    }

    fn new() -> Result<Self, Failure> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let target = target.parent().ok_or("no target directory")?;
        let folder = target.join("image");
        fs::create_dir_all(&folder)?;
        let binaries = build::static_binaries(Machine::chosen(Some("aarch64"))?, target)?;
        let mut command = Command::new(script("systemd/build-deb"));
        command.arg("arm64").arg(&binaries.framewire).arg(&folder);
        let package = String::from_utf8(output(&mut command, "dpkg")?)?;
        let mut bench = Self {
            package: package.trim_end().into(),
            program: binaries.init.with_file_name("framewire-lab-image"),
            films: frames::prepare(&target.join("lab"))?,
            image: PathBuf::new(),
            config: String::new(),
            folder,
        };
        let mut command = Command::new(script("image/config"));
        let config = bench.folder.join("config.toml");
        fs::copy(script("config.toml"), &config)?;
        output(command.arg(&config), "bash")?;
        bench.config = fs::read_to_string(config)?;
        bench.image = bench.make("framewire", &[])?;
        Ok(bench)
    }

    /// Runs image/build; its downloads are kept.
    pub fn make(&self, name: &str, options: &[&str]) -> Result<PathBuf, Failure> {
        let image = self.folder.join(name).with_extension("img");
        let mut command = Command::new(script("image/build"));
        command.arg("--work").arg(self.packages()).args(options);
        let status = command.arg(&self.package).arg(&image).status()?;
        // Its messages went to the terminal.
        check(status.success(), || {
            format!("image/build {options:?} ended with {status}")
        })?;
        let config = Card::whole(&image).read("config.toml")?;
        check(config.as_ref() == Some(&self.config), || {
            format!("image/build {options:?}: its config.toml is another: {config:?}")
        })?;
        Ok(image)
    }

    /// The image for a Raspberry Pi 3, 4 or Zero 2 W; the first test that asks for it makes it.
    pub fn raspberry_pi(&self) -> Result<&'static Path, Failure> {
        static IMAGE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let image = IMAGE.get_or_init(|| {
            let made = self.make("raspberry-pi", &["--board", "raspberry-pi"]);
            made.map_err(|failure| failure.to_string())
        });
        image.as_deref().map_err(|failure| failure.clone().into())
    }

    /// The kernel of a board's image.
    pub fn kernel(&self, board: &str) -> Result<Kernel, Failure> {
        Kernel::new(&self.packages().join(board))
    }

    /// What a camera beside the machine sends: a film for each of its sizes.
    pub fn camera_films(&self) -> Result<Vec<studio::Film>, Failure> {
        let films = model::SIZES.iter().map(|&(width, height)| {
            let name = model::film_name(width, height);
            let film = self.films.iter().find(|film| film.name == name);
            let film = film.ok_or_else(|| format!("no film {name}"))?;
            Ok(Arc::new(film.pictures.clone()))
        });
        films.collect()
    }

    fn packages(&self) -> PathBuf {
        self.folder.join("packages")
    }

    /// A card with this image and with the emulated camera. `arguments` are for the kernel, `more` goes to /lab.
    pub fn card(
        &self,
        image: &Path,
        arguments: &str,
        more: &[(&str, Vec<u8>)],
    ) -> Result<Card, Failure> {
        let kernel = self.kernel("generic")?.modules.join("kernel");
        let second_initrd = overlay::pack(&self.program, &kernel, &self.films, more)?;
        Card::new(image, &second_initrd, arguments)
    }

    /// A program of the packages that are in no image.
    pub fn program(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(fs::read(self.packages().join("generic").join(path))?)
    }
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
