//! Creates tables, and writes the rows of a chunk.

use std::collections::HashSet;
use std::path::Path;

use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, params};

use super::names::{index, quoted, staging};
use super::seen::SEEN;
use super::{Open, explain, meta, rows, undo};
use crate::error::Result;
use crate::load::contents::{record_role, rows_without};
use crate::load::identity::overtaken;
use crate::load::{Chunk, Commit, DeletedIds, NotSeenSince, Operation};
use crate::record::sortable;
use crate::schema::{Column, ColumnRole, Drifted, TableBatch, TableSchema};

/// How the rows of an operation are added.
enum Way {
    Append,
    Merge,
    Stage,
}

impl Way {
    /// Returns the table that takes the rows of a table.
    fn place(&self, table: &str) -> String {
        match self {
            Way::Stage => staging(table),
            Way::Append | Way::Merge => table.to_owned(),
        }
    }
}

impl Open {
    pub fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.in_transaction {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Returns whether the name is taken. SQLite ignores the case of names.
    pub fn is_taken(&self, name: &str) -> bool {
        let sql = "SELECT 1 FROM sqlite_master WHERE name = ?1 COLLATE NOCASE";
        let found = self.db.query_row(sql, [name], |_| Ok(())).optional();
        found.unwrap_or_default().is_some()
    }

    pub fn write(&mut self, chunk: &Chunk) -> rusqlite::Result<()> {
        self.begin()?;
        self.rows += chunk.records();
        for operation in &chunk.operations {
            self.operate(chunk, operation)?;
        }
        self.end_pass(chunk)
    }

    fn operate(&mut self, chunk: &Chunk, operation: &Operation) -> rusqlite::Result<()> {
        let (resource, is_meta) = (&*chunk.resource, chunk.is_meta());
        match operation {
            Operation::Append(tables) => {
                let added = self.add(chunk, tables, &Way::Append)?;
                self.count(resource, is_meta, added);
            }
            Operation::Merge(tables) => {
                let added = self.add(chunk, tables, &Way::Merge)?;
                self.count(resource, is_meta, added);
            }
            Operation::Stage { tables, first } => {
                if *first {
                    self.drop_staged(resource)?;
                }
                self.add(chunk, tables, &Way::Stage)?;
                self.count(resource, is_meta, 0);
            }
            Operation::Publish => {
                for table in self.tables_of(resource) {
                    publish(&self.db, table)?;
                }
                self.changes_of(resource).replaced = true;
            }
            Operation::Delete(deleted) => {
                let removed = self.delete_ids(resource, deleted)?;
                self.changes_of(resource).records -=
                    if deleted.staged { 0 } else { removed as i64 };
            }
            Operation::DeleteNotSeen(not_seen) => self.delete_not_seen(resource, not_seen)?,
        }
        Ok(())
    }

    /// Returns the changes of a resource since the last commit.
    fn changes_of(&mut self, resource: &str) -> &mut undo::Change {
        self.changes.entry(resource.to_owned()).or_default()
    }

    fn count(&mut self, resource: &str, is_meta: bool, added: i64) {
        if !is_meta {
            self.changes_of(resource).records += added;
        }
    }

    fn drop_staged(&self, resource: &str) -> rusqlite::Result<()> {
        for table in self.tables_of(resource) {
            let from = quoted(&staging(&table.name));
            self.db
                .execute_batch(&format!("DROP TABLE IF EXISTS {from}"))?;
        }
        Ok(())
    }

    /// Adds records with their child rows; returns the number of records that were not there.
    fn add(&mut self, chunk: &Chunk, tables: &[TableBatch], way: &Way) -> rusqlite::Result<i64> {
        for table in tables {
            self.ensure(&table.schema)?;
            if matches!(way, Way::Stage) {
                self.ensure_staging(&table.schema.name)?;
            }
        }
        let place = |name: &str| way.place(name);
        let Some((root, children)) = tables.split_first() else {
            return Ok(0);
        };
        let unchanged = match way {
            Way::Merge => self.unchanged(root)?,
            Way::Append | Way::Stage => HashSet::new(),
        };
        self.see(chunk, &unchanged)?;
        let rows = rows_without(root, &unchanged);
        let there = rows::insert(&self.db, &place(&root.schema.name), root, rows.as_deref())?;
        let ids = root_ids(root);
        let mut left_out: HashSet<&str> = ids.map_or_else(HashSet::new, |ids| {
            there.iter().map(|row| ids.value(*row)).collect()
        });
        if !matches!(way, Way::Append) {
            if !left_out.is_empty() {
                for table in self.tables_of(&chunk.resource) {
                    delete(&self.db, &place(&table.name), table, &left_out)?;
                }
                rows::insert(&self.db, &place(&root.schema.name), root, Some(&there))?;
            }
            left_out = unchanged;
        }
        for table in children {
            let rows = rows_without(table, &left_out);
            rows::insert(&self.db, &place(&table.schema.name), table, rows.as_deref())?;
        }
        let added = rows.map_or(root.rows.num_rows(), |rows| rows.len());
        Ok(added as i64 - there.len() as i64)
    }

    /// Marks or removes the records that no load since then has brought.
    fn delete_not_seen(&mut self, resource: &str, not_seen: &NotSeenSince) -> rusqlite::Result<()> {
        let Some(root) = self.tables_of(resource).find(|t| t.parent.is_none()) else {
            return Ok(());
        };
        let (id, load) = (root.role(ColumnRole::RowId), root.role(ColumnRole::LoadId));
        let Some((id, load)) = id.zip(load) else {
            return Ok(());
        };
        let wanted = format!(
            "{} < ?1 AND {} NOT IN ({SEEN})",
            quoted(&load.name),
            quoted(&id.name)
        );
        let source = self.load.source.clone();
        if let Some(at) = not_seen.mark {
            let Some(mark) = root.role(ColumnRole::DeletedAt) else {
                return Ok(());
            };
            let (name, set, mark) = (quoted(&root.name), marking(root), quoted(&mark.name));
            let sql =
                format!("UPDATE {name} SET {mark} = ?4{set} WHERE {wanted} AND {mark} IS NULL");
            let at = sortable(at);
            self.db
                .execute(&sql, params![not_seen.load, source, resource, at.as_str()])?;
            return Ok(());
        }
        let removed = self.remove(resource, &wanted, params![not_seen.load, source, resource])?;
        let change = self.changes.entry(resource.to_owned()).or_default();
        change.records -= removed as i64;
        Ok(())
    }

    /// Marks or removes these records; returns the number of removed ones.
    fn delete_ids(&self, resource: &str, deleted: &DeletedIds) -> rusqlite::Result<usize> {
        let place = |name: &str| match deleted.staged {
            true => staging(name),
            false => name.to_owned(),
        };
        let Some(root) = self.tables_of(resource).find(|t| t.parent.is_none()) else {
            return Ok(0);
        };
        let Some(id) = root.role(ColumnRole::RowId).map(|id| quoted(&id.name)) else {
            return Ok(0);
        };
        let name = quoted(&place(&root.name));
        if let Some(at) = deleted.mark {
            let Some(mark) = root.role(ColumnRole::DeletedAt) else {
                return Ok(0);
            };
            let (set, mark) = (marking(root), quoted(&mark.name));
            let sql =
                format!("UPDATE {name} SET {mark} = ?2{set} WHERE {id} = ?1 AND {mark} IS NULL");
            let mut update = self.db.prepare_cached(&sql)?;
            for id in &deleted.ids {
                update.execute(params![id, sortable(at).as_str()])?;
            }
            return Ok(0);
        }
        let sql = format!("SELECT 1 FROM {name} WHERE {id} = ?1");
        let mut find = self.db.prepare_cached(&sql)?;
        let mut there = HashSet::new();
        for id in &deleted.ids {
            if find.exists([id])? {
                there.insert(id.as_str());
            }
        }
        for table in self.tables_of(resource).filter(|_| !there.is_empty()) {
            delete(&self.db, &place(&table.name), table, &there)?;
        }
        Ok(there.len())
    }

    /// Removes records, with their child rows; `wanted` is a condition on the root table with these
    /// values.
    pub fn remove(
        &self,
        resource: &str,
        wanted: &str,
        values: &[&dyn ToSql],
    ) -> rusqlite::Result<usize> {
        let (roots, children): (Vec<_>, Vec<_>) =
            self.tables_of(resource).partition(|t| t.parent.is_none());
        let mut removed = 0;
        for root in roots {
            let Some(id) = root_column(root).map(|at| quoted(&root.columns[at].name)) else {
                continue;
            };
            let name = quoted(&root.name);
            for child in &children {
                let Some(key) = root_column(child).map(|at| quoted(&child.columns[at].name)) else {
                    continue;
                };
                let sql = format!(
                    "DELETE FROM {} WHERE {key} IN (SELECT {id} FROM {name} WHERE {wanted})",
                    quoted(&child.name)
                );
                self.db.execute(&sql, values)?;
            }
            let sql = format!("DELETE FROM {name} WHERE {wanted}");
            removed += self.db.execute(&sql, values)?;
        }
        Ok(removed)
    }

    pub fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> rusqlite::Result<()> {
        self.begin()?;
        meta::add_drift(&self.db, &self.load, resource, counts)
    }

    pub fn tables_of(&self, resource: &str) -> impl Iterator<Item = &TableSchema> {
        self.tables
            .values()
            .filter(move |table| table.resource == resource)
    }

    /// Creates the table, or the columns that it lacks.
    fn ensure(&mut self, schema: &TableSchema) -> rusqlite::Result<()> {
        let merged = match self.tables.get(&schema.name) {
            None => {
                create(&self.db, &schema.name, schema)?;
                self.created.insert(schema.name.clone());
                schema.clone()
            }
            Some(known) => {
                let mut merged = known.clone();
                let new = known.lacks(schema);
                if new.is_empty() {
                    return Ok(());
                }
                for column in new {
                    add(&self.db, &schema.name, &column)?;
                    merged.columns.push(column);
                }
                merged
            }
        };
        meta::put_table(&self.db, &self.load.source, &merged)?;
        self.tables.insert(merged.name.clone(), merged);
        Ok(())
    }

    /// Creates the staging table of a table, or the columns that it lacks.
    fn ensure_staging(&self, table: &str) -> rusqlite::Result<()> {
        let Some(schema) = self.tables.get(table) else {
            return Ok(());
        };
        let name = staging(table);
        let there = existing_columns(&self.db, &name)?;
        if there.is_empty() {
            return create(&self.db, &name, schema);
        }
        let missing = schema.columns.iter().filter(|c| !there.contains(&c.name));
        for column in missing {
            add(&self.db, &name, column)?;
        }
        Ok(())
    }

    pub fn commit(&mut self, path: &Path, commit: &Commit<'_>) -> Result<()> {
        let (state, status) = (commit.state, commit.status);
        self.check_place(path)?;
        let mut commit = || -> rusqlite::Result<()> {
            meta::put_state(&self.db, &self.load, state)?;
            undo::put_changes(&self.db, &self.load, &mut self.changes)?;
            meta::put_load(&self.db, &self.load, status, self.rows)?;
            self.db.execute_batch("COMMIT")
        };
        commit().map_err(|error| explain(path, error))?;
        self.in_transaction = false;
        Ok(())
    }

    /// Refuses a commit into a file that no longer exists, or into which another run has loaded. No
    /// run can commit after this check: the transaction has begun.
    pub fn check_place(&mut self, path: &Path) -> Result<()> {
        self.begin().map_err(|error| explain(path, error))?;
        self.place.check()?;
        let others = meta::others(&self.db, &self.load).map_err(|error| explain(path, error))?;
        match others == self.others {
            true => Ok(()),
            false => Err(overtaken(path.display())),
        }
    }

    /// Returns the committed tables and the number of rows of each.
    pub fn row_counts(&self, path: &Path) -> rusqlite::Result<Vec<(String, u64)>> {
        // The connection itself sees uncommitted rows.
        let other = match self.in_transaction {
            true => Some(Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_ONLY,
            )?),
            false => None,
        };
        let db = other.as_ref().unwrap_or(&self.db);
        let mut tables = meta::read(db, &self.load.source)?.tables;
        tables
            .sort_by(|one, other| (&one.resource, &one.name).cmp(&(&other.resource, &other.name)));
        let count = |table: TableSchema| {
            let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
            let rows: i64 = db.query_row(&sql, [], |row| row.get(0))?;
            Ok((table.name, rows as u64))
        };
        tables.into_iter().map(count).collect()
    }
}

