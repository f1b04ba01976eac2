//! Nested records of small tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::Schema;
use serde_json::{Value, json};

use super::*;
use crate::schema::{Column, ColumnType, TableSchema};

fn column(name: &str, ty: ColumnType, path: &str) -> Column {
    let role = match name {
        "_etl_id" => ColumnRole::RowId,
        "_etl_parent_id" => ColumnRole::ParentId,
        _ => ColumnRole::Data,
    };
    Column::new(name, ty, role, path)
}

fn batch(name: &str, under: Option<(&str, &str)>, columns: Vec<(Column, ArrayRef)>) -> TableBatch {
    let (columns, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let mut schema = TableSchema::new(name, "orders", columns);
    if let Some((parent, path)) = under {
        schema.parent = Some(parent.to_owned());
        schema.path = path.to_owned();
    }
    let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    TableBatch::new(Arc::new(schema), rows)
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Two orders with lines; `of` are the parents of the lines.
fn orders(of: &[Option<&str>]) -> Vec<TableBatch> {
    let text = ColumnType::Text;
    let root = vec![
        (column("_etl_id", text, ""), texts(&[Some("a"), Some("b")])),
        (
            column("ship__city", text, "/ship/city"),
            texts(&[Some("Rome"), None]),
        ),
        (
            column("n", ColumnType::Int64, "/n"),
            numbers(&[Some(1), None]),
        ),
        (column("n__v_text", text, "/n"), texts(&[None, Some("one")])),
        (
            column("ship", ColumnType::Json, "/ship"),
            texts(&[Some(r#"{"x~/":[1]}"#), Some("[2]")]),
        ),
        (
            column("of_parent", text, "~parent/id"),
            texts(&[Some("p"), None]),
        ),
    ];
    let lines = vec![
        (
            column("_etl_id", text, ""),
            texts(&vec![Some("l"); of.len()]),
        ),
        (column("_etl_parent_id", text, ""), texts(of)),
        (
            column("sku", text, "/sku"),
            texts(&["x", "y", "z"].map(Some)[..of.len()]),
        ),
    ];
    vec![
        batch("orders", None, root),
        batch("orders__lines", Some(("orders", "/lines")), lines),
    ]
}

#[test]
fn objects_lists_and_values_of_other_types_are_where_the_api_had_them() {
    let tables = orders(&[Some("a"), Some("a"), Some("b")]);
    let records = NestedRecords::new(&tables).unwrap();
    let records = records.with(ColumnRole::RowId, "_etl_id");
    let lines: Vec<Value> = records
        .json_lines()
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            json!({
                "_etl_id": "a", "ship": {"city": "Rome", "x~/": [1]}, "n": 1, "of_parent": "p",
                "lines": [{"sku": "x"}, {"sku": "y"}],
            }),
            json!({"_etl_id": "b", "ship": [2], "n": "one", "lines": [{"sku": "z"}]}),
        ]
    );
    let batch = records.batch().unwrap();
    assert_eq!(batch.num_rows(), 2);
    let schema = batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let wanted = [
        "_etl_id",
        "ship",
        "ship__v_json",
        "n",
        "n__v_text",
        "of_parent",
        "lines",
    ];
    assert_eq!(names, wanted);
    assert_eq!(
        schema.field(6).data_type().to_string(),
        r#"List(Struct("sku": Utf8))"#
    );
}

#[test]
fn rows_that_belong_to_no_record_are_an_error() {
    for of in [[Some("b"), Some("a")], [Some("a"), Some("c")]] {
        let tables = orders(&of);
        let Err(error) = NestedRecords::new(&tables) else {
            panic!("{of:?}");
        };
        let wanted = "the rows of `orders__lines` do not follow those of `orders`";
        assert!(error.message().contains(wanted), "{error}");
    }
    let tables = orders(&[]);
    let records = NestedRecords::new(&tables).unwrap();
    assert!(records.json_lines().all(|line| !line.contains("lines")));
}

#[cfg(any(feature = "cli", feature = "emit"))]
#[test]
fn the_schema_of_a_key_has_all_its_types_and_only_grows() {
    let tables = orders(&[]);
    let schemas: Vec<&TableSchema> = tables.iter().map(|table| &*table.schema).collect();
    let shape = Shape::of(&schemas).unwrap();
    let schema = shape.record_schema(&Dialect::PLAIN);
    let properties = &schema["properties"];
    assert_eq!(
        properties["n"],
        json!({"type": ["integer", "string", "null"]})
    );
    assert_eq!(properties["of_parent"], json!({"type": ["string", "null"]}));
    assert_eq!(
        properties["lines"],
        json!({
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {"sku": {"type": ["string", "null"]}},
            },
        })
    );
    let ship = &properties["ship"];
    assert_eq!(
        ship["properties"]["city"],
        json!({"type": ["string", "null"]})
    );
    assert!(ship["type"].as_array().unwrap().contains(&json!("array")));
    #[cfg(any(feature = "singer", feature = "emit"))]
    {
        let mut known = Shape::of(&schemas[..1]).unwrap();
        assert!(known.merge(&shape) && !known.merge(&shape));
        assert_eq!(known, shape);
    }
}
