//! The crate on disk: written completely or not at all, with the base and the lock that later updates need.

mod change;
mod combine;
mod config;
mod endings;
mod existing;
mod format;
mod generation;
mod journal;
mod lock;
mod manifest;
mod merge;
mod moves;
mod place;
mod planned;
mod release;
mod renames;
mod runtime;
mod rust;
mod tree;
mod units;
mod update;
mod uses;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use change::{change, learned_path};
pub use config::ConfigFile;
pub use existing::{Document, Existing};
pub use generation::{Generation, Rustfmt};
pub use journal::{apply, is_pending, recover};
pub use lock::{Lock, spec_hash};
pub use merge::Side;
pub use place::{Surroundings, named, relative};
pub use planned::{Changes, Conflict, Outcome, Planned};
pub use release::{Announce, Bump, Release, release, version};
pub use runtime::check_runtime;
pub use tree::{Text, Tree};
pub use update::{Accept, Merge, dirty, merge_into, unsettled};

use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;

/// The folder of the last generated output. Each file in it gets the extension `.base`, so that no
/// tool takes it for a source.
const BASE: &str = ".etlgen/base";
const LOCK: &str = ".etlgen/lock.json";

/// Fails if a folder exists and is not empty.
pub fn ensure_free(out: &Path) -> Result<(), Diagnostic> {
    let taken = |message: &str| {
        Diagnostic::error(Kind::Io, message)
            .in_file(out.display().to_string())
            .with_hint("pass `--out FOLDER` with a new folder; nothing was written")
    };
    let mut entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(taken("it is a file, not a folder"));
        }
        Err(error) => return Err(Diagnostic::io(out, error)),
    };
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(taken("the folder exists and is not empty")),
    }
}

/// Writes a new crate into a temporary folder, which is then renamed. Nothing is ever half-written.
pub fn write_new(out: &Path, files: &Files, lock: &Lock) -> Result<(), Diagnostic> {
    ensure_free(out)?;
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|error| Diagnostic::io(parent, error))?;
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let staging = parent.join(format!(".{name}.etlgen-{}", std::process::id()));
    let written = write_all(&staging, files, lock).and_then(|()| {
        // An empty folder may exist; not every system lets a rename replace it.
        if out.exists() {
            fs::remove_dir(out)?;
        }
        fs::rename(&staging, out)
    });
    written.map_err(|error| {
        // The rest of the attempt is useless; a failure to remove it adds nothing to the error.
        let _ = fs::remove_dir_all(&staging);
        Diagnostic::io(out, error)
    })
}

fn write_all(folder: &Path, files: &Files, lock: &Lock) -> io::Result<()> {
    let write = |path: PathBuf, text: &str| {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)
    };
    for (path, text) in files {
        write(folder.join(path), text)?;
        write(folder.join(format!("{BASE}/{path}.base")), text)?;
    }
    write(folder.join(LOCK), &lock.to_json())
}
