//! A connection to a database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adbc_core::options::{IngestMode, OptionDatabase, OptionStatement, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Optionable as _, Statement as _};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedStatement};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema};
use xxhash_rust::xxh3::xxh3_64;

use super::address::{Address, Database};
use super::errors::explain;
use super::values::{fitted, parameters, value};
use super::{ducklake, library};
use crate::error::{Error, ErrorKind, Result};
use crate::load::contents::rows_at;
use crate::load::sql::{Dialect, PAGE_ROWS, Select, Session, Value};
use crate::schema::{ArrowType, Column, ColumnType, TableBatch};

/// Bytes of the longest name.
pub const NAME_BYTES: usize = 255;

/// The memory that DuckDB may use at least, in megabytes. It takes four fifths of the machine otherwise.
const MEMORY: u64 = 128;
/// The megabytes that it may need for each column of a table: those of several blocks of 256 kB.
const COLUMN_MEMORY: u64 = 2;

/// The statements of the indexes of a table.
const INDEXES: &str = "SELECT sql FROM duckdb_indexes()
     WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = $1 AND sql IS NOT NULL";

/// What a connection may do.
#[derive(Clone, Copy, PartialEq)]
pub enum Access {
    Read,
    Write,
}

/// A connection to a database.
pub struct Client {
    /// The settings of the database, with its path.
    settings: Vec<(&'static str, String)>,
    access: Access,
    /// The file of the database, or of the catalogue.
    file: Option<PathBuf>,
    /// Where a new DuckLake keeps its data.
    data: Option<String>,
    address: Address,
    open: Option<Connected>,
    /// Whether a table can get and lose columns at any time.
    changes_tables: bool,
    /// The megabytes that DuckDB may use; none if the URL says it.
    memory: Option<u64>,
    /// The temporary tables of this transaction.
    arrivals: BTreeSet<String>,
}

/// Declared in the order in which they are closed.
struct Connected {
    connection: ManagedConnection,
    database: ManagedDatabase,
}

impl Client {
    /// Opens a database: that of the URL, or the file at `file`.
    pub fn connect(address: &Address, file: Option<&Path>, access: Access) -> Result<Self> {
        Self::opened_at(address, (file, None), access)
    }

    /// Creates the file of a database, or of the catalogue of a DuckLake that keeps its data in a folder named after
    /// `name` unless the URL names another one.
    pub fn create(address: &Address, file: &Path, name: &Path) -> Result<()> {
        let data = format!("{}.files", name.display());
        let mut client = Self::opened_at(address, (Some(file), Some(data)), Access::Write)?;
        if client.is_lake() {
            ducklake::detach(&mut client)?;
        }
        client.close();
        Ok(())
    }

