//! An API whose records a test chooses, destinations of both kinds, and runs that are killed.

use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use etlgen_runtime::error::ErrorKind;
use etlgen_runtime::load::{
    Brought, Capabilities, Chunk, Commit, Destination, LoadInfo, Memory, TableChange, destination,
};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use etlgen_runtime::schema::{Drifted, TableSchema};
use etlgen_runtime::state::StateChange;
use etlgen_tests::mock::http::{Request, Response, Server};
use etlgen_tests::tables::{self, Tables};
use serde_json::{Value, json};

/// The number of rows of a page.
const PAGE: usize = 2;

/// An API with the list `/items` and, for each item, the list `/items/{item}/parts`.
pub struct Api {
    items: Arc<Mutex<Vec<Value>>>,
    log: Arc<Mutex<Vec<String>>>,
    server: Server,
}

impl Api {
    pub fn start(items: Vec<Value>) -> Self {
        let items = Arc::new(Mutex::new(items));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (held, kept) = (items.clone(), log.clone());
        let server = Server::start(0, move |request| {
            kept.lock().unwrap().push(request.target.clone());
            answer(&held.lock().unwrap(), request)
        });
        Api {
            items,
            log,
            server: server.unwrap(),
        }
    }

    pub fn source(&self) -> Source {
        Source::new("shop", &self.server.url())
    }

    pub fn change(&self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.items.lock().unwrap());
    }

    /// Takes the requests since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

fn answer(items: &[Value], request: &Request) -> Response {
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let rows: Vec<Value> = match parts[..] {
        [_, item, "parts"] => {
            let part = |n: u64| json!({"id": n, "of": item, "bits": [n, n + 1]});
            (1..=3).map(part).collect()
        }
        _ => items.to_vec(),
    };
    let since = |field: &str, row: &Value| match request.param(&format!("{field}_since")) {
        None => true,
        Some(bound) => match &row[field] {
            Value::String(text) => text.as_str() >= bound,
            value => value.as_i64() >= bound.parse().ok(),
        },
    };
    let wanted = |row: &&Value| since("created", row) && since("updated", row);
    let after = request.number("after").ok().flatten();
    let follows = |row: &&Value| after.is_none_or(|after| row["id"].as_i64() > Some(after));
    let rows: Vec<&Value> = rows.iter().filter(wanted).filter(follows).collect();
    let page = &rows[..rows.len().min(PAGE)];
    Response::json(200, &json!({"data": page, "more": rows.len() > PAGE}))
}

/// Returns a paged list.
pub fn list<T: Record>(name: &str, path: &str) -> Resource<T> {
    let pages = Paginator::last_id("after").field("id").more("more");
    T::list(name, path).records("data").paginate(pages)
}

/// A folder with a destination.
pub struct Place {
    folder: tempfile::TempDir,
    scheme: &'static str,
}

/// Runs a test for both kinds of destination.
pub fn each_place(test: impl Fn(&dyn Fn() -> Place)) {
    for scheme in ["sqlite", "parquet"] {
        test(&|| Place {
            folder: tempfile::tempdir().unwrap(),
            scheme,
        });
    }
}

impl Place {
    fn open(&self) -> Box<dyn Destination> {
        let path = self.folder.path().join("data");
        destination(&format!("{}:{}", self.scheme, path.display())).unwrap()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn is_sqlite(&self) -> bool {
        self.scheme == "sqlite"
    }

    pub fn tables(&self) -> Tables {
        let path = self.folder.path().join("data");
        match self.scheme {
            "sqlite" => tables::sqlite(&path),
            _ => tables::parquet(&path, "shop"),
        }
    }

    /// Runs a connector, which must succeed; returns the report.
    pub fn sync(&self, source: Source) -> RunReport {
        self.sync_with(source, &RunOptions::default()).unwrap()
    }

    pub fn sync_with(&self, source: Source, options: &RunOptions) -> Result<RunReport> {
        let report = run(&source, self.open(), options)?;
        assert!(report.is_complete(), "{:?}", report.resources);
        Ok(report)
    }

    /// Runs a connector of which a resource must fail; returns the report.
    pub fn fails(&self, source: Source) -> RunReport {
        let report = run(&source, self.open(), &RunOptions::default()).unwrap();
        assert!(!report.is_complete(), "{:?}", report.resources);
        report
    }

    /// Runs a connector, which must be refused; returns the error.
    pub fn refused(&self, source: Source) -> String {
        let before = self.tables();
        let error = self.sync_with(source, &RunOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
        assert_eq!(before, self.tables(), "{error}");
        error.report()
    }

    /// Returns the memory, and its destination.
    pub fn remembered(&self) -> (Memory, Box<dyn Destination>) {
        let mut into = self.open();
        let load = LoadInfo::new("1.000000", "shop", None);
        (into.open(&load).unwrap(), into)
    }

    /// Kills a run at that commit; returns whether the run reached it.
    pub fn dies(&self, source: Source, options: &RunOptions, commit: usize) -> bool {
        let dying = Box::new(Dying {
            inner: self.open(),
            left: commit,
        });
        run(&source, dying, options).is_err()
    }

    /// Kills runs, each one commit later than the previous one, until one completes. Each run has
    /// its own destination, which `fill` fills; returns the number of killed runs.
    pub fn dying(
        make: &dyn Fn() -> Place,
        fill: &dyn Fn(&Place),
        source: &dyn Fn() -> Source,
        check: &dyn Fn(&Place),
    ) -> usize {
        for commit in 0.. {
            let place = make();
            fill(&place);
            let options = RunOptions::default().checkpoint_rows(1);
            let died = place.dies(source(), &options, commit);
            place.sync(source());
            check(&place);
            if !died {
                return commit;
            }
        }
        0
    }
}

fn run(source: &Source, into: Box<dyn Destination>, options: &RunOptions) -> Result<RunReport> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(sync(source, into, options, Arc::new(())))
}

/// Returns the notes of a report.
pub fn notes(report: &RunReport) -> String {
    let resources = report.resources.iter().flat_map(|resource| &resource.notes);
    let notes: Vec<&str> = resources.chain(&report.notes).map(String::as_str).collect();
    notes.join("\n")
}

/// A destination whose process ends after some commits.
struct Dying {
    inner: Box<dyn Destination>,
    left: usize,
}

impl Dying {
    fn step(&mut self) -> Result<()> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Err(Error::new(ErrorKind::Destination, "dead")),
        }
        Ok(())
    }
}

impl Destination for Dying {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.inner.open(load)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.inner.write(chunk)
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.inner.drift(resource, counts)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.step()?;
        self.inner.commit(commit)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.inner.row_counts()
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.inner.scan(table, columns, each)
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.inner.brought(rows, each)
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.step()?;
        self.inner.migrate(changes, state)
    }
}
