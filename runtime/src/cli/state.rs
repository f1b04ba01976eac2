//! The subcommands of `state`.

use std::io::Read;

use clap::ArgMatches;
use etlgen_model::counted;
use serde_json::json;

use super::options::chosen;
use super::out;
use super::target::{into, open, open_whole};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{self, Commit, LoadInfo, LoadStatus};
use crate::run;
use crate::settings::private_file;
use crate::source::Source;
use crate::state::{self, Declared, StateChange};

pub fn show(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (_, mut memory) = open(matches, source)?;
    memory
        .state
        .sort_by(|a, b| (&a.resource, &a.slice).cmp(&(&b.resource, &b.slice)));
    let seal = source.seal();
    for row in memory.state {
        let value = seal.close(&row.value);
        let value: serde_json::Value = serde_json::from_str(&value).unwrap_or_default();
        let line = json!({"resource": row.resource, "slice": row.slice, "state": value});
        out(&line.to_string())?;
    }
    Ok(0)
}

pub fn reset(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let names = chosen(matches);
    for name in &names {
        source.find(name)?;
    }
    let (mut into, memory) = open(matches, source)?;
    let forgotten: Vec<StateChange> = memory
        .state
        .into_iter()
        .filter(|row| names.is_empty() || names.contains(&row.resource))
        .map(|row| StateChange::Forget {
            resource: row.resource,
            slice: row.slice,
        })
        .collect();
    into.commit(&Commit::new(1, &forgotten, &LoadStatus::Complete))?;
    out(&format!(
        "forgot {} in {}",
        counted(forgotten.len() as u64, "state row"),
        into.describe()
    ))?;
    Ok(0)
}

pub fn export(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (_, mut memory) = open_whole(matches, source)?;
    // State that an earlier version stored may contain a secret.
    let seal = source.seal();
    for row in &mut memory.state {
        row.value = seal.close(&row.value);
    }
    let text = state::export(source.name(), &memory)?;
    match matches.get_one::<String>("file") {
        None => out(&text)?,
        Some(file) => private_file(file.as_ref(), format!("{text}\n").as_bytes())
            .map_err(|error| Error::file(ErrorKind::System, "write", file.as_ref(), error))?,
    }
    Ok(0)
}

pub fn import(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let file = text(matches, "file");
    let read = match file {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        file => std::fs::read_to_string(file),
    };
    let read = read.map_err(|error| {
        Error::file(ErrorKind::Usage, "read", file.as_ref(), error)
            .hint("write the file with `state export`")
    })?;
    // The destination need not exist yet: the next run continues there.
    let mut into = into(matches)?;
    let load = LoadInfo::new(run::load_id(source.world.time()), source.name(), None);
    let memory = load::open(&mut *into, &load.within(&source.world))?;
    let changes = state::import(&read, source.name(), &source.resource_names(), &memory)?;
    into.commit(&Commit::new(1, &changes, &LoadStatus::Complete))?;
    let put = changes
        .iter()
        .filter(|change| matches!(change, StateChange::Put(row) if !Declared::is(row)));
    let message = format!(
        "{} imported into {}",
        counted(put.count() as u64, "state row"),
        into.describe()
    );
    out(&message)?;
    Ok(0)
}

pub fn rewind(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (name, to) = (text(matches, "resource"), text(matches, "to"));
    let spec = source.find(name)?.spec();
    let Some(cursor) = spec.cursor.as_ref().filter(|c| c.is_incremental()) else {
        let message = format!("`{name}` has no cursor to set back: it is read in full each time");
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("use `state reset --resources` to forget an unfinished pass"));
    };
    let Some(bound) = cursor.parse(to) else {
        let message = format!("`--to {to}` is not a value of `{}`", cursor.keys.join("."));
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("write a date (2024-01-31) or a time (2024-01-31T12:00:00Z)"));
    };
    let (mut into, memory) = open(matches, source)?;
    let (changes, moved) = state::rewind(name, cursor, &bound, &memory.state)?;
    if moved == 0 {
        out(&format!(
            "no cursor of {name} is beyond {bound}: nothing changed"
        ))?;
        return Ok(0);
    }
    into.commit(&Commit::new(1, &changes, &LoadStatus::Complete))?;
    let what = match moved {
        1 => "1 cursor".to_owned(),
        n => format!("{n} cursors"),
    };
    let message = format!("set {what} of {name} back to {bound}; the next run reads from there");
    out(&message)?;
    Ok(0)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}
