//! Changes many files: all of them or none, even if the process is killed in between.
//!
//! New contents are staged in `.etlgen/journal/new`; then the list of steps gets its final name. From then on the
//! changes are made, if necessary by the next run. Without the list, nothing has changed yet.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::hash;
use super::place::is_inside;
use crate::diagnostics::{Diagnostic, Kind};

const JOURNAL: &str = ".etlgen/journal";
const STEPS: &str = "steps.json";

/// One file.
#[derive(Serialize, Deserialize)]
struct Step {
    path: String,
    /// The content before; `None`: the file did not exist.
    before: Option<String>,
    /// The new content, staged under the step's number; `None`: the file is removed.
    after: Option<String>,
}

/// Returns whether changes of a crate were started and not finished.
pub fn is_pending(folder: &Path) -> bool {
    folder.join(JOURNAL).exists()
}

/// Applies the changes; `None` removes a file.
pub fn apply(folder: &Path, changes: &BTreeMap<String, Option<String>>) -> Result<(), Diagnostic> {
    apply_until(folder, changes, &mut || Ok(()))
}

/// Calls `go` before each step that changes the disk; its error ends the attempt like a kill.
fn apply_until(
    folder: &Path,
    changes: &BTreeMap<String, Option<String>>,
    go: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Diagnostic> {
    recover_until(folder, go)?;
    if changes.is_empty() {
        return Ok(());
    }
    let journal = folder.join(JOURNAL);
    let mut steps = Vec::new();
    for (path, text) in changes {
        let after = text.as_ref().map(|text| hash(text.as_bytes()));
        steps.push(Step {
            path: path.clone(),
            before: content(&folder.join(path))?,
            after,
        });
    }
    stage(&journal, changes.values(), &steps, go).map_err(|error| at(&journal, error))?;
    finish(folder, &journal, &steps, go)
}

/// Finishes changes that were started, or discards them if none was made. Returns which of the two happened, if any.
pub fn recover(folder: &Path) -> Result<Option<&'static str>, Diagnostic> {
    recover_until(folder, &mut || Ok(()))
}

fn recover_until(
    folder: &Path,
    go: &mut dyn FnMut() -> io::Result<()>,
) -> Result<Option<&'static str>, Diagnostic> {
    let journal = folder.join(JOURNAL);
    let steps = match fs::read(journal.join(STEPS)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !journal.exists() {
                return Ok(None);
            }
            remove_journal(&journal, go)?;
            return Ok(Some("the files left by an interrupted update were removed"));
        }
        Err(error) => return Err(at(&journal, error)),
    };
    let steps: Vec<Step> =
        serde_json::from_slice(&steps).map_err(|error| at(&journal.join(STEPS), error.into()))?;
    finish(folder, &journal, &steps, go)?;
    Ok(Some("an interrupted update was finished"))
}

fn stage<'a>(
    journal: &Path,
    texts: impl Iterator<Item = &'a Option<String>>,
    steps: &[Step],
    go: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    go()?;
    fs::create_dir_all(journal)?;
    // Contents may be secret and do not belong in the repository.
    fs::write(journal.join(".gitignore"), "*\n")?;
    for (number, text) in texts.enumerate() {
        let Some(text) = text else { continue };
        go()?;
        write_through(&staged(journal, number), text)?;
    }
    go()?;
    let list = serde_json::to_string_pretty(steps)?;
    let draft = journal.join("steps.draft");
    write_through(&draft, &list)?;
    sync_folder(journal)?;
    go()?;
    fs::rename(draft, journal.join(STEPS))?;
    sync_folder(journal)
}

