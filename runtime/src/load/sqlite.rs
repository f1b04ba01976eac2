//! One SQLite file: the embedded destination.
//!
//! Everything since the last commit is one transaction. The journal is a WAL with `synchronous = NORMAL`: a killed
//! process loses nothing; after a power cut the last commits may be gone, but data and state together, so that the
//! next run reads those pages again.

mod meta;
mod rows;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use rusqlite::{Connection, OptionalExtension};

use super::{CheckpointPolicy, Chunk, Destination, Limits, LoadInfo, LoadStatus, Memory};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ColumnRole, Disposition, TableSchema};
use crate::state::StateChange;

/// One SQLite file.
pub struct Sqlite {
    path: PathBuf,
    open: Option<Open>,
}

/// An opened file.
struct Open {
    db: Connection,
    load: LoadInfo,
    /// What the tables look like, uncommitted changes included.
    tables: HashMap<String, TableSchema>,
    in_transaction: bool,
    /// Root rows written in this load.
    rows: u64,
    /// Held as long as the file is open; the system drops it with the process.
    _lock: File,
}

impl Sqlite {
    /// The file at `path`; it is made when it is opened.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Sqlite {
            path: path.into(),
            open: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Destination, "the file has not been opened"))
    }

    fn explain(&self, error: rusqlite::Error) -> Error {
        explain(&self.path, error)
    }
}

impl Destination for Sqlite {
    fn describe(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn exists(&self) -> bool {
        self.path.exists()
    }

    fn limits(&self) -> Limits {
        // SQLite has none of its own; this keeps names readable and portable.
        Limits {
            identifier_length: 255,
        }
    }

    fn checkpoint_policy(&self) -> CheckpointPolicy {
        CheckpointPolicy {
            rows: 20_000,
            interval: Duration::from_secs(10),
        }
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        let lock = lock(&self.path)?;
        let open = || -> rusqlite::Result<(Connection, Memory)> {
            let db = Connection::open(&self.path)?;
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "journal_mode", "wal")?;
            db.pragma_update(None, "synchronous", "normal")?;
            db.pragma_update(None, "cache_size", -32_000)?;
            meta::create(&db)?;
            let memory = meta::read(&db, &load.source)?;
            Ok((db, memory))
        };
        let (db, memory) = open().map_err(|error| self.explain(error))?;
        let tables = memory
            .tables
            .iter()
            .map(|table| (table.name.clone(), table.clone()))
            .collect();
        self.open = Some(Open {
            db,
            load: load.clone(),
            tables,
            in_transaction: false,
            rows: 0,
            _lock: lock,
        });
        Ok(memory)
    }

    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        for table in &chunk.tables {
            open.check_owner(&table.schema)
                .map_err(|error| error.at(path.display().to_string()))?;
        }
        open.write(chunk).map_err(|error| explain(&path, error))
    }

    fn commit(&mut self, state: &[StateChange], status: LoadStatus) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.commit(state, status)
            .map_err(|error| explain(&path, error))
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let path = self.path.clone();
        let open = self.opened()?;
        let mut names: Vec<&TableSchema> = open.tables.values().collect();
        names.sort_by_key(|table| (&table.resource, &table.name));
        let count = |table: &TableSchema| {
            let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
            Ok((
                table.name.clone(),
                open.db.query_row(&sql, [], |row| row.get::<_, i64>(0))? as u64,
            ))
        };
        names
            .into_iter()
            .map(count)
            .collect::<rusqlite::Result<_>>()
            .map_err(|error| explain(&path, error))
    }
}

