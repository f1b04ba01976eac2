//! Reads a crate for an update: the files as generated, and the files on disk.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::endings::unix;
use super::lock::read_lock;
use super::lock::text_hash;
use super::place::is_inside;
use super::{BASE, Lock};
use crate::diagnostics::Diagnostic;
use crate::emit::Files;

/// A file, if it exists.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    None,
    /// The text, with `\n` as line ending.
    Some(String),
    /// It is not UTF-8, or not a file.
    Other,
}

/// A crate that etlgen wrote.
#[derive(Clone, Debug)]
pub struct Tree {
    pub folder: PathBuf,
    pub lock: Lock,
    /// The files as last generated.
    pub base: Files,
    /// The files in the base, including those that the lock does not list.
    pub bases: BTreeSet<String>,
    /// Files whose base differs from the lock.
    pub misfits: Vec<String>,
}

impl Tree {
    /// Reads the lock and the base of a crate.
    pub fn open(folder: &Path) -> Result<Tree, Diagnostic> {
        let lock = read_lock(folder)?;
        let mut tree = Tree {
            folder: folder.to_owned(),
            lock,
            base: Files::new(),
            bases: BTreeSet::new(),
            misfits: Vec::new(),
        };
        let base = folder.join(BASE);
        if base.is_dir() {
            for path in walk(&base, &|_| true)? {
                tree.bases.insert(path.trim_end_matches(".base").to_owned());
            }
        }
        let known: BTreeSet<&String> = tree.lock.files.keys().collect();
        tree.misfits = tree
            .bases
            .iter()
            .filter(|path| !known.contains(path))
            .cloned()
            .collect();
        for (path, generated) in &tree.lock.files {
            if !is_inside(path) {
                let error = io::Error::other(format!("{path:?} is not a path in the crate"));
                return Err(Diagnostic::io(&folder.join(super::LOCK), error));
            }
            let text = match tree.read(&format!("{BASE}/{path}.base"))? {
                Text::Some(text) => Some(text),
                _ => None,
            };
            if text
                .as_ref()
                .map(|text| text_hash(text.as_bytes()))
                .as_ref()
                != Some(generated)
            {
                tree.misfits.push(path.clone());
            }
            // Without a base, an unedited file serves as its own.
            let text = match text {
                Some(text) => text,
                None => match tree.read(path)? {
                    Text::Some(text) if text_hash(text.as_bytes()) == *generated => text,
                    _ => String::new(),
                },
            };
            tree.base.insert(path.clone(), text);
        }
        Ok(tree)
    }

    /// Reads a file by its path in the crate.
    pub fn read(&self, path: &str) -> Result<Text, Diagnostic> {
        let place = self.folder.join(path);
        match fs::symlink_metadata(&place) {
            Ok(known) if !known.is_file() => return Ok(Text::Other),
            _ => {}
        }
        match fs::read(&place) {
            Ok(bytes) => Ok(match String::from_utf8(bytes) {
                Ok(text) => Text::Some(unix(text)),
                Err(_) => Text::Other,
            }),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Text::None)
            }
            Err(error) => Err(Diagnostic::io(&place, error)),
        }
    }

    /// Returns a text with the line endings of the file.
    pub fn ended(&self, path: &str, text: &str) -> String {
        let bytes = fs::read(self.folder.join(path)).unwrap_or_default();
        match bytes.windows(2).any(|pair| pair == b"\r\n") {
            true => text.replace('\n', "\r\n"),
            false => text.to_owned(),
        }
    }

    /// Returns the Rust files of the library and the program.
    pub fn sources(&self) -> Result<Vec<String>, Diagnostic> {
        let all = self.all()?.into_iter();
        Ok(all
            .filter(|path| path.starts_with("src/") && path.ends_with(".rs"))
            .collect())
    }

    /// Returns every file except those of git, cargo and etlgen, and data.
    pub fn all(&self) -> Result<Vec<String>, Diagnostic> {
        walk(&self.folder, &|name| {
            !matches!(name, ".git" | "target" | ".etlgen" | "data")
        })
    }
}

/// Returns the files below a folder, by their path in it, with `/`; `enter` selects the subfolders.
fn walk(folder: &Path, enter: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Diagnostic> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((place, prefix)) = folders.pop() {
        let at = |error| Diagnostic::io(&place, error);
        for entry in fs::read_dir(&place).map_err(at)? {
            let entry = entry.map_err(at)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type().map_err(at)?;
            if kind.is_dir() && (!prefix.is_empty() || enter(&name)) {
                folders.push((entry.path(), format!("{prefix}{name}/")));
            } else if kind.is_file() {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    Ok(found)
}
