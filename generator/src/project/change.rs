//! A crate that is there: files that a new generation changes, as long as they are as they were generated.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::hash;
use super::{BASE, LOCK, Lock};
use crate::emit::Files;

/// Where a crate keeps what was learnt from samples: overlays that each generation applies after those of its owner.
const LEARNED: &str = "learned";

/// Why a crate was not changed.
#[derive(Debug)]
pub enum ChangeError {
    /// Its owner has changed these files.
    Edited(Vec<String>),
    /// Its owner has changed this file after an update was cut short.
    Between(String),
    /// The system refused.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeError::Edited(files) => {
                let files = files.join(", ");
                write!(f, "{files}: changed by hand since etlgen wrote it")
            }
            ChangeError::Between(file) => write!(
                f,
                "{file}: changed by hand since an update was cut short; move your version away and run `etlgen update`, \
                 which finishes it, or remove .etlgen/journal to leave things as they are"
            ),
            ChangeError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for ChangeError {}

/// The lock of a crate; an error says why there is none.
pub fn read_lock(folder: &Path) -> Result<Lock, ChangeError> {
    let path = folder.join(LOCK);
    let at = |error| ChangeError::Io(path.clone(), error);
    let text = fs::read_to_string(&path).map_err(at)?;
    serde_json::from_str(&text).map_err(|error| at(error.into()))
}

/// What was learnt for a crate: overlays by their path in it.
pub fn learned(folder: &Path) -> io::Result<Files> {
    let mut found = Files::new();
    let entries = match fs::read_dir(folder.join(LEARNED)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            found.insert(format!("{LEARNED}/{name}"), fs::read_to_string(&path)?);
        }
    }
    Ok(found)
}

/// Where what is learnt of a resource stands.
pub fn learned_path(resource: &str) -> String {
    format!("{LEARNED}/{resource}.json")
}

/// Changes files of a crate: `None` removes one. Either all of them, or none where one is not as it was generated.
pub fn change(
    folder: &Path,
    changes: &BTreeMap<String, Option<String>>,
    lock: &mut Lock,
) -> Result<(), ChangeError> {
    let mut edited = Vec::new();
    for (path, text) in changes {
        let here = folder.join(path);
        let current = match fs::read(&here) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(ChangeError::Io(here, error)),
        };
        let generated = lock.files.get(path);
        let same = match (&current, generated) {
            (None, None) => true,
            (Some(current), Some(generated)) => hash(current) == *generated,
            _ => false,
        };
        // An attempt that was cut short is taken up again.
        let done = current.as_deref() == text.as_ref().map(|text| text.as_bytes());
        if !same && !done {
            edited.push(path.clone());
        }
    }
    if !edited.is_empty() {
        return Err(ChangeError::Edited(edited));
    }
    for (path, text) in changes {
        let base = format!("{BASE}/{path}.base");
        match text {
            Some(text) => {
                write(&folder.join(path), text)?;
                write(&folder.join(base), text)?;
                lock.files.insert(path.clone(), hash(text.as_bytes()));
            }
            None => {
                remove(&folder.join(path))?;
                remove(&folder.join(base))?;
                lock.files.remove(path);
            }
        }
    }
    write(&folder.join(LOCK), &lock.to_json())
}

/// Writes a file beside its place, and then gives it its name: it is never half there.
fn write(path: &Path, text: &str) -> Result<(), ChangeError> {
    let at = |error| ChangeError::Io(path.to_owned(), error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(at)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".etlgen-new");
    fs::write(&beside, text).map_err(at)?;
    fs::rename(&beside, path).map_err(at)
}

fn remove(path: &Path) -> Result<(), ChangeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ChangeError::Io(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}
