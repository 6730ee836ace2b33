//! Our own sources, as far as the laws of directions look into them.

use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemUse, UseTree};

/// A module's place in the crate: `["capture", "v4l2", "ring"]`.
pub type Module = Vec<String>;

/// A file, its module, and every path that its code names; tests aside.
pub struct Source {
    pub file: PathBuf,
    pub module: Module,
    pub names: Names,
}

/// Paths as they are written, `use` trees laid out flat.
#[derive(Default)]
pub struct Names {
    pub all: Vec<Vec<String>>,
    /// Of these, what is passed on: `pub use`.
    pub reexports: Vec<Vec<String>>,
    pub has_unsafe: bool,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            let before = self.all.len();
            visit::visit_item_mod(self, module);
            // What a module in the same file takes from around it is no use of another file.
            let inside = self.all.split_off(before).into_iter();
            self.all.extend(inside.filter(|name| name[0] != "super"));
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let before = self.all.len();
        flatten(&item.tree, &mut Vec::new(), &mut self.all);
        if !matches!(item.vis, syn::Visibility::Inherited) {
            self.reexports.extend_from_slice(&self.all[before..]);
        }
    }

    /// `pub(super)` names whom it is shown to, not who is used.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.all
            .push(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.has_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, into: &mut Vec<Vec<String>>) {
    let with = |last: &syn::Ident| [&before[..], &[last.to_string()]].concat();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, into);
            before.pop();
        }
        UseTree::Name(name) => into.push(with(&name.ident)),
        UseTree::Rename(rename) => into.push(with(&rename.ident)),
        UseTree::Glob(_) => into.push(before.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, into);
            }
        }
    }
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let file = path.strip_prefix(&root).expect("below src").to_owned();
            if path.is_dir() && !path.join("Cargo.toml").exists() {
                folders.push(path);
            } else if file.extension().is_some_and(|extension| extension == "rs")
                && !matches!(file.to_str(), Some("lib.rs" | "main.rs"))
                && !file.ends_with("tests.rs")
            {
                sources.push(read(&path, file));
            }
        }
    }
    assert!(sources.len() > 60, "only {} files", sources.len());
    sources
}

fn read(path: &Path, file: PathBuf) -> Source {
    let text = fs::read_to_string(path).expect("a source file");
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(&text).expect("Rust"));
    let mut module: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_str().expect("ASCII").to_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    Source {
        file,
        module,
        names,
    }
}
