//! Finds lines of one side that use what the other side removed or gave another type. They merge,
//! but do not compile.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::markers;
use super::planned::Conflict;
use super::rust::{self, Definition};
use super::tree::{Text, Tree};
use crate::diagnostics::Diagnostic;
use crate::emit::Files;

/// Returns the lines of the merged sources that use what was removed or changed.
pub fn uses(
    tree: &Tree,
    files: &Files,
    changes: &BTreeMap<String, Option<String>>,
) -> Result<Vec<Conflict>, Diagnostic> {
    let mut disk = Files::new();
    for path in tree.sources()? {
        if let Text::Some(text) = tree.read(&path)? {
            disk.insert(path, text);
        }
    }
    let mut result = disk.clone();
    for (path, text) in changes {
        match text {
            Some(text) => _ = result.insert(path.clone(), text.clone()),
            None => _ = result.remove(path),
        }
    }
    result.retain(|path, text| is_source(path) && markers(text).is_empty());
    let (base, new) = (Side::of(&tree.base), Side::of(files));
    let disk = Side::of(&disk);
    let mut found = Vec::new();
    let mine = |line: &str| !base.lines.contains(line) && !new.lines.contains(line);
    let changed = rust::changed(&base.definitions, &new.definitions);
    search(&result, &changed, &mine, "your line uses", &mut found);
    let added = |line: &str| new.lines.contains(line) && !base.lines.contains(line);
    let theirs = |line: &str| added(line) && !disk.lines.contains(line);
    let changed = rust::changed(&base.definitions, &disk.definitions);
    search(
        &result,
        &changed,
        &theirs,
        "a line that etlgen added uses",
        &mut found,
    );
    Ok(found)
}

/// The sources of one version.
struct Side {
    definitions: rust::Definitions,
    lines: BTreeSet<String>,
}

impl Side {
    fn of(files: &Files) -> Side {
        let texts = files.iter().filter(|(path, _)| is_source(path));
        let texts: Vec<&String> = texts.map(|(_, text)| text).collect();
        let parsed = texts.iter().filter_map(|text| rust::parse(text).ok());
        let found = parsed.flat_map(|file| rust::definitions(&file));
        let lines = texts.iter().flat_map(|text| text.lines());
        Side {
            definitions: found
                .map(|it| ((it.of.clone(), it.kind, it.name.clone()), it))
                .collect(),
            lines: lines.map(|line| line.trim().to_owned()).collect(),
        }
    }
}

fn is_source(path: &str) -> bool {
    path.starts_with("src/") && path.ends_with(".rs")
}

fn search(
    files: &Files,
    changed: &[(Definition, Option<String>)],
    is_added: &dyn Fn(&str) -> bool,
    says: &str,
    found: &mut Vec<Conflict>,
) {
    for (path, text) in files {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if !is_added(line) {
                continue;
            }
            let used = changed
                .iter()
                .find(|(what, _)| rust::mentions(line, what) && !defines(line, &what.name));
            let Some((what, now)) = used else { continue };
            let name = match &what.of {
                Some(of) => format!("{of}.{}", what.name),
                None => what.name.clone(),
            };
            let why = match now {
                None => format!("{says} `{name}`, which was removed"),
                Some(now) => format!("{says} `{name}`, which is now `{now}`"),
            };
            found.push(Conflict {
                path: path.clone(),
                line: at + 1,
                why,
                is_marked: false,
            });
        }
    }
}

/// Returns whether the line itself defines the name.
fn defines(line: &str, name: &str) -> bool {
    let line = line.trim_start_matches("pub ");
    ["fn ", "struct ", "type ", "enum ", "mod "]
        .iter()
        .any(|word| {
            line.strip_prefix(word)
                .is_some_and(|rest| rest.starts_with(name))
        })
}
