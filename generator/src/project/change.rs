//! Changes files of an existing crate that a new generation rewrites, if their owner has not edited them.

use std::fs;
use std::io;
use std::path::Path;

use super::endings::unix;
use super::lock::text_hash;
use super::planned::Changes;
use super::{BASE, LOCK, Lock, apply};
use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;

/// The folder in a crate for the overlays learned from samples, which each generation applies after
/// those of its owner.
const LEARNED: &str = "learned";

/// Returns the overlays learned for a crate, by their path in it.
pub fn learned(folder: &Path) -> Result<Files, Diagnostic> {
    learned_in(folder).map_err(|error| Diagnostic::io(&folder.join(LEARNED), error))
}

fn learned_in(folder: &Path) -> io::Result<Files> {
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
            let text = unix(fs::read_to_string(&path)?);
            found.insert(format!("{LEARNED}/{name}"), text);
        }
    }
    Ok(found)
}

/// Returns the path of the overlay learned for a resource.
pub fn learned_path(resource: &str) -> String {
    format!("{LEARNED}/{resource}.json")
}

/// Changes files of a crate; `None` removes one. Changes all of them, or none if one differs from its generated text.
/// `told` are files of the owner that get an addition.
pub fn change(
    folder: &Path,
    changes: &Changes,
    told: &Changes,
    lock: &mut Lock,
) -> Result<(), Diagnostic> {
    let mut edited = Vec::new();
    for (path, text) in changes {
        let here = folder.join(path);
        let current = match fs::read(&here) {
            Ok(bytes) => Some(text_hash(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Diagnostic::io(&here, error)),
        };
        let generated = lock.files.get(path);
        let same = match (&current, generated) {
            (None, None) => true,
            (Some(current), Some(generated)) => current == generated,
            _ => false,
        };
        // A file that an interrupted attempt has written is accepted.
        let done = current == text.as_ref().map(|text| text_hash(text.as_bytes()));
        if !same && !done {
            edited.push(path.clone());
        }
    }
    if !edited.is_empty() {
        let files = edited.join(", ");
        let message = format!("{files}: changed by hand since etlgen wrote it");
        return Err(Diagnostic::error(Kind::Crate, message).with_hint(
            "nothing was written; `--print` shows the file of the resource, for you to merge by hand; or undo your changes (.etlgen/base holds what was generated)",
        ));
    }
    let mut all = told.clone();
    for (path, text) in changes {
        all.insert(path.clone(), text.clone());
        all.insert(format!("{BASE}/{path}.base"), text.clone());
        match text {
            Some(text) => lock.files.insert(path.clone(), text_hash(text.as_bytes())),
            None => lock.files.remove(path),
        };
    }
    all.insert(LOCK.to_owned(), Some(lock.to_json()));
    apply(folder, &all)
}
