//! Repairs a place after a run that was killed: the files are then those that the manifest names.

use std::collections::BTreeSet;

use super::batch::{DataFile, Retired};
use super::manifest::{FileEntry, Manifest};
use super::names::{self, DRIFT};
use super::store::{Catalog, Listing, Store};
use crate::error::{Error, ErrorKind, Result};

/// What a killed run has left.
#[derive(Default)]
struct Left {
    /// Files that were staged by the last commit, and placed after it: table and name.
    placed: Vec<(String, String)>,
    /// Files that no commit names.
    orphans: Vec<Retired>,
    /// Tables that were never committed.
    tables: Vec<String>,
}

/// Puts every file where the manifest says, and removes unknown ones.
pub fn repair(store: &dyn Store, catalog: &mut dyn Catalog, manifest: &Manifest) -> Result<()> {
    let sources = manifest.sources.values();
    let tables = sources.flat_map(|source| &source.tables);
    let mut known: BTreeSet<String> = tables.map(|table| table.name.clone()).collect();
    known.insert(DRIFT.to_owned());
    let left = find(store, manifest, &known, store.list(&known)?)?;
    if left.placed.is_empty() && left.orphans.is_empty() && left.tables.is_empty() {
        return Ok(());
    }
    catalog.exclude(manifest)?;
    for (table, name) in &left.placed {
        store.restage(table, name)?;
    }
    for file in &left.orphans {
        store.sweep(file)?;
    }
    left.tables.iter().try_for_each(|table| store.disown(table))
}

/// Finds what is not as the manifest says. A file that it names and that is missing is an error.
fn find(
    store: &dyn Store,
    manifest: &Manifest,
    known: &BTreeSet<String>,
    mut there: Listing,
) -> Result<Left> {
    let mut left = Left::default();
    for table in manifest.sources.values().flat_map(|source| &source.tables) {
        let placed = there.placed.entry(table.name.clone()).or_default();
        let staged = there.staged.entry(table.name.clone()).or_default();
        for file in &table.staged {
            if !staged.contains(&file.name) && placed.remove(&file.name) {
                // The pass was about to be published.
                staged.insert(file.name.clone());
                left.placed
                    .push((table.name.clone(), stem(file).to_owned()));
            }
        }
        take(store, &table.name, true, placed, &table.files)?;
        take(store, &table.name, false, staged, &table.staged)?;
    }
    for entry in manifest.sources.values().flat_map(|source| &source.seen) {
        let staged = there.staged.entry(entry.table.clone()).or_default();
        let file = std::slice::from_ref(&entry.file);
        take(store, &entry.table, false, staged, file)?;
    }
    let drift = there.placed.entry(DRIFT.to_owned()).or_default();
    for source in manifest.sources.values() {
        take(store, DRIFT, true, drift, &source.drift)?;
    }
    for table in there.staged.keys().filter(|table| !known.contains(*table)) {
        left.tables.push(table.clone());
    }
    for (files, placed) in [(there.placed, true), (there.staged, false)] {
        for (table, names) in files {
            let names = names.iter().filter_map(|name| names::parse(name));
            left.orphans.extend(names.map(|(name, _)| Retired {
                table: table.clone(),
                name: name.to_owned(),
                placed,
            }));
        }
    }
    Ok(left)
}

/// Takes the files that the manifest names out of those that are there.
fn take(
    store: &dyn Store,
    table: &str,
    placed: bool,
    there: &mut BTreeSet<String>,
    files: &[FileEntry],
) -> Result<()> {
    for file in files {
        if !there.remove(&file.name) {
            let what = "this file of the last commit is missing";
            let place = store.path(DataFile {
                table,
                name: stem(file),
                placed,
            });
            return Err(Error::new(ErrorKind::Destination, what)
                .at(place)
                .hint("restore it, or load into another place"));
        }
    }
    Ok(())
}

/// Returns the name of a file without its extension.
fn stem(file: &FileEntry) -> &str {
    names::parse(&file.name).map_or(&file.name, |(name, _)| name)
}
