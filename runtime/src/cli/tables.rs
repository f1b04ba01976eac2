//! The subcommands of `tables`.

use std::time::Duration;

use clap::ArgMatches;
use etlgen_model::counted;

use super::target::{open, open_whole};
use super::{out, out_table, query};
use crate::error::Result;
use crate::run::{Table, migrate};
use crate::source::Source;
use crate::text::grouped;

pub fn list(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (mut into, memory) = open_whole(matches, source)?;
    let counts = into.row_counts()?;
    let mut table = Table::new(&[("table", 0), ("rows", 0)]);
    for (name, count) in &counts {
        table.plain([name.clone(), grouped(*count)]);
    }
    out_table(&table)?;
    let notes = migrate::orphan_notes(source, &memory)?;
    notes.iter().try_for_each(|note| out(note))?;
    if let Some(most) = matches.get_one::<u64>("head") {
        std::mem::drop(into);
        let names: Vec<&str> = counts.iter().map(|(name, _)| name.as_str()).collect();
        query::heads(matches, &names, *most)?;
    }
    Ok(0)
}

pub fn rename(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (old, new) = (text(matches, "old"), text(matches, "new"));
    let (mut into, memory) = open_whole(matches, source)?;
    let notes = migrate::rename_tables(source, old, new, &mut *into, memory)?;
    out(&format!(
        "moved the tables and the state of {old} to {new} in {}",
        into.describe()
    ))?;
    notes
        .iter()
        .try_for_each(|note| out(&format!("{new}: {note}")))?;
    Ok(0)
}

pub fn drop(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (mut into, memory) = open(matches, source)?;
    let names = migrate::drop_tables(text(matches, "resource"), &mut *into, &memory)?;
    out(&format!(
        "removed {} from {}",
        names.join(", "),
        into.describe()
    ))?;
    Ok(0)
}

pub fn vacuum(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let wait = matches.get_one::<Duration>("wait").copied();
    let (mut into, memory) = open(matches, source)?;
    let done = migrate::vacuum(&mut *into, &memory, wait.unwrap_or_default())?;
    out(&format!("vacuumed {}", into.describe()))?;
    if done.orphans > 0 {
        let files = counted(done.orphans, "file");
        out(&format!("removed {files} that no commit names"))?;
    }
    if done.merged > 0 {
        let (files, into) = (counted(done.merged, "file"), done.into);
        out(&format!("merged {files} into {into}"))?;
    }
    if let Some((before, after)) = done.bytes {
        out(&format!("{before} bytes before, {after} now"))?;
    }
    Ok(0)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}
