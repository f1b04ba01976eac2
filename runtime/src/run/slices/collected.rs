//! The files of one attempt, while they are written.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

use super::lines::LinesFile;
use super::receipt::{Extracted, ExtractedBatch, ExtractedDrift, ExtractedFile};
use super::run_file::json_of;
use crate::error::{Error, Result};
use crate::load::staging::{Staging, TableFile};
use crate::run::deliver::children::FoundLog;
use crate::run::read::keys::{Among, KeyLog, KeyedList, KeyedRows};
use crate::run::read::reads::{Facts, LoggedKeys};
use crate::schema::{Drifted, TableBatch, TableSchema};
use crate::state::StateChange;

/// What one attempt collects; its clones share it.
#[derive(Clone)]
pub(super) struct Collected(Arc<Mutex<Collecting>>);

struct Collecting {
    place: Arc<dyn Staging>,
    /// The folder of the attempt.
    folder: String,
    files: usize,
    resources: BTreeMap<String, Collector>,
    /// The slices of each child, and their number.
    found: BTreeMap<String, Found>,
    /// Why the slices of children cannot be kept.
    failed: Option<Error>,
}

/// The slices of a child, each once.
struct Found {
    lines: LinesFile,
    seen: HashSet<u128>,
}

/// What is collected of one resource.
#[derive(Default)]
struct Collector {
    /// The files of tables; one without rows is not written.
    files: Vec<(Arc<TableSchema>, Option<TableFile>)>,
    batches: Vec<ExtractedBatch>,
    state: BTreeMap<(String, String), StateChange>,
    keys: Option<LinesFile>,
    facts: Facts,
}

/// The files of an attempt that has ended.
pub(super) struct Files {
    pub resources: Vec<Extracted>,
    /// The file with the slices of each child, and their number.
    pub found: BTreeMap<String, (String, u64)>,
}

