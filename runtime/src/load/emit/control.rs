//! What is said besides rows, in either form.

use serde_json::{Value, json};

use crate::error::Result;
use crate::load::Operation;
use crate::schema::{ColumnRole, ColumnType, Dialect, Layout, NestedRecords, Shape, TableBatch};

/// The system columns that each record shows.
const SHOWN: [(ColumnRole, ColumnType); 3] = [
    (ColumnRole::RowId, ColumnType::Text),
    (ColumnRole::LoadId, ColumnType::Text),
    (ColumnRole::DeletedAt, ColumnType::Timestamp),
];

/// Returns the records of an operation.
pub(super) fn records(tables: &[TableBatch]) -> Result<NestedRecords<'_>> {
    let records = NestedRecords::new(tables)?;
    Ok(SHOWN.into_iter().fold(records, |records, (role, _)| {
        records.with(role, Layout::Etl.column(role))
    }))
}

/// Returns the shape of the records of an operation.
pub(super) fn shape(tables: &[TableBatch]) -> Result<Shape> {
    let schemas: Vec<_> = tables.iter().map(|table| &*table.schema).collect();
    let has = |role| {
        schemas
            .first()
            .is_some_and(|root| root.role(role).is_some())
    };
    let mut shape = Shape::default();
    for (role, ty) in SHOWN.into_iter().filter(|(role, _)| has(*role)) {
        shape = shape.with(Layout::Etl.column(role), ty);
    }
    shape.merge(&Shape::of(&schemas)?);
    Ok(shape)
}

/// Describes the records of a resource.
pub(super) fn schema(resource: &str, shape: &Shape) -> Value {
    json!({
        "type": "schema",
        "resource": resource,
        "key": [Layout::Etl.column(ColumnRole::RowId)],
        "schema": shape.record_schema(&Dialect::PLAIN),
    })
}

/// Returns what is done with the records of an operation: `append`, `merge` or `stage`; `None`: it
/// has none.
pub(super) fn verb(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Append(_) => Some("append"),
        Operation::Merge(_) => Some("merge"),
        Operation::Stage { .. } => Some("stage"),
        Operation::Publish | Operation::Delete(_) | Operation::DeleteNotSeen(_) => None,
    }
}

/// Describes what an operation does besides its records; `None`: nothing.
pub(super) fn control(resource: &str, operation: &Operation) -> Option<Value> {
    Some(match operation {
        Operation::Stage { first: true, .. } => json!({"type": "begin", "resource": resource}),
        Operation::Append(_) | Operation::Merge(_) | Operation::Stage { .. } => return None,
        Operation::Publish => json!({"type": "publish", "resource": resource}),
        Operation::Delete(deleted) => json!({
            "type": "delete",
            "resource": resource,
            "ids": deleted.ids,
            "deleted_at": deleted.mark,
            "staged": deleted.staged,
        }),
        Operation::DeleteNotSeen(since) => json!({
            "type": "delete_not_seen",
            "resource": resource,
            "load": since.load,
            "deleted_at": since.mark,
        }),
    })
}
