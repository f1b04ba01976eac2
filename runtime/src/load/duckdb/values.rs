//! Values of statements and of results, and the rows of batches.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_schema::{DataType, Field, Schema};

use super::errors::explain;
use crate::error::{Error, ErrorKind, Result};
use crate::load::sql::Value;
use crate::schema::{ArrowType, Column};

/// Returns one row with these values.
pub fn parameters(values: &[Value]) -> Result<RecordBatch> {
    let array = |value: &Value| -> ArrayRef {
        match value {
            Value::Null => Arc::new(StringArray::from(vec![None::<&str>])),
            Value::Text(text) => Arc::new(StringArray::from(vec![&**text])),
            Value::Int(number) => Arc::new(Int64Array::from(vec![*number])),
            Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
            Value::Texts(texts) => {
                let mut list = ListBuilder::new(StringBuilder::new());
                list.append_value(texts.iter().map(Some));
                Arc::new(list.finish())
            }
        }
    };
    let arrays: Vec<ArrayRef> = values.iter().map(array).collect();
    let fields = (1..).zip(&arrays);
    let fields =
        fields.map(|(at, array)| Field::new(at.to_string(), array.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), arrays).map_err(explain)
}

/// Returns a value of a result.
pub fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let text = array.as_string_opt::<i32>();
    let number = array.as_primitive_opt::<Int64Type>();
    match (text, number, array.as_boolean_opt()) {
        (Some(texts), ..) => Value::Text(texts.value(row).to_owned()),
        (_, Some(numbers), _) => Value::Int(numbers.value(row)),
        (.., Some(values)) => Value::Bool(values.value(row)),
        (None, None, None) => Value::Null,
    }
}

/// Returns the rows with these columns.
pub fn fitted(rows: &RecordBatch, columns: &[Column]) -> Result<RecordBatch> {
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, array) in columns.iter().zip(rows.columns()) {
        let array = match array.as_primitive_opt::<TimestampMicrosecondType>() {
            // The time zone of the session is only how times are shown.
            Some(times) if matches!(array.data_type(), DataType::Timestamp(_, Some(_))) => {
                Arc::new(times.clone().with_timezone("UTC"))
            }
            _ => array.clone(),
        };
        if *array.data_type() != column.ty.arrow() {
            let message = format!("the column `{}` has values of another type", column.name);
            return Err(Error::new(ErrorKind::Destination, message).hint(
                "somebody has changed the table: give the column its type again, or drop the table",
            ));
        }
        arrays.push(array);
    }
    let fields: Vec<_> = columns.iter().map(Column::arrow_field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(explain)
}
