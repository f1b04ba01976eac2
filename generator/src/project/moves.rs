//! Moves the owner's edits of structs that are generated in another file than before.

use std::collections::BTreeMap;

use super::merge::merge;
use super::planned::Conflict;
use super::rust;
use super::tree::{Text, Tree};
use crate::diagnostics::Diagnostic;
use crate::emit::Files;

/// The versions to merge after the moves.
#[derive(Default)]
pub struct Moves {
    /// Files on disk, without the owner's edits to items that move away.
    pub mine: Files,
    /// Files generated now, with the owner's edits to items that move there.
    pub new: Files,
    /// Edits that cannot move.
    pub conflicts: Vec<Conflict>,
}

/// The place of an item: its file, and its text there.
type Places<'a> = BTreeMap<String, (&'a String, String)>;

/// Finds the structs that move, and moves their owner's edits with them.
pub fn moves(tree: &Tree, files: &Files) -> Result<Moves, Diagnostic> {
    let (before, now) = (structs(&tree.base), structs(files));
    let mut out = Moves::default();
    for (name, (from, base)) in &before {
        let Some((to, new)) = now.get(name).filter(|(to, _)| to != from) else {
            continue;
        };
        let mine = match out.mine.get(*from) {
            Some(text) => text.clone(),
            None => match tree.read(from)? {
                Text::Some(text) if tree.base.get(*from) != Some(&text) => text,
                _ => continue,
            },
        };
        let own = items(&mine).remove(name);
        let Some(own) = own.filter(|own| own != base) else {
            continue;
        };
        let target = out
            .new
            .get(*to)
            .or(files.get(*to))
            .cloned()
            .unwrap_or_default();
        let merged = merge(base, &own, new, None);
        if merged.conflicts.is_empty() {
            out.new.insert(
                (*to).clone(),
                target.replacen(new.as_str(), &merged.text, 1),
            );
            out.mine
                .insert((*from).clone(), mine.replacen(&own, base, 1));
        } else {
            let before = target.find(new.as_str()).unwrap_or_default();
            out.conflicts.push(Conflict {
                path: (*to).clone(),
                line: target[..before].matches('\n').count() + 1,
                why: format!("`{name}` is generated here now and differs from before, and you had changed it in {from}"),
                is_marked: false,
            });
        }
    }
    Ok(out)
}

/// Returns the structs of the sources, by their names.
fn structs(files: &Files) -> Places<'_> {
    let sources = files
        .iter()
        .filter(|(path, _)| path.starts_with("src/") && path.ends_with(".rs"));
    let found = sources.flat_map(|(path, text)| {
        items(text)
            .into_iter()
            .map(move |(name, text)| (name, (path, text)))
    });
    found.collect()
}

/// Returns the structs of a file with their documentation.
fn items(text: &str) -> BTreeMap<String, String> {
    let Ok(file) = rust::parse(text) else {
        return BTreeMap::new();
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let structs = rust::definitions(&file)
        .into_iter()
        .filter(|it| it.kind == "type");
    structs
        .filter_map(|it| Some((it.name, lines.get(it.lines.0 - 1..it.lines.1)?.concat())))
        .collect()
}
