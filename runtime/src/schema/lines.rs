//! Batches row by row, for destinations that do not take Arrow.

use std::fmt::Write;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};

use super::{ColumnRole, ColumnType, TableBatch};
use crate::record::json::write_string;
use crate::record::{day, sortable};
use crate::text::{base64, decimal};

impl TableBatch {
    /// Returns each row as a JSON object on one line; null columns are left out. Decimals are
    /// strings, to keep all digits, and so are times (`2024-01-31T12:00:00.000000Z`), bytes
    /// (base64) and JSON documents.
    pub fn json_lines(&self) -> impl Iterator<Item = String> {
        (0..self.rows.num_rows()).map(|row| self.json_line(row))
    }

    /// Returns the text of the column with that role in a row, from 0: `_etl_id` for
    /// [`ColumnRole::RowId`].
    pub fn text(&self, role: ColumnRole, row: usize) -> Option<&str> {
        let column = self.schema.columns.iter().position(|it| it.role == role)?;
        let texts = self.rows.column(column).as_string_opt::<i32>()?;
        (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row))
    }

    fn json_line(&self, row: usize) -> String {
        let mut out = String::from("{");
        for (column, array) in self.schema.columns.iter().zip(self.rows.columns()) {
            if array.is_null(row) {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            write_string(&mut out, &column.name);
            out.push(':');
            write_value(&mut out, column.ty, array.as_ref(), row);
        }
        out.push('}');
        out
    }
}

/// Writes a value that is not null; a JSON document as a string.
pub(super) fn write_value(out: &mut String, ty: ColumnType, array: &dyn Array, row: usize) {
    // Writing to a string cannot fail.
    let _ = match ty {
        ColumnType::Bool => write!(out, "{}", array.as_boolean().value(row)),
        ColumnType::Int64 => write!(out, "{}", array.as_primitive::<Int64Type>().value(row)),
        ColumnType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            value if value.is_finite() => write!(out, "{value:?}"),
            _ => write!(out, "null"),
        },
        ColumnType::Decimal => {
            let decimals = array.as_primitive::<Decimal128Type>();
            let text = decimal(decimals.value(row), decimals.scale());
            write!(out, "\"{text}\"")
        }
        ColumnType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            write!(out, "\"{}\"", sortable(micros).as_str())
        }
        ColumnType::Date => {
            let days = array.as_primitive::<Date32Type>().value(row);
            write!(out, "\"{}\"", day(days).as_str())
        }
        ColumnType::Bytes => {
            let bytes = array.as_binary::<i32>().value(row);
            write!(out, "\"{}\"", base64(bytes))
        }
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json => {
            write_string(out, array.as_string::<i32>().value(row));
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
    use arrow_schema::Schema;

    use super::*;
    use crate::schema::{Column, TableSchema};

    #[test]
    fn rows_are_json_objects_without_what_is_null() {
        let column = |name: &str, ty, role| Column {
            name: name.into(),
            ty,
            role,
            path: String::new(),
        };
        let schema = TableSchema {
            name: "t".into(),
            resource: "t".into(),
            parent: None,
            path: String::new(),
            columns: vec![
                column("_etl_id", ColumnType::Text, ColumnRole::RowId),
                column("a \"b\"", ColumnType::Int64, ColumnRole::Data),
                column("f", ColumnType::Float64, ColumnRole::Data),
            ],
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("1"), None])),
            Arc::new(Int64Array::from(vec![i64::MAX, -1])),
            Arc::new(Float64Array::from(vec![0.5, f64::NAN])),
        ];
        let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
        let batch = TableBatch {
            rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(),
            schema: Arc::new(schema),
        };
        let lines: Vec<String> = batch.json_lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"_etl_id":"1","a \"b\"":9223372036854775807,"f":0.5}"#,
                r#"{"a \"b\"":-1,"f":null}"#
            ]
        );
        assert_eq!(batch.text(ColumnRole::RowId, 0), Some("1"));
        assert_eq!(batch.text(ColumnRole::RowId, 1), None);
        assert_eq!(batch.text(ColumnRole::RowId, 2), None);
        assert_eq!(batch.text(ColumnRole::RootId, 0), None);
    }
}
