//! `etlgen check`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{End, out, print_notes, say};
use crate::diagnostics::{Diagnostic, Kind, printable};
use crate::project::{Conflict, Document, Existing, Lock, Tree, is_pending, unsettled};

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of the crate
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let folder = &arguments.folder;
    let existing = Existing::open(folder)?;
    let tree = &existing.tree;
    let mut found = Vec::new();
    if is_pending(folder) {
        found.push(stale(".etlgen/journal", "an update was interrupted"));
    }
    found.extend(unsettled(tree)?.iter().map(open));
    found.extend(tree.misfits.iter().map(|path| misfit(tree, path)));
    let document = existing.document(None);
    match existing.load(&document) {
        Ok(input) => {
            let now = existing.generate(&document.name, input)?;
            print_notes(&now.notes, false);
            found.extend(drifted(&tree.lock, &now.lock));
        }
        Err(error) if may_be_away(&existing, &document) => {
            let reason = printable(error.message());
            say(&format!(
                "note: {}: {reason}; the crate was not compared with it",
                printable(&document.name)
            ));
        }
        Err(error) => return Err(error),
    }
    if found.is_empty() {
        out("no problems found");
        return Ok(End::Done);
    }
    found.iter().for_each(|problem| say(&problem.to_string()));
    Ok(End::Failed)
}

/// Returns whether the document may be absent: the crate may have been moved, or the network may be
/// off.
fn may_be_away(existing: &Existing, document: &Document) -> bool {
    let name = document.name.as_str();
    name == "-" || name.contains("://") || !existing.tree.folder.join(name).is_file()
}

/// Returns the error for an open conflict.
fn open(conflict: &Conflict) -> Diagnostic {
    let hint = format!(
        "edit it, or run `etlgen update --accept mine|theirs {}`",
        conflict.path
    );
    conflict.diagnostic().with_hint(hint)
}

/// Returns a finding that `etlgen update` settles.
fn stale(file: &str, message: &str) -> Diagnostic {
    Diagnostic::error(Kind::Crate, message)
        .in_file(file)
        .with_hint("run `etlgen update`")
}

/// Returns the error for a file whose last generated text differs from the one in the lock.
fn misfit(tree: &Tree, path: &str) -> Diagnostic {
    let file = format!(".etlgen/base/{path}.base");
    match tree.bases.contains(path) {
        true => stale(&file, "it does not match .etlgen/lock.json"),
        false => Diagnostic::error(Kind::Crate, "it is missing")
            .in_file(file)
            .with_hint("restore it from version control"),
    }
}

/// Returns what a generation would write differently now.
fn drifted(lock: &Lock, now: &Lock) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if lock.spec != now.spec {
        let (named, last) = (&now.spec, &lock.spec);
        let message =
            format!("it names the document {named}, but the crate was generated from {last}");
        found.push(stale("etlgen.toml", &message));
    }
    if lock.spec_hash != now.spec_hash {
        found.push(stale(&now.spec, "it changed since the crate was generated"));
    }
    if lock.names != now.names || lock.options != now.options || lock.format != now.format {
        let message = "its names or options would be generated differently now";
        found.push(stale(".etlgen/lock.json", message));
    }
    let paths: BTreeSet<&String> = lock.files.keys().chain(now.files.keys()).collect();
    let differ = paths
        .into_iter()
        .filter(|path| lock.files.get(*path) != now.files.get(*path));
    found.extend(differ.map(|path| stale(path, "it would be generated differently now")));
    found
}
