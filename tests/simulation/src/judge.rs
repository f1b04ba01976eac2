//! Compares the report of a run and the rows that it loaded with the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use etlgen_runtime::prelude::Deletes;

use crate::api::Api;
use crate::api::rows::{Row, Table, tags};
use crate::dest::Loaded;
use crate::scenario::ListSpec;

/// The completeness of a resource, as a run reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Complete: nothing is missing.
    Proved,
    /// Complete: nothing is missing except rows that have moved.
    Consistent,
    /// The run reports that rows may be missing, or failed.
    Open,
}

/// The rows of a list of the API that the destination must and may hold.
#[derive(Default)]
struct Expected {
    /// The rows that must exist, by `uid`.
    must: BTreeMap<u32, Must>,
    /// The row and the key of its item, by version.
    known: BTreeMap<u32, (u32, Option<String>)>,
    /// The rows that the API had at no time of the pass.
    gone: BTreeSet<u32>,
}

/// The requirement on a row.
struct Must {
    /// The row must have one of these states.
    versions: BTreeSet<u32>,
}

/// The data to judge.
pub struct Case<'a> {
    pub name: &'static str,
    pub spec: &'a ListSpec,
    pub api: &'a Api,
    pub grade: Grade,
    /// The ticks at which the pass began and ended.
    pub pass: (u64, u64),
    pub rows: &'a [Loaded],
    /// Whether deleted rows must be removed or marked.
    pub deletes: bool,
    /// The rows that existed before the run.
    pub before: &'a [Loaded],
    /// Whether different records may have the same key.
    pub shares_keys: bool,
}

/// Returns the first fault that it finds.
pub fn judge(case: &Case<'_>) -> Result<(), String> {
    let expected = expected(case);
    whole(case, &expected)?;
    kept(case, &expected)?;
    match case.grade {
        Grade::Open => Ok(()),
        _ => green(case, &expected),
    }
}

/// Checks that the API had every row, with the same tags and item.
fn whole(case: &Case<'_>, expected: &Expected) -> Result<(), String> {
    for row in case.rows {
        let version = row.version;
        let Some((uid, item)) = expected.known.get(&version) else {
            return Err(format!("{}: a row of no record (v {version})", case.name));
        };
        if row.tags != tags(version) {
            return Err(format!(
                "{}: row {uid} (v {version}) has {} tags, and must have {}",
                case.name,
                row.tags,
                tags(version)
            ));
        }
        if row.item != *item {
            return Err(format!(
                "{}: row {uid} (v {version}) is below {:?}, and must be below {item:?}",
                case.name, row.item
            ));
        }
    }
    Ok(())
}

/// Checks that no row is lost that the API had during the whole pass.
fn kept(case: &Case<'_>, expected: &Expected) -> Result<(), String> {
    // One row is kept per key, and such a run is never green.
    if !case.spec.keyed || case.shares_keys && case.grade == Grade::Open {
        return Ok(());
    }
    let uids = |rows: &[Loaded]| -> BTreeSet<u32> {
        let live = rows.iter().filter(|row| !row.deleted);
        live.filter_map(|row| Some(expected.known.get(&row.version)?.0))
            .collect()
    };
    let (before, now) = (uids(case.before), uids(case.rows));
    let lost = before
        .difference(&now)
        .find(|uid| expected.must.contains_key(*uid));
    match lost {
        Some(uid) => Err(format!(
            "{}: row {uid} was loaded, is still there, and was taken away",
            case.name
        )),
        None => Ok(()),
    }
}

/// Checks that the rows of a resource that is reported as complete equal those of the API.
fn green(case: &Case<'_>, expected: &Expected) -> Result<(), String> {
    let name = case.name;
    let mut seen: BTreeMap<u32, Vec<&Loaded>> = BTreeMap::new();
    for row in case.rows.iter().filter(|row| !row.deleted) {
        if let Some((uid, _)) = expected.known.get(&row.version) {
            seen.entry(*uid).or_default().push(row);
        }
    }
    let proved = case.grade == Grade::Proved;
    let mut missing: Vec<u32> = Vec::new();
    for (uid, must) in &expected.must {
        let rows = seen.get(uid).map_or(&[][..], Vec::as_slice);
        let right = rows
            .iter()
            .filter(|row| must.versions.contains(&row.version))
            .count();
        match (right, rows.len()) {
            (0, 0) => missing.push(*uid),
            (0, _) => {
                return Err(format!(
                    "{name}: row {uid} is there as v {}, and must be as v {:?}",
                    rows[0].version, must.versions
                ));
            }
            (1, 1) => {}
            // Without a key, a row that changed during the pass may have been loaded twice.
            _ if !case.spec.keyed && (must.versions.len() > 1 || !proved) => {}
            (_, times) => return Err(format!("{name}: row {uid} is there {times} times")),
        }
    }
    if let Some(first) = missing.first() {
        return Err(format!(
            "{name}: {} of {} rows are missing, the first is {first}",
            missing.len(),
            expected.must.len()
        ));
    }
    let left = seen.keys().find(|uid| expected.gone.contains(uid));
    match left.filter(|_| case.deletes && proved) {
        Some(uid) => Err(format!("{name}: row {uid} is gone, and its row is left")),
        None => Ok(()),
    }
}

