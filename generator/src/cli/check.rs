//! `etlgen check`.

use std::path::PathBuf;

use super::existing::{Document, open};
use super::{Failure, out, say};
use crate::diagnostics::printable;
use crate::project::{Lock, Tree, is_pending, unsettled};
use crate::spec::Input;

#[derive(clap::Args)]
pub struct Arguments {
    /// Where the crate stands
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let crate_ = open(folder)?;
    let tree = &crate_.tree;
    let mut found = Vec::new();
    if is_pending(folder) {
        found.push(".etlgen/journal: an update was cut short: run `etlgen update`".to_owned());
    }
    let unsettled = unsettled(tree)?;
    found.extend(unsettled.iter().map(|it| {
        format!(
            "{}:{}: {}: edit it, or `etlgen update --accept mine|theirs {}`",
            it.path, it.line, it.why, it.path
        )
    }));
    found.extend(
        tree.misfits
            .iter()
            .map(|path| match tree.bases.contains(path) {
                true => format!(
                    ".etlgen/base/{path}.base: not what .etlgen/lock.json says: run `etlgen update`"
                ),
                false => {
                    format!(".etlgen/base/{path}.base: missing: take it back from version control")
                }
            }),
    );
    let document = crate_.document(None);
    if let Some(away) = away(tree, &document) {
        say(&format!(
            "note: {away}; that the crate is up to date with it is not checked"
        ));
    } else {
        let now = crate_.generate(&document)?;
        drifted(tree, &now.lock, &mut found);
    }
    if found.is_empty() {
        out("all is well");
        return Ok(());
    }
    found
        .iter()
        .for_each(|line| say(&format!("error: {}", printable(line))));
    Err(Failure::Said)
}

/// Why the document cannot be read here, if so.
fn away(tree: &Tree, document: &Document) -> Option<String> {
    let name = printable(&document.name);
    if name == "-" {
        return Some("the document came from standard input".to_owned());
    }
    if name.contains("://") {
        let error = Input::load(&document.place).err()?;
        return Some(format!("the document is out of reach: {error}"));
    }
    let there = tree.folder.join(&document.name).is_file();
    (!there).then(|| format!("the document {name} is not here"))
}

/// What a generation now would write otherwise.
fn drifted(tree: &Tree, now: &Lock, found: &mut Vec<String>) {
    let lock = &tree.lock;
    if lock.spec != now.spec {
        found.push(format!(
            "etlgen.toml: it names the document {}, but the crate is generated from {}: run `etlgen update`",
            now.spec, lock.spec
        ));
    }
    if lock.spec_hash != now.spec_hash {
        found.push(format!(
            "{}: changed since the crate was generated: run `etlgen update`",
            now.spec
        ));
    }
    if lock.names != now.names || lock.options != now.options || lock.format != now.format {
        found.push(".etlgen/lock.json: its names or options are not those that etlgen gives: run `etlgen update`".to_owned());
    }
    let paths: std::collections::BTreeSet<&String> =
        lock.files.keys().chain(now.files.keys()).collect();
    for path in paths {
        if lock.files.get(path) != now.files.get(path) {
            found.push(format!(
                "{path}: would be generated otherwise now: run `etlgen update`"
            ));
        }
    }
}
