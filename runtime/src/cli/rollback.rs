//! The command `rollback`.

use clap::ArgMatches;
use etlgen_model::counted;

use super::target::open;
use super::{out, table::align};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{LoadRow, LoadStatus, UNDOABLE_LOADS};
use crate::schema::Layout;
use crate::source::Source;

pub fn rollback(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let id = matches.get_one::<String>("load").map_or("", String::as_str);
    let (mut into, memory) = open(matches, source)?;
    if Layout::of(&memory.tables) == Some(Layout::Dlt) {
        let message = "loads of tables with the layout `dlt` cannot be rolled back";
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("`sync --full-refresh` replaces all rows, `state rewind` sets a cursor back"));
    }
    let loads = into.loads()?;
    let (load, later) = find(&loads, id)?;
    if !load.undoable {
        let message =
            format!("the load {id} cannot be rolled back: its changes are no longer recorded");
        return Err(Error::new(ErrorKind::State, message).hint(format!(
            "the changes of the last {UNDOABLE_LOADS} loads are kept; `sync --full-refresh` replaces all rows"
        )));
    }
    let ids = |loads: &[&LoadRow]| {
        let ids: Vec<String> = loads.iter().map(|load| load.id.clone()).collect();
        ids
    };
    if !later.is_empty() && !matches.get_flag("with-later") {
        let message = format!(
            "the load {id} is not the last one: {} followed",
            ids(&later).join(", ")
        );
        return Err(Error::new(ErrorKind::Usage, message).hint(
            "add `--with-later` to roll these loads back too: the state can only go back as a whole",
        ));
    }
    let mut all = vec![load];
    all.extend(later);
    let done = into.rollback(&ids(&all))?;
    let mut rows = vec![["resource", "records removed", "older records lost"].map(str::to_owned)];
    let mut notes = Vec::new();
    for back in done {
        let name = back.resource;
        match back.removed {
            Some(removed) => {
                if back.lost > 0 {
                    notes.push(format!(
                        "{name}: {} that the load had replaced or removed cannot be restored; the next run reads again from before the load",
                        counted(back.lost, "older record")
                    ));
                }
                rows.push([name, removed.to_string(), back.lost.to_string()]);
            }
            None => notes.push(format!(
                "{name}: unchanged, because the load replaced all its rows and the older ones no longer exist"
            )),
        }
    }
    let what = match all.len() {
        1 => format!("the load {id}"),
        n => format!("{n} loads from {id} on"),
    };
    out(&format!("rolled back {what} in {}", into.describe()))?;
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    out(&align(&rows).join("\n"))?;
    notes.iter().try_for_each(|note| out(note))?;
    Ok(0)
}

/// Returns the load with that id, and the later loads that were not rolled back.
fn find<'a>(loads: &'a [LoadRow], id: &str) -> Result<(&'a LoadRow, Vec<&'a LoadRow>)> {
    let standing = |load: &&LoadRow| load.status != LoadStatus::RolledBack;
    let Some(load) = loads.iter().find(|load| load.id == id) else {
        let last: Vec<&str> = loads
            .iter()
            .rev()
            .filter(standing)
            .map(|l| l.id.as_str())
            .collect();
        let last = &last[..last.len().min(5)];
        return Err(
            Error::new(ErrorKind::Usage, format!("there is no load `{id}`"))
                .hint(format!("the last loads are {}", last.join(", "))),
        );
    };
    if load.status == LoadStatus::RolledBack {
        let message = format!("the load {id} was already rolled back");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let later = loads.iter().filter(|other| other.id > load.id);
    Ok((load, later.filter(standing).collect()))
}
