//! The content hash of records: 64 bits over the values of a record and its child rows, as the tables hold them.
//!
//! System columns do not count, except whether the record says that it is deleted, and the places of child rows in their
//! lists. A value counts with the place and the type of its column, so that neither the order of columns nor columns
//! without a value matter. A hash is compared with that of the same record only. Each value that follows a change may
//! bring the old hash back, with a probability of 2^-64: among a billion changes of records with a hundred values, one is
//! missed with a probability below one in a hundred million.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Column, ColumnRole, ColumnType, TableBatch};

/// Sets the content hashes of the records of a batch, in their column of the first table.
pub(super) fn add_hashes(tables: &mut [TableBatch]) -> Result<()> {
    let hashes: ArrayRef = Arc::new(Int64Array::from(hashes(tables)));
    let Some(root) = tables.first_mut() else {
        return Ok(());
    };
    let mut columns = root.schema.columns.iter();
    let Some(place) = columns.position(|column| column.role == ColumnRole::ContentHash) else {
        return Ok(());
    };
    let mut arrays = root.rows.columns().to_vec();
    arrays[place] = hashes;
    root.rows = RecordBatch::try_new(root.rows.schema(), arrays).map_err(|error| {
        let message = format!("the hashes of `{}` do not fit its rows", root.schema.name);
        Error::new(ErrorKind::System, message).caused_by(error)
    })?;
    Ok(())
}

/// Returns the content hashes of the records of a batch: of the rows of the first table, to which the rows of the others
/// belong, in the order of their records.
pub(super) fn hashes(tables: &[TableBatch]) -> Vec<i64> {
    let Some((root, lists)) = tables.split_first() else {
        return Vec::new();
    };
    let mut states = of_rows(root, false);
    let ids = texts(root, ColumnRole::RowId);
    let mut places = HashMap::from([(&*root.schema.name, String::new())]);
    for list in lists {
        let above = list.schema.parent.as_deref().unwrap_or_default();
        let place = places.get(above).cloned().unwrap_or_default();
        let place = format!("{place}\0{}", list.schema.path);
        if let Some((roots, ids)) = texts(list, ColumnRole::RootId).zip(ids) {
            // Which row of its own parent a row belongs to follows from the record, unless the parent is a list too.
            let rows = of_rows(list, above != root.schema.name);
            add_rows(
                (&mut states, ids),
                (&rows, roots),
                xxh3_64(place.as_bytes()),
            );
        }
        places.insert(&list.schema.name, place);
    }
    states.into_iter().map(u64::cast_signed).collect()
}

/// Adds the rows of a child table to the hashes of the records that they belong to. `tag`: the number of the table.
fn add_rows(
    (states, ids): (&mut [u64], &StringArray),
    (rows, roots): (&[u64], &StringArray),
    tag: u64,
) {
    let mut next = 0;
    for (record, state) in states.iter_mut().enumerate() {
        let id = ids.value(record);
        while next < roots.len() && roots.value(next) == id {
            *state = mixed(*state ^ tag, rows[next]);
            next += 1;
        }
    }
}

/// Returns the texts in the column with that role.
fn texts(table: &TableBatch, role: ColumnRole) -> Option<&StringArray> {
    let mut columns = table.schema.columns.iter();
    let column = columns.position(|column| column.role == role)?;
    table.rows.column(column).as_string_opt()
}

/// A column that counts.
struct Counted<'a> {
    /// The number of its place and type.
    tag: u64,
    nulls: Option<&'a NullBuffer>,
    data: Data<'a>,
}

