//! A connection to a server.
//!
//! The caller's thread may drive a runtime of its own, where it must not drive another: the connection has its own
//! thread, and each call waits for its result.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client as Wire, Row};
use xxhash_rust::xxh3::xxh3_64;

use super::address::Address;
use super::errors::explain;
use super::{copy, read, text, tls};
use crate::error::{Error, ErrorKind, Result};
use crate::load::sql::{Dialect, PAGE_ROWS, Select, Session, Value};
use crate::schema::{Column, ColumnType, TableBatch};

/// Bytes of one message of `COPY`.
const COPY_BYTES: usize = 1 << 20;
/// How long the end of a session is waited for.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Bytes of the longest name; the server cuts longer ones.
pub const NAME_BYTES: usize = 63;

/// A connection to a server, with its thread.
pub struct Client {
    address: Address,
    wire: Arc<Wire>,
    runtime: Option<Runtime>,
}

impl Client {
    /// Connects, and selects the schema, which need not exist.
    pub fn connect(address: &Address) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("etlgen-postgres")
            .enable_all()
            .build()?;
        let mut client = match log_in(&runtime, address) {
            Ok(wire) => Client {
                address: address.clone(),
                wire: Arc::new(wire),
                runtime: Some(runtime),
            },
            Err(error) => {
                // A runtime must not wait for its threads where another one runs.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let schema = client.dialect().quoted(&client.address.schema);
        // The server must not end a session that waits for pages of the API, and must notice one that is gone. A batch is
        // joined to a table by its index, however large the table is: the planner would read the whole table.
        client.script(&format!(
            "SET search_path TO {schema}; SET TimeZone TO 'UTC'; SET DateStyle TO ISO; SET bytea_output TO hex;
             SET client_min_messages TO warning; SET idle_in_transaction_session_timeout TO 0;
             SET lock_timeout TO '5min'; SET tcp_keepalives_idle TO 60; SET tcp_keepalives_interval TO 15;
             SET tcp_keepalives_count TO 4; SET enable_hashjoin TO off; SET enable_mergejoin TO off; SET jit TO off"
        ))?;
        Ok(client)
    }

    /// Connects again, as the same session would.
    pub fn again(&self) -> Result<Self> {
        Client::connect(&self.address)
    }

    /// Runs a call on the thread of the connection.
    fn call<T: Send + 'static, F>(&self, run: impl FnOnce(Arc<Wire>) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, tokio_postgres::Error>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else {
            return Err(lost());
        };
        wait(runtime, run(self.wire.clone()))?.map_err(|error| explain(error, None))
    }

    /// Creates the schema if it does not exist.
    pub fn create_schema(&mut self) -> Result<()> {
        let schema = self.address.schema.clone();
        let there = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
        // A user who may not create schemas is refused even if the schema exists.
        if !self.is_true(there, &[(&schema).into()])? {
            let name = self.dialect().quoted(&schema);
            self.script(&format!("CREATE SCHEMA IF NOT EXISTS {name}"))?;
        }
        Ok(())
    }

    /// Excludes other runs of this source from the schema, until the session ends; waits that long for it.
    pub fn lock(&mut self, source: &str, wait: Duration) -> Result<bool> {
        let key = self.lock_key(source);
        let until = Instant::now() + wait;
        loop {
            if self.is_true("SELECT pg_try_advisory_lock($1)", &[Value::Int(key)])? {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the number of the session that excludes this one.
    pub fn lock_holder(&mut self, source: &str) -> Result<Option<i64>> {
        let found = self.query(
            "SELECT CAST(pid AS bigint) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND (CAST(classid AS bigint) << 32) | CAST(objid AS bigint) = $1",
            &[Value::Int(self.lock_key(source))],
        )?;
        Ok(found.first().and_then(|row| row[0].int()))
    }

    /// Excludes others from the system tables until the transaction ends.
    pub fn lock_schema(&mut self) -> Result<()> {
        let key = self.lock_key("");
        self.query(
            "SELECT CAST(pg_advisory_xact_lock($1) AS text)",
            &[Value::Int(key)],
        )?;
        Ok(())
    }

    /// Returns the number of a lock. Numbers are those of one database.
    fn lock_key(&self, source: &str) -> i64 {
        let name = format!("etlgen\0{}\0{source}", self.address.schema);
        i64::from_ne_bytes(xxh3_64(name.as_bytes()).to_ne_bytes())
    }

    fn is_true(&mut self, sql: &str, values: &[Value]) -> Result<bool> {
        let found = self.query(sql, values)?;
        Ok(found.first().is_some_and(|row| row[0].is_true()))
    }
}

impl Client {
    /// Ends the session: its lock is free when this returns.
    pub fn close(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        if !self.wire.is_closed() {
            let wire = self.wire.clone();
            let (ended, end) = mpsc::sync_channel(1);
            runtime.spawn(async move {
                let _ = wire.batch_execute("ROLLBACK").await;
                let _ = wire.batch_execute("SELECT pg_advisory_unlock_all()").await;
                let _ = ended.send(());
            });
            let _ = end.recv_timeout(CLOSE_WAIT);
        }
        runtime.shutdown_background();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens a connection, which the runtime drives until its client is dropped.
fn log_in(runtime: &Runtime, address: &Address) -> Result<Wire> {
    let (config, connector) = (address.config.clone(), tls::connector(&address.tls)?);
    let time = config.get_connect_timeout().copied().unwrap_or_default();
    let connected = wait(runtime, async move {
        // The time of the configuration ends with the first answer of the network.
        let connected = tokio::time::timeout(time, config.connect(connector)).await;
        connected.map(|connected| {
            let (wire, connection) = connected?;
            // Its error reaches the caller as that of a call.
            tokio::spawn(async move {
                let _ = connection.await;
            });
            Ok(wire)
        })
    })?;
    match connected {
        Ok(connected) => connected.map_err(|error| explain(error, address.ignored.as_deref())),
        Err(_) => {
            let message = "the database cannot be reached: it did not answer in time";
            Err(Error::new(ErrorKind::Destination, message)
                .hint("check the host and the port of the URL; `connect_timeout=60` waits longer"))
        }
    }
}

/// Runs a future on the runtime's thread, and waits for its result.
fn wait<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv().map_err(|_| lost())
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Destination,
        "the thread of the connection ended; this is a bug",
    )
}

type Parameter = (Box<dyn ToSql + Send + Sync>, Type);

fn parameters(values: &[Value]) -> Vec<Parameter> {
    let stored = |text: &String| text::stored(text).into_owned();
    let parameter = |value: &Value| -> Parameter {
        match value {
            Value::Null => (Box::new(None::<String>), Type::TEXT),
            Value::Text(text) => (Box::new(stored(text)), Type::TEXT),
            Value::Int(number) => (Box::new(*number), Type::INT8),
            Value::Bool(value) => (Box::new(*value), Type::BOOL),
            Value::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(stored).collect();
                (Box::new(texts), Type::TEXT_ARRAY)
            }
        }
    };
    values.iter().map(parameter).collect()
}

fn borrowed(parameters: &[Parameter]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    let mut borrowed = Vec::new();
    for (value, ty) in parameters {
        let value: &(dyn ToSql + Sync) = value.as_ref();
        borrowed.push((value, ty.clone()));
    }
    borrowed
}

fn values(row: &Row) -> std::result::Result<Vec<Value>, tokio_postgres::Error> {
    let value = |at: usize| {
        Ok(match *row.columns()[at].type_() {
            Type::BOOL => row
                .try_get::<_, Option<bool>>(at)?
                .map_or(Value::Null, Value::Bool),
            Type::INT8 => row
                .try_get::<_, Option<i64>>(at)?
                .map_or(Value::Null, Value::Int),
            _ => {
                let found = row.try_get::<_, Option<String>>(at)?;
                found.map_or(Value::Null, |found| Value::Text(text::read(found)))
            }
        })
    };
    (0..row.len()).map(value).collect()
}

fn column_type(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Bool => "boolean",
        ColumnType::Int64 => "bigint",
        ColumnType::Float64 => "double precision",
        ColumnType::Decimal => "numeric(38,9)",
        ColumnType::Text => "text",
        ColumnType::Timestamp => "timestamptz",
        ColumnType::Date => "date",
        ColumnType::Uuid => "uuid",
        // `jsonb` loses keys and refuses half a surrogate pair.
        ColumnType::Json => "json",
        ColumnType::Bytes => "bytea",
    }
}

