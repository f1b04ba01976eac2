//! Removes or marks records: those that the API no longer has, and those of a load to roll back.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray, new_null_array};

use super::batch::{DataFile, Held, Key};
use super::files::{Context, fit, key, key_column, keys};
use super::space::Space;
use crate::error::{Error, ErrorKind, Result};
use crate::load::DeletedIds;
use crate::schema::{ArrowType, ColumnRole, ColumnType, TableSchema};

impl Space {
    /// Returns the number of records; batches must be closed.
    pub fn records(&self, root: &str) -> u64 {
        let files = self.batches.values().filter_map(|b| b.files.get(root));
        files.map(|file| file.rows).sum()
    }

    /// Marks or removes these records.
    pub fn delete_ids(&mut self, at: &mut Context<'_>, deleted: &DeletedIds) -> Result<()> {
        let index = self.index(at)?;
        let keys = deleted.ids.iter().map(|id| key(id));
        let there: HashSet<Key> = keys.filter(|key| index.contains_key(key)).collect();
        if there.is_empty() {
            return Ok(());
        }
        let wanted = |key: &Key, _: &str| there.contains(key);
        match deleted.mark {
            Some(time) => self.mark(at, wanted, time),
            None => self.remove(at, wanted).map(drop),
        }
    }

    /// Removes the records, with their child rows, for which `wanted` is true (given their key and load); returns their
    /// number.
    pub fn remove(
        &mut self,
        at: &Context<'_>,
        wanted: impl Fn(&Key, &str) -> bool,
    ) -> Result<usize> {
        let found = self.find(at, wanted, None)?;
        let mut removed = 0;
        self.index(at)?;
        for (number, records) in found {
            removed += records.len();
            if let Some(index) = &mut self.index {
                index.retain(|key, _| !records.contains(key));
            }
            if let Some(batch) = self.batches.get_mut(&number) {
                batch.replaced.extend(records);
            }
        }
        Ok(removed)
    }

    /// Marks the records for which `wanted` is true, unless they are marked.
    pub fn mark(
        &mut self,
        at: &mut Context<'_>,
        wanted: impl Fn(&Key, &str) -> bool,
        time: i64,
    ) -> Result<()> {
        let Some(root) = at.root().cloned() else {
            return Ok(());
        };
        let Some(mark) = root.role(ColumnRole::DeletedAt) else {
            return Ok(());
        };
        let found = self.find(at, wanted, Some(&mark.name))?;
        self.index(at)?;
        for (number, records) in found {
            let Some(batch) = self.batches.get_mut(&number) else {
                continue;
            };
            batch.replaced.extend(records.iter().copied());
            let (name, placed) = (batch.name.clone(), batch.placed);
            let tables: Vec<String> = batch.files.keys().cloned().collect();
            let mut open = self.take_open(at)?;
            for table in tables {
                let Some(schema) = at.schemas.get(&table) else {
                    continue;
                };
                let column = key_column(schema);
                let file = DataFile {
                    table: &table,
                    name: &name,
                    placed,
                };
                at.store.read(file, &[], &mut |rows| {
                    let of = keys(rows, column);
                    let keep = |row: usize| of[row].is_some_and(|key| records.contains(&key));
                    match schema.parent {
                        None => open.write(at, &table, &marked(rows, schema, time)?, keep),
                        Some(_) => open.write(at, &table, rows, keep),
                    }
                })?;
            }
            if let Some(index) = &mut self.index {
                index.extend(
                    records
                        .iter()
                        .map(|key| (*key, Held::new(open.number, None))),
                );
            }
            self.open = Some(open);
        }
        Ok(())
    }

    /// Returns the records for which `wanted` is true, by batch; with `unset`, only those with null
    /// in that column.
    fn find(
        &mut self,
        at: &Context<'_>,
        wanted: impl Fn(&Key, &str) -> bool,
        unset: Option<&str>,
    ) -> Result<Vec<(u32, HashSet<Key>)>> {
        self.seal()?;
        let mut found = Vec::new();
        let Some(root) = at.root() else {
            return Ok(found);
        };
        let Some(id) = key_column(root) else {
            return Ok(found);
        };
        let load = root.role(ColumnRole::LoadId);
        let mut names = vec![id.name.as_str()];
        names.extend(load.map(|load| load.name.as_str()));
        names.extend(unset);
        for (number, batch) in &self.batches {
            if batch.files.get(&root.name).is_none_or(|f| f.rows == 0) {
                continue;
            }
            let mut records = HashSet::new();
            let file = batch.file(&root.name);
            at.store.read(file, &names, &mut |rows| {
                let loads = load
                    .and_then(|load| rows.column_by_name(&load.name))
                    .and_then(|loads| loads.as_string_opt::<i32>());
                let set = unset.and_then(|name| rows.column_by_name(name));
                for (row, key) in keys(rows, Some(id)).into_iter().enumerate() {
                    let brought = loads.filter(|loads| loads.is_valid(row));
                    let load = brought.map_or("", |loads| loads.value(row));
                    let is_wanted = key.is_some_and(|key| wanted(&key, load));
                    let is_set = set.is_some_and(|set| set.is_valid(row));
                    let key = key.filter(|key| !batch.replaced.contains(key));
                    records.extend(key.filter(|_| is_wanted && !is_set));
                }
                Ok(())
            })?;
            if !records.is_empty() {
                found.push((*number, records));
            }
        }
        Ok(found)
    }
}

/// Returns the rows with the mark, and without their content hashes: a record that returns is written again, although its
/// content is the same.
fn marked(rows: &RecordBatch, schema: &TableSchema, time: i64) -> Result<RecordBatch> {
    let rows = fit(rows, schema)?;
    let times = TimestampMicrosecondArray::from_value(time, rows.num_rows());
    let times: ArrayRef = Arc::new(times.with_data_type(ColumnType::Timestamp.arrow()));
    let mut columns = rows.columns().to_vec();
    for (place, column) in schema.columns.iter().enumerate() {
        match column.role {
            ColumnRole::DeletedAt => columns[place] = times.clone(),
            ColumnRole::ContentHash => {
                columns[place] = new_null_array(&column.ty.arrow(), rows.num_rows());
            }
            _ => {}
        }
    }
    RecordBatch::try_new(rows.schema(), columns).map_err(|error| {
        Error::new(
            ErrorKind::Destination,
            "the rows to keep cannot be selected",
        )
        .caused_by(error)
    })
}
