//! Writes and removes the rows of an operation.

use std::collections::HashSet;

use super::seen::seen;
use super::tables::root_column;
use super::{Session, Store, Value, undo, unfit};
use crate::error::Result;
use crate::load::contents::{rows_at, rows_without};
use crate::load::{Chunk, DeletedIds, NotSeenSince, Operation};
use crate::record::sortable;
use crate::schema::{ColumnRole, TableBatch, TableSchema};

/// How the rows of an operation are added.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Append,
    Merge,
    Stage,
}

impl<S: Session> Store<S> {
    pub(super) fn operate(&mut self, chunk: &Chunk, operation: &Operation) -> Result<()> {
        let resource = &*chunk.resource;
        let added = match operation {
            Operation::Append(tables) => self.add(chunk, tables, Way::Append)?,
            Operation::Merge(tables) => self.add(chunk, tables, Way::Merge)?,
            Operation::Stage { tables, first } => {
                if *first {
                    self.drop_staged(resource)?;
                }
                self.add(chunk, tables, Way::Stage)?;
                0
            }
            Operation::Publish => {
                for table in self.tables_of(resource) {
                    self.publish(&table)?;
                }
                self.changes_of(resource).replaced = true;
                return Ok(());
            }
            Operation::Delete(deleted) => {
                let removed = self.delete_ids(resource, deleted)?;
                if deleted.staged { 0 } else { -removed }
            }
            Operation::DeleteNotSeen(not_seen) => -self.delete_not_seen(resource, not_seen)?,
        };
        if !chunk.is_meta() {
            self.changes_of(resource).records += added;
        }
        Ok(())
    }

    /// Returns the changes of a resource since the last commit.
    fn changes_of(&mut self, resource: &str) -> &mut undo::Change {
        self.changes.entry(resource.to_owned()).or_default()
    }

    /// Returns the table that holds the rows of a table, staged or not.
    pub(super) fn place(&self, table: &str, staged: bool) -> String {
        match staged {
            true => self.session.dialect().staging(table),
            false => table.to_owned(),
        }
    }

    /// Adds records with their child rows; returns the number of records that were not there.
    fn add(&mut self, chunk: &Chunk, tables: &[TableBatch], way: Way) -> Result<i64> {
        for table in tables {
            self.ensure(&table.schema)?;
            if way == Way::Stage {
                self.ensure_staging(&table.schema.name)?;
            }
        }
        let Some((root, children)) = tables.split_first() else {
            return Ok(0);
        };
        let unchanged = match way {
            Way::Merge => self.unchanged(root)?,
            Way::Append | Way::Stage => HashSet::new(),
        };
        self.see(chunk, &unchanged)?;
        let changed = match rows_without(root, &unchanged) {
            Some(rows) => {
                let rows = rows_at(&root.rows, &rows).map_err(unfit)?;
                &TableBatch::new(root.schema.clone(), rows)
            }
            None => root,
        };
        let present = self.add_records(&chunk.resource, changed, way)?;
        for table in children {
            let place = self.place(&table.schema.name, way == Way::Stage);
            let rows = match &present {
                Present::Kept(records) => rows_without(table, records),
                Present::Replaced(_) => rows_without(table, &unchanged),
            };
            self.ingest(&place, table, rows.as_deref())?;
        }
        Ok(changed.rows.num_rows() as i64 - present.count())
    }

    fn ingest(&mut self, place: &str, batch: &TableBatch, rows: Option<&[usize]>) -> Result<()> {
        let count = rows.map_or(batch.rows.num_rows(), <[usize]>::len);
        match count {
            0 => Ok(()),
            _ => self.session.ingest(place, batch, rows),
        }
    }

