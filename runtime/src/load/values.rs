//! The values of a column, by type: those of a batch, to be written elsewhere, and those of a batch that is built.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, Schema};

use crate::schema::{ArrowType, Column, ColumnType};

/// The values of a column of a batch.
pub enum Values<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Decimal(&'a Decimal128Array),
    Text(&'a StringArray),
    Json(&'a StringArray),
    Uuid(&'a StringArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Bytes(&'a BinaryArray),
}

impl<'a> Values<'a> {
    /// Returns the values of an array; none if it is of another type.
    pub fn of(array: &'a dyn Array, ty: ColumnType) -> Option<Self> {
        Some(match ty {
            ColumnType::Bool => Values::Bool(array.as_boolean_opt()?),
            ColumnType::Int64 => Values::Int(array.as_primitive_opt::<Int64Type>()?),
            ColumnType::Float64 => Values::Float(array.as_primitive_opt::<Float64Type>()?),
            ColumnType::Decimal => Values::Decimal(array.as_primitive_opt::<Decimal128Type>()?),
            ColumnType::Text => Values::Text(array.as_string_opt::<i32>()?),
            ColumnType::Json => Values::Json(array.as_string_opt::<i32>()?),
            ColumnType::Uuid => Values::Uuid(array.as_string_opt::<i32>()?),
            ColumnType::Timestamp => {
                Values::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            ColumnType::Date => Values::Date(array.as_primitive_opt::<Date32Type>()?),
            ColumnType::Bytes => Values::Bytes(array.as_binary_opt::<i32>()?),
        })
    }

    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Bool(array) => array.is_null(row),
            Values::Int(array) => array.is_null(row),
            Values::Float(array) => array.is_null(row),
            Values::Decimal(array) => array.is_null(row),
            Values::Text(array) | Values::Json(array) | Values::Uuid(array) => array.is_null(row),
            Values::Timestamp(array) => array.is_null(row),
            Values::Date(array) => array.is_null(row),
            Values::Bytes(array) => array.is_null(row),
        }
    }
}

/// The values of a column of a batch that is built.
pub enum Building {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Json(StringBuilder),
    Uuid(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Bytes(BinaryBuilder),
}

impl Building {
    pub fn new(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Bool => Building::Bool(BooleanBuilder::new()),
            ColumnType::Int64 => Building::Int(Int64Builder::new()),
            ColumnType::Float64 => Building::Float(Float64Builder::new()),
            ColumnType::Decimal => {
                Building::Decimal(Decimal128Builder::new().with_data_type(ty.arrow()))
            }
            ColumnType::Text => Building::Text(StringBuilder::new()),
            ColumnType::Json => Building::Json(StringBuilder::new()),
            ColumnType::Uuid => Building::Uuid(StringBuilder::new()),
            ColumnType::Timestamp => {
                Building::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(ty.arrow()))
            }
            ColumnType::Date => Building::Date(Date32Builder::new()),
            ColumnType::Bytes => Building::Bytes(BinaryBuilder::new()),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Building::Bool(mut builder) => Arc::new(builder.finish()),
            Building::Int(mut builder) => Arc::new(builder.finish()),
            Building::Float(mut builder) => Arc::new(builder.finish()),
            Building::Decimal(mut builder) => Arc::new(builder.finish()),
            Building::Text(mut builder)
            | Building::Json(mut builder)
            | Building::Uuid(mut builder) => Arc::new(builder.finish()),
            Building::Timestamp(mut builder) => Arc::new(builder.finish()),
            Building::Date(mut builder) => Arc::new(builder.finish()),
            Building::Bytes(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Returns the rows that were built, with these columns.
pub fn built(
    columns: &[Column],
    values: Vec<Building>,
    rows: usize,
) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<_> = columns.iter().map(Column::arrow_field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let arrays = values.into_iter().map(Building::finish).collect();
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}
