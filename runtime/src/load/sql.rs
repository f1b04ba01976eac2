//! What destinations that speak SQL over a session share: their tables, the set-based changes of rows, the system tables,
//! and the undo of loads, migrations. A destination gives a [`Session`] with its [`Dialect`].
//!
//! Everything since the last commit is one transaction. The rows of root tables go through a temporary table, so that a
//! whole batch is one statement; child rows are written directly, after the rows of the same records were removed.

mod dialect;
mod meta;
mod migrate;
mod rows;
mod scan;
mod seen;
mod session;
mod tables;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

pub use dialect::Dialect;
pub use session::{PAGE_ROWS, Select, Session, Value};

use super::{Chunk, Commit, LoadInfo, LoadRow, Memory, RolledBack};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableSchema};

/// The tables of a source, opened for a load.
pub struct Store<S> {
    pub session: S,
    load: LoadInfo,
    /// The schemas of the tables, including uncommitted changes.
    tables: BTreeMap<String, TableSchema>,
    /// The columns of the staging tables that were looked for, by table; none: it does not exist.
    staged: BTreeMap<String, Vec<String>>,
    /// The child tables, staged or not, that have their index.
    indexed: BTreeSet<String>,
    /// The tables that this load has created.
    created: BTreeSet<String>,
    /// The unchanged records of this load, by resource.
    unchanged: BTreeMap<String, u64>,
    in_transaction: bool,
    /// The tables, staged or not, of which rows were changed or removed in this transaction.
    touched: BTreeSet<String>,
    /// Root rows written in this load.
    rows: u64,
    /// The changes since the last commit, by resource.
    changes: BTreeMap<String, undo::Change>,
    /// The other loads of the source that were committed when this one began.
    others: meta::Others,
}

/// Creates the system tables if they do not exist, and refuses those of a later format.
pub fn prepare(session: &mut impl Session) -> Result<()> {
    meta::create(session)
}

/// Returns whether a load has written there.
pub fn exists(session: &mut impl Session) -> Result<bool> {
    meta::exists(session)
}

/// Reads the memory of a source; changes nothing.
pub fn look(session: &mut impl Session, source: &str) -> Result<Memory> {
    match meta::exists(session)? {
        true => meta::read(session, source),
        false => Ok(Memory::default()),
    }
}

/// Returns the committed tables of a source and the number of rows of each.
pub fn row_counts(session: &mut impl Session, source: &str) -> Result<Vec<(String, u64)>> {
    let mut tables = meta::read(session, source)?.tables;
    tables.sort_by(|one, other| (&one.resource, &one.name).cmp(&(&other.resource, &other.name)));
    let mut counts = Vec::new();
    for table in tables {
        let name = session.dialect().quoted(&table.name);
        let found = session.query(&format!("SELECT count(*) FROM {name}"), &[])?;
        counts.push((table.name, first_int(&found) as u64));
    }
    Ok(counts)
}

/// Explains that rows do not fit their columns.
fn unfit(error: arrow_schema::ArrowError) -> Error {
    Error::new(ErrorKind::Destination, "values do not fit their columns").caused_by(error)
}

/// Returns the number in the first row of a result.
fn first_int(rows: &[Vec<Value>]) -> i64 {
    let first = rows.first().and_then(|row| row.first());
    first.and_then(Value::int).unwrap_or_default()
}

impl<S: Session> Store<S> {
    /// Reads the memory of the source, and begins a load after it.
    pub fn open(mut session: S, load: &LoadInfo) -> Result<(Self, Memory)> {
        // This is read before the memory: a commit in between is noticed at the first commit.
        let others = meta::others(&mut session, load)?;
        let memory = meta::read(&mut session, &load.source)?;
        let named = |table: &TableSchema| (table.name.clone(), table.clone());
        let tables = memory.tables.iter().map(named).collect();
        let store = Store {
            session,
            load: load.after(&memory),
            tables,
            staged: BTreeMap::new(),
            indexed: BTreeSet::new(),
            created: BTreeSet::new(),
            unchanged: BTreeMap::new(),
            in_transaction: false,
            touched: BTreeSet::new(),
            rows: 0,
            changes: BTreeMap::new(),
            others,
        };
        Ok((store, memory))
    }

    /// Returns the name of the source.
    pub fn source(&self) -> &str {
        &self.load.source
    }

    /// Returns whether something is written and not committed.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn begin(&mut self) -> Result<()> {
        if !self.in_transaction {
            self.session.script("BEGIN")?;
            self.in_transaction = true;
        }
        Ok(())
    }

    pub fn write(&mut self, chunk: &Chunk) -> Result<()> {
        self.begin()?;
        self.rows += chunk.records();
        for operation in &chunk.operations {
            self.operate(chunk, operation)?;
        }
        self.end_pass(chunk)
    }

    /// Returns the number of unchanged records of this load, by resource.
    pub fn unchanged_records(&self) -> BTreeMap<String, u64> {
        self.unchanged.clone()
    }

    pub fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.begin()?;
        meta::add_drift(&mut self.session, &self.load, resource, counts)
    }

    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.whole(|store| {
            meta::put_state(&mut store.session, &store.load, commit.state)?;
            undo::put_changes(&mut store.session, &store.load, &mut store.changes)?;
            meta::put_load(&mut store.session, &store.load, commit, store.rows)
        })
    }

    /// Does the last work of a transaction and commits it; if that fails, nothing of the transaction stays, nor do its
    /// locks.
    fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin()?;
        let done = self.check_others().and_then(|()| work(self));
        if done.is_err() {
            // The first error is more useful than one of the rollback.
            let _ = self.session.script("ROLLBACK");
            self.forget();
            return done;
        }
        self.forget();
        self.session.script("COMMIT")?;
        done
    }

    /// Notes the end of a transaction.
    fn forget(&mut self) {
        self.touched.clear();
        self.in_transaction = false;
    }

    /// Returns the number of the last commit of this load. The session is a new one, which holds the lock again.
    pub fn committed(&mut self) -> Result<u64> {
        self.forget();
        let number = meta::commit_number(&mut self.session, &self.load)?;
        let others = meta::others(&mut self.session, &self.load)?;
        match others == self.others {
            true => Ok(number),
            false => Err(self.overtaken()),
        }
    }

    pub fn loads(&mut self) -> Result<Vec<LoadRow>> {
        undo::loads(&mut self.session, &self.load.source)
    }

    pub fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        self.whole(|store| store.undo(loads))
    }

    /// Refuses a commit after another run of the source has loaded. No run can commit between this check and the end
    /// of the transaction.
    fn check_others(&mut self) -> Result<()> {
        self.session.exclude_commits(&self.load.source)?;
        let others = meta::others(&mut self.session, &self.load)?;
        match others == self.others {
            true => Ok(()),
            false => Err(self.overtaken()),
        }
    }

    fn overtaken(&self) -> Error {
        let message = format!(
            "another run has loaded {} since this one began",
            self.load.source
        );
        Error::new(ErrorKind::Destination, message)
            .hint("this commit was not written; run again, one run at a time: it continues from the last commit")
    }
}
