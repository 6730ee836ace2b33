//! The pages of the documentation: Markdown (CommonMark), as far as these tests look into it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the project.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where pages are.
const FOLDERS: [&str; 4] = ["", "docs", "fuzz", "yocto"];

pub struct Page {
    /// Relative to the project.
    pub name: String,
    pub text: String,
}

/// A block between two fences.
pub struct Block {
    pub language: String,
    /// Of the first line of the text.
    pub line: usize,
    pub text: String,
}

/// The page that is called so.
pub fn page(name: &str) -> Page {
    Page::read(&Path::new(ROOT).join(name))
}

/// All that is Markdown.
pub fn all_pages() -> impl Iterator<Item = Page> {
    let files = FOLDERS.iter().flat_map(|folder| {
        let folder = Path::new(ROOT).join(folder);
        fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
    });
    let mut pages: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.into_iter().map(|path| Page::read(&path))
}

impl Page {
    pub fn read(path: &Path) -> Self {
        let name = path.strip_prefix(ROOT).unwrap_or(path);
        Self {
            name: name.display().to_string(),
            text: fs::read_to_string(path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    pub fn path(&self) -> PathBuf {
        Path::new(ROOT).join(&self.name)
    }

    /// The lines outside of blocks with their numbers, and the blocks.
    fn parts(&self) -> (Vec<(usize, &str)>, Vec<Block>) {
        let (mut prose, mut blocks) = (Vec::new(), Vec::<Block>::new());
        let mut is_open = false;
        for (number, line) in (1..).zip(self.text.lines()) {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                if !is_open {
                    blocks.push(Block {
                        language: language.to_owned(),
                        line: number + 1,
                        text: String::new(),
                    });
                }
                is_open = !is_open;
            } else if is_open {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            } else {
                prose.push((number, line));
            }
        }
        assert!(!is_open, "{}: a block has no end", self.name);
        (prose, blocks)
    }

    /// The blocks in `language`.
    pub fn blocks(&self, language: &str) -> Vec<Block> {
        let mut blocks = self.parts().1;
        blocks.retain(|block| block.language == language);
        blocks
    }

    /// The headings with their level and the text below each, up to the next.
    pub fn sections(&self) -> Vec<(usize, String, String)> {
        let mut sections = Vec::<(usize, String, String)>::new();
        for (_, line) in self.parts().0 {
            let level = line.bytes().take_while(|&octet| octet == b'#').count();
            if level > 0 {
                let heading = line.trim_start_matches('#').trim();
                sections.push((level, heading.to_owned(), String::new()));
            } else if let Some((_, _, text)) = sections.last_mut() {
                *text += line;
                text.push('\n');
            }
        }
        sections
    }

    /// What `#…` of a link can name, by GitHub's rule.
    pub fn anchors(&self) -> BTreeSet<String> {
        let anchor = |heading: String| {
            let kept = heading.to_lowercase().replace(' ', "-");
            let kept = kept
                .chars()
                .filter(|&c| c.is_alphanumeric() || c == '-' || c == '_');
            kept.collect()
        };
        let sections = self.sections().into_iter();
        sections.map(|(_, heading, _)| anchor(heading)).collect()
    }

    /// The links and images within the project, with their lines.
    pub fn links(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.parts().0.into_iter();
        lines
            .flat_map(|(number, line)| line.split("](").skip(1).map(move |rest| (number, rest)))
            .filter_map(|(number, rest)| Some((number, rest.split_once(')')?.0)))
            .filter(|(_, target)| !target.contains("://"))
    }
}