    /// Adds the rows of the root table, by way of a temporary table. Child rows of replaced records are removed.
    fn add_records(&mut self, resource: &str, root: &TableBatch, way: Way) -> Result<Present> {
        let staged = way == Way::Stage;
        let place = self.place(&root.schema.name, staged);
        let dialect = self.session.dialect();
        let id = root_column(&root.schema).map(|id| dialect.column(&id.name));
        let Some(id) = id.filter(|_| root.rows.num_rows() > 0) else {
            self.ingest(&place, root, None)?;
            return Ok(Present::Replaced(0));
        };
        let arrival = self.session.arrive(root)?;
        let (name, arrival) = (place, dialect.quoted(&arrival));
        let place = dialect.quoted(&name);
        let delete = |from: &str, key: &str, other: &str| {
            format!("DELETE FROM {from} AS t USING {other} AS o WHERE t.{key} = o.{id}")
        };
        let present = if way == Way::Append {
            let sql = format!("{} RETURNING t.{id}", delete(&arrival, &id, &place));
            let found = self.session.query(&sql, &[])?;
            Present::Kept(found.iter().map(|row| row[0].text()).collect())
        } else {
            Present::Replaced(self.session.execute(&delete(&place, &id, &arrival), &[])?)
        };
        if matches!(present, Present::Replaced(1..)) {
            self.touch(&name);
            for child in self.children(resource, staged)? {
                let sql = delete(&child.place, &child.key, &arrival);
                self.session.execute(&sql, &[])?;
                self.touch(&child.name);
            }
        }
        let columns = root.schema.columns.iter().map(|column| &*column.name);
        let columns = dialect.list(columns);
        let sql = format!("INSERT INTO {place} ({columns}) SELECT {columns} FROM {arrival}");
        self.session.execute(&sql, &[])?;
        Ok(present)
    }

    /// Returns the child tables of a resource that exist, staged or not. Each has an index by record from then on: a first
    /// load is faster without it.
    fn children(&mut self, resource: &str, staged: bool) -> Result<Vec<Child>> {
        let dialect = self.session.dialect();
        let mut children = Vec::new();
        for child in self.tables_of(resource) {
            let key = root_column(&child).filter(|_| child.parent.is_some());
            let Some(key) = key.map(|key| dialect.column(&key.name)) else {
                continue;
            };
            if staged && self.staged_columns(&child.name)?.is_empty() {
                continue;
            }
            let name = self.place(&child.name, staged);
            let place = dialect.quoted(&name);
            // The statement locks the table even if the index exists.
            if dialect.has_keys && !self.indexed.contains(&name) {
                let index = dialect.quoted(&dialect.index(&name));
                let sql = format!("CREATE INDEX IF NOT EXISTS {index} ON {place} ({key})");
                self.session.script(&sql)?;
                self.indexed.insert(name.clone());
            }
            children.push(Child { name, place, key });
        }
        Ok(children)
    }

    /// Returns the root table of a resource, and its quoted column with the ids of records.
    fn root(&self, resource: &str) -> Option<(TableSchema, String)> {
        let mut tables = self.tables.values();
        let root = tables.find(|t| t.resource == resource && t.parent.is_none())?;
        let id = self.session.dialect().column(&root_column(root)?.name);
        Some((root.clone(), id))
    }

    /// Marks or removes these records; returns the number of removed ones.
    fn delete_ids(&mut self, resource: &str, deleted: &DeletedIds) -> Result<i64> {
        let dialect = self.session.dialect();
        let Some((root, id)) = self.root(resource) else {
            return Ok(0);
        };
        if deleted.staged && self.staged_columns(&root.name)?.is_empty() {
            return Ok(0);
        }
        let place = self.place(&root.name, deleted.staged);
        let ids = Value::Texts(deleted.ids.clone());
        if let Some(at) = deleted.mark {
            self.mark(&root, &place, &format!("{id} = ANY($1)"), (ids, at))?;
            return Ok(0);
        }
        let ids = [ids];
        let sql = format!(
            "DELETE FROM {} WHERE {id} = ANY($1)",
            dialect.quoted(&place)
        );
        let removed = self.session.execute(&sql, &ids)?;
        if removed > 0 {
            self.touch(&place);
            for Child { name, place, key } in self.children(resource, deleted.staged)? {
                let sql = format!("DELETE FROM {place} WHERE {key} = ANY($1)");
                self.session.execute(&sql, &ids)?;
                self.touch(&name);
            }
        }
        Ok(removed as i64)
    }