impl Session for Client {
    /// The session has one cursor at a time.
    type Cursor = ();

    fn dialect(&self) -> Dialect {
        Dialect {
            identifier_length: NAME_BYTES,
            column_type,
            reserved: &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"],
            row: ("ctid", "tid"),
            has_keys: true,
            renames_tables: true,
            dropped_on_commit: "ON COMMIT DROP",
            indexes: None,
        }
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let (sql, parameters) = (sql.to_owned(), parameters(values));
        self.call(|wire| async move { wire.execute_typed(&sql, &borrowed(&parameters)).await })
    }

    fn query(&mut self, sql: &str, given: &[Value]) -> Result<Vec<Vec<Value>>> {
        let (sql, parameters) = (sql.to_owned(), parameters(given));
        self.call(|wire| async move {
            let rows = wire.query_typed(&sql, &borrowed(&parameters)).await?;
            rows.iter().map(values).collect()
        })
    }

    fn cursor(&mut self, select: &Select<'_>) -> Result<()> {
        let Select {
            expressions, table, ..
        } = select;
        let wanted = select.wanted.map(|wanted| format!("WHERE {wanted}"));
        let wanted = wanted.unwrap_or_default();
        self.script(&format!(
            "DECLARE _etl_scan NO SCROLL CURSOR FOR SELECT {expressions} FROM {table} {wanted}"
        ))
    }

