//! Counts the rows that a run writes.

use std::collections::HashSet;
use std::io;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use xxhash_rust::xxh3::xxh3_64;

use crate::page::Distinct;
use crate::schema::{ColumnRole, TableBatch};

/// The rows that a run writes, by table. A record that is sent again replaces its rows, which then
/// count once.
#[derive(Default)]
pub(crate) struct Written {
    /// The ids of the records.
    records: Distinct,
    /// The number of rows of each table; in the first one every record counts as often as it was
    /// sent.
    tables: Vec<(String, u64)>,
}

impl Written {
    /// Adds the rows of a chunk, whose first table is that of the records.
    pub fn add(&mut self, tables: &[TableBatch]) -> io::Result<()> {
        let Some((root, children)) = tables.split_first() else {
            return Ok(());
        };
        self.count(root, root.rows.num_rows() as u64);
        let ids: Vec<u64> = texts(root, ColumnRole::RowId)
            .map(|id| xxh3_64(id.as_bytes()))
            .collect();
        let mut repeated = HashSet::new();
        for (id, text) in ids.iter().zip(texts(root, ColumnRole::RowId)) {
            if self.records.is_in_memory(*id) {
                repeated.insert(text);
            }
        }
        self.records.add_page(&ids, &[])?;
        for child in children {
            let rows = match repeated.is_empty() {
                true => child.rows.num_rows(),
                false => texts(child, ColumnRole::RootId)
                    .filter(|record| !repeated.contains(record))
                    .count(),
            };
            self.count(child, rows as u64);
        }
        Ok(())
    }

    fn count(&mut self, table: &TableBatch, rows: u64) {
        let name = &table.schema.name;
        match self.tables.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += rows,
            None => self.tables.push((name.clone(), rows)),
        }
    }

    /// Returns the number of rows of each table, that of the records first.
    pub fn tables(mut self) -> Vec<(String, u64)> {
        if let Some((_, count)) = self.tables.first_mut() {
            // Without its temporary file, the number of rows that were sent is the best one.
            *count = self.records.count().unwrap_or(*count);
        }
        self.tables
    }
}

/// Returns the texts in the column with that role.
fn texts(table: &TableBatch, role: ColumnRole) -> impl Iterator<Item = &str> {
    let columns = &table.schema.columns;
    let column = columns.iter().position(|column| column.role == role);
    let texts = column.and_then(|column| table.rows.column(column).as_string_opt::<i32>());
    texts.into_iter().flat_map(|texts| {
        let valid = (0..texts.len()).filter(|row| texts.is_valid(*row));
        valid.map(|row| texts.value(row))
    })
}
