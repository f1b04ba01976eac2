//! Creates tables and columns.

use super::{Dialect, Session, Store, meta};
use crate::error::Result;
use crate::load::contents::record_role;
use crate::schema::{Column, ColumnRole, TableSchema};

/// Returns the column with the id of the record that a row belongs to.
pub fn root_column(table: &TableSchema) -> Option<&Column> {
    table.role(record_role(table))
}

/// Returns the statements that create a table, with its index.
pub fn creation(dialect: Dialect, name: &str, table: &TableSchema) -> String {
    let columns = table.columns.iter();
    let columns: Vec<String> = columns.map(|column| dialect.definition(column)).collect();
    let (quoted, columns) = (dialect.quoted(name), columns.join(", "));
    let index = index(dialect, name, table).unwrap_or_default();
    format!("CREATE TABLE {quoted} ({columns}); {index}")
}

/// Returns the statement that creates the index that finds the records of a root table; none if there is none.
pub fn index(dialect: Dialect, name: &str, table: &TableSchema) -> Option<String> {
    let id = table
        .role(ColumnRole::RowId)
        .filter(|_| dialect.has_keys && table.parent.is_none())?;
    let (index, id) = (
        dialect.quoted(&dialect.index(name)),
        dialect.column(&id.name),
    );
    let table = dialect.quoted(name);
    Some(format!("CREATE UNIQUE INDEX {index} ON {table} ({id})"))
}

/// Returns the statement that adds a column.
pub fn addition(dialect: Dialect, table: &str, column: &Column) -> String {
    let (table, column) = (dialect.quoted(table), dialect.definition(column));
    format!("ALTER TABLE {table} ADD COLUMN {column}")
}

impl<S: Session> Store<S> {
    pub fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.session.is_taken(table)
    }

    /// Returns the tables of a resource: the root table first.
    pub(super) fn tables_of(&self, resource: &str) -> Vec<TableSchema> {
        let tables = self.tables.values();
        let mut tables: Vec<_> = tables.filter(|t| t.resource == resource).cloned().collect();
        tables.sort_by_key(|table| table.parent.is_some());
        tables
    }

    /// Creates the table, or the columns that it lacks.
    pub(super) fn ensure(&mut self, table: &TableSchema) -> Result<()> {
        let merged = match self.tables.get(&table.name) {
            None => {
                let creation = creation(self.session.dialect(), &table.name, table);
                self.session.script(&creation)?;
                self.created.insert(table.name.clone());
                table.clone()
            }
            Some(known) => {
                let mut merged = known.clone();
                let new = known.lacks(table);
                if new.is_empty() {
                    return Ok(());
                }
                for column in new {
                    self.add_column(&table.name, &column)?;
                    merged.columns.push(column);
                }
                merged
            }
        };
        meta::put_table(&mut self.session, &self.load.source, &merged)?;
        self.tables.insert(merged.name.clone(), merged);
        Ok(())
    }

    /// Notes that rows of a table, staged or not, were changed or removed in this transaction.
    pub(super) fn touch(&mut self, table: &str) {
        self.touched.insert(table.to_owned());
    }

    /// Adds a column to a table, staged or not.
    fn add_column(&mut self, table: &str, column: &Column) -> Result<()> {
        let dialect = self.session.dialect();
        if !self.is_fixed(table) {
            return self.session.script(&addition(dialect, table, column));
        }
        let (name, ty) = (
            dialect.column(&column.name),
            (dialect.column_type)(column.ty),
        );
        self.rewrite_table(table, &format!("*, CAST(NULL AS {ty}) AS {name}"))
    }

    /// Returns whether a table cannot get or lose columns until the commit.
    pub(super) fn is_fixed(&self, table: &str) -> bool {
        self.session.dialect().indexes.is_some() && self.touched.contains(table)
    }

    /// Writes a table again with these columns; the indexes of users stay.
    pub(super) fn rewrite_table(&mut self, table: &str, select: &str) -> Result<()> {
        let dialect = self.session.dialect();
        let indexes = match dialect.indexes {
            Some(sql) => self.session.query(sql, &[table.into()])?,
            None => Vec::new(),
        };
        let [name, new] = [table, &dialect.rewritten(table)].map(|name| dialect.quoted(name));
        self.session.script(&format!(
            "CREATE TABLE {new} AS SELECT {select} FROM {name}; DROP TABLE {name}; ALTER TABLE {new} RENAME TO {name}"
        ))?;
        self.touched.remove(table);
        for index in indexes {
            self.session.script(&index[0].text())?;
        }
        Ok(())
    }

    /// Returns the columns of the staging table of a table; none if it does not exist.
    pub(super) fn staged_columns(&mut self, table: &str) -> Result<Vec<String>> {
        if let Some(columns) = self.staged.get(table) {
            return Ok(columns.clone());
        }
        let name = self.session.dialect().staging(table);
        let columns = self.session.columns(&name)?;
        self.staged.insert(table.to_owned(), columns.clone());
        Ok(columns)
    }

    /// Creates the staging table of a table, or the columns that it lacks.
    pub(super) fn ensure_staging(&mut self, table: &str) -> Result<()> {
        let dialect = self.session.dialect();
        let there = self.staged_columns(table)?;
        let Some(table) = self.tables.get(table).cloned() else {
            return Ok(());
        };
        let name = dialect.staging(&table.name);
        if there.is_empty() {
            self.session.script(&creation(dialect, &name, &table))?;
        } else {
            let missing = |column: &&Column| !there.contains(&dialect.column_name(&column.name));
            for column in table.columns.iter().filter(missing) {
                self.add_column(&name, column)?;
            }
        }
        let columns = table.columns.iter();
        let columns = columns.map(|column| dialect.column_name(&column.name));
        self.staged.insert(table.name.clone(), columns.collect());
        Ok(())
    }

    pub(super) fn drop_staged(&mut self, resource: &str) -> Result<()> {
        for table in self.tables_of(resource) {
            let dialect = self.session.dialect();
            let name = dialect.quoted(&dialect.staging(&table.name));
            self.session
                .script(&format!("DROP TABLE IF EXISTS {name}"))?;
            self.forget_staging(&table.name);
        }
        Ok(())
    }

    /// Replaces the rows of a table by the staged ones; the table, its indexes and views stay, and its readers see the
    /// old rows until the commit.
    pub(super) fn publish(&mut self, table: &TableSchema) -> Result<()> {
        let dialect = self.session.dialect();
        let (name, from) = (&table.name, dialect.staging(&table.name));
        let (name, from) = (dialect.quoted(name), dialect.quoted(&from));
        self.session.script(&format!("DELETE FROM {name}"))?;
        self.touch(&table.name);
        let staged = self.staged_columns(&table.name)?;
        let columns = table.columns.iter().map(|column| &*column.name);
        let columns: Vec<&str> = columns
            .filter(|name| staged.contains(&dialect.column_name(name)))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let columns = dialect.list(columns);
        self.session.script(&format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {from}; DROP TABLE {from}"
        ))?;
        self.forget_staging(&table.name);
        Ok(())
    }

    /// Notes that the staging table of a table is gone.
    pub(super) fn forget_staging(&mut self, table: &str) {
        let name = self.session.dialect().staging(table);
        self.indexed.remove(&name);
        self.touched.remove(&name);
        self.staged.insert(table.to_owned(), Vec::new());
    }
}
