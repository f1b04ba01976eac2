//! The leaves of tables, and the leaves of JSON that they equal.

use std::collections::{BTreeMap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, RecordBatch};

use super::doc::{Doc, Leaf};
use crate::record::{Bytes, Date, Timestamp, UnixMillis, UnixTime};
use crate::schema::{Column, ColumnRole, ColumnType, TableBatch, TableSchema};

/// A value of a table.
#[derive(Clone, Debug)]
pub enum Cell {
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Billionths.
    Decimal(i128),
    Text(String),
    Timestamp(i64),
    Date(i32),
    Uuid(String),
    Bytes(Vec<u8>),
    /// A leaf of a JSON column.
    Json(Leaf),
    /// A leaf of a JSON column into which a typed record was written.
    Rewritten(Leaf),
}

impl Cell {
    fn read(array: &dyn Array, row: usize, ty: ColumnType) -> Self {
        let text = || array.as_string::<i32>().value(row).to_owned();
        match ty {
            ColumnType::Bool => Cell::Bool(array.as_boolean().value(row)),
            ColumnType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
            ColumnType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
            ColumnType::Decimal => Cell::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
            ColumnType::Timestamp => {
                Cell::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            ColumnType::Date => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
            ColumnType::Bytes => Cell::Bytes(array.as_binary::<i32>().value(row).to_vec()),
            ColumnType::Uuid => Cell::Uuid(text()),
            ColumnType::Text | ColumnType::Json => Cell::Text(text()),
        }
    }

    /// Returns whether it equals that leaf by the rules of `docs/normalisation.md`.
    pub fn says(&self, leaf: &Leaf) -> bool {
        match (self, leaf) {
            (Cell::Bool(cell), Leaf::Bool(leaf)) => cell == leaf,
            (Cell::Int(cell), Leaf::Number(leaf)) => exact(&cell.to_string()) == exact(leaf),
            (Cell::Float(cell), Leaf::Number(leaf)) => same_double(*cell, leaf),
            (Cell::Decimal(cell), leaf) => match number(leaf) {
                Some(leaf) => exact(&format!("{cell}e-9")) == exact(&leaf),
                None => false,
            },
            (Cell::Text(cell), Leaf::Text(leaf)) => cell.encode_utf16().eq(leaf.iter().copied()),
            (Cell::Timestamp(cell), Leaf::Text(_)) => same_instant(*cell, leaf),
            (Cell::Timestamp(cell), Leaf::Number(_)) => same_instant(*cell, leaf),
            (Cell::Date(cell), Leaf::Text(leaf)) => {
                parse::<Date>(leaf).is_some_and(|date| date.days() == *cell)
            }
            (Cell::Uuid(cell), Leaf::Text(leaf)) => {
                String::from_utf16_lossy(leaf).eq_ignore_ascii_case(cell)
            }
            (Cell::Bytes(cell), Leaf::Text(leaf)) => {
                Bytes::from(cell.clone()).to_string() == String::from_utf16_lossy(leaf)
            }
            (Cell::Json(cell), leaf) => same(cell, leaf),
            (Cell::Rewritten(cell), leaf) => same(cell, leaf) || rewritten(cell, leaf),
            _ => false,
        }
    }
}

/// Compares as in JSON: numbers by value, text by its code units.
fn same(one: &Leaf, other: &Leaf) -> bool {
    match (one, other) {
        (Leaf::Number(one), Leaf::Number(other)) => exact(one) == exact(other),
        _ => one == other,
    }
}

/// Returns whether a cell is the leaf after a typed value was written as JSON again: times in UTC,
/// doubles, decimals, UUIDs in lower case.
fn rewritten(cell: &Leaf, leaf: &Leaf) -> bool {
    match cell {
        Leaf::Number(raw) => {
            number(leaf).is_some_and(|leaf| exact(raw) == exact(&leaf))
                || matches!(leaf, Leaf::Number(leaf) if same_double(raw.parse().unwrap(), leaf))
        }
        Leaf::Text(text) => {
            parse::<Timestamp>(text).is_some_and(|time| same_instant(time.micros(), leaf))
                || Cell::Uuid(String::from_utf16_lossy(text)).says(leaf)
        }
        Leaf::Bool(_) => false,
    }
}

/// Compares a double with a number: it may be the nearest one to a number with a point or an
/// exponent; an integer must be exact.
fn same_double(cell: f64, leaf: &str) -> bool {
    let real = leaf.contains(['.', 'e', 'E']);
    let nearest = real && leaf.parse() == Ok(cell) && (cell != 0.0 || exact(leaf).1.is_empty());
    nearest || exact(&format!("{cell:.400}")) == exact(leaf)
}

fn same_instant(micros: i64, leaf: &Leaf) -> bool {
    let text = match leaf {
        Leaf::Number(raw) => raw.clone(),
        Leaf::Text(units) => String::from_utf16_lossy(units),
        Leaf::Bool(_) => return false,
    };
    let instant = text.parse().map(Timestamp::micros);
    let seconds = text.parse().map(UnixTime::micros);
    let millis = text.parse().map(UnixMillis::micros);
    [instant, seconds, millis].contains(&Ok(micros))
}

fn parse<T: std::str::FromStr>(units: &[u16]) -> Option<T> {
    String::from_utf16(units).ok()?.parse().ok()
}

/// Returns a number, even if it was sent as text.
fn number(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Number(raw) => Some(raw.clone()),
        Leaf::Text(units) => parse::<crate::record::Decimal>(units).map(|value| value.to_string()),
        Leaf::Bool(_) => None,
    }
}

