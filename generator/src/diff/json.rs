//! The JSON form of a report; `docs/changes.md` describes it.

use semver::Version;
use serde_json::{Value, json as value};

use super::{Change, Diff, Group, Level};

/// Returns the stable JSON form. `versions` are the crate's version and the next one.
pub fn json(diff: &Diff, versions: Option<&(Version, Version)>) -> Value {
    let levels = [Level::Breaking, Level::Minor, Level::Patch];
    let counts = levels.map(|level| (level.word().to_owned(), Value::from(diff.count(level))));
    value!({
        "format": 1,
        "level": diff.level(),
        "version": versions.map(|(from, to)| value!({"from": from.to_string(), "to": to.to_string()})),
        "counts": counts.into_iter().collect::<serde_json::Map<_, _>>(),
        "changes": diff.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Value {
    let (resource, record) = match &change.group {
        Group::Source => (None, None),
        Group::Resource(name) => (Some(name), None),
        Group::Struct(name) => (None, Some(name)),
    };
    value!({
        "kind": change.kind,
        "resource": resource,
        "struct": record,
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
        "rust": change.rust,
        "tables": change.tables,
        "place": change.place,
        "other_resources": change.elsewhere,
        "migration": change.migration,
    })
}
