//! A small API on loopback and a destination in memory that can fail at any commit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use etlgen_runtime::load::{
    Brought, Capabilities, Chunk, Commit, DeletedIds, Destination, LoadInfo, Memory, NotSeenSince,
    Operation,
};
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use etlgen_runtime::schema::{ColumnRole, Drifted, TableBatch, TableSchema};
use etlgen_runtime::source::Source;
use etlgen_runtime::state::{StateChange, StateRow};
use etlgen_runtime::world::{
    BoxFuture, Clock, Transport, VirtualClock, WireError, WireRequest, WireResponse, World,
};
use etlgen_runtime::{Error, ErrorKind, Result};
use etlgen_testkit::http::{Response, Server};

/// An API in memory.
struct Simulated<F>(F);

impl<F> Transport for Simulated<F>
where
    F: Fn(&WireRequest) -> Result<WireResponse, WireError> + Send + Sync,
{
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        let answer = (self.0)(&request);
        Box::pin(async { answer })
    }
}

/// Returns a world in which a function answers all requests, and its clock, which starts at
/// `second` seconds since 1970.
pub fn simulated(
    second: u64,
    answer: impl Fn(&WireRequest) -> Result<WireResponse, WireError> + Send + Sync + 'static,
) -> (World, VirtualClock) {
    let clock = VirtualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
    (World::simulated(Simulated(answer), clock.clone(), 1), clock)
}

/// Returns a response with that body.
pub fn page(body: serde_json::Value) -> WireResponse {
    WireResponse::new(200).body(body.to_string())
}

/// Returns the response with that time of the API, in seconds since 1970.
pub fn dated(answer: WireResponse, second: u64) -> WireResponse {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    answer.header("date", &httpdate::fmt_http_date(time))
}

/// Returns the value of a query parameter; empty if there is none.
pub fn asked(request: &WireRequest, name: &str) -> String {
    let mut pairs = request.url().query_pairs();
    let value = pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()));
    value.unwrap_or_default()
}

/// Runs a source to completion in the time of that clock.
pub fn run_by(
    clock: &VirtualClock,
    source: &Source,
    into: &InMemory,
    options: &RunOptions,
) -> Result<RunReport> {
    let run = sync(source, Box::new(into.clone()), options, Arc::new(()));
    clock.runtime()?.block_on(run)
}

/// Advances the clock by an hour: a load is named after the time at which it begins.
pub fn an_hour_later(clock: &VirtualClock) {
    let hour = clock.sleep(Duration::from_secs(3600));
    clock.runtime().unwrap().block_on(hour);
}

/// The response of a handler: status, headers, body.
pub type Answer = (u16, Vec<(String, String)>, String);

/// Starts an API that responds with `handle(path, query)`; returns its base URL and the log of its requests.
pub fn serve(
    handle: impl Fn(&str, &BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let kept = log.clone();
    let server = Server::start(0, move |request| {
        let query = request.query.iter().cloned().collect();
        let path = request.target.split('?').next().unwrap_or_default();
        let (status, headers, body) = handle(path, &query);
        kept.lock().unwrap().push(request.target.clone());
        let response = Response::bytes(status, body.into_bytes());
        let with = |response: Response, (name, value): (String, String)| response.with(name, value);
        headers.into_iter().fold(response, with)
    });
    let server = server.unwrap();
    let base = server.url();
    // The server runs until the process ends.
    std::mem::forget(server);
    (base, log)
}

/// Rows of a table by `_etl_id`, each as column -> text.
pub type Table = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Clone, Default)]
struct Committed {
    tables: BTreeMap<String, Table>,
    staged: BTreeMap<String, Table>,
    /// The id of the last load.
    last_load: Option<String>,
    schemas: Vec<TableSchema>,
    state: BTreeMap<(String, String), String>,
    drift: BTreeMap<(String, Drifted), u64>,
}

/// A destination in memory; it survives the runs that use it.
#[derive(Clone, Default)]
pub struct InMemory {
    committed: Arc<Mutex<Committed>>,
    working: Committed,
    /// The index of the commit that fails, from 0.
    fails_at: Option<usize>,
    commits: usize,
    rows_per_commit: usize,
    /// The maximum number of columns of a table, if it is limited.
    columns: Option<usize>,
}

