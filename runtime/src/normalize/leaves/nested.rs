//! Nested records hold exactly what the tables hold: as JSON, and as one Arrow batch.

use std::fmt::Debug;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::doc::{Doc, Leaf, Text};
use super::found::{self, Cell};
use super::unplaced;
use crate::record::{day, sortable};
use crate::schema::{ColumnRole, NestedRecords, TableBatch};
use crate::text::{base64, decimal};

/// Returns the differences between the cells of the tables and their nested records. `docs` are the
/// documents of the rows.
pub fn losses(batches: &[TableBatch], docs: &[&Doc]) -> Vec<String> {
    let records = NestedRecords::new(batches).unwrap();
    let records = records.with(ColumnRole::RowId, "\u{0}id");
    let mut tables = found::leaves(batches, &[]);
    let whole = records.batch().unwrap();
    let cells: usize = batches.iter().map(data_cells).sum();
    let mut wrong = Vec::new();
    let found: usize = whole.columns()[1..].iter().map(scalars).sum();
    if found != cells {
        wrong.push(format!("{cells} cells, and {found} scalars in {whole:?}"));
    }
    for (line, doc) in records.json_lines().zip(docs) {
        assert!(!line.contains(['\n', '\r']), "{line}");
        let Doc::Object(mut entries) = Doc::parse(&line) else {
            panic!("{line}");
        };
        let (_, Doc::Text(id)) = entries.remove(0) else {
            panic!("{line}");
        };
        let id = String::from_utf16(&id.units).unwrap();
        // What was copied from the parent is no leaf of the record.
        let copied = copied(&batches[0]);
        entries.retain(|(key, value)| {
            let key = key.key();
            let key = key.trim_end_matches("~again");
            !matches!(value, Doc::Text(text) if text.raw == "p" && copied.iter().any(|it| it == key))
        });
        let mut leaves = Vec::new();
        let has_keys = matches!(doc, Doc::Object(_));
        Doc::Object(entries).leaves("", &mut leaves);
        let cells = tables.remove(&id).unwrap_or_default();
        let repeats = doc.repeats();
        let one = leaves.into_iter().map(|leaf| text(leaf, repeats, has_keys));
        let other = cells.into_iter().map(|(path, cell)| {
            let leaf = (path, leaf(cell));
            text(leaf, repeats, has_keys)
        });
        let (mut one, mut other): (Vec<_>, Vec<_>) = (one.collect(), other.collect());
        one.sort();
        other.sort();
        if one != other {
            wrong.push(format!("{line}: {one:?} and not {other:?}"));
        }
    }
    wrong
}

fn copied(root: &TableBatch) -> Vec<String> {
    let columns = root.schema.columns.iter();
    let copied = columns.filter(|column| column.path.starts_with("~parent"));
    copied.map(|column| column.name.clone()).collect()
}

/// Returns a leaf as text. The keys of a record that is no object, and the positions in a list that
/// came twice, are left out.
fn text((mut path, leaf): (String, impl Debug), repeats: bool, has_keys: bool) -> String {
    path = path.replace("~0again", "").replace("~again", "");
    if repeats {
        unplaced(&mut path);
    }
    match has_keys {
        true => format!("{path} {leaf:?}"),
        false => format!("{leaf:?}"),
    }
}

/// Returns the JSON of a cell.
fn leaf(cell: Cell) -> Leaf {
    let text = |text: &str| Leaf::Text(Text::new(text).units);
    match cell {
        Cell::Bool(value) => Leaf::Bool(value),
        Cell::Int(value) => Leaf::Number(value.to_string()),
        Cell::Float(value) => Leaf::Number(format!("{value:?}")),
        Cell::Decimal(value) => text(&decimal(value, 9)),
        Cell::Text(value) | Cell::Uuid(value) => Leaf::Text(value.encode_utf16().collect()),
        Cell::Timestamp(value) => text(sortable(value).as_str()),
        Cell::Date(value) => text(day(value).as_str()),
        Cell::Bytes(value) => text(&base64(&value)),
        Cell::Json(leaf) | Cell::Rewritten(leaf) => leaf,
    }
}

/// Returns the number of values in the data columns of a table.
fn data_cells(table: &TableBatch) -> usize {
    let columns = table.schema.columns.iter().zip(table.rows.columns());
    let data = columns.filter(|(column, _)| column.role == ColumnRole::Data);
    data.map(|(_, values)| values.len() - values.null_count())
        .sum()
}

/// Returns the number of scalars in an array.
fn scalars(array: &ArrayRef) -> usize {
    if let Some(structs) = array.as_struct_opt() {
        return structs.columns().iter().map(scalars).sum();
    }
    match array.as_list_opt::<i32>() {
        Some(lists) => scalars(lists.values()),
        None => array.len() - array.logical_null_count(),
    }
}
