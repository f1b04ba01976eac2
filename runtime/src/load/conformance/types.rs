//! Values of every type.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};

use super::Place;
use super::support::*;
use crate::schema::{ArrowType, ColumnRole, ColumnType, Disposition, TableBatch, TableSchema};

const MOST: i128 = 10_i128.pow(38) - 1;

/// A column, and each of its values as text; the last value is null.
type Shown = (ColumnType, ArrayRef, [&'static str; 3]);

/// Returns columns of every type.
fn columns() -> Vec<Shown> {
    let mut columns = Vec::from(numbers());
    columns.extend(texts());
    columns.extend(times());
    columns
}

fn numbers() -> [Shown; 4] {
    let bools = BooleanArray::from(vec![Some(true), Some(false), Some(true), None]);
    let big = 9_007_199_254_740_993;
    let ints = Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), Some(big), None]);
    let floats = Float64Array::from(vec![Some(f64::MAX), Some(5e-324), Some(3.0), None]);
    let decimals = Decimal128Array::from(vec![Some(MOST), Some(-MOST), Some(1), None])
        .with_data_type(ColumnType::Decimal.arrow());
    [
        (ColumnType::Bool, Arc::new(bools), ["1", "0", "1"]),
        (
            ColumnType::Int64,
            Arc::new(ints),
            [
                "-9223372036854775808",
                "9223372036854775807",
                "9007199254740993",
            ],
        ),
        (
            ColumnType::Float64,
            Arc::new(floats),
            ["1.7976931348623157e308", "5e-324", "3.0"],
        ),
        (
            ColumnType::Decimal,
            Arc::new(decimals),
            [
                "99999999999999999999999999999.999999999",
                "-99999999999999999999999999999.999999999",
                "0.000000001",
            ],
        ),
    ]
}

fn texts() -> [Shown; 4] {
    let column = |ty: ColumnType, texts: [&'static str; 3]| -> Shown {
        let values = texts.into_iter().map(Some).chain([None]);
        (ty, Arc::new(values.collect::<StringArray>()), texts)
    };
    let bytes = BinaryArray::from_opt_vec(vec![Some(b""), Some(&[0, 255]), Some(b"a"), None]);
    [
        column(ColumnType::Text, ["", "1e5", "a\0b \u{1F600}'\""]),
        column(
            ColumnType::Uuid,
            [
                "123e4567-e89b-12d3-a456-426614174000",
                "00000000-0000-0000-0000-000000000000",
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
            ],
        ),
        column(
            ColumnType::Json,
            ["{\"a\":[1,\"\\ud800\"]}", "12345678901234567890123", "\"\""],
        ),
        (ColumnType::Bytes, Arc::new(bytes), ["", "AP8=", "YQ=="]),
    ]
}

fn times() -> [Shown; 2] {
    let times = vec![Some(0), Some(-1), Some(253_402_300_799_999_999), None];
    let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
    let days = Date32Array::from(vec![Some(0), Some(-719_162), Some(2_932_896), None]);
    [
        (
            ColumnType::Timestamp,
            Arc::new(times),
            [
                "1970-01-01T00:00:00.000000Z",
                "1969-12-31T23:59:59.999999Z",
                "9999-12-31T23:59:59.999999Z",
            ],
        ),
        (
            ColumnType::Date,
            Arc::new(days),
            ["1970-01-01", "0001-01-01", "9999-12-31"],
        ),
    ]
}

/// Returns four rows with a column of every type, named after it, and texts in columns of more names.
pub fn rows(more: &[&str]) -> TableBatch {
    let mut schema = TableSchema {
        name: "orders".into(),
        resource: "orders".into(),
        parent: None,
        path: String::new(),
        columns: vec![column("_etl_id", ColumnType::Text, ColumnRole::RowId)],
    };
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["0", "1", "2", "3"]));
    let mut arrays = vec![ids.clone()];
    for (ty, array, _) in columns() {
        schema.columns.push(column(ty.name(), ty, ColumnRole::Data));
        arrays.push(array);
    }
    for name in more {
        schema
            .columns
            .push(column(name, ColumnType::Text, ColumnRole::Data));
        arrays.push(ids.clone());
    }
    batch(schema, arrays)
}

/// Checks that values stay the same when they are written, replaced, staged and published.
pub fn every_value_is_as_it_was<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let columns = columns();
    let rows = rows(&[]);
    let names: Vec<&str> = columns.iter().map(|(ty, ..)| ty.name()).collect();
    let chunk = |disposition| match disposition {
        Disposition::Replace => pass_of(vec![rows.clone()], true, true),
        _ => chunk_of(disposition, vec![rows.clone()]),
    };
    for disposition in [
        Disposition::Append,
        Disposition::Append,
        Disposition::Merge,
        Disposition::Replace,
    ] {
        run::<P>(dir.path(), "1", &[&[chunk(disposition)]]);
        let mut found = P::rows(dir.path(), "orders", &names);
        let doubles = names.iter().position(|name| *name == "double").unwrap();
        for cell in found.iter_mut().filter_map(|row| row[doubles].as_mut()) {
            // A double can be written in several ways.
            *cell = format!("{:?}", cell.parse::<f64>().unwrap());
        }
        for (row, found) in found.iter().enumerate() {
            let expected = columns.iter().map(|(_, _, texts)| texts.get(row));
            let expected = expected.map(|text| text.map(|text| (*text).to_owned()));
            assert_eq!(*found, expected.collect::<Vec<_>>(), "{disposition:?}");
        }
        assert_eq!(found.len(), 4);
    }
    let memory = P::at(dir.path()).open(&load("2")).unwrap();
    assert_eq!(memory.tables, [(*rows.schema).clone()]);
}
