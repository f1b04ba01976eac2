//! Nested records as one Arrow batch.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema};

use super::NestedRecords;
use super::place::Place;
use crate::error::{Error, ErrorKind, Result};

/// The columns of an object.
type Columns = Vec<(FieldRef, ArrayRef)>;

/// Returns the records as one batch.
pub(super) fn batch(records: &NestedRecords<'_>) -> Result<RecordBatch> {
    let mut columns = Columns::new();
    let root = records.tables.first().zip(records.rows.first());
    if let Some((table, place)) = root {
        for (at, key) in &records.shown {
            add(&mut columns, key, table.rows.column(*at).clone());
        }
        let whole = nested(records, place, 0).map_err(broken)?;
        columns.extend(whole);
        if let Some(list) = list(records, place).map_err(broken)? {
            add(&mut columns, "list", list);
        }
        for at in &place.columns {
            let name = &table.schema.columns[*at].name;
            add(&mut columns, name, table.rows.column(*at).clone());
        }
    }
    let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(broken)
}

fn broken(error: ArrowError) -> Error {
    Error::new(
        ErrorKind::System,
        "the rows of a record do not fit together",
    )
    .caused_by(error)
}

/// Adds a column under a name that no other has.
fn add(columns: &mut Columns, name: &str, values: ArrayRef) {
    let mut name = name.to_owned();
    while columns.iter().any(|(field, _)| *field.name() == name) {
        name.push_str("~again");
    }
    let field = Field::new(name, values.data_type().clone(), true);
    columns.push((Arc::new(field), values));
}

/// Returns the columns of the keys of an object.
fn nested(records: &NestedRecords<'_>, place: &Place, table: usize) -> Result<Columns, ArrowError> {
    let mut columns = Columns::new();
    for (key, below) in &place.keys {
        let mut taken = false;
        let values = object(records, below, table)?.into_iter();
        for values in values.chain(list(records, below)?) {
            add(&mut columns, key, values);
            taken = true;
        }
        for at in &below.columns {
            let batch = &records.tables[table];
            let ty = batch.schema.columns[*at].ty.name();
            let name = match std::mem::replace(&mut taken, true) {
                true => format!("{key}__v_{ty}"),
                false => key.clone(),
            };
            add(&mut columns, &name, batch.rows.column(*at).clone());
        }
    }
    Ok(columns)
}

/// Returns the objects at a place; `None`: it has no keys.
fn object(
    records: &NestedRecords<'_>,
    place: &Place,
    table: usize,
) -> Result<Option<ArrayRef>, ArrowError> {
    if place.keys.is_empty() {
        return Ok(None);
    }
    let columns = nested(records, place, table)?;
    let rows = records.tables[table].rows.num_rows();
    structs(columns, rows).map(Some)
}

/// Returns objects with these columns; an object without any value is null.
fn structs(columns: Columns, rows: usize) -> Result<ArrayRef, ArrowError> {
    let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let has_value = |row: usize| arrays.iter().any(|array| array.is_valid(row));
    let nulls: NullBuffer = (0..rows).map(has_value).collect();
    let structs =
        StructArray::try_new_with_length(Fields::from(fields), arrays, Some(nulls), rows)?;
    Ok(Arc::new(structs))
}

/// Returns the lists at a place; a list without items is null.
fn list(records: &NestedRecords<'_>, place: &Place) -> Result<Option<ArrayRef>, ArrowError> {
    let Some(table) = place.list else {
        return Ok(None);
    };
    let items = items(records, table)?;
    let offsets = records.offsets[table].clone();
    let nulls: NullBuffer = offsets.windows(2).map(|pair| pair[0] < pair[1]).collect();
    let item = Arc::new(Field::new("item", items.data_type().clone(), true));
    let lists = ListArray::try_new(item, OffsetBuffer::new(offsets.into()), items, Some(nulls))?;
    Ok(Some(Arc::new(lists)))
}

/// Returns the items of a list. Items of several kinds are objects that hold a scalar as `value`, a
/// list as `list`.
fn items(records: &NestedRecords<'_>, table: usize) -> Result<ArrayRef, ArrowError> {
    let (place, batch) = (&records.rows[table], &records.tables[table]);
    let rows = batch.rows.num_rows();
    let lists = list(records, place)?;
    let column = |at: &usize| batch.rows.column(*at).clone();
    match (place.keys.as_slice(), lists, place.columns.as_slice()) {
        ([], Some(lists), []) => Ok(lists),
        ([], None, [one]) => Ok(column(one)),
        ([], None, []) => Ok(new_null_array(&DataType::Null, rows)),
        (_, lists, columns) => {
            let mut all = nested(records, place, table)?;
            if let Some(lists) = lists {
                add(&mut all, "list", lists);
            }
            for at in columns {
                add(&mut all, &batch.schema.columns[*at].name, column(at));
            }
            structs(all, rows)
        }
    }
}