impl Open {
    fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.in_transaction {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// A table that another source or a person has made is not ours to write to.
    fn check_owner(&self, table: &TableSchema) -> Result<()> {
        if self.tables.contains_key(&table.name) {
            return Ok(());
        }
        let taken = self
            .db
            .query_row(
                "SELECT 1 FROM sqlite_master WHERE name = ?1",
                [&table.name],
                |_| Ok(()),
            )
            .optional()
            .unwrap_or_default();
        match taken {
            None => Ok(()),
            Some(()) => Err(Error::new(
                ErrorKind::Destination,
                format!(
                    "there is already a table `{}` that this source has not made",
                    table.name
                ),
            )
            .hint("load into another file, or rename the resource")),
        }
    }

    fn write(&mut self, chunk: &Chunk) -> rusqlite::Result<()> {
        self.begin()?;
        let staged = chunk.disposition == Disposition::Replace;
        for table in &chunk.tables {
            self.ensure(&table.schema)?;
            if staged {
                self.ensure_staging(&table.schema, chunk.begins_pass)?;
            }
        }
        let place = |name: &str| {
            if staged {
                staging(name)
            } else {
                name.to_owned()
            }
        };

        // Which of the chunk's records are there already.
        let mut present: HashSet<String> = HashSet::new();
        if let Some(root) = chunk.tables.first() {
            let ids = column(&root.rows, &root.schema, ColumnRole::RowId);
            let sql = format!(
                "SELECT 1 FROM {} WHERE \"_etl_id\" = ?1",
                quoted(&place(&root.schema.name))
            );
            let sql = sql.replace(
                "\"_etl_id\"",
                &quoted(name_of(&root.schema, ColumnRole::RowId)),
            );
            let mut find = self.db.prepare_cached(&sql)?;
            for id in ids.into_iter().flat_map(|ids| ids.iter().flatten()) {
                if find.exists([id])? {
                    present.insert(id.to_owned());
                }
            }
            self.rows += root.rows.num_rows() as u64;
        }
        let append = chunk.disposition == Disposition::Append;
        for table in &chunk.tables {
            let name = place(&table.schema.name);
            let is_root = table.schema.parent.is_none();
            let role = if is_root {
                ColumnRole::RowId
            } else {
                ColumnRole::RootId
            };
            let key = name_of(&table.schema, role);
            if !append && !present.is_empty() {
                if !is_root {
                    // Made when it is first needed: a first load is faster without it.
                    let index = quoted(&format!("{name}__root"));
                    let sql = format!(
                        "CREATE INDEX IF NOT EXISTS {index} ON {} ({})",
                        quoted(&name),
                        quoted(key)
                    );
                    self.db.prepare_cached(&sql)?.execute([])?;
                }
                let sql = format!("DELETE FROM {} WHERE {} = ?1", quoted(&name), quoted(key));
                let mut delete = self.db.prepare_cached(&sql)?;
                for id in &present {
                    delete.execute([id])?;
                }
            }
            let roots =
                column(&table.rows, &table.schema, role).filter(|_| append && !present.is_empty());
            let skipped = |row: usize| {
                roots.is_some_and(|ids| ids.is_valid(row) && present.contains(ids.value(row)))
            };
            rows::insert(&self.db, &name, table, skipped)?;
        }
        if staged && chunk.ends_pass {
            for table in &chunk.tables {
                self.publish(&table.schema)?;
            }
        }
        Ok(())
    }

    /// Makes the table, or the columns that it lacks.
    fn ensure(&mut self, schema: &TableSchema) -> rusqlite::Result<()> {
        if self.tables.get(&schema.name) == Some(schema) {
            return Ok(());
        }
        create(
            &self.db,
            &schema.name,
            schema,
            self.tables.get(&schema.name),
        )?;
        meta::put_table(&self.db, &self.load.source, schema)?;
        self.tables.insert(schema.name.clone(), schema.clone());
        Ok(())
    }

    /// Makes the staging table, or the columns that it lacks; `fresh`: without rows.
    fn ensure_staging(&mut self, schema: &TableSchema, fresh: bool) -> rusqlite::Result<()> {
        let name = staging(&schema.name);
        if fresh {
            self.db
                .execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&name)))?;
        }
        let there = existing_columns(&self.db, &name)?;
        let before = (!there.is_empty()).then(|| {
            let columns = schema
                .columns
                .iter()
                .filter(|column| there.contains(&column.name))
                .cloned();
            TableSchema {
                columns: columns.collect(),
                ..schema.clone()
            }
        });
        create(&self.db, &name, schema, before.as_ref())
    }

    /// Puts the staged rows in the place of the table's; the table itself, its indexes and views stay.
    fn publish(&mut self, schema: &TableSchema) -> rusqlite::Result<()> {
        let (table, from) = (quoted(&schema.name), quoted(&staging(&schema.name)));
        let columns: Vec<String> = schema
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        let columns = columns.join(", ");
        self.db.execute_batch(&format!(
            "DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM {from}; DROP TABLE {from};"
        ))
    }

    fn commit(&mut self, state: &[StateChange], status: LoadStatus) -> rusqlite::Result<()> {
        self.begin()?;
        meta::put_state(&self.db, &self.load.source, state)?;
        meta::put_load(&self.db, &self.load, status, self.rows)?;
        self.db.execute_batch("COMMIT")?;
        self.in_transaction = false;
        Ok(())
    }
}

