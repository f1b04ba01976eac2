//! A store whose process ends at a step, for tests: from then on nothing is done any more.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use super::Lake;
use super::batch::{DataFile, Retired};
use super::manifest::Manifest;
use super::store::{Catalog, Each, Listing, Output, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::load::conformance::Place;
use crate::load::conformance::support::*;
use crate::load::{Destination, Vacuum};
use crate::schema::{Disposition, Done};

/// The number of steps that are left.
#[derive(Clone)]
struct Life(Arc<AtomicIsize>);

impl Life {
    /// Takes a step that changes something.
    fn step(&self) -> Result<()> {
        match self.0.fetch_sub(1, Ordering::SeqCst) > 0 {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Destination, "the process has ended")),
        }
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }
}

struct Mortal<S> {
    inner: S,
    life: Life,
}

impl<S: Store> Store for Mortal<S> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn path(&self, file: DataFile<'_>) -> String {
        self.inner.path(file)
    }

    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn look(&self) -> Result<Manifest> {
        self.inner.look()
    }

    fn lock(&self) -> Result<Box<dyn Catalog>> {
        Ok(Box::new(Held {
            inner: self.inner.lock()?,
            life: self.life.clone(),
        }))
    }

    fn has(&self, table: &str) -> Result<bool> {
        self.inner.has(table)
    }

    fn create(&self, table: &str, name: &str) -> Result<Box<dyn Output>> {
        self.life.step()?;
        Ok(Box::new(File {
            inner: self.inner.create(table, name)?,
            life: self.life.clone(),
        }))
    }

    fn read(&self, file: DataFile<'_>, columns: &[&str], each: Each<'_>) -> Result<()> {
        self.inner.read(file, columns, each)
    }

    fn place(&self, table: &str, name: &str) -> Result<()> {
        self.life.step()?;
        self.inner.place(table, name)
    }

    fn sync(&self, tables: &BTreeSet<String>) -> Result<()> {
        self.life.step()?;
        self.inner.sync(tables)
    }

    fn remove(&self, files: Vec<Retired>) {
        for file in files {
            if self.life.step().is_ok() {
                self.inner.remove(vec![file]);
            }
        }
    }

    fn leave(&self, table: &str) -> Result<()> {
        self.life.step()?;
        self.inner.leave(table)
    }

    fn forget(&self, table: &str) {
        if self.life.step().is_ok() {
            self.inner.forget(table);
        }
    }

    fn list(&self, tables: &BTreeSet<String>) -> Result<Listing> {
        self.inner.list(tables)
    }

    fn restage(&self, table: &str, name: &str) -> Result<()> {
        self.life.step()?;
        self.inner.restage(table, name)
    }

    fn sweep(&self, file: &Retired) -> Result<()> {
        self.life.step()?;
        self.inner.sweep(file)
    }

    fn disown(&self, table: &str) -> Result<()> {
        self.life.step()?;
        self.inner.disown(table)
    }
}

struct File {
    inner: Box<dyn Output>,
    life: Life,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Output for File {
    fn finish(&mut self) -> Result<()> {
        self.life.step()?;
        self.inner.finish()
    }

    fn waiting(&self) -> usize {
        self.inner.waiting()
    }
}

struct Held {
    inner: Box<dyn Catalog>,
    life: Life,
}

impl Catalog for Held {
    fn read(&mut self) -> Result<Manifest> {
        self.inner.read()
    }

    fn check(&self) -> Result<()> {
        self.inner.check()
    }

    fn exclude(&mut self, committed: &Manifest) -> Result<()> {
        self.life.step()?;
        self.inner.exclude(committed)
    }

    fn commit(&mut self, manifest: &Manifest) -> Result<()> {
        self.life.step()?;
        self.inner.commit(manifest)
    }

    fn is_there(&mut self) -> Result<bool> {
        self.inner.is_there()
    }

    fn digits(&self) -> Option<&str> {
        self.inner.digits()
    }
}

/// Lets a vacuum end after every number of steps, `stride` apart: the next run finds the same rows, and a vacuum then does
/// the rest.
pub fn vacuums_end_anywhere<P: Place, S: Store + 'static>(
    store: impl Fn(&Path) -> S,
    stride: isize,
) {
    for steps in (0..).map(|number| number * stride) {
        let dir = tempfile::tempdir().unwrap();
        let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
        for id in ["1", "2", "3"] {
            let record = format!("a{id}");
            let mut open = opened::<P>(dir.path(), id);
            open.write(merge(&[(&record, 1, &[1, 2])])).unwrap();
            let met = drifted("key", Done::Columns);
            open.drift("orders", &[(met, 1)]).unwrap();
            open.commit(&crate::load::Commit::new(
                1,
                &[],
                &crate::load::LoadStatus::Complete,
            ))
            .unwrap();
        }
        run::<P>(dir.path(), "4", &[&[pass(&[("s", 1, &[])], true, false)]]);
        P::kill(dir.path(), &merge(&[("x", 9, &[9])]));
        let life = Life(Arc::new(AtomicIsize::new(steps)));
        let mut lake = Lake::of(Mortal {
            inner: store(dir.path()),
            life: life.clone(),
        });
        let vacuum = Vacuum::new(Duration::ZERO);
        let done = lake.open(&load("5")).and_then(|_| lake.vacuum(&vacuum));
        drop(lake);
        drop(opened::<P>(dir.path(), "6"));
        let what = format!("after {steps} steps: {done:?}");
        assert_eq!(orders::<P>(dir.path()), ["a1=1", "a2=1", "a3=1"], "{what}");
        assert_eq!(lines::<P>(dir.path()).len(), 6, "{what}");
        let drift = P::rows(dir.path(), "_etl_drift", &["load_id"]);
        assert_eq!(drift.len(), 3, "{what}");
        let mut whole = opened::<P>(dir.path(), "7");
        let rest = whole.vacuum(&vacuum).unwrap();
        assert_eq!(whole.vacuum(&vacuum).unwrap().merged, 0, "{what}");
        drop(whole);
        check::<P>(dir.path());
        if !life.is_over() {
            let done = done.unwrap();
            // Three files of two tables and of drift.
            assert_eq!((done.merged, done.into), (9, 3), "{what}");
            assert!(done.orphans > 0 && rest.merged == 0, "{what}, {rest:?}");
            assert!(steps > 12, "{steps}");
            return;
        }
    }
}
