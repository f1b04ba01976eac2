//! A resource: its tables, the live rows, and those of a pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::Schemas;
use super::manifest::{self, SourceEntry, TableEntry};
use super::space::Space;
use crate::schema::TableSchema;

/// The files of a resource, including uncommitted changes.
#[derive(Default)]
pub struct Resource {
    pub tables: Schemas,
    pub live: Space,
    /// The rows of a `Replace` pass that has not ended.
    pub staged: Space,
}

/// Returns the resources of a source, with their files.
pub fn all(source: &SourceEntry) -> BTreeMap<String, Resource> {
    let mut tables: BTreeMap<&str, Vec<&TableEntry>> = BTreeMap::new();
    for table in &source.tables {
        tables.entry(&table.resource).or_default().push(table);
    }
    let resource = |tables: &[&TableEntry]| {
        let live = tables.iter().flat_map(|table| {
            let files = table.files.iter();
            files.map(|file| (table.name.as_str(), file))
        });
        let staged = tables.iter().flat_map(|table| {
            let files = table.staged.iter();
            files.map(|file| (table.name.as_str(), file))
        });
        Resource {
            live: Space::new(manifest::batches(live, true)),
            staged: Space::new(manifest::batches(staged, false)),
            tables: tables
                .iter()
                .map(|table| (table.name.clone(), Arc::new(table.schema())))
                .collect(),
        }
    };
    tables
        .into_iter()
        .map(|(name, tables)| (name.to_owned(), resource(&tables)))
        .collect()
}

impl Resource {
    /// Adds a table, or the columns that are new.
    pub fn ensure(&mut self, schema: &Arc<TableSchema>) {
        let Some(known) = self.tables.get_mut(&schema.name) else {
            self.tables.insert(schema.name.clone(), schema.clone());
            return;
        };
        if known == schema {
            return;
        }
        let known = Arc::make_mut(known);
        for column in &schema.columns {
            if !known.columns.iter().any(|c| c.name == column.name) {
                known.columns.push(column.clone());
            }
        }
    }
}
