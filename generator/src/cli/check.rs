//! `etlgen check`.

use std::path::PathBuf;

use super::{End, out, print_notes, say};
use crate::diagnostics::{Diagnostic, Kind, counted, printable, toml_string};
use crate::project::{Conflict, Existing, Lock, Tree, is_pending, unsettled};

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of the crate
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Check the crate alone, without its document
    #[arg(long)]
    offline: bool,
}

/// The problems found.
#[derive(Default)]
struct Found {
    conflicts: Vec<Diagnostic>,
    /// Each has a hint of its own.
    others: Vec<Diagnostic>,
    /// `etlgen update` settles these.
    stale: Vec<Diagnostic>,
}

impl Found {
    fn stale(&mut self, file: &str, message: &str) {
        let problem = Diagnostic::error(Kind::Crate, message).in_file(file);
        self.stale.push(problem);
    }
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let folder = &arguments.folder;
    let existing = Existing::open(folder)?;
    let tree = &existing.tree;
    let mut found = Found::default();
    if is_pending(folder) {
        found.stale(".etlgen/journal", "an update was interrupted");
    }
    found.conflicts.extend(unsettled(tree)?.iter().map(open));
    for path in &tree.misfits {
        misfit(tree, path, &mut found);
    }
    let document = existing.document(None);
    let not_compared = |why: &str| {
        let name = printable(&document.name);
        say(&format!(
            "note: {name}: {why}; the crate was not compared with it"
        ));
    };
    if tree.lock.spec != document.name {
        found
            .others
            .push(another_document(&document.name, &tree.lock.spec));
    } else if arguments.offline {
        not_compared("not loaded (`--offline`)");
    } else if document.name == "-" {
        not_compared("the document came from standard input");
    } else {
        let input = existing.load(&document).map_err(|error| {
            error.or_hint(
                "the crate is compared with its document; `--offline` checks the crate alone",
            )
        })?;
        let now = existing.generate(&document.name, input)?;
        print_notes(&now.notes, false);
        drifted(&tree.lock, &now.lock, &mut found);
    }
    Ok(report(&found))
}

fn report(found: &Found) -> End {
    let own = found.conflicts.iter().chain(&found.others);
    own.chain(&found.stale)
        .for_each(|problem| say(&problem.to_string()));
    if !found.stale.is_empty() {
        say(&format!(
            "hint: `etlgen update` settles {}; `etlgen update --dry-run --diff` shows the changes",
            counted(found.stale.len(), "problem")
        ));
    }
    match (&found.conflicts[..], &found.others[..], &found.stale[..]) {
        ([], [], []) => {
            out("no problems found");
            End::Done
        }
        ([], ..) => End::Failed,
        _ => End::Conflicts,
    }
}

/// Returns the error for an open conflict.
fn open(conflict: &Conflict) -> Diagnostic {
    let hint = format!(
        "edit it, or run `etlgen update --accept mine|theirs {}`",
        conflict.path
    );
    conflict.diagnostic().with_hint(hint)
}

/// Adds the problem of a file whose last generated text differs from the one in the lock.
fn misfit(tree: &Tree, path: &str, found: &mut Found) {
    let file = format!(".etlgen/base/{path}.base");
    match tree.bases.contains(path) {
        true => found.stale(&file, "it does not match .etlgen/lock.json"),
        false => found.others.push(
            Diagnostic::error(Kind::Crate, "it is missing")
                .in_file(file)
                .with_hint("restore it from version control"),
        ),
    }
}

/// Returns the error for a crate that was generated from another document than `etlgen.toml` names:
/// by `update --spec`, or before the file was edited.
fn another_document(named: &str, last: &str) -> Diagnostic {
    let message = format!("it names the document {named}, but the crate was generated from {last}");
    let hint = format!(
        "to keep the crate, write `spec = {}` into etlgen.toml; `etlgen update` generates it from {named}",
        toml_string(last)
    );
    Diagnostic::error(Kind::Crate, message)
        .in_file("etlgen.toml")
        .with_hint(hint)
}

/// Adds what a generation would write differently now.
fn drifted(lock: &Lock, now: &Lock, found: &mut Found) {
    const CHANGED: &str = "it changed since the crate was generated";
    if lock.spec_hash != now.spec_hash {
        found.stale(&now.spec, CHANGED);
    }
    if lock.names != now.names || lock.options != now.options || lock.format != now.format {
        let message = "its names or options would be generated differently now";
        found.stale(".etlgen/lock.json", message);
    }
    for (path, text) in &now.files {
        match lock.files.get(path) {
            Some(known) if known == text => {}
            // Its owner writes this file.
            Some(_) if path == "etlgen.toml" => found.stale(path, CHANGED),
            Some(_) => found.stale(path, "changed: it would be generated differently now"),
            None => found.stale(path, "new: it is not generated yet"),
        }
    }
    let gone = lock
        .files
        .keys()
        .filter(|path| !now.files.contains_key(*path));
    for path in gone {
        found.stale(path, "removed: it would not be generated any more");
    }
}