/// Makes the staged changes, and skips those made already.
fn finish(
    folder: &Path,
    journal: &Path,
    steps: &[Step],
    go: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Diagnostic> {
    for step in steps {
        if !is_inside(&step.path) {
            let error = io::Error::other(format!("{}: not a path in the crate", step.path));
            return Err(at(&journal.join(STEPS), error));
        }
        let now = content(&folder.join(&step.path))?;
        if now != step.before && now != step.after {
            let message = "changed by hand since an update was interrupted";
            return Err(Diagnostic::error(Kind::Crate, message)
                .in_file(&step.path)
                .with_hint("move your version away and run `etlgen update`, which finishes the update; or remove .etlgen/journal to leave all files unchanged"));
        }
    }
    for (number, step) in steps.iter().enumerate() {
        let path = folder.join(&step.path);
        let staged = staged(journal, number);
        go().and_then(|()| {
            if step.after.is_none() {
                return remove(folder, &path);
            }
            if staged.exists() {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                if let Ok(known) = fs::metadata(&path) {
                    fs::set_permissions(&staged, known.permissions())?;
                }
                fs::rename(&staged, &path)?;
                if let Some(parent) = path.parent() {
                    sync_folder(parent)?;
                }
            }
            Ok(())
        })
        .map_err(|error| at(&path, error))?;
    }
    remove_journal(journal, go)
}

/// Removes the journal, the list of steps first: without it, staged contents have no effect.
fn remove_journal(
    journal: &Path,
    go: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Diagnostic> {
    let mut gone = || -> io::Result<()> {
        go()?;
        match fs::remove_file(journal.join(STEPS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        go()?;
        fs::remove_dir_all(journal)
    };
    gone().map_err(|error| at(journal, error))
}

fn remove(folder: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Removes folders that are now empty.
    let mut parent = path.parent();
    while let Some(empty) = parent.filter(|parent| *parent != folder) {
        if fs::remove_dir(empty).is_err() {
            break;
        }
        parent = empty.parent();
    }
    Ok(())
}

fn staged(journal: &Path, number: usize) -> PathBuf {
    journal.join(format!("{number}.new"))
}

fn content(path: &Path) -> Result<Option<String>, Diagnostic> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(hash(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, error)),
    }
}

fn write_through(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    File::open(path)?.sync_all()
}

/// Syncs a folder. On systems that cannot do this, the system itself keeps the order.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

fn at(path: &Path, error: io::Error) -> Diagnostic {
    Diagnostic::io(path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folder: &Path) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                true => {
                    let inner = tree(&path).into_iter();
                    found.extend(inner.map(|(inner, text)| (format!("{name}/{inner}"), text)));
                }
                false => _ = found.insert(name, fs::read_to_string(path).unwrap()),
            }
        }
        found
    }

    fn crate_before() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        for file in ["changed", "gone", "src/kept", "src/gone"] {
            fs::write(folder.path().join(file), "before").unwrap();
        }
        folder
    }

    fn changes() -> BTreeMap<String, Option<String>> {
        let after = Some("after".to_owned());
        BTreeMap::from([
            ("changed".to_owned(), after.clone()),
            ("gone".to_owned(), None),
            ("src/gone".to_owned(), None),
            ("new/deep/file".to_owned(), after.clone()),
            (".etlgen/lock.json".to_owned(), after),
        ])
    }

    #[test]
    fn a_kill_at_any_step_leaves_all_or_nothing() {
        let (before, after) = {
            let folder = crate_before();
            let before = tree(folder.path());
            apply(folder.path(), &changes()).unwrap();
            (before, tree(folder.path()))
        };
        let mut ends = Vec::new();
        for limit in 0.. {
            let folder = crate_before();
            let mut left = limit;
            let mut go = || match left {
                0 => Err(io::Error::other("killed")),
                _ => {
                    left -= 1;
                    Ok(())
                }
            };
            let done = apply_until(folder.path(), &changes(), &mut go).is_ok();
            // The next run may be killed at each of its steps, too.
            for limit in 0.. {
                let mut left = limit;
                let mut go = || match left {
                    0 => Err(io::Error::other("killed")),
                    _ => {
                        left -= 1;
                        Ok(())
                    }
                };
                if recover_until(folder.path(), &mut go).is_ok() {
                    break;
                }
            }
            assert!(!is_pending(folder.path()));
            let end = tree(folder.path());
            assert!(end == before || end == after, "killed at {limit}: {end:?}");
            ends.push(end == after);
            if done {
                break;
            }
        }
        assert!(ends.contains(&false) && ends.contains(&true));
        assert!(ends.is_sorted(), "what is done is not undone: {ends:?}");
    }

    #[test]
    fn what_the_owner_changed_in_between_is_not_overwritten() {
        let folder = crate_before();
        let mut left = 9;
        let mut go = || {
            left -= 1;
            (left > 0).then_some(()).ok_or(io::Error::other("killed"))
        };
        apply_until(folder.path(), &changes(), &mut go).unwrap_err();
        assert!(folder.path().join(JOURNAL).join(STEPS).exists());
        fs::write(folder.path().join("src/gone"), "mine").unwrap();
        let error = recover(folder.path()).unwrap_err();
        assert!(error.to_string().contains("src/gone"), "{error}");
        assert_eq!(
            fs::read_to_string(folder.path().join("src/gone")).unwrap(),
            "mine"
        );
    }
}
