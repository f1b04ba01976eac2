//! Checks that apply to every destination: the loader runs them before a destination gets a chunk.

use std::collections::BTreeMap;

use super::{Chunk, Destination, LoadInfo, Operation};
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

    /// Refuses an operation that the destination is not capable of, a table that belongs to another resource, source or
    /// user, and a column that changes its type. Remembers new tables and columns.
    pub fn chunk(&mut self, destination: &mut dyn Destination, chunk: &Chunk) -> Result<()> {
        let checked = self.check(destination, chunk);
        checked.map_err(|error| error.at(destination.describe()))
    }

    fn check(&mut self, destination: &mut dyn Destination, chunk: &Chunk) -> Result<()> {
        let can = destination.capabilities();
        for table in chunk.tables() {
            let table = &*table.schema;
            match self.tables.get_mut(&table.name) {
                Some(known) if known == table => {}
                Some(known) => {
                    fits(known, table, &chunk.resource)?;
                    known.columns.extend(known.lacks(table));
                }
                None => {
                    if destination.is_taken(&table.name)? {
                        return Err(taken(&table.name));
                    }
                    self.tables.insert(table.name.clone(), table.clone());
                }
            }
        }
        let lacks = |operation: &Operation| match operation {
            Operation::Merge(_) => (!can.merges).then_some("change rows"),
            Operation::Delete(_) | Operation::DeleteNotSeen(_) => {
                (!can.deletes).then_some("delete rows")
            }
            Operation::Stage { .. } | Operation::Publish => {
                (!can.replaces).then_some("replace all rows of a table")
            }
            Operation::Append(_) => None,
        };
        let lacks = chunk.operations.iter().find_map(lacks);
        lacks.map_or(Ok(()), |what| Err(destination.cannot(what)))
    }
}

fn taken(table: &str) -> Error {
    let message = format!("the table `{table}` exists and this source did not create it");
    Error::new(ErrorKind::Destination, message)
        .hint("load into another destination, or rename the resource or the field")
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
    use crate::load::{Capabilities, Commit};
    use crate::schema::{Column, ColumnRole, ColumnType, Drifted, TableBatch};

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
        Chunk::new(resource, [Operation::Merge(vec![batch])])
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
        let mut into = Into(Capabilities::new(63));
        checks.chunk(&mut into, &chunk(wider)).unwrap();
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
            let error = checks.chunk(&mut into, &chunk(table)).unwrap_err();
            assert!(error.message().contains(wanted), "{error}");
            assert_eq!(error.kind(), ErrorKind::Destination);
        }
        let same = chunk(table("orders", &[("a", ColumnType::Int64)]));
        checks.chunk(&mut into, &same).unwrap();
    }

    #[test]
    fn tables_of_others_and_what_a_destination_cannot_do_are_refused() {
        let mut into = Into(Capabilities::new(63).merges(false).replaces(false));
        let mut checks = Checks::new(&Memory::default());
        let mut refused = |chunk: &Chunk| match checks.chunk(&mut into, chunk) {
            Ok(()) => String::new(),
            Err(error) => error.report(),
        };
        let of = |name: &str, add: fn(Vec<TableBatch>) -> Operation| {
            let table = TableSchema {
                name: name.to_owned(),
                ..table("orders", &[])
            };
            let fields: Vec<_> = table.columns.iter().map(Column::arrow_field).collect();
            let rows = RecordBatch::new_empty(Arc::new(Schema::new(fields)));
            Chunk::new(
                "orders",
                [add(vec![TableBatch::new(Arc::new(table), rows)])],
            )
        };
        assert_eq!(refused(&of("orders", Operation::Append)), "");
        let taken = refused(&of("foreign", Operation::Append));
        assert!(taken.contains("`foreign` exists"), "{taken}");
        let merged = refused(&of("orders", Operation::Merge));
        assert!(merged.contains("into cannot change"), "{merged}");
        let published = refused(&Chunk::new("orders", [Operation::Publish]));
        assert!(published.contains("into cannot replace"), "{published}");
    }

    /// A destination in which a table `foreign` is taken.
    struct Into(Capabilities);

    impl Destination for Into {
        fn describe(&self) -> String {
            "into".to_owned()
        }

        fn exists(&self) -> bool {
            true
        }

        fn capabilities(&self) -> Capabilities {
            self.0
        }

        fn open(&mut self, _: &LoadInfo) -> Result<Memory> {
            Ok(Memory::default())
        }

        fn is_taken(&mut self, table: &str) -> Result<bool> {
            Ok(table == "foreign")
        }

        fn write(&mut self, _: Chunk) -> Result<()> {
            Ok(())
        }

        fn drift(&mut self, _: &str, _: &[(Drifted, u64)]) -> Result<()> {
            Ok(())
        }

        fn commit(&mut self, _: &Commit<'_>) -> Result<()> {
            Ok(())
        }

        fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
            Ok(Vec::new())
        }
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
