//! Merges a new generation into an edited crate: file by file, against the last generation.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::combine::{Combined, Style, combine};
use super::merge::{Side, markers, settle};
use super::moves::{Moves, moves};
use super::planned::{Changes, Conflict, Outcome, Planned};
use super::release::{Announce, Release, is_bumped, release};
use super::tree::{Text, Tree};
use super::uses::uses;
use super::{BASE, LOCK, Lock, renames};
use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;

/// The owner's file in the crate, which an update reads but never writes.
const CONFIG: &str = "etlgen.toml";

/// A new generation merged into a crate, before anything is written.
#[derive(Debug)]
pub struct Merge {
    pub planned: Planned,
    /// The new contents of `.etlgen`.
    pub records: Changes,
    /// The changes for the users of the crate.
    pub release: Release,
}

/// The side that wins in each file.
pub type Accept = BTreeMap<String, Side>;

/// Merges a new generation into a crate, in memory.
pub fn merge_into(
    tree: &Tree,
    files: &Files,
    lock: &Lock,
    accept: &Accept,
    announce: Announce,
) -> Result<Merge, Diagnostic> {
    let style = Style::of(&tree.folder);
    let mut planned = Planned::default();
    let mut moves = moves(tree, files)?;
    planned.conflicts.append(&mut moves.conflicts);
    let renamed = renames::renames(tree, files, lock)?;
    let targets: BTreeSet<&String> = renamed.values().collect();
    let paths: BTreeSet<&String> = tree.base.keys().chain(files.keys()).collect();
    for path in paths {
        if path == CONFIG || targets.contains(path) {
            continue;
        }
        let target = renamed.get(path).unwrap_or(path);
        let side = accept.get(path).or(accept.get(target)).copied();
        let file = File {
            path,
            target,
            base: tree.base.get(path),
            new: files.get(target),
            side,
        };
        file.plan(tree, files, (&style, &moves), &mut planned)?;
    }
    for (path, side) in accept {
        if let Text::Some(text) = tree.read(path)?
            && !planned.changes.contains_key(path)
            && !markers(&text).is_empty()
        {
            planned
                .changes
                .insert(path.clone(), Some(settle(&text, *side)));
            planned.outcomes.push((path.clone(), Outcome::Settled));
        }
    }
    planned
        .conflicts
        .extend(uses(tree, files, &planned.changes)?);
    let mut lock = lock.clone();
    let release = release(tree, &mut planned, &mut lock, announce)?;
    Ok(Merge {
        records: records(tree, files, &lock)?,
        planned,
        release,
    })
}

/// The three versions of a file, and its new path.
struct File<'a> {
    path: &'a String,
    target: &'a String,
    base: Option<&'a String>,
    new: Option<&'a String>,
    side: Option<Side>,
}

