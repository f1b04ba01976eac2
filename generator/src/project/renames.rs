//! Finds files with another path than before: etlgen renamed them, or their owner moved them.

use std::collections::{BTreeMap, BTreeSet};

use similar::TextDiff;

use super::Lock;
use super::tree::{Text, Tree};
use crate::diagnostics::Diagnostic;
use crate::emit::Files;
use crate::plan::module_name;

/// The least part of its lines that a moved file shares with the old one.
const ALIKE: f32 = 0.6;

/// Returns the new paths, by the old ones, of files that are now generated under another name.
pub fn renames(
    tree: &Tree,
    files: &Files,
    lock: &Lock,
) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut found = BTreeMap::new();
    let free = |old: String, new: String, found: &mut BTreeMap<String, String>| {
        let vanishes = tree.base.contains_key(&old) && !files.contains_key(&old);
        let appears = files.contains_key(&new) && !tree.base.contains_key(&new);
        let free = matches!(tree.read(&new), Ok(Text::None));
        if vanishes && appears && free && !found.values().any(|taken| *taken == new) {
            found.insert(old, new);
        }
    };
    // The ledger identifies the resource.
    for (what, old) in tree
        .lock
        .names
        .iter()
        .filter(|(what, _)| what.starts_with("resource "))
    {
        let Some(new) = lock.names.get(what).filter(|new| *new != old) else {
            continue;
        };
        let paths = |name: &str| {
            [
                format!("src/resources/{}.rs", module_name(name)),
                format!("tests/examples/{name}.json"),
                format!("tests/exchange/{name}.json"),
            ]
        };
        for (old, new) in paths(old).into_iter().zip(paths(new)) {
            free(old, new, &mut found);
        }
    }
    // Otherwise a file that its owner edited or deleted moved to the most similar new file.
    let appear: BTreeSet<&String> = files
        .keys()
        .filter(|path| !tree.base.contains_key(*path))
        .collect();
    for (old, text) in &tree.base {
        if files.contains_key(old) || found.contains_key(old) || !old.ends_with(".rs") {
            continue;
        }
        match tree.read(old)? {
            Text::Some(mine) if mine == *text => continue,
            _ => {}
        }
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let near = appear.iter().filter(|new| folder(new) == folder(old));
        if let Some(new) = nearest(text, near.map(|new| (*new, files[*new].as_str()))) {
            free(old.clone(), new, &mut found);
        }
    }
    Ok(found)
}

/// Returns the path to which the owner moved a generated file, and its current text.
pub fn moved(
    tree: &Tree,
    files: &Files,
    base: Option<&String>,
) -> Result<Option<(String, String)>, Diagnostic> {
    let Some(base) = base.filter(|base| base.lines().count() > 3) else {
        return Ok(None);
    };
    let mut own = Files::new();
    for path in tree.sources()? {
        if tree.base.contains_key(&path) || files.contains_key(&path) {
            continue;
        }
        if let Text::Some(text) = tree.read(&path)? {
            own.insert(path, text);
        }
    }
    let found = nearest(base, own.iter().map(|(path, text)| (path, text.as_str())));
    Ok(found.map(|path| {
        let text = own.remove(&path).unwrap_or_default();
        (path, text)
    }))
}

/// Returns the path of the most similar text, if it is similar enough.
fn nearest<'a>(text: &str, others: impl Iterator<Item = (&'a String, &'a str)>) -> Option<String> {
    let alike = |other: &str| TextDiff::from_lines(text, other).ratio();
    others
        .map(|(path, other)| (alike(other), path))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, path)| path.clone())
}