/// Normalizes a number: returns its sign, its digits without zeros at either end, and the exponent
/// after them.
fn exact(raw: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let all = digits.trim_start_matches('0').len();
    let kept = digits.trim_matches('0').to_owned();
    if kept.is_empty() {
        return (false, kept, 0);
    }
    let zeros = all - digits.trim_start_matches('0').trim_end_matches('0').len();
    let exponent = exponent.parse::<i64>().unwrap() - fraction.len() as i64 + zeros as i64;
    (raw.starts_with('-'), kept, exponent)
}

/// Returns the leaves of some batches, by the `_etl_id` of their root row; each with the JSON
/// pointer that its columns and tables give. `rewritten` are keys whose JSON was written from typed
/// records.
pub fn leaves(batches: &[TableBatch], rewritten: &[&str]) -> BTreeMap<String, Vec<(String, Cell)>> {
    let mut out = BTreeMap::<_, Vec<_>>::new();
    let mut rows = HashMap::<(String, String), (String, String)>::new();
    for TableBatch {
        schema,
        rows: batch,
    } in batches
    {
        for row in 0..batch.num_rows() {
            let text = |role| text_of(schema, batch, role, row);
            let id = text(ColumnRole::RowId);
            let (root, place) = match &schema.parent {
                None => (id.clone(), String::new()),
                Some(parent) => {
                    let above = (parent.clone(), text(ColumnRole::ParentId));
                    let (root, place) = rows[&above].clone();
                    assert_eq!(root, text(ColumnRole::RootId));
                    let at = position(schema, ColumnRole::ListIndex);
                    let index = batch.column(at).as_primitive::<Int64Type>().value(row);
                    (root, format!("{place}{}/{index}", schema.path))
                }
            };
            let again = rows.insert((schema.name.clone(), id), (root.clone(), place.clone()));
            assert!(again.is_none(), "an id names two rows of {}", schema.name);
            let found = out.entry(root).or_default();
            for (column, array) in schema.columns.iter().zip(batch.columns()) {
                if is_data(column) && array.is_valid(row) {
                    let path = format!("{place}{}", column.path).replace("~again", "");
                    let cell = Cell::read(array, row, column.ty);
                    let keys = path.split('/').any(|key| rewritten.contains(&key));
                    add(found, path, cell, column.ty, keys);
                }
            }
        }
    }
    out
}

fn add(found: &mut Vec<(String, Cell)>, path: String, cell: Cell, ty: ColumnType, rewritten: bool) {
    match (ty, cell) {
        (ColumnType::Json, Cell::Text(json)) => {
            let mut leaves = Vec::new();
            Doc::parse(&json).leaves(&path, &mut leaves);
            let cell = |leaf| match rewritten {
                true => Cell::Rewritten(leaf),
                false => Cell::Json(leaf),
            };
            found.extend(leaves.into_iter().map(|(path, leaf)| (path, cell(leaf))));
        }
        (_, cell) => found.push((path, cell)),
    }
}

fn is_data(column: &Column) -> bool {
    column.role == ColumnRole::Data && !column.path.starts_with("~parent")
}

fn position(schema: &TableSchema, role: ColumnRole) -> usize {
    let mut columns = schema.columns.iter();
    columns.position(|column| column.role == role).unwrap()
}

fn text_of(schema: &TableSchema, batch: &RecordBatch, role: ColumnRole, row: usize) -> String {
    let ids = batch.column(position(schema, role)).as_string::<i32>();
    ids.value(row).to_owned()
}

/// Pairs every leaf with an equal cell of the same path, each cell once; returns the unpaired ones of either side.
pub fn unpaired(leaves: &[(String, Leaf)], cells: &[(String, Cell)]) -> Vec<String> {
    let mut paths = BTreeMap::<&str, (Vec<&Leaf>, Vec<&Cell>)>::new();
    for (path, leaf) in leaves {
        paths.entry(path).or_default().0.push(leaf);
    }
    for (path, cell) in cells {
        paths.entry(path).or_default().1.push(cell);
    }
    let mut left = Vec::new();
    for (path, (leaves, cells)) in paths {
        let mut owner = vec![None; cells.len()];
        for at in 0..leaves.len() {
            if !pair(
                at,
                &leaves,
                &cells,
                &mut owner,
                &mut vec![false; cells.len()],
            ) {
                left.push(format!("{path}: {:?} went in", leaves[at]));
            }
        }
        let unowned = cells
            .iter()
            .zip(&owner)
            .filter(|(_, owner)| owner.is_none());
        left.extend(unowned.map(|(cell, _)| format!("{path}: {cell:?} came out")));
    }
    left
}

/// Finds a cell for a leaf, and moves others if necessary.
fn pair(
    leaf: usize,
    leaves: &[&Leaf],
    cells: &[&Cell],
    owner: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for at in 0..cells.len() {
        if seen[at] || !cells[at].says(leaves[leaf]) {
            continue;
        }
        seen[at] = true;
        let free = match owner[at] {
            None => true,
            Some(other) => pair(other, leaves, cells, owner, seen),
        };
        if free {
            owner[at] = Some(leaf);
            return true;
        }
    }
    false
}