impl InMemory {
    /// Returns the same data, in tables of at most that many columns.
    pub fn with_columns(&self, columns: usize) -> Self {
        InMemory {
            columns: Some(columns),
            ..self.clone()
        }
    }

    /// Returns a destination that commits after that many rows.
    pub fn new(rows_per_commit: usize) -> Self {
        InMemory {
            rows_per_commit,
            ..InMemory::default()
        }
    }

    /// Returns the same data, failing at that commit.
    pub fn failing_at(&self, commit: usize) -> Self {
        InMemory {
            fails_at: Some(commit),
            ..self.clone()
        }
    }

    /// Returns the committed rows of a table, without the id of the load.
    pub fn table(&self, name: &str) -> Table {
        let mut table = self
            .committed
            .lock()
            .unwrap()
            .tables
            .get(name)
            .cloned()
            .unwrap_or_default();
        for row in table.values_mut() {
            row.remove("_etl_load_id");
        }
        table
    }

    /// Returns the drift of all loads.
    pub fn drift(&self) -> BTreeMap<(String, Drifted), u64> {
        self.committed.lock().unwrap().drift.clone()
    }

    /// Returns the committed state, by resource and slice.
    pub fn state(&self) -> BTreeMap<(String, String), String> {
        self.committed.lock().unwrap().state.clone()
    }

    /// Returns all committed tables.
    pub fn tables(&self) -> BTreeMap<String, Table> {
        let names: Vec<String> = self
            .committed
            .lock()
            .unwrap()
            .tables
            .keys()
            .cloned()
            .collect();
        names
            .into_iter()
            .map(|name| (name.clone(), self.table(&name)))
            .collect()
    }
}

fn texts(batch: &RecordBatch, row: usize) -> BTreeMap<String, String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .filter(|(_, column)| column.is_valid(row))
        .map(|(field, column)| {
            let one = column.slice(row, 1);
            let text = match one.as_string_opt::<i32>() {
                Some(text) => text.value(0).to_owned(),
                None => format!("{one:?}"),
            };
            (field.name().clone(), text)
        })
        .collect()
}

impl Committed {
    fn apply(&mut self, resource: &str, operation: &Operation) {
        match operation {
            Operation::Append(tables) => self.add(tables, (false, true)),
            Operation::Merge(tables) => self.add(tables, (false, false)),
            Operation::Stage { tables, first } => {
                for table in tables.iter().filter(|_| *first) {
                    self.staged.remove(&table.schema.name);
                }
                self.add(tables, (true, false));
            }
            Operation::Publish => {
                let names = self.of_resource(resource).map(|schema| schema.name.clone());
                for name in names.collect::<Vec<_>>() {
                    let staged = self.staged.remove(&name).unwrap_or_default();
                    self.tables.insert(name, staged);
                }
            }
            Operation::DeleteNotSeen(NotSeenSince { load, mark, .. }) => {
                self.delete(resource, (false, *mark), |_, row| {
                    row["_etl_load_id"] < *load
                });
            }
            Operation::Delete(DeletedIds {
                ids, mark, staged, ..
            }) => {
                self.delete(resource, (*staged, *mark), |id, _| ids.contains(id));
            }
            other => panic!("{other:?}"),
        }
    }

    fn of_resource(&self, resource: &str) -> impl Iterator<Item = &TableSchema> {
        let schemas = self.schemas.iter();
        schemas.filter(move |schema| schema.resource == resource)
    }

    /// Adds the rows of tables: among the staged rows, and without those that are there.
    fn add(&mut self, tables: &[TableBatch], (staged, append): (bool, bool)) {
        let mut roots = Vec::new();
        let mut refused = Vec::new();
        for table in tables {
            let name = table.schema.name.clone();
            self.schemas.retain(|schema| schema.name != name);
            self.schemas.push((*table.schema).clone());
            let place = match staged {
                true => &mut self.staged,
                false => &mut self.tables,
            };
            let place = place.entry(name).or_default();
            let rows: Vec<_> = (0..table.rows.num_rows())
                .map(|row| texts(&table.rows, row))
                .collect();
            let root_id = table
                .schema
                .role(ColumnRole::RootId)
                .map(|column| column.name.clone());
            if root_id.is_none() {
                roots = rows.iter().map(|row| row["_etl_id"].clone()).collect();
                assert_eq!(
                    roots
                        .iter()
                        .collect::<std::collections::BTreeSet<_>>()
                        .len(),
                    roots.len()
                );
            }
            if !append {
                place.retain(|id, row| {
                    let root = root_id.as_ref().map_or(id, |column| &row[column]);
                    !roots.contains(root)
                });
            }
            for row in rows {
                let id = row["_etl_id"].clone();
                let root = root_id.as_ref().map_or(&id, |column| &row[column]).clone();
                if append && (refused.contains(&root) || place.contains_key(&id)) {
                    refused.push(root);
                    continue;
                }
                assert!(
                    place.insert(id.clone(), row).is_none(),
                    "{id} twice in {}",
                    table.schema.name
                );
            }
        }
    }

