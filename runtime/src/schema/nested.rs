//! Records as nested objects: the rows of an operation are one per record and one per item of a
//! list, and some destinations take each record whole.

mod arrow;
mod json;
mod place;
#[cfg(any(feature = "cli", feature = "emit"))]
mod shape;

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;

use self::place::Place;
#[cfg(any(feature = "cli", feature = "emit"))]
pub(crate) use self::shape::{Dialect, Shape};
use super::{ColumnRole, TableBatch};
use crate::error::{Error, ErrorKind, Result};

/// The records of one operation ([`Operation::tables`](crate::load::Operation::tables)), each as one
/// object: child rows are lists in it, and keys are those of the API.
///
/// A value that is null, an empty list and an empty object have no cell, and are left out. If a key
/// has several values in one record, the others are called `key~again`.
///
/// ```
/// use etlgen_runtime::load::{Destinations, Operation};
/// use etlgen_runtime::schema::NestedRecords;
///
/// fn print(operation: &Operation) -> etlgen_runtime::Result<()> {
///     // {"id":7,"lines":[{"sku":"a","count":1},{"sku":"b","count":2}]}
///     for line in NestedRecords::new(operation.tables())?.json_lines() {
///         println!("{line}");
///     }
///     Ok(())
/// }
/// # let _ = print;
/// ```
pub struct NestedRecords<'a> {
    tables: &'a [TableBatch],
    /// The place of the rows of each table.
    rows: Vec<Place>,
    /// For each child table, the number of its first row for each row of its parent, and the number
    /// of its rows.
    offsets: Vec<Vec<i32>>,
    /// The system columns of the root table that the records show, and their keys.
    shown: Vec<(usize, String)>,
}

impl<'a> NestedRecords<'a> {
    /// Puts the rows of an operation together: its root table first, each child table after its
    /// parent, its rows in the order of their parents.
    pub fn new(tables: &'a [TableBatch]) -> Result<Self> {
        let schemas: Vec<_> = tables.iter().map(|table| &*table.schema).collect();
        let rows = place::places(&schemas)?;
        let by_name: HashMap<&str, usize> = schemas
            .iter()
            .enumerate()
            .map(|(at, schema)| (schema.name.as_str(), at))
            .collect();
        let offsets = tables.iter().map(|table| {
            let parent = table.schema.parent.as_deref();
            match parent.and_then(|name| by_name.get(name)) {
                Some(parent) => offsets(&tables[*parent], table),
                None => Ok(Vec::new()),
            }
        });
        Ok(NestedRecords {
            offsets: offsets.collect::<Result<_>>()?,
            tables,
            rows,
            shown: Vec::new(),
        })
    }

    /// Shows the column with that role, if there is one, as a key of each record:
    /// [`ColumnRole::RowId`] as `_etl_id`.
    pub fn with(mut self, role: ColumnRole, key: &str) -> Self {
        let columns = self.tables.first().map(|root| &root.schema.columns);
        let at = columns.and_then(|columns| columns.iter().position(|it| it.role == role));
        self.shown.extend(at.map(|at| (at, key.to_owned())));
        self
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.tables.first().map_or(0, |root| root.rows.num_rows())
    }

    /// Returns whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns each record as a JSON object on one line. Scalars are written as
    /// [`TableBatch::json_lines`] does; a JSON document is part of the object.
    pub fn json_lines(&self) -> impl Iterator<Item = String> {
        (0..self.len()).map(|row| {
            let mut line = String::new();
            self.write_json(&mut line, row);
            line
        })
    }

    /// Returns the records as one batch: objects are structs, lists are lists. A JSON document is
    /// text. If a key has values of several types, the columns after the first are called
    /// `key__v_type`.
    pub fn batch(&self) -> Result<RecordBatch> {
        arrow::batch(self)
    }
}

/// Returns the number of the first row in a child table for each row of its parent, and the number
/// of its rows.
fn offsets(parent: &TableBatch, child: &TableBatch) -> Result<Vec<i32>> {
    let unfit = || {
        let (child, parent) = (&child.schema.name, &parent.schema.name);
        let message = format!("the rows of `{child}` do not follow those of `{parent}`");
        Error::new(ErrorKind::System, message)
    };
    let rows = child.rows.num_rows();
    let parents = parent.rows.num_rows();
    let mut offsets = Vec::with_capacity(parents + 1);
    if rows == 0 {
        return Ok(vec![0; parents + 1]);
    }
    let ids = texts(parent, ColumnRole::RowId).ok_or_else(unfit)?;
    let of = texts(child, ColumnRole::ParentId).ok_or_else(unfit)?;
    let mut at = 0;
    for row in 0..parents {
        offsets.push(at);
        while usize::try_from(at).is_ok_and(|at| at < rows && of.value(at) == ids.value(row)) {
            at += 1;
        }
    }
    offsets.push(at);
    match usize::try_from(at) == Ok(rows) {
        true => Ok(offsets),
        false => Err(unfit()),
    }
}

fn texts(table: &TableBatch, role: ColumnRole) -> Option<&arrow_array::StringArray> {
    let column = table.schema.columns.iter().position(|it| it.role == role)?;
    table.rows.column(column).as_string_opt::<i32>()
}

#[cfg(test)]
mod tests;