    fn opened_at(
        address: &Address,
        (file, data): (Option<&Path>, Option<String>),
        access: Access,
    ) -> Result<Self> {
        let file = file.or(address.file()).map(Path::to_owned);
        let name = file.as_ref().map(|file| file.to_str());
        let path = match &address.database {
            Database::MotherDuck(name) => Some(name.as_str()),
            Database::File(_) => name.flatten(),
            // The DuckLake is attached to an empty database.
            Database::DuckLake(_) => name.is_none_or(|name| name.is_some()).then_some(":memory:"),
        };
        let path = path.map(str::to_owned).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "the name of the file is not UTF-8")
                .hint("DuckDB takes names in UTF-8 only: rename the file or its folder")
        })?;
        let memory = address.memory.clone();
        let memory = memory.unwrap_or_else(|| format!("{MEMORY}MB"));
        let threads = address.threads.clone();
        let mut settings = vec![
            ("path", path),
            ("threads", threads),
            ("memory_limit", memory),
        ];
        if access == Access::Read && !matches!(address.database, Database::DuckLake(_)) {
            settings.push(("access_mode", "READ_ONLY".to_owned()));
        }
        let mut client = Client {
            settings,
            access,
            file,
            data,
            address: address.clone(),
            open: None,
            changes_tables: false,
            memory: None,
            arrivals: BTreeSet::new(),
        };
        client.reconnect()?;
        Ok(client)
    }

    fn is_lake(&self) -> bool {
        matches!(self.address.database, Database::DuckLake(_))
    }

    /// Closes the database, and opens it again.
    pub fn reconnect(&mut self) -> Result<()> {
        self.close();
        let mut driver = library::load(self.address.driver.as_deref())?;
        let settings = self.settings.iter().map(|(name, value)| {
            let name = OptionDatabase::Other((*name).to_owned());
            (name, OptionValue::String(value.clone()))
        });
        let database = driver.new_database_with_opts(settings).map_err(explain)?;
        let connection = database.new_connection().map_err(explain)?;
        self.open = Some(Connected {
            connection,
            database,
        });
        let version = self.query("SELECT version()", &[])?;
        let version = version.first().map(|row| row[0].text());
        let is_later = version.is_some_and(|version| major(&version) >= 2);
        self.changes_tables = self.is_lake() || is_later;
        if let Database::DuckLake(lake) = self.address.database.clone() {
            let (file, data) = (self.file.clone(), self.data.clone());
            let reads = self.access == Access::Read;
            lake.attach(self, reads, (file.as_deref(), data.as_deref()))?;
        }
        self.memory = self.address.memory.is_none().then_some(MEMORY);
        let widest = self.query("SELECT max(column_count) FROM duckdb_tables()", &[])?;
        let widest = widest.first().and_then(|row| row[0].int());
        self.make_room(widest.unwrap_or_default().unsigned_abs())
    }

    /// Lets DuckDB use the memory that a table with that many columns needs.
    fn make_room(&mut self, columns: u64) -> Result<()> {
        let needed = MEMORY / 4 + COLUMN_MEMORY.saturating_mul(columns);
        match self.memory {
            Some(memory) if memory < needed => {
                self.memory = Some(needed);
                self.script(&format!("SET memory_limit = '{needed}MB'"))
            }
            _ => Ok(()),
        }
    }

    /// Opens a second connection to the same database.
    pub fn again(&mut self) -> Result<Self> {
        let open = self.opened()?;
        let connection = open.database.new_connection().map_err(explain)?;
        let database = open.database.clone();
        let mut other = Client {
            settings: self.settings.clone(),
            access: self.access,
            file: self.file.clone(),
            data: self.data.clone(),
            address: self.address.clone(),
            open: Some(Connected {
                connection,
                database,
            }),
            changes_tables: self.changes_tables,
            memory: self.memory,
            arrivals: BTreeSet::new(),
        };
        if other.is_lake() {
            ducklake::enter(&mut other)?;
        }
        Ok(other)
    }

    /// Closes the database, as far as this connection holds it.
    pub fn close(&mut self) {
        self.open = None;
        self.arrivals.clear();
    }

    fn opened(&mut self) -> Result<&mut Connected> {
        self.open.as_mut().ok_or_else(|| {
            Error::new(ErrorKind::Destination, "the database was closed")
                .hint("run again: it continues from the last commit")
        })
    }

    fn statement(&mut self) -> Result<ManagedStatement> {
        let open = self.opened()?;
        open.connection.new_statement().map_err(explain)
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<Vec<RecordBatch>> {
        let mut statement = self.statement()?;
        statement.set_sql_query(sql).map_err(explain)?;
        if !values.is_empty() {
            statement.bind(parameters(values)?).map_err(explain)?;
        }
        let rows = statement.execute().map_err(explain)?;
        rows.collect::<std::result::Result<_, ArrowError>>()
            .map_err(explain)
    }

    fn is_true(&mut self, sql: &str, values: &[Value]) -> Result<bool> {
        let found = self.query(sql, values)?;
        Ok(found.first().is_some_and(|row| row[0].is_true()))
    }

    /// Empties a temporary table, or creates it. A table that is replaced would hold its memory until the commit.
    fn clear(&mut self, table: &str, columns: &str) -> Result<()> {
        if self.arrivals.contains(table) {
            return self.script(&format!("DELETE FROM {table}"));
        }
        self.script(&format!(
            "CREATE OR REPLACE TEMPORARY TABLE {table} ({columns})"
        ))?;
        self.arrivals.insert(table.to_owned());
        Ok(())
    }

    /// Appends rows to a temporary table, which has their columns.
    fn append(&mut self, table: &str, rows: RecordBatch) -> Result<()> {
        let mut statement = self.statement()?;
        for (option, value) in [
            (OptionStatement::TargetTable, table.into()),
            (OptionStatement::IngestMode, IngestMode::Append.into()),
            (OptionStatement::Temporary, "true".into()),
        ] {
            statement.set_option(option, value).map_err(explain)?;
        }
        statement.bind(rows).map_err(explain)?;
        statement.execute_update().map(drop).map_err(explain)
    }

    /// Drops the temporary tables of this transaction: they would hold their memory longer than it.
    fn drop_arrivals(&mut self) -> Result<()> {
        for table in std::mem::take(&mut self.arrivals) {
            self.script(&format!("DROP TABLE {table}"))?;
        }
        Ok(())
    }
}