    fn page(&mut self, (): &mut (), columns: &[Column]) -> Result<Vec<RecordBatch>> {
        let columns = columns.to_vec();
        let read = self.call(|wire| async move {
            let fetch = format!("FETCH {PAGE_ROWS} FROM _etl_scan");
            let rows = wire.query_typed(&fetch, &[]).await?;
            Ok(read::batch(&rows, &columns))
        });
        let rows = read.flatten()?;
        if rows.num_rows() == 0 {
            self.script("CLOSE _etl_scan")?;
            return Ok(Vec::new());
        }
        Ok(vec![rows])
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        let sql = sql.to_owned();
        self.call(|wire| async move { wire.batch_execute(&sql).await })
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let found = self.query(
            "SELECT CAST(a.attname AS text) FROM pg_attribute AS a
             JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            &[(&self.address.schema.clone()).into(), table.into()],
        )?;
        Ok(found.iter().map(|row| row[0].text()).collect())
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        // A table has a type of its name, too. The name of an array's type gives way.
        self.is_true(
            "SELECT EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2)
             OR EXISTS (SELECT 1 FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
                 WHERE n.nspname = $1 AND t.typname = $2 AND t.typcategory <> 'A')",
            &[(&self.address.schema.clone()).into(), table.into()],
        )
    }

    fn exclude_commits(&mut self, _: &str) -> Result<()> {
        self.script("LOCK TABLE _etl_loads IN SHARE ROW EXCLUSIVE MODE")
    }

    fn arrive(&mut self, batch: &TableBatch) -> Result<String> {
        let dialect = self.dialect();
        let columns = batch.schema.columns.iter();
        let columns: Vec<String> = columns.map(|column| dialect.definition(column)).collect();
        let columns = columns.join(", ");
        // Batches with the same columns share a table.
        let table = format!("_etl_arrival_{:016x}", xxh3_64(columns.as_bytes()));
        self.script(&format!(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DROP; TRUNCATE TABLE {table}"
        ))?;
        self.ingest(&table, batch, None)?;
        Ok(table)
    }

    fn ingest(&mut self, table: &str, batch: &TableBatch, rows: Option<&[usize]>) -> Result<()> {
        let dialect = self.dialect();
        let columns = batch.schema.columns.iter().map(|column| &*column.name);
        let (table, columns) = (dialect.quoted(table), dialect.list(columns));
        let sql = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let mut data = Bytes::from(copy::encode(batch, rows)?);
        self.call(|wire| async move {
            let mut sink = pin!(wire.copy_in::<_, Bytes>(&sql).await?);
            while !data.is_empty() {
                let part = data.split_to(COPY_BYTES.min(data.len()));
                sink.send(part).await?;
            }
            sink.finish().await.map(drop)
        })
    }
}
