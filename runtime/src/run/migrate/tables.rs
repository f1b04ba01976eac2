//! The tables of a resource before and after a migration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns;
use crate::load::{Memory, TableChange};
use crate::normalize::Rekey;
use crate::schema::{ColumnRole, TableSchema};

/// Returns the tables of a resource, parents first.
pub(super) fn tables_of(memory: &Memory, resource: &str) -> Vec<TableSchema> {
    let mut waiting: Vec<&TableSchema> = memory.tables.iter().collect();
    waiting.retain(|table| table.resource == resource);
    let mut ordered: Vec<TableSchema> = Vec::new();
    loop {
        let before = waiting.len();
        waiting.retain(|table| {
            let above = table.parent.as_ref();
            let ready = above.is_none_or(|above| ordered.iter().any(|t| t.name == *above));
            if ready {
                ordered.push((*table).clone());
            }
            !ready
        });
        if waiting.len() == before {
            return ordered;
        }
    }
}

/// Returns the changes of the tables; empty if they stay as they are.
pub(super) fn changes(
    tables: &[TableSchema],
    becomes: &[TableSchema],
    casts: &BTreeMap<String, Vec<usize>>,
    rekey: Option<Rekey>,
) -> Vec<TableChange> {
    if rekey.is_none() && tables == becomes {
        return Vec::new();
    }
    let rekey = rekey.map(Arc::new);
    let change = |(from, to): (&TableSchema, &TableSchema)| {
        let mut anew = casts.get(&from.name).cloned().unwrap_or_default();
        if rekey.is_some() {
            anew.extend(Rekey::columns(from));
        }
        let (places, rekey, old, new) = (anew.clone(), rekey.clone(), from.clone(), to.clone());
        TableChange {
            from: from.clone(),
            to: Some(to.clone()),
            anew,
            values: Box::new(move |rows| {
                let value = |at: &usize| match (&rekey, old.columns[*at].role) {
                    (Some(rekey), role) if role != ColumnRole::Data => {
                        Ok(rekey.values(&old, &new, rows, *at))
                    }
                    _ => columns::cast(&old.columns[*at], new.columns[*at].ty, rows),
                };
                places.iter().map(value).collect()
            }),
        }
    };
    tables.iter().zip(becomes).map(change).collect()
}