/// Returns the first number of a version: `v1.5.5`.
fn major(version: &str) -> u32 {
    let number = version.trim_start_matches('v').split('.').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn column_type(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Bool => "boolean",
        ColumnType::Int64 => "bigint",
        ColumnType::Float64 => "double",
        ColumnType::Decimal => "decimal(38,9)",
        // The type `json` refuses half a surrogate pair.
        ColumnType::Text | ColumnType::Json => "varchar",
        ColumnType::Timestamp => "timestamptz",
        ColumnType::Date => "date",
        ColumnType::Uuid => "uuid",
        ColumnType::Bytes => "blob",
    }
}

/// Reads the rows of a table by their numbers: a result that is read little by little would end with the next statement.
pub struct Cursor {
    expressions: String,
    table: String,
    wanted: String,
    /// The number of the first row that was not read.
    next: i64,
}

impl Session for Client {
    type Cursor = Cursor;

    fn dialect(&self) -> Dialect {
        Dialect {
            identifier_length: NAME_BYTES,
            column_type,
            reserved: &["rowid"],
            row: ("rowid", "bigint"),
            // Indexes are held in memory. A key that is deleted and inserted in one transaction may be refused.
            has_keys: false,
            // The catalogue of a DuckLake would be broken.
            renames_tables: !self.is_lake(),
            dropped_on_commit: "",
            indexes: (!self.changes_tables).then_some(INDEXES),
        }
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let found = self.run(sql, values)?;
        // A statement that changes rows returns their number.
        let count = |rows: &RecordBatch| match value(rows.column(0), 0) {
            Value::Int(count) => count.unsigned_abs(),
            _ => 0,
        };
        let counts = found.iter().filter(|rows| rows.num_rows() > 0);
        Ok(counts.map(count).sum())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>> {
        let mut found = Vec::new();
        for rows in self.run(sql, values)? {
            for row in 0..rows.num_rows() {
                found.push(
                    rows.columns()
                        .iter()
                        .map(|array| value(array, row))
                        .collect(),
                );
            }
        }
        Ok(found)
    }

    fn cursor(&mut self, select: &Select<'_>) -> Result<Cursor> {
        let wanted = select.wanted.map(|wanted| format!("AND {wanted}"));
        Ok(Cursor {
            expressions: select.expressions.to_owned(),
            table: select.table.to_owned(),
            wanted: wanted.unwrap_or_default(),
            next: 0,
        })
    }

    fn page(&mut self, cursor: &mut Cursor, columns: &[Column]) -> Result<Vec<RecordBatch>> {
        let Cursor {
            expressions,
            table,
            wanted,
            next,
        } = cursor;
        // Numbers have gaps, where rows were deleted and before those that are not committed.
        let first = format!("SELECT min(rowid) FROM {table} WHERE rowid >= {next} {wanted}");
        let first = self.query(&first, &[])?;
        let Some(first) = first.first().and_then(|row| row[0].int()) else {
            return Ok(Vec::new());
        };
        *next = first.saturating_add(PAGE_ROWS.into());
        let rows = self.run(
            &format!("SELECT {expressions} FROM {table} WHERE rowid >= {first} AND rowid < {next} {wanted}"),
            &[],
        )?;
        rows.iter().map(|rows| fitted(rows, columns)).collect()
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        match sql {
            "COMMIT" => self.drop_arrivals()?,
            "ROLLBACK" => self.arrivals.clear(),
            _ => {}
        }
        let mut statement = self.statement()?;
        statement.set_sql_query(sql).map_err(explain)?;
        statement.execute_update().map_err(explain)?;
        #[cfg(test)]
        if super::tests::faults::loses(sql, self.file.as_deref()) {
            return Err(Error::new(ErrorKind::Destination, "the answer was lost"));
        }
        Ok(())
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let found = self.query(
            "SELECT column_name FROM duckdb_columns()
             WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = $1
             ORDER BY column_index",
            &[table.into()],
        )?;
        Ok(found.iter().map(|row| row[0].text()).collect())
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        // The case of names does not matter.
        self.is_true(
            "SELECT EXISTS (SELECT 1 FROM information_schema.tables
             WHERE table_catalog = current_database() AND table_schema = current_schema() AND lower(table_name) = lower($1))",
            &[table.into()],
        )
    }