/// The values of a column.
enum Data<'a> {
    Bool(&'a BooleanArray),
    Int(&'a [i64]),
    Float(&'a [f64]),
    Decimal(&'a [i128]),
    Date(&'a [i32]),
    /// The bytes of all values, and where each begins.
    Bytes(&'a [i32], &'a [u8]),
    /// Only whether there is a value counts.
    Presence,
}

/// Returns the hashes of the rows of a table. `nested`: it is a list of a list.
fn of_rows(table: &TableBatch, nested: bool) -> Vec<u64> {
    let columns = table.schema.columns.iter().zip(table.rows.columns());
    let mut counted: Vec<Counted<'_>> = columns
        .filter(|(column, array)| counts(column, nested) && array.null_count() < array.len())
        .filter_map(|(column, array)| {
            Some(Counted {
                tag: tag(column),
                nulls: array.nulls(),
                data: data(column, array.as_ref())?,
            })
        })
        .collect();
    counted.sort_by_key(|column| column.tag);
    let mut states = vec![0; table.rows.num_rows()];
    counted.iter().for_each(|column| column.add(&mut states));
    states
}

impl Counted<'_> {
    /// Adds the values of the column to the hashes of the rows.
    fn add(&self, states: &mut [u64]) {
        match self.data {
            Data::Bool(values) => {
                self.each(states, |row, seed| mixed(seed, values.value(row).into()));
            }
            Data::Int(values) => {
                self.each(states, |row, seed| mixed(seed, values[row].cast_unsigned()));
            }
            Data::Float(values) => {
                self.each(states, |row, seed| mixed(seed, values[row].to_bits()));
            }
            Data::Decimal(values) => self.each(states, |row, seed| {
                let value = values[row].cast_unsigned();
                mixed(mixed(seed, value as u64), (value >> 64) as u64)
            }),
            Data::Date(values) => self.each(states, |row, seed| {
                mixed(seed, values[row].cast_unsigned().into())
            }),
            Data::Bytes(offsets, values) => self.each(states, |row, seed| {
                let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
                of_bytes(&values[from..to], seed)
            }),
            Data::Presence => self.each(states, |_, seed| mixed(seed, 1)),
        }
    }

    /// Changes the hash of each row that has a value.
    fn each(&self, states: &mut [u64], add: impl Fn(usize, u64) -> u64) {
        let add = |row: usize, state: &mut u64| *state = add(row, *state ^ self.tag);
        match self.nulls {
            None => (states.iter_mut().enumerate()).for_each(|(row, state)| add(row, state)),
            Some(nulls) => nulls
                .valid_indices()
                .for_each(|row| add(row, &mut states[row])),
        }
    }
}

/// Returns the hash of bytes: of few ones as in wyhash, by two numbers that overlap and hold all of them.
fn of_bytes(bytes: &[u8], seed: u64) -> u64 {
    let eight = |part: Option<&[u8; 8]>| part.map_or(0, |part| u64::from_le_bytes(*part));
    let four = |part: Option<&[u8; 4]>| part.map_or(0, |part| u32::from_le_bytes(*part).into());
    let (low, high) = match bytes.len() {
        0..4 => {
            let each = bytes.iter().rev();
            (each.fold(0, |all, byte| all << 8 | u64::from(*byte)), 0)
        }
        4..8 => (four(bytes.first_chunk()), four(bytes.last_chunk())),
        8..=16 => (eight(bytes.first_chunk()), eight(bytes.last_chunk())),
        _ => return xxh3_64_with_seed(bytes, seed),
    };
    mixed(mixed(seed ^ low, high), bytes.len() as u64)
}

/// Mixes a number into a hash: the two halves of a product, as in wyhash.
fn mixed(state: u64, value: u64) -> u64 {
    const KEYS: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93];
    let product = u128::from(state ^ KEYS[0]) * u128::from(value ^ KEYS[1]);
    product as u64 ^ (product >> 64) as u64
}

/// Returns whether the values of a column are content.
fn counts(column: &Column, nested: bool) -> bool {
    match column.role {
        ColumnRole::Data | ColumnRole::ListIndex | ColumnRole::DeletedAt => true,
        ColumnRole::ParentId => nested,
        ColumnRole::RowId | ColumnRole::RootId | ColumnRole::LoadId | ColumnRole::ContentHash => {
            false
        }
    }
}

/// Returns the number of the place and the type of a column.
fn tag(column: &Column) -> u64 {
    let text = format!(
        "{}\0{}\0{}",
        column.role.name(),
        column.ty.name(),
        column.path
    );
    xxh3_64(text.as_bytes())
}

fn data<'a>(column: &Column, array: &'a dyn Array) -> Option<Data<'a>> {
    if column.role == ColumnRole::DeletedAt {
        // A record that does not say when it was deleted gets the time of the run.
        return Some(Data::Presence);
    }
    Some(match column.ty {
        ColumnType::Bool => Data::Bool(array.as_boolean_opt()?),
        ColumnType::Int64 => Data::Int(array.as_primitive_opt::<Int64Type>()?.values()),
        ColumnType::Float64 => Data::Float(array.as_primitive_opt::<Float64Type>()?.values()),
        ColumnType::Decimal => Data::Decimal(array.as_primitive_opt::<Decimal128Type>()?.values()),
        ColumnType::Timestamp => Data::Int(
            array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .values(),
        ),
        ColumnType::Date => Data::Date(array.as_primitive_opt::<Date32Type>()?.values()),
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json => {
            let array = array.as_string_opt::<i32>()?;
            Data::Bytes(array.value_offsets(), array.value_data())
        }
        ColumnType::Bytes => {
            let array = array.as_binary_opt::<i32>()?;
            Data::Bytes(array.value_offsets(), array.value_data())
        }
    })
}

