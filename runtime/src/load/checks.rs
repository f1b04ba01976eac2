//! Checks that apply to every destination: the loader runs them before a destination gets a chunk.

use std::collections::BTreeMap;

use super::{Chunk, LoadInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Layout, TableSchema};
use crate::state::Memory;

/// Refuses a load whose tables do not fit those that the destination holds of its source.
pub(crate) fn layout(load: &LoadInfo, memory: &Memory) -> Result<()> {
    match (Layout::of(&memory.tables), load.layout) {
        (Some(there), Some(wanted)) if there != wanted => {
            let (there, wanted) = (there.name(), wanted.name());
            let message = format!(
                "the tables of {} have the layout `{there}`, and this run would write `{wanted}`",
                load.source
            );
            Err(Error::new(ErrorKind::Destination, message).hint(format!(
                "run with `--layout {there}`, or load into another destination"
            )))
        }
        _ => Ok(()),
    }
}

/// The tables of a source, to check each chunk against.
pub(crate) struct Checks {
    tables: BTreeMap<String, TableSchema>,
}

impl Checks {
    /// Checks against the tables that the destination holds.
    pub fn new(memory: &Memory) -> Self {
        let tables = memory.tables.iter();
        Checks {
            tables: tables
                .map(|table| (table.name.clone(), table.clone()))
                .collect(),
        }
    }

    /// Refuses a table that belongs to another resource, and a column that changes its type. Remembers new tables and
    /// columns.
    pub fn chunk(&mut self, chunk: &Chunk) -> Result<()> {
        for table in &chunk.tables {
            let table = &*table.schema;
            match self.tables.get_mut(&table.name) {
                Some(known) if known == table => {}
                Some(known) => {
                    fits(known, table, &chunk.resource)?;
                    let missing = |column: &&_| !known.columns.contains(column);
                    let new: Vec<_> = table.columns.iter().filter(missing).cloned().collect();
                    known.columns.extend(new);
                }
                None => {
                    self.tables.insert(table.name.clone(), table.clone());
                }
            }
        }
        Ok(())
    }
}

/// Refuses a table that does not fit the existing table of its name.
fn fits(known: &TableSchema, table: &TableSchema, resource: &str) -> Result<()> {
    let name = &table.name;
    let message = if known.resource != resource {
        format!(
            "the table `{name}` belongs to the resource {}",
            known.resource
        )
    } else {
        let changed = table.columns.iter().find_map(|column| {
            let there = known.columns.iter().find(|c| c.name == column.name)?;
            (there.ty != column.ty).then_some((there, column))
        });
        let Some((there, new)) = changed else {
            return Ok(());
        };
        format!(
            "the column `{}` of `{name}` has the type {} and cannot hold {}",
            new.name,
            there.ty.name(),
            new.ty.name()
        )
    };
    Err(Error::new(ErrorKind::Destination, message)
        .hint("rename the resource or the field, or load into another destination"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::RecordBatch;
    use arrow_schema::Schema;

    use super::*;
    use crate::schema::{Column, ColumnRole, ColumnType, Disposition, TableBatch};

    fn table(resource: &str, columns: &[(&str, ColumnType)]) -> TableSchema {
        let column = |(name, ty): &(&str, ColumnType)| {
            Column::new(*name, *ty, ColumnRole::Data, format!("/{name}"))
        };
        let id = Layout::Etl.column(ColumnRole::RowId);
        let id = Column::new(id, ColumnType::Text, ColumnRole::RowId, "");
        let columns = columns.iter().map(column);
        TableSchema::new(
            "orders",
            resource,
            [id].into_iter().chain(columns).collect(),
        )
    }

    fn chunk(table: TableSchema) -> Chunk {
        let fields: Vec<_> = table.columns.iter().map(Column::arrow_field).collect();
        let rows = RecordBatch::new_empty(Arc::new(Schema::new(fields)));
        let resource = table.resource.clone();
        let batch = TableBatch::new(Arc::new(table), rows);
        Chunk::new(resource, Disposition::Merge, vec![batch])
    }

    #[test]
    fn a_table_keeps_its_resource_and_its_columns_their_types() {
        let there = table("orders", &[("a", ColumnType::Int64)]);
        let memory = Memory::new(vec![there], Vec::new());
        let mut checks = Checks::new(&memory);
        let wider = table(
            "orders",
            &[("a", ColumnType::Int64), ("b", ColumnType::Text)],
        );
        checks.chunk(&chunk(wider)).unwrap();
        for (table, wanted) in [
            (table("others", &[]), "belongs to the resource orders"),
            (
                table("orders", &[("a", ColumnType::Text)]),
                "`a` of `orders` has the type bigint",
            ),
            (
                table("orders", &[("b", ColumnType::Date)]),
                "`b` of `orders` has the type text",
            ),
        ] {
            let error = checks.chunk(&chunk(table)).unwrap_err();
            assert!(error.message().contains(wanted), "{error}");
            assert_eq!(error.kind(), ErrorKind::Destination);
        }
        checks
            .chunk(&chunk(table("orders", &[("a", ColumnType::Int64)])))
            .unwrap();
    }

    #[test]
    fn a_source_keeps_the_layout_of_its_tables() {
        let mut memory = Memory::default();
        let load = |wanted| LoadInfo::new("1", "shop", wanted);
        layout(&load(Some(Layout::Dlt)), &memory).unwrap();
        memory.tables = vec![table("orders", &[])];
        layout(&load(Some(Layout::Etl)), &memory).unwrap();
        layout(&load(None), &memory).unwrap();
        let error = layout(&load(Some(Layout::Dlt)), &memory).unwrap_err();
        assert!(error.message().contains("have the layout `etl`"), "{error}");
    }
}
