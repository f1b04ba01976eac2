//! The subcommands of `tables`.

use clap::ArgMatches;

use super::target::{open, open_whole};
use super::{out, table::align};
use crate::error::Result;
use crate::run::migrate;
use crate::source::Source;

pub fn list(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (mut into, memory) = open_whole(matches, source)?;
    let mut rows = vec![vec!["table".to_owned(), "rows".to_owned()]];
    for (table, count) in into.row_counts()? {
        rows.push(vec![table, count.to_string()]);
    }
    out(&align(&rows).join("\n"))?;
    let notes = migrate::orphan_notes(source, &memory)?;
    notes.iter().try_for_each(|note| out(note))?;
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

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}