/// Returns what a mark sets besides the time: a record that returns is written again, although its content is the same.
fn marking(root: &TableSchema) -> String {
    let hash = root.role(ColumnRole::ContentHash);
    hash.map_or(String::new(), |hash| {
        format!(", {} = NULL", quoted(&hash.name))
    })
}

/// Removes the rows of these records; `name` is the table or its staging table, which may not
/// exist.
fn delete(
    db: &Connection,
    name: &str,
    table: &TableSchema,
    records: &HashSet<&str>,
) -> rusqlite::Result<()> {
    let Some(key) = root_column(table).map(|at| quoted(&table.columns[at].name)) else {
        return Ok(());
    };
    if existing_columns(db, name)?.is_empty() {
        return Ok(());
    }
    let place = quoted(name);
    if table.parent.is_some() {
        // The index is created when it is first needed: a first load is faster without it.
        let index = quoted(&index(name));
        let sql = format!("CREATE INDEX IF NOT EXISTS {index} ON {place} ({key})");
        db.prepare_cached(&sql)?.execute([])?;
    }
    let mut delete = db.prepare_cached(&format!("DELETE FROM {place} WHERE {key} = ?1"))?;
    for id in records {
        delete.execute([id])?;
    }
    Ok(())
}

/// Replaces the rows of the table by the staged ones; the table, its indexes and views stay.
fn publish(db: &Connection, table: &TableSchema) -> rusqlite::Result<()> {
    let (name, from) = (quoted(&table.name), quoted(&staging(&table.name)));
    db.execute_batch(&format!("DELETE FROM {name}"))?;
    let staged = existing_columns(db, &staging(&table.name))?;
    if staged.is_empty() {
        return Ok(());
    }
    let columns = table.columns.iter().filter(|c| staged.contains(&c.name));
    let columns: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
    let columns = columns.join(", ");
    db.execute_batch(&format!(
        "INSERT INTO {name} ({columns}) SELECT {columns} FROM {from}; DROP TABLE {from};"
    ))
}