/// Makes a table with the columns of `schema`, or adds those that `before` lacks.
fn create(
    db: &Connection,
    name: &str,
    schema: &TableSchema,
    before: Option<&TableSchema>,
) -> rusqlite::Result<()> {
    match before {
        None => {
            let columns: Vec<String> = schema.columns.iter().map(rows::definition).collect();
            db.execute_batch(&format!(
                "CREATE TABLE {} ({})",
                quoted(name),
                columns.join(", ")
            ))?;
            if schema.parent.is_none() {
                let index = quoted(&format!("{name}__id"));
                let id = quoted(name_of(schema, ColumnRole::RowId));
                db.execute_batch(&format!(
                    "CREATE UNIQUE INDEX {index} ON {} ({id})",
                    quoted(name)
                ))?;
            }
        }
        Some(before) => {
            for column in schema
                .columns
                .iter()
                .filter(|column| !before.columns.contains(column))
            {
                db.execute_batch(&format!(
                    "ALTER TABLE {} ADD COLUMN {}",
                    quoted(name),
                    rows::definition(column)
                ))?;
            }
        }
    }
    Ok(())
}

fn existing_columns(db: &Connection, table: &str) -> rusqlite::Result<HashSet<String>> {
    db.prepare_cached("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// The text column of that role.
fn column<'a>(
    rows: &'a arrow_array::RecordBatch,
    schema: &TableSchema,
    role: ColumnRole,
) -> Option<&'a arrow_array::StringArray> {
    rows.column(
        schema
            .columns
            .iter()
            .position(|column| column.role == role)?,
    )
    .as_string_opt::<i32>()
}

fn name_of(schema: &TableSchema, role: ColumnRole) -> &str {
    schema
        .role(role)
        .map_or("_etl_id", |column| column.name.as_str())
}

fn staging(table: &str) -> String {
    format!("_etl_staging__{table}")
}

/// An identifier as SQL wants it; a NUL, which SQLite cannot hold, is left out.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

/// Keeps a second run out of the file: two runs would each go on from the same state.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let place = |error: std::io::Error| {
        Error::new(
            ErrorKind::Destination,
            format!("`{}` cannot be written: {error}", path.display()),
        )
        .hint("check that the folder exists and may be written to")
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(place)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::new(
            ErrorKind::Destination,
            format!("another run is loading into `{}`", path.display()),
        )
        .hint("wait until it has ended, or load into another file")),
        Err(std::fs::TryLockError::Error(error)) => Err(place(error)),
    }
}

/// What an error of SQLite means, and the way out.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, ReadOnly,
    };
    let hint = match error.sqlite_error_code() {
        Some(DiskFull) => "free some space and run again: it goes on from the last commit",
        Some(ReadOnly | CannotOpen) => "check that the file and its folder may be written to",
        Some(DatabaseBusy | DatabaseLocked) => {
            "another program is writing to it: close it and run again"
        }
        Some(NotADatabase | DatabaseCorrupt) => {
            "it is not a (whole) SQLite database: name another file"
        }
        _ => "nothing of the commit under way was written; what was committed before is whole",
    };
    Error::new(ErrorKind::Destination, error.to_string())
        .at(path.display().to_string())
        .hint(hint)
}