    fn exclude_commits(&mut self, source: &str) -> Result<()> {
        // Of two transactions that change one row, one fails. A value that stays the same is no change.
        for rows in ["rows + 1", "rows - 1"] {
            let sql = format!(
                "UPDATE _etl_loads SET rows = {rows} WHERE source = $1
                 AND load_id = (SELECT min(load_id) FROM _etl_loads WHERE source = $1)"
            );
            self.execute(&sql, &[source.into()])?;
        }
        Ok(())
    }

    fn arrive(&mut self, batch: &TableBatch) -> Result<String> {
        let dialect = self.dialect();
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for column in &batch.schema.columns {
            let ty = match column.ty {
                // Rows are appended without a conversion.
                ColumnType::Uuid => column_type(ColumnType::Text),
                ty => column_type(ty),
            };
            columns.push(format!("{} {ty}", dialect.column(&column.name)));
            fields.push(Field::new(
                dialect.column_name(&column.name),
                column.ty.arrow(),
                true,
            ));
        }
        let columns = columns.join(", ");
        // Batches with the same columns share a table.
        let table = format!("_etl_arrival_{:016x}", xxh3_64(columns.as_bytes()));
        self.make_room(fields.len() as u64)?;
        self.clear(&table, &columns)?;
        let arrays = batch.rows.columns().to_vec();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(explain)?;
        self.append(&table, rows)?;
        Ok(table)
    }

    fn ingest(&mut self, table: &str, batch: &TableBatch, rows: Option<&[usize]>) -> Result<()> {
        let dialect = self.dialect();
        let arrival = match rows {
            Some(rows) => {
                let rows = rows_at(&batch.rows, rows).map_err(explain)?;
                self.arrive(&TableBatch::new(batch.schema.clone(), rows))?
            }
            None => self.arrive(batch)?,
        };
        let columns = batch.schema.columns.iter().map(|column| &*column.name);
        let (table, columns) = (dialect.quoted(table), dialect.list(columns));
        let sql = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {arrival}");
        self.execute(&sql, &[])?;
        Ok(())
    }
}
