//! The state as a file: written by `state export`, read by `state import`.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::format;
use super::{Declared, Memory, Reads, SliceState, StateChange, StateRow};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Layout;
use crate::text::alternatives;

/// The name of the format of state files.
const FORMAT: &str = "etlgen-state";

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    source: String,
    /// The layout of the tables that it belongs to; `None` if there were none.
    layout: Option<String>,
    rows: Vec<Row>,
    /// The meaning of the state of each resource; for a resource that is missing, it is that of its
    /// connector's declaration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    reads: BTreeMap<String, Reads>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    resource: String,
    slice: String,
    state: Value,
}

/// Returns the state of a source as JSON.
pub fn export(source: &str, memory: &Memory) -> Result<String> {
    let mut rows = Vec::new();
    let mut state = memory.state.clone();
    let declared = Declared::take(&mut state)?.into_iter();
    let reads = declared.filter_map(|(name, declared)| Some((name, declared.reads?)));
    for row in &state {
        SliceState::parse(&row.resource, &row.slice, &row.value)?;
        rows.push(Row {
            resource: row.resource.clone(),
            slice: row.slice.clone(),
            state: serde_json::from_str(&row.value).unwrap_or_default(),
        });
    }
    rows.sort_by(|a, b| (&a.resource, &a.slice).cmp(&(&b.resource, &b.slice)));
    let file = File {
        format: FORMAT.to_owned(),
        version: format::FORMAT,
        source: source.to_owned(),
        layout: Layout::of(&memory.tables).map(|layout| layout.name().to_owned()),
        rows,
        reads: reads.collect(),
    };
    let text = serde_json::to_string_pretty(&file).map_err(|error| refuse(error.to_string()))?;
    // A terminal must receive no control characters, and JSON leaves some of them unescaped.
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    Ok(text.chars().map(escaped).collect())
}

/// Returns the changes that replace the state of a destination with that of the file. `resources`:
/// those that the source has.
///
/// The meaning of the state comes with it: the next run compares it with the current declaration,
/// as with its own. A pass with staged rows begins anew: those rows belong to the destination that
/// the file came from.
pub fn import(
    text: &str,
    source: &str,
    resources: &[&str],
    memory: &Memory,
) -> Result<Vec<StateChange>> {
    let said: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("it is not JSON: {error}")).hint(EXPORT))?;
    if said["format"] != FORMAT {
        return Err(refuse(format!("it is not a file of the format `{FORMAT}`")).hint(EXPORT));
    }
    let Some(version) = said["version"].as_u64() else {
        return Err(refuse("it has no version".to_owned()).hint(EXPORT));
    };
    format::check("the exported state", version)?;
    let file: File = serde_json::from_value(said).map_err(|error| refuse(error.to_string()))?;
    if file.source != source {
        let message = format!("it is the state of `{}`, not of `{source}`", file.source);
        return Err(refuse(message).hint("import it with that source's connector"));
    }
    let there = Layout::of(&memory.tables).map(Layout::name);
    if let (Some(there), Some(wanted)) = (there, file.layout.as_deref())
        && there != wanted
    {
        let message = format!("it belongs to tables of the layout `{wanted}`; these are `{there}`");
        return Err(refuse(message).hint("import it where tables of its layout are"));
    }
    let mut seen = HashSet::new();
    let mut changes = Vec::new();
    let mut state = memory.state.clone();
    let mut declared = Declared::take(&mut state)?;
    for (resource, declared) in &mut declared {
        declared.reads = file.reads.get(resource).cloned();
    }
    for (resource, reads) in &file.reads {
        let declared = declared.entry(resource.clone()).or_default();
        declared.reads = Some(reads.clone());
    }
    let has = |name: &String| resources.contains(&name.as_str());
    let put = declared.iter().filter(|(name, _)| has(name));
    changes.extend(put.map(|(name, declared)| declared.put(name)));
    for Row {
        resource,
        slice,
        state,
    } in file.rows
    {
        if !resources.contains(&resource.as_str()) {
            let message = format!("`{source}` has no resource `{resource}`");
            return Err(refuse(message).hint(alternatives(&resource, resources)));
        }
        if !seen.insert((resource.clone(), slice.clone())) {
            return Err(refuse(format!("it has {resource} {slice} twice")));
        }
        let mut state: SliceState = serde_json::from_value(state)
            .map_err(|error| refuse(format!("the state of {resource} {slice}: {error}")))?;
        state.pass = state.pass.filter(|pass| !pass.staged);
        changes.push(StateChange::Put(StateRow {
            resource,
            slice,
            value: state.to_json(),
        }));
    }
    let gone = state.iter().filter(|row| {
        let key = (row.resource.clone(), row.slice.clone());
        !seen.contains(&key)
    });
    changes.extend(gone.map(|row| StateChange::Forget {
        resource: row.resource.clone(),
        slice: row.slice.clone(),
    }));
    Ok(changes)
}

const EXPORT: &str = "`state export` writes such a file";

fn refuse(why: String) -> Error {
    Error::new(
        ErrorKind::State,
        format!("the state was not imported: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(value: &str) -> Memory {
        let row = |resource: &str| StateRow {
            resource: resource.into(),
            slice: String::new(),
            value: value.into(),
        };
        Memory {
            state: vec![row("orders"), row("gone")],
            ..Memory::default()
        }
    }

    fn imported(text: &str) -> Result<Vec<StateChange>> {
        import(text, "shop", &["orders", "gone"], &memory("{}"))
    }

    #[test]
    fn what_is_exported_is_imported_and_the_rest_forgotten() {
        let value = r#"{"cursor":"7","pass":{"id":"1.5","position":{"next":"first","rows":0,"pages":0},"from":"3"}}"#;
        let mut from = memory(value);
        from.state.truncate(1);
        from.state[0].slice = "a\u{9b}\n".into();
        let text = export("shop", &from).unwrap();
        assert!(!text.contains('\u{9b}'));
        let changes = imported(&text).unwrap();
        assert_eq!(changes[0], StateChange::Put(from.state[0].clone()));
        let forgotten = ["orders", "gone"].map(|resource| StateChange::Forget {
            resource: resource.into(),
            slice: String::new(),
        });
        assert_eq!(changes[1..], forgotten);
        let staged = text.replace("\"id\": \"1.5\"", "\"id\": \"1.5\", \"staged\": true");
        let changes = imported(&staged).unwrap();
        let StateChange::Put(row) = &changes[0] else {
            panic!("{changes:?}")
        };
        assert_eq!(row.value, r#"{"cursor":"7"}"#);
    }

    #[test]
    fn files_that_are_not_of_this_source_are_refused() {
        let text = export("shop", &memory("{}")).unwrap();
        let layout = text.replace("\"layout\": null", "\"layout\": \"dlt\"");
        assert!(imported(&layout).is_ok(), "nothing is loaded yet");
        let cases = [
            ("{", "not JSON"),
            ("{}", "etlgen-state"),
            (
                &text.replace("\"version\": 1", "\"version\": 2"),
                "has the format 2",
            ),
            (&text.replace("\"shop\"", "\"mall\""), "state of `mall`"),
            (&text.replace("\"orders\"", "\"tea\""), "no resource `tea`"),
            (&text.replace("\"orders\"", "\"gone\""), "twice"),
            (&text.replace("{}", "{\"cursor\": 7}"), "the state of gone"),
        ];
        for (text, said) in cases {
            let error = imported(text).unwrap_err().report();
            assert!(error.contains(said), "{error}");
        }
    }
}