fn expected(case: &Case<'_>) -> Expected {
    let mut expected = Expected::default();
    let items = &case.api.items;
    let (from, to) = case.pass;
    if case.name == "items" {
        add(case, items, None, true, &mut expected);
        return expected;
    }
    if case.name == "events" {
        add(case, &case.api.events, None, true, &mut expected);
        return expected;
    }
    let during = items.during(from, to);
    for (uid, table) in &case.api.parts {
        let ever = items.history.iter().flat_map(|(_, rows)| rows.iter());
        let mut ever = ever.filter(|row| row.uid == *uid);
        let item = ever.next().map(|row| row.key.to_string());
        let there = |rows: &Arc<Vec<Row>>| rows.iter().any(|row| row.uid == *uid);
        let always = during.iter().all(|(_, rows)| there(rows));
        let moved = stirred(items, case.pass, *uid, case.grade, true);
        let never = !during.iter().any(|(_, rows)| there(rows));
        add(case, table, item, always && !moved, &mut expected);
        if never {
            let ever = table.history.iter().flat_map(|(_, rows)| rows.iter());
            expected.gone.extend(ever.map(|row| row.uid));
        }
    }
    expected
}

/// Returns whether a row has moved or, if only unmoved rows are promised, any row in front of it.
fn stirred(table: &Table, (from, to): (u64, u64), uid: u32, grade: Grade, by_state: bool) -> bool {
    let during = table.during(from, to);
    if during.len() == 1 {
        return false;
    }
    let place = |rows: &Arc<Vec<Row>>| {
        let row = rows.iter().find(|row| row.uid == uid);
        row.map(|row| row.place)
    };
    let first = during.first().and_then(|(_, rows)| place(rows));
    if during.iter().any(|(_, rows)| place(rows) != first) {
        return true;
    }
    if grade == Grade::Proved {
        return false;
    }
    // This returns the rows in front of it, with their states.
    let front = |rows: &Arc<Vec<Row>>| -> Vec<(u32, u32)> {
        let front = rows.iter().take_while(|row| row.uid != uid);
        let state = |row: &Row| (row.uid, if by_state { row.version } else { 0 });
        front.map(state).collect()
    };
    let first = during.first().map(|(_, rows)| front(rows));
    during.iter().any(|(_, rows)| Some(front(rows)) != first)
}

/// Adds the rows of one list that must and may exist.
fn add(
    case: &Case<'_>,
    table: &Table,
    item: Option<String>,
    required: bool,
    expected: &mut Expected,
) {
    let during = table.during(case.pass.0, case.pass.1);
    let mut ever = BTreeSet::new();
    for (_, rows) in &table.history {
        for row in rows.iter() {
            expected.known.insert(row.version, (row.uid, item.clone()));
            ever.insert(row.uid);
        }
    }
    let versions = |rows: &Arc<Vec<Row>>| -> BTreeMap<u32, u32> {
        rows.iter().map(|row| (row.uid, row.version)).collect()
    };
    let versions: Vec<_> = during.iter().map(|(_, rows)| versions(rows)).collect();
    for uid in ever {
        let states = versions.iter().map(|rows| rows.get(&uid).copied());
        let states: Vec<Option<u32>> = states.collect();
        if states.iter().all(Option::is_none) {
            expected.gone.insert(uid);
            continue;
        }
        let versions: BTreeSet<u32> = states.iter().copied().flatten().collect();
        let always = states.iter().all(Option::is_some) && required;
        let moved = stirred(table, case.pass, uid, case.grade, case.spec.since);
        if always && !moved {
            expected.must.insert(uid, Must { versions });
        }
    }
}

/// Returns whether a resource of that list removes or marks deleted rows.
pub fn removes(spec: &ListSpec) -> bool {
    !spec.append && !spec.keyed || spec.deletes != Deletes::Keep && (!spec.since || spec.fed)
}
