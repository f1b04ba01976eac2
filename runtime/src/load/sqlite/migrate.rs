//! Migrates tables whose declaration changed, in one transaction with the state.

use std::path::Path;

use rusqlite::params;

use super::names::{index, quoted, staging};
use super::scan::{Scan, row_id};
use super::tables::{add, create_index};
use super::{Open, explain, meta, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::load::TableChange;
use crate::schema::{Column, ColumnType, TableSchema};
use crate::state::StateChange;

impl Open {
    pub fn migrate(
        &mut self,
        path: &Path,
        changes: &[TableChange],
        state: &[StateChange],
    ) -> Result<()> {
        self.check_place(path)?;
        let done = self.apply(path, changes, state).and_then(|()| {
            let commit = self.db.execute_batch("COMMIT");
            commit.map_err(|error| explain(path, error))
        });
        if done.is_err() {
            // The first error is more useful than one of the rollback.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.in_transaction = false;
        done?;
        for change in changes {
            self.tables.remove(&change.from.name);
        }
        let to = changes.iter().filter_map(|change| change.to.as_ref());
        self.tables
            .extend(to.map(|table| (table.name.clone(), table.clone())));
        Ok(())
    }

    fn apply(&self, path: &Path, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        let place = |error| explain(path, error);
        for change in changes.iter().filter(|change| change.from.parent.is_none()) {
            self.settle_seen(&change.from).map_err(place)?;
        }
        for change in changes {
            match &change.to {
                Some(to) => self.check_name(path, &change.from, to)?,
                None => self.drop_table(&change.from).map_err(place)?,
            }
        }
        for change in changes {
            let Some(to) = &change.to else { continue };
            if !change.leaves_rows() {
                self.change(path, change, to)?;
            }
        }
        let remember = || -> rusqlite::Result<()> {
            for change in changes {
                let forget = "DELETE FROM _etl_columns WHERE source = ?1 AND table_name = ?2";
                self.db
                    .execute(forget, params![self.load.source, change.from.name])?;
            }
            for to in changes.iter().filter_map(|change| change.to.as_ref()) {
                meta::put_table(&self.db, &self.load.source, to)?;
            }
            meta::put_state(&self.db, &self.load, state)?;
            for table in ["_etl_undo", "_etl_changes"] {
                let sql = format!("DELETE FROM {table} WHERE source = ?1");
                self.db.execute(&sql, [&self.load.source])?;
            }
            Ok(())
        };
        remember().map_err(place)
    }

    fn check_name(&self, path: &Path, from: &TableSchema, to: &TableSchema) -> Result<()> {
        if from.name.eq_ignore_ascii_case(&to.name) || !self.is_taken(&to.name) {
            return Ok(());
        }
        let message = format!("the table `{}` exists already", to.name);
        Err(Error::new(ErrorKind::Destination, message)
            .at(path.display().to_string())
            .hint("rename that table, or choose another name for the resource"))
    }

    fn drop_table(&self, table: &TableSchema) -> rusqlite::Result<()> {
        for name in [staging(&table.name), table.name.clone()] {
            let name = quoted(&name);
            self.db
                .execute_batch(&format!("DROP TABLE IF EXISTS {name}"))?;
        }
        Ok(())
    }

    /// Changes a table. Views and indexes of users follow the change, or prevent it.
    fn change(&self, path: &Path, change: &TableChange, to: &TableSchema) -> Result<()> {
        let place = |error| explain(path, error).at(format!("table {}", change.from.name));
        let (from, db) = (&change.from, &self.db);
        let run = |sql: String| db.execute_batch(&sql).map_err(place);
        run(format!(
            "DROP TABLE IF EXISTS {}",
            quoted(&staging(&from.name))
        ))?;
        run(format!(
            "DROP INDEX IF EXISTS {}",
            quoted(&index(&from.name))
        ))?;
        let retyped = |at: &usize| from.columns[*at].ty != to.columns[*at].ty;
        for at in change.anew.iter().filter(|at| retyped(at)) {
            let column = Column {
                name: beside(&from.columns[*at].name),
                ..to.columns[*at].clone()
            };
            add(db, &from.name, &column).map_err(place)?;
        }
        self.rewrite(path, change, to)?;
        let table = quoted(&from.name);
        for at in change.anew.iter().filter(|at| retyped(at)) {
            let name = &from.columns[*at].name;
            let (old, new) = (quoted(name), quoted(&beside(name)));
            run(format!("ALTER TABLE {table} DROP COLUMN {old}"))?;
            run(format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old}"))?;
        }
        for (old, new) in from.columns.iter().zip(&to.columns) {
            if old.name != new.name {
                let (old, new) = (quoted(&old.name), quoted(&new.name));
                run(format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))?;
            }
        }
        if from.name != to.name {
            run(format!(
                "ALTER TABLE {table} RENAME TO {}",
                quoted(&to.name)
            ))?;
        }
        create_index(db, &to.name, to).map_err(place)
    }

    /// Writes the new values into the rows.
    fn rewrite(&self, path: &Path, change: &TableChange, to: &TableSchema) -> Result<()> {
        if change.anew.is_empty() {
            return Ok(());
        }
        let place = |error| explain(path, error);
        let from = &change.from;
        let target = |at: &usize| -> (String, ColumnType) {
            let (old, ty) = (&from.columns[*at], to.columns[*at].ty);
            let name = match old.ty == ty {
                true => old.name.clone(),
                false => beside(&old.name),
            };
            (name, ty)
        };
        let targets: Vec<_> = change.anew.iter().map(target).collect();
        let id = row_id(&from.columns).map_err(place)?;
        let mut scan = Scan::new(&from.name, &from.columns, &from.columns).map_err(place)?;
        while let Some((numbers, batch)) = scan.next(&self.db).map_err(place)? {
            let values = (change.values)(&batch)?;
            let columns = std::iter::zip(&targets, &values);
            rows::update(&self.db, &from.name, (id, &numbers), columns).map_err(place)?;
        }
        Ok(())
    }
}

/// Returns the temporary name of a column while its values are computed.
fn beside(column: &str) -> String {
    format!("_etl_new__{column}")
}
