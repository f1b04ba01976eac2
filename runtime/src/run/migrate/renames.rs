//! Renamed resources.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::load::Memory;
use crate::source::Source;
use crate::state::Declared;

/// Returns the old name of each renamed resource: its declaration names it, or it sends the
/// requests of a resource that the source no longer has.
pub fn find(
    source: &Source,
    memory: &Memory,
    declared: &HashMap<String, Declared>,
) -> Result<HashMap<String, String>> {
    let names = source.resource_names();
    let has_tables = |name: &str| memory.tables.iter().any(|table| table.resource == name);
    let mut found = HashMap::new();
    for resource in source.resources() {
        let spec = resource.spec();
        let Some(old) = spec.renamed_from.as_ref().filter(|old| has_tables(old)) else {
            continue;
        };
        let message = if names.contains(&old.as_str()) {
            format!("it is declared as renamed from `{old}`, which the source still has")
        } else if has_tables(&spec.name) {
            format!("it was renamed from `{old}`, and tables of both names exist")
        } else {
            found.insert(spec.name.clone(), old.clone());
            continue;
        };
        return Err(Error::new(ErrorKind::State, message)
            .at(format!("resource {}", spec.name))
            .hint(format!(
                "`tables drop {}` or `tables drop {old}` removes the rows of one of them",
                spec.name
            )));
    }
    let gone = |name: &&String| {
        !names.contains(&name.as_str())
            && has_tables(name)
            && !found.values().any(|old| old == *name)
    };
    let gone: Vec<&String> = declared.keys().filter(gone).collect();
    let mut by_request: HashMap<&String, Vec<String>> = HashMap::new();
    for resource in source.resources() {
        let spec = resource.spec();
        if has_tables(&spec.name) || found.contains_key(&spec.name) {
            continue;
        }
        let now = Declared::of(source, spec, Default::default());
        let old = gone.iter().filter(|old| declared[**old].asks_like(&now));
        let old: Vec<&&String> = old.collect();
        if let [old] = old[..] {
            by_request.entry(old).or_default().push(spec.name.clone());
        }
    }
    for (old, new) in by_request {
        if let [new] = &new[..] {
            found.insert(new.clone(), old.clone());
        }
    }
    Ok(found)
}
