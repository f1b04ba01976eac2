//! The content hashes of the records of a batch.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
#[cfg(any(feature = "postgres", feature = "duckdb"))]
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, StringArray};
#[cfg(any(feature = "postgres", feature = "duckdb"))]
use arrow_array::{ArrayRef, RecordBatch, make_array};
#[cfg(any(feature = "postgres", feature = "duckdb"))]
use arrow_data::transform::MutableArrayData;
#[cfg(any(feature = "postgres", feature = "duckdb"))]
use arrow_schema::{ArrowError, Schema};

use crate::schema::{Column, ColumnRole, TableBatch, TableSchema};

/// The ids and content hashes of the records of a batch.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    pub id: &'a Column,
    pub hash: &'a Column,
    pub ids: &'a StringArray,
    pub hashes: &'a Int64Array,
}

impl<'a> Contents<'a> {
    /// Returns those of a root table; `None` if it has no hashes, or no rows.
    pub fn of(root: &'a TableBatch) -> Option<Self> {
        let place = |role| {
            let mut columns = root.schema.columns.iter();
            columns.position(|column| column.role == role)
        };
        let (id, hash) = (place(ColumnRole::RowId)?, place(ColumnRole::ContentHash)?);
        let ids = root.rows.column(id).as_string_opt()?;
        let hashes = root.rows.column(hash).as_primitive_opt::<Int64Type>()?;
        (hashes.null_count() < hashes.len()).then_some(Contents {
            id: &root.schema.columns[id],
            hash: &root.schema.columns[hash],
            ids,
            hashes,
        })
    }

    /// Returns a table of only the ids and the hashes.
    #[cfg(any(feature = "postgres", feature = "duckdb"))]
    pub fn table(&self, resource: &str) -> Result<TableBatch, ArrowError> {
        let columns = vec![self.id.clone(), self.hash.clone()];
        let fields: Vec<_> = columns.iter().map(Column::arrow_field).collect();
        let arrays: Vec<ArrayRef> = vec![Arc::new(self.ids.clone()), Arc::new(self.hashes.clone())];
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        let schema = TableSchema::new("_etl_contents", resource, columns);
        Ok(TableBatch::new(Arc::new(schema), rows))
    }

    /// Returns the hash of a row; `None` if it has none.
    pub fn hash_of(&self, row: usize) -> Option<i64> {
        self.hashes.is_valid(row).then(|| self.hashes.value(row))
    }

    /// Returns the records that have a hash.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, i64)> {
        let (ids, hashes) = (self.ids, self.hashes);
        let known = (0..ids.len()).filter(|row| hashes.is_valid(*row));
        known.map(|row| (ids.value(row), hashes.value(row)))
    }
}

/// Returns the positions of the rows of a table that belong to none of these records; `None`: all of them.
pub fn rows_without<T>(table: &TableBatch, records: &HashSet<T>) -> Option<Vec<usize>>
where
    T: Borrow<str> + Eq + Hash,
{
    if records.is_empty() {
        return None;
    }
    let mut columns = table.schema.columns.iter();
    let role = record_role(&table.schema);
    let column = columns.position(|column| column.role == role)?;
    let ids: &StringArray = table.rows.column(column).as_string_opt()?;
    let rows = 0..table.rows.num_rows();
    Some(
        rows.filter(|row| !records.contains(ids.value(*row)))
            .collect(),
    )
}

/// Returns the rows at these positions.
#[cfg(any(feature = "postgres", feature = "duckdb"))]
pub fn rows_at(rows: &RecordBatch, positions: &[usize]) -> Result<RecordBatch, ArrowError> {
    let mut arrays = Vec::with_capacity(rows.num_columns());
    for array in rows.columns() {
        let all = array.to_data();
        let mut kept = MutableArrayData::new(vec![&all], false, positions.len());
        for run in positions.chunk_by(|one, next| one + 1 == *next) {
            kept.try_extend(0, run[0], run[0] + run.len())?;
        }
        arrays.push(make_array(kept.freeze()));
    }
    RecordBatch::try_new(rows.schema(), arrays)
}

/// Returns the role of the column with the id of the record that a row belongs to.
pub fn record_role(table: &TableSchema) -> ColumnRole {
    match table.parent {
        None => ColumnRole::RowId,
        Some(_) => ColumnRole::RootId,
    }
}
