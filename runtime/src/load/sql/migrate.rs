//! Migrates tables whose declaration changed, in one transaction with the state.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::tables::{addition, index};
use super::{Dialect, Session, Store, Value, meta, unfit};
use crate::error::{Error, ErrorKind, Result};
use crate::load::TableChange;
use crate::schema::{Column, ColumnRole, ColumnType, TableBatch, TableSchema};
use crate::state::StateChange;

/// The column that identifies the row of new values.
const ROW: &str = "_etl_row";
/// The table of new values.
const NEW_VALUES: &str = "_etl_new_values";

impl<S: Session> Store<S> {
    pub fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.whole(|store| store.apply(changes, state))?;
        for change in changes {
            self.tables.remove(&change.from.name);
            self.indexed.remove(&change.from.name);
            self.staged.remove(&change.from.name);
        }
        let to = changes.iter().filter_map(|change| change.to.as_ref());
        self.tables
            .extend(to.map(|table| (table.name.clone(), table.clone())));
        Ok(())
    }

    fn apply(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        for change in changes.iter().filter(|change| change.from.parent.is_none()) {
            self.settle_seen(&change.from)?;
        }
        for change in changes {
            match &change.to {
                Some(to) => self.check_name(&change.from, to)?,
                None => self.drop_table(&change.from)?,
            }
        }
        for change in changes.iter().filter(|change| !change.leaves_rows()) {
            if let Some(to) = &change.to {
                let changed = self.change(change, to);
                changed.map_err(|error| error.at(format!("table {}", change.from.name)))?;
            }
        }
        let source = self.load.source.clone();
        for change in changes {
            let forget = "DELETE FROM _etl_columns WHERE source = $1 AND table_name = $2";
            let values = [Value::from(&source), Value::from(&change.from.name)];
            self.session.execute(forget, &values)?;
        }
        for to in changes.iter().filter_map(|change| change.to.as_ref()) {
            meta::put_table(&mut self.session, &source, to)?;
        }
        meta::put_state(&mut self.session, &self.load, state)?;
        for table in ["_etl_undo", "_etl_changes"] {
            let sql = format!("DELETE FROM {table} WHERE source = $1");
            self.session.execute(&sql, &[(&source).into()])?;
        }
        Ok(())
    }

    fn check_name(&mut self, from: &TableSchema, to: &TableSchema) -> Result<()> {
        if from.name == to.name || !self.session.is_taken(&to.name)? {
            return Ok(());
        }
        let message = format!("the table `{}` exists already", to.name);
        Err(Error::new(ErrorKind::Destination, message)
            .hint("rename that table, or choose another name for the resource"))
    }

    fn drop_table(&mut self, table: &TableSchema) -> Result<()> {
        let dialect = self.session.dialect();
        for name in [dialect.staging(&table.name), table.name.clone()] {
            let name = dialect.quoted(&name);
            self.session
                .script(&format!("DROP TABLE IF EXISTS {name}"))?;
        }
        Ok(())
    }

    /// Changes a table. Views and indexes of users follow the change, or prevent it.
    fn change(&mut self, change: &TableChange, to: &TableSchema) -> Result<()> {
        let dialect = self.session.dialect();
        let from = &change.from;
        let [staging, old_index] = [dialect.staging(&from.name), dialect.index(&from.name)]
            .map(|name| dialect.quoted(&name));
        self.session.script(&format!(
            "DROP TABLE IF EXISTS {staging}; DROP INDEX IF EXISTS {old_index}"
        ))?;
        let table = dialect.quoted(&from.name);
        let is_retyped = |at: &usize| from.columns[*at].ty != to.columns[*at].ty;
        let retyped: Vec<usize> = change.anew.iter().copied().filter(is_retyped).collect();
        for at in &retyped {
            let column = beside(dialect, &from.columns[*at], to.columns[*at].ty);
            self.session
                .script(&addition(dialect, &from.name, &column))?;
        }
        self.rewrite(change, to)?;
        self.drop_columns(from, &retyped)?;
        for at in retyped {
            let old = &from.columns[at];
            let new = dialect.column(&dialect.beside(&old.name));
            let old = dialect.column(&old.name);
            self.session
                .script(&format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old}"))?;
        }
        for (old, new) in from.columns.iter().zip(&to.columns) {
            if old.name != new.name {
                let (old, new) = (dialect.column(&old.name), dialect.column(&new.name));
                self.session
                    .script(&format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))?;
            }
        }
        if from.name != to.name {
            let name = dialect.quoted(&to.name);
            self.session.script(&match dialect.renames_tables {
                true => format!("ALTER TABLE {table} RENAME TO {name}"),
                false => {
                    format!("CREATE TABLE {name} AS SELECT * FROM {table}; DROP TABLE {table}")
                }
            })?;
        }
        match index(dialect, &to.name, to) {
            Some(index) => self.session.script(&index),
            None => Ok(()),
        }
    }

    /// Drops the columns of a table at these positions.
    fn drop_columns(&mut self, table: &TableSchema, positions: &[usize]) -> Result<()> {
        let dialect = self.session.dialect();
        let names = positions.iter().map(|at| &*table.columns[*at].name);
        if positions.is_empty() {
            return Ok(());
        }
        if self.is_fixed(&table.name) {
            let names = dialect.list(names);
            return self.rewrite_table(&table.name, &format!("* EXCLUDE ({names})"));
        }
        let name = dialect.quoted(&table.name);
        let drop = |column| format!("ALTER TABLE {name} DROP COLUMN {}", dialect.column(column));
        let statements: Vec<String> = names.map(drop).collect();
        self.session.script(&statements.join("; "))
    }

    /// Writes the new values into the rows: first all of them into a table of their own, since a changed row has another
    /// identity.
    fn rewrite(&mut self, change: &TableChange, to: &TableSchema) -> Result<()> {
        if change.anew.is_empty() {
            return Ok(());
        }
        let (dialect, from) = (self.session.dialect(), &change.from);
        let target = |at: &usize| match from.columns[*at].ty == to.columns[*at].ty {
            true => from.columns[*at].clone(),
            false => beside(dialect, &from.columns[*at], to.columns[*at].ty),
        };
        let targets: Vec<Column> = change.anew.iter().map(target).collect();
        let row = Column::new(ROW, ColumnType::Text, ColumnRole::Data, "");
        let columns: Vec<Column> = [row.clone()].into_iter().chain(targets.clone()).collect();
        let new = TableSchema::new(NEW_VALUES, &*from.resource, columns);
        let definitions: Vec<String> = new.columns.iter().map(|c| dialect.definition(c)).collect();
        let (name, definitions) = (dialect.quoted(NEW_VALUES), definitions.join(", "));
        self.session.script(&format!(
            "CREATE TEMPORARY TABLE {name} ({definitions}) {}",
            dialect.dropped_on_commit
        ))?;
        let new = Arc::new(new);
        let all: Vec<Column> = [row]
            .into_iter()
            .chain(from.columns.iter().cloned())
            .collect();
        let (identity, ty) = dialect.row;
        let mut expressions = vec![format!("CAST({identity} AS text)")];
        expressions.extend(
            from.columns
                .iter()
                .map(|column| dialect.column(&column.name)),
        );
        let table = dialect.quoted(&from.name);
        self.rows_of((&table, None), (&expressions, &all), &mut |store, rows| {
            let identities = rows.column(0).clone();
            let old: Vec<usize> = (1..rows.num_columns()).collect();
            let old = rows.project(&old).map_err(unfit)?;
            let mut arrays = vec![identities];
            arrays.extend((change.values)(&old)?);
            let fields: Vec<_> = new.columns.iter().map(Column::arrow_field).collect();
            let rows =
                RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(unfit)?;
            store
                .session
                .ingest(NEW_VALUES, &TableBatch::new(new.clone(), rows), None)
        })?;
        let set = targets.iter().map(|column| dialect.column(&column.name));
        let set: Vec<String> = set.map(|column| format!("{column} = n.{column}")).collect();
        let (set, row) = (set.join(", "), dialect.column(ROW));
        self.touch(&from.name);
        self.session.script(&format!(
            "UPDATE {table} AS t SET {set} FROM {name} AS n WHERE t.{identity} = CAST(n.{row} AS {ty}); DROP TABLE {name}"
        ))
    }
}

/// Returns the column that takes the new values of a column while they are computed.
fn beside(dialect: Dialect, column: &Column, ty: ColumnType) -> Column {
    Column {
        name: dialect.beside(&column.name),
        ty,
        ..column.clone()
    }
}