#[cfg(test)]
mod tests {
    use arrow_schema::Schema;

    use super::*;
    use crate::schema::TableSchema;

    /// A column: its role, its place, its values.
    type Given = (ColumnRole, &'static str, Vec<Option<&'static str>>);

    fn table(name: &str, parent: Option<&str>, columns: &[Given]) -> TableBatch {
        let column = |(role, path, _): &Given| Column::new(*path, ColumnType::Text, *role, *path);
        let schema = TableSchema {
            parent: parent.map(str::to_owned),
            path: format!("/{name}"),
            ..TableSchema::new(name, "orders", columns.iter().map(column).collect())
        };
        let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
        let array = |(.., values): &Given| -> ArrayRef {
            Arc::new(values.iter().copied().collect::<StringArray>())
        };
        let arrays = columns.iter().map(array).collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        TableBatch::new(Arc::new(schema), rows)
    }

    fn id(values: &[&'static str]) -> Given {
        let values = values.iter().map(|value| Some(*value)).collect();
        (ColumnRole::RowId, "", values)
    }

    fn data(path: &'static str, values: &[Option<&'static str>]) -> Given {
        (ColumnRole::Data, path, values.to_vec())
    }

    #[test]
    fn only_values_and_their_places_count() {
        let both = [
            data("/a", &[Some("1"), None]),
            data("/b", &[None, Some("1")]),
        ];
        let [a, b] = both.clone();
        let found = hashes(&[table(
            "orders",
            None,
            &[id(&["x", "y"]), a.clone(), b.clone()],
        )]);
        assert_ne!(found[0], found[1], "the same value in another column");
        let load = (ColumnRole::LoadId, "", vec![Some("7"), Some("7")]);
        let empty = data("/c", &[None, None]);
        let other = hashes(&[table("orders", None, &[id(&["z", "x"]), b, empty, a, load])]);
        assert_eq!(other, found, "order, ids, loads and empty columns");
        let [one, two] = [&["ab", "c"], &["a", "bc"]].map(|[a, b]| {
            let columns = [id(&["x"]), data("/a", &[Some(*a)]), data("/b", &[Some(*b)])];
            hashes(&[table("orders", None, &columns)])
        });
        assert_ne!(one, two, "where a value ends");
        let mark = |value| (ColumnRole::DeletedAt, "", vec![value]);
        let [there, gone] = [None, Some("2024")]
            .map(|value| hashes(&[table("orders", None, &[id(&["x"]), mark(value)])]));
        assert_ne!(there, gone, "whether it is deleted");
    }

    #[test]
    fn child_rows_count_with_their_record() {
        let roots = |roots: &[&'static str]| {
            let roots = roots.iter().map(|root| Some(*root)).collect();
            (ColumnRole::RootId, "", roots)
        };
        let of = |ids: &[&'static str], items: &[&'static str], values: &[&'static str]| {
            let values: Vec<_> = values.iter().map(|value| Some(*value)).collect();
            let lines = [id(items), roots(items), data("/v", &values)];
            hashes(&[
                table("orders", None, &[id(ids)]),
                table("lines", Some("orders"), &lines),
            ])
        };
        let found = of(&["x", "y", "z"], &["x", "x", "z"], &["1", "2", "1"]);
        assert_eq!(found[0], of(&["p"], &["p", "p"], &["1", "2"])[0]);
        assert_ne!(
            found[0],
            of(&["p"], &["p", "p"], &["2", "1"])[0],
            "their order"
        );
        assert_eq!(found[1], of(&["x"], &[], &[])[0]);
        assert_eq!(found[2], of(&["x"], &["x"], &["1"])[0]);
        assert_ne!(found[2], found[1]);
        // Of lists within lists, the row above counts.
        let nested = |above: &'static str| {
            let line = (ColumnRole::ParentId, "", vec![Some(above)]);
            let taxes = [id(&["t"]), roots(&["x"]), line, data("/t", &[Some("1")])];
            hashes(&[
                table("orders", None, &[id(&["x"])]),
                table(
                    "lines",
                    Some("orders"),
                    &[id(&["l", "m"]), roots(&["x", "x"])],
                ),
                table("taxes", Some("lines"), &taxes),
            ])
        };
        assert_ne!(nested("l"), nested("m"));
    }
}