fn create(db: &Connection, name: &str, schema: &TableSchema) -> rusqlite::Result<()> {
    let columns: Vec<String> = schema.columns.iter().map(rows::definition).collect();
    let (table, columns) = (quoted(name), columns.join(", "));
    db.execute_batch(&format!("CREATE TABLE {table} ({columns})"))?;
    create_index(db, name, schema)
}

/// Creates the index that finds the records of a root table.
pub(super) fn create_index(
    db: &Connection,
    name: &str,
    schema: &TableSchema,
) -> rusqlite::Result<()> {
    if schema.parent.is_none()
        && let Some(id) = schema.role(ColumnRole::RowId)
    {
        let (index, table, id) = (quoted(&index(name)), quoted(name), quoted(&id.name));
        db.execute_batch(&format!("CREATE UNIQUE INDEX {index} ON {table} ({id})"))?;
    }
    Ok(())
}

pub(super) fn add(db: &Connection, table: &str, column: &Column) -> rusqlite::Result<()> {
    let (table, column) = (quoted(table), rows::definition(column));
    db.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column}"))
}

/// Returns the columns of a table; none if it does not exist.
pub(super) fn existing_columns(db: &Connection, table: &str) -> rusqlite::Result<HashSet<String>> {
    db.prepare_cached("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// Returns the column with the id of the record that a row belongs to.
fn root_column(table: &TableSchema) -> Option<usize> {
    let role = record_role(table);
    let mut columns = table.columns.iter();
    columns.position(|column| column.role == role)
}

/// Returns the ids of the records that rows belong to.
fn root_ids(table: &TableBatch) -> Option<&StringArray> {
    table
        .rows
        .column(root_column(&table.schema)?)
        .as_string_opt()
}