    /// Marks the records that meet a condition with one value, unless they are marked.
    fn mark(
        &mut self,
        root: &TableSchema,
        place: &str,
        wanted: &str,
        (value, at): (Value, i64),
    ) -> Result<()> {
        let dialect = self.session.dialect();
        let Some(mark) = root.role(ColumnRole::DeletedAt) else {
            return Ok(());
        };
        let (mark, name) = (dialect.column(&mark.name), dialect.quoted(place));
        // A record that returns is written again, although its content is the same.
        let hash = root.role(ColumnRole::ContentHash);
        let hash = hash.map(|hash| format!(", {} = NULL", dialect.column(&hash.name)));
        let sql = format!(
            "UPDATE {name} SET {mark} = CAST($2 AS timestamptz){} WHERE {wanted} AND {mark} IS NULL",
            hash.unwrap_or_default()
        );
        let at = Value::from(sortable(at).as_str());
        if self.session.execute(&sql, &[value, at])? > 0 {
            self.touch(place);
        }
        Ok(())
    }

    /// Marks or removes the records that no load since then has brought; returns the number of removed ones.
    fn delete_not_seen(&mut self, resource: &str, not_seen: &NotSeenSince) -> Result<i64> {
        let dialect = self.session.dialect();
        let root = self.root(resource).map(|(root, _)| root);
        let role = |role| root.as_ref().and_then(|root: &TableSchema| root.role(role));
        let (Some(root), Some(id), Some(column)) =
            (&root, role(ColumnRole::RowId), role(ColumnRole::LoadId))
        else {
            return Ok(0);
        };
        // The order of ids must not depend on a language.
        let wanted = format!(
            "{} COLLATE \"C\" < $1 AND {} NOT IN ({})",
            dialect.column(&column.name),
            dialect.column(&id.name),
            seen(&self.load.source, resource, &not_seen.load)
        );
        let value = Value::from(&not_seen.load);
        match not_seen.mark {
            Some(at) => {
                self.mark(root, &root.name, &wanted, (value, at))?;
                Ok(0)
            }
            None => self.remove(resource, &wanted, &value),
        }
    }

    /// Removes records, with their child rows; `wanted` is a condition on the root table with one value.
    pub(super) fn remove(&mut self, resource: &str, wanted: &str, value: &Value) -> Result<i64> {
        let Some((root, id)) = self.root(resource) else {
            return Ok(0);
        };
        let name = self.session.dialect().quoted(&root.name);
        let value = std::slice::from_ref(value);
        for child in self.children(resource, false)? {
            let records = format!("SELECT {id} FROM {name} WHERE {wanted}");
            let (place, key) = (child.place, child.key);
            let sql = format!("DELETE FROM {place} WHERE {key} IN ({records})");
            if self.session.execute(&sql, value)? > 0 {
                self.touch(&child.name);
            }
        }
        let sql = format!("DELETE FROM {name} WHERE {wanted}");
        let removed = self.session.execute(&sql, value)?;
        if removed > 0 {
            self.touch(&root.name);
        }
        Ok(removed as i64)
    }
}

/// A child table that exists, staged or not.
struct Child {
    name: String,
    /// The name, quoted.
    place: String,
    /// The column with the id of the record, quoted.
    key: String,
}

/// The records of an operation that were there.
enum Present {
    /// These ids stay as they were.
    Kept(HashSet<String>),
    /// That many were replaced.
    Replaced(u64),
}

impl Present {
    fn count(&self) -> i64 {
        match self {
            Present::Kept(ids) => ids.len() as i64,
            Present::Replaced(count) => *count as i64,
        }
    }
}