    /// Marks or removes the records for which `gone` is true.
    fn delete(
        &mut self,
        resource: &str,
        (staged, mark): (bool, Option<i64>),
        gone: impl Fn(&String, &BTreeMap<String, String>) -> bool,
    ) {
        let schemas: Vec<TableSchema> = self.of_resource(resource).cloned().collect();
        let tables = match staged {
            true => &mut self.staged,
            false => &mut self.tables,
        };
        let (children, roots): (Vec<_>, Vec<_>) =
            schemas.iter().partition(|schema| schema.parent.is_some());
        let root = tables.entry(roots[0].name.clone()).or_default();
        if let Some(time) = mark {
            for (_, row) in root.iter_mut().filter(|(id, row)| gone(id, row)) {
                row.entry("_etl_deleted_at".into())
                    .or_insert(time.to_string());
            }
            return;
        }
        root.retain(|id, row| !gone(id, row));
        let ids: Vec<String> = root.keys().cloned().collect();
        for child in children {
            let rows = tables.entry(child.name.clone()).or_default();
            rows.retain(|_, row| ids.contains(&row["_etl_root_id"]));
        }
    }
}

impl Destination for InMemory {
    fn describe(&self) -> String {
        "memory".into()
    }

    fn exists(&self) -> bool {
        true
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255)
            .columns(self.columns.unwrap_or(usize::MAX))
            .checkpoints(self.rows_per_commit, Duration::from_secs(3600))
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.working = self.committed.lock().unwrap().clone();
        let last = self.working.last_load.clone();
        let state = self
            .working
            .state
            .iter()
            .map(|((resource, slice), value)| StateRow::new(resource, slice, value));
        let mut memory = Memory::new(self.working.schemas.clone(), state.collect());
        memory.last_load = last;
        self.working.last_load = Some(load.after(&memory).id);
        Ok(memory)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        for operation in &chunk.operations {
            self.working.apply(&chunk.resource, operation);
        }
        Ok(())
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        for (line, count) in counts {
            let key = (resource.to_owned(), line.clone());
            *self.working.drift.entry(key).or_default() += count;
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        for change in commit.state {
            match change.clone() {
                StateChange::Put(row) => {
                    self.working
                        .state
                        .insert((row.resource, row.slice), row.value);
                }
                StateChange::Forget { resource, slice } => {
                    self.working.state.remove(&(resource, slice));
                }
                other => panic!("{other:?}"),
            }
        }
        if self.fails_at == Some(self.commits) {
            return Err(Error::new(ErrorKind::Destination, "the disk is full"));
        }
        self.commits += 1;
        *self.committed.lock().unwrap() = self.working.clone();
        Ok(())
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        let tables = match rows.staged {
            true => &self.working.staged,
            false => &self.working.tables,
        };
        let is_of_pass = |row: &BTreeMap<String, String>| {
            let load = rows.load_column();
            load.is_none_or(|load| row[load].as_str() >= rows.pass)
        };
        let table = tables.get(&rows.table.name).into_iter();
        for row in table.flat_map(BTreeMap::values).filter(|r| is_of_pass(r)) {
            let columns = rows.columns.iter();
            let texts = columns.map(|name| row.get(*name).map(String::as_str));
            each(&texts.collect::<Vec<_>>())?;
        }
        Ok(true)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let committed = self.committed.lock().unwrap();
        Ok(committed
            .tables
            .iter()
            .map(|(name, rows)| (name.clone(), rows.len() as u64))
            .collect())
    }
}
