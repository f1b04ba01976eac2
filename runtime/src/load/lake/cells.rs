//! Reads data files as texts, for tests.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;

use crate::text::{base64, decimal};

/// Returns the columns of a file's rows; a missing column is null.
pub fn rows(file: impl ChunkReader + 'static, columns: &[&str]) -> Vec<Vec<Option<String>>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut found = Vec::new();
    for rows in reader.build().unwrap() {
        let rows = rows.unwrap();
        let row = |at: usize| {
            let cell = |name: &&str| cell(rows.column_by_name(name)?, at);
            columns.iter().map(cell).collect()
        };
        found.extend((0..rows.num_rows()).map(row));
    }
    found
}

/// Returns a value as text, in the form of SQLite.
fn cell(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let array = array.as_ref();
    Some(match array.data_type() {
        DataType::Boolean => u8::from(array.as_boolean().value(row)).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Timestamp(..) => {
            crate::record::sortable(array.as_primitive::<TimestampMicrosecondType>().value(row))
                .as_str()
                .to_owned()
        }
        DataType::Date32 => crate::record::day(array.as_primitive::<Date32Type>().value(row))
            .as_str()
            .to_owned(),
        DataType::Binary => base64(array.as_binary::<i32>().value(row)),
        _ => array.as_string::<i32>().value(row).to_owned(),
    })
}