impl Collected {
    pub fn new(place: Arc<dyn Staging>, folder: String) -> Self {
        Collected(Arc::new(Mutex::new(Collecting {
            place,
            folder,
            files: 0,
            resources: BTreeMap::new(),
            found: BTreeMap::new(),
            failed: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Collecting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes rows of a resource.
    pub fn batch(&self, resource: &str, tables: &[TableBatch]) -> Result<()> {
        let mut all = self.lock();
        let mut batch = ExtractedBatch::default();
        for table in tables {
            let rows = table.rows.num_rows() as u64;
            let file = all.file(resource, &table.schema, rows > 0)?;
            if rows > 0
                && let Some((_, Some(writer))) = all.of(resource).files.get_mut(file)
            {
                writer.write(&table.rows)?;
            }
            batch.tables.push((file, rows));
        }
        all.of(resource).batches.push(batch);
        Ok(())
    }

    /// Takes the ids of records that are deleted after the last rows of a resource.
    pub fn gone(&self, resource: &str, ids: &[String]) {
        let mut all = self.lock();
        let of = all.of(resource);
        if of.batches.is_empty() {
            of.batches.push(ExtractedBatch::default());
        }
        if let Some(batch) = of.batches.last_mut() {
            batch.gone.extend_from_slice(ids);
        }
    }

    /// Takes the drift of the last rows of a resource.
    pub fn drift(&self, resource: &str, counts: &[(Drifted, u64)]) {
        let mut all = self.lock();
        if let Some(batch) = all.of(resource).batches.last_mut() {
            let lines = counts
                .iter()
                .map(|(line, count)| ExtractedDrift::of(line, *count));
            batch.drift.extend(lines);
        }
    }

    /// Takes changes of the state.
    pub fn state(&self, changes: &[StateChange]) {
        let mut all = self.lock();
        for change in changes {
            let (resource, slice) = change.key();
            let key = (resource.to_owned(), slice.to_owned());
            all.of(resource).state.insert(key, change.clone());
        }
    }

    /// Takes what a resource has shown besides its rows.
    pub fn facts(&self, resource: &str, facts: Facts) {
        self.lock().of(resource).facts = facts;
    }

    /// Ends the files.
    pub fn finish(&self) -> Result<Files> {
        let mut all = self.lock();
        if let Some(error) = all.failed.take() {
            return Err(error);
        }
        let mut resources = Vec::new();
        for (resource, collector) in std::mem::take(&mut all.resources) {
            resources.push(collector.finish(resource)?);
        }
        let mut found = BTreeMap::new();
        for (child, Found { lines, seen }) in std::mem::take(&mut all.found) {
            found.insert(child, (lines.finish()?, seen.len() as u64));
        }
        Ok(Files { resources, found })
    }
}

impl Collecting {
    fn of(&mut self, resource: &str) -> &mut Collector {
        self.resources.entry(resource.to_owned()).or_default()
    }

    fn next_name(&mut self, ending: &str) -> String {
        let name = format!("{}/{}.{ending}", self.folder, self.files);
        self.files += 1;
        name
    }

    /// Returns the index of the file of a table; a table that has got columns begins another one.
    /// `opens`: the file gets rows.
    fn file(&mut self, resource: &str, schema: &Arc<TableSchema>, opens: bool) -> Result<usize> {
        let files = &self.of(resource).files;
        let known = files
            .iter()
            .rposition(|(known, _)| known.name == schema.name);
        let fits = known.filter(|at| files.get(*at).is_some_and(|(known, _)| known == schema));
        let at = fits.unwrap_or(files.len());
        if fits.is_none() {
            self.of(resource).files.push((schema.clone(), None));
        }
        let is_open = matches!(self.of(resource).files.get(at), Some((_, Some(_))));
        if opens && !is_open {
            let name = self.next_name("parquet");
            let file = TableFile::new(self.place.write(&name)?, name, schema)?;
            if let Some((_, known)) = self.of(resource).files.get_mut(at) {
                *known = Some(file);
            }
        }
        Ok(at)
    }

    fn log_found(&mut self, child: &str, slice: &str) -> Result<()> {
        if !self.found.contains_key(child) {
            let name = self.next_name("jsonl.gz");
            let lines = LinesFile::new(&*self.place, name)?;
            let seen = HashSet::new();
            self.found.insert(child.to_owned(), Found { lines, seen });
        }
        // A list that is read twice shows them twice.
        if let Some(found) = self.found.get_mut(child)
            && found.seen.insert(xxh3_128(slice.as_bytes()))
        {
            found.lines.add(slice)?;
        }
        Ok(())
    }
}

impl Collector {
    fn finish(self, resource: String) -> Result<Extracted> {
        let mut files = Vec::new();
        for (table, file) in self.files {
            let mut written = ExtractedFile {
                table: (*table).clone(),
                ..ExtractedFile::default()
            };
            if let Some(file) = file {
                written.name = file.name().to_owned();
                let (rows, sum) = file.finish()?;
                (written.rows, written.bytes) = (rows, sum.bytes);
                written.hash = format!("{:032x}", sum.hash);
            }
            files.push(written);
        }
        Ok(Extracted {
            resource,
            facts: self.facts,
            files,
            batches: self.batches,
            state: self.state.into_values().collect(),
            keys: self.keys.map(LinesFile::finish).transpose()?,
        })
    }
}

impl FoundLog for Collected {
    fn log(&self, child: &str, slice: &str) {
        let mut all = self.lock();
        if let Err(error) = all.log_found(child, slice) {
            all.failed.get_or_insert(error);
        }
    }
}

impl KeyLog for Collected {
    fn log(
        &self,
        resource: &str,
        among: Among,
        list: &KeyedList<'_>,
        rows: KeyedRows<'_>,
    ) -> Result<()> {
        if rows.ids.is_empty() {
            return Ok(());
        }
        let keys = LoggedKeys {
            scope: list.scope.to_owned(),
            list: list.name.to_owned(),
            columns: list.columns.clone(),
            ids: rows.ids.to_vec(),
            contents: rows.contents.to_vec(),
            moving: rows.moving.to_vec(),
        };
        let line = json_of(&(among, keys))?;
        let mut all = self.lock();
        if all.of(resource).keys.is_none() {
            let name = all.next_name("jsonl.gz");
            let lines = LinesFile::new(&*all.place, name)?;
            all.of(resource).keys = Some(lines);
        }
        match &mut all.of(resource).keys {
            Some(lines) => lines.add(&String::from_utf8_lossy(&line)),
            None => Ok(()),
        }
    }
}