impl File<'_> {
    fn plan(
        &self,
        tree: &Tree,
        files: &Files,
        (style, moves): (&Style, &Moves),
        planned: &mut Planned,
    ) -> Result<(), Diagnostic> {
        let mut place = self.path.clone();
        let mut disk = match moves.mine.get(&place) {
            Some(text) => Text::Some(text.clone()),
            None => tree.read(&place)?,
        };
        let changed = self.base != self.new;
        let new = moves.new.get(self.target).or(self.new);
        let left = disk == Text::None && changed && self.side != Some(Side::Theirs);
        if left && let Some((moved, text)) = renames::moved(tree, files, self.base)? {
            (place, disk) = (moved, Text::Some(text));
        }
        let mine = match disk {
            Text::Other => {
                if changed {
                    planned.note(&place, Outcome::NotText);
                }
                return Ok(());
            }
            Text::None => None,
            // Conflicts that `--accept` settles are settled first.
            Text::Some(text) if !markers(&text).is_empty() => {
                self.side.map(|side| settle(&text, side)).or(Some(text))
            }
            Text::Some(text) => Some(text),
        };
        let stays = place != *self.path;
        match (self.base, mine, new) {
            (None, None, Some(new)) => {
                planned.write(self.target, style.apply(self.target, new), Outcome::New)
            }
            (Some(_), None, Some(new)) if changed => match self.side {
                Some(Side::Theirs) => {
                    planned.write(self.target, style.apply(self.target, new), Outcome::New)
                }
                _ => planned.note(self.path, Outcome::StaysDeleted),
            },
            (_, None, _) | (None, _, None) => {}
            (Some(base), Some(mine), None) => {
                if !stays && (self.side == Some(Side::Theirs) || style.same(self.path, &mine, base))
                {
                    planned.changes.insert(self.path.clone(), None);
                    planned.note(self.path, Outcome::Removed);
                } else {
                    planned.note(&place, Outcome::NowYours);
                }
            }
            (base, Some(mine), Some(new)) => {
                let renamed = self.path != self.target;
                if (mine == *new || !changed) && (!renamed || stays) {
                    return Ok(());
                }
                let target = if stays { &place } else { self.target };
                if renamed && !stays {
                    planned.changes.insert(self.path.clone(), None);
                }
                if base.is_some_and(|base| style.same(self.path, &mine, base)) {
                    planned.write(target, style.apply(target, new), Outcome::Follows);
                    return Ok(());
                }
                let Combined { text, conflicts } = combine(
                    target,
                    base.map(String::as_str),
                    [&mine, new],
                    style,
                    self.side,
                );
                let bumped = base.is_some_and(|base| is_bumped(tree, self.path, base, &mine));
                let outcome = match stays {
                    true => Outcome::MergedAway(self.path.clone()),
                    // The version in it is etlgen's own.
                    false if bumped => Outcome::Follows,
                    false => Outcome::Merged,
                };
                planned
                    .conflicts
                    .extend(conflicts.into_iter().map(|(line, why)| Conflict {
                        path: target.clone(),
                        line,
                        why,
                        is_marked: true,
                    }));
                if text == mine && !renamed {
                    return Ok(());
                }
                planned.write(target, text, outcome);
            }
        }
        Ok(())
    }
}

/// Returns the files of `.etlgen` that differ from the new generation.
fn records(tree: &Tree, files: &Files, lock: &Lock) -> Result<Changes, Diagnostic> {
    let mut out = BTreeMap::new();
    let mut keep = |path: String, text: &str| -> Result<(), Diagnostic> {
        if tree.read(&path)? != Text::Some(text.to_owned()) {
            out.insert(path, Some(text.to_owned()));
        }
        Ok(())
    };
    for (path, text) in files {
        keep(format!("{BASE}/{path}.base"), text)?;
    }
    keep(LOCK.to_owned(), &lock.to_json())?;
    let gone = tree.bases.iter().filter(|path| !files.contains_key(*path));
    out.extend(gone.map(|path| (format!("{BASE}/{path}.base"), None)));
    Ok(out)
}

/// Returns the files with conflict markers; markers in an unedited file do not count.
pub fn unsettled(tree: &Tree) -> Result<Vec<Conflict>, Diagnostic> {
    let mut found = Vec::new();
    for path in tree.all()? {
        let Text::Some(text) = tree.read(&path)? else {
            continue;
        };
        if tree.base.get(&path) == Some(&text) {
            continue;
        }
        found.extend(markers(&text).into_iter().map(|line| Conflict {
            path: path.clone(),
            line,
            why: "this conflict is open".to_owned(),
            is_marked: true,
        }));
    }
    Ok(found)
}

/// Returns the files of a crate with uncommitted changes in git; none without git.
pub fn dirty(folder: &Path) -> Result<Vec<String>, Diagnostic> {
    let output = std::process::Command::new("git")
        .args(["status", "--porcelain", "-z", "--no-renames", "--", "."])
        .current_dir(folder)
        .stderr(std::process::Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        output => output.map_err(|error| {
            Diagnostic::error(Kind::Tool, format!("git cannot be run: {error}")).caused_by(error)
        })?,
    };
    if !output.status.success() {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let paths = text.split('\0').filter_map(|entry| entry.get(3..));
    // An update does not write etlgen.toml, so it may have changes.
    let written = paths.filter(|path| !path.is_empty() && !path.ends_with(CONFIG));
    Ok(written.map(str::to_owned).collect())
}
