//! The unchanged records that passes have seen. Their rows do not say which pass has brought them last, so their ids are
//! kept until the end of the pass: in memory, and at a commit in a file beside the staged ones.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};

use super::batch::{DataFile, Key, Retired};
use super::files::{Context, OpenBatch, Schemas, arrow_schema, fit, key_column, keys};
use super::manifest::{self, SeenEntry};
use super::names;
use super::store::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Chunk, LoadInfo, PassMark};
use crate::schema::{ColumnRole, TableSchema};

/// What the unfinished passes of a source have seen.
#[derive(Default)]
pub struct SeenLog {
    /// What they have seen since the last commit, by resource and scope.
    waiting: BTreeMap<(String, String), Waiting>,
    /// The files of earlier commits.
    pub files: Vec<SeenEntry>,
    /// The number of unchanged records of this load, by resource.
    pub unchanged: BTreeMap<String, u64>,
}

struct Waiting {
    pass: String,
    /// The root table.
    table: Arc<TableSchema>,
    ids: StringBuilder,
}

impl SeenLog {
    /// Goes on from the files of earlier commits.
    pub fn new(files: Vec<SeenEntry>) -> Self {
        SeenLog {
            files,
            ..SeenLog::default()
        }
    }

    /// Counts the unchanged records of a chunk, and keeps their ids if the pass asks for them.
    pub fn see<'a>(
        &mut self,
        chunk: &Chunk,
        table: &Arc<TableSchema>,
        ids: impl ExactSizeIterator<Item = &'a str>,
        retired: &mut Vec<Retired>,
    ) {
        let resource = chunk.resource.to_string();
        *self.unchanged.entry(resource.clone()).or_default() += ids.len() as u64;
        let Some(PassMark { id, scope, .. }) = chunk.remembers() else {
            return;
        };
        self.forget(
            |entry| entry.resource == resource && entry.scope == *scope && entry.pass != *id,
            retired,
        );
        let fresh = || Waiting {
            pass: id.clone(),
            table: table.clone(),
            ids: StringBuilder::new(),
        };
        let place = (resource, scope.clone());
        let waiting = self.waiting.entry(place).or_insert_with(fresh);
        if waiting.pass != *id {
            *waiting = fresh();
        }
        ids.for_each(|id| waiting.ids.append_value(id));
    }

    /// Forgets what a pass has seen if the chunk is its last one.
    pub fn end_pass(&mut self, chunk: &Chunk, retired: &mut Vec<Retired>) {
        let Some(pass) = chunk.pass.as_ref().filter(|pass| pass.ends) else {
            return;
        };
        let place = (chunk.resource.to_string(), pass.scope.clone());
        self.waiting.remove(&place);
        let (resource, scope) = place;
        self.forget(
            |entry| entry.resource == resource && entry.scope == scope,
            retired,
        );
    }

    /// Forgets what was seen in these loads.
    pub fn undo(&mut self, loads: &[String], retired: &mut Vec<Retired>) {
        self.forget(|entry| loads.contains(&entry.load_id), retired);
    }

    fn forget(&mut self, goes: impl Fn(&SeenEntry) -> bool, retired: &mut Vec<Retired>) {
        self.files.retain(|entry| {
            let goes = goes(entry);
            if let (true, Some((name, _))) = (goes, names::parse(&entry.file.name)) {
                retired.push(Retired {
                    table: entry.table.clone(),
                    name: name.to_owned(),
                    placed: false,
                });
            }
            !goes
        });
    }

    /// Writes what waits into files, for the next commit.
    pub fn commit(&mut self, at: &mut Context<'_>, load: &LoadInfo) -> Result<()> {
        for ((resource, scope), mut waiting) in std::mem::take(&mut self.waiting) {
            let Some(id) = key_column(&waiting.table) else {
                continue;
            };
            let table = waiting.table.name.clone();
            let schema = TableSchema {
                columns: vec![id.clone()],
                ..(*waiting.table).clone()
            };
            let ids: ArrayRef = Arc::new(waiting.ids.finish());
            let rows = RecordBatch::try_new(arrow_schema(&schema), vec![ids]).map_err(unfit)?;
            let schemas = Schemas::from([(table.clone(), Arc::new(schema))]);
            let mut at = Context {
                store: at.store,
                schemas: &schemas,
                prefix: at.prefix,
                next: at.next,
            };
            let mut batch = OpenBatch::new(&mut at);
            batch.write(&at, &table, &rows, |_| true)?;
            let batch = batch.finish()?;
            let files = manifest::entries(&table, batch.iter());
            self.files.extend(files.into_iter().map(|file| SeenEntry {
                resource: resource.clone(),
                scope: scope.clone(),
                pass: waiting.pass.clone(),
                load_id: load.id.clone(),
                table: table.clone(),
                file,
            }));
        }
        Ok(())
    }

    /// Returns the keys of the records that a pass of a resource has seen.
    pub fn keys(&self, store: &dyn Store, resource: &str, pass: &str) -> Result<HashSet<Key>> {
        let mut found = HashSet::new();
        let waiting = self.waiting.iter();
        for (_, waiting) in waiting.filter(|((of, _), w)| of == resource && w.pass == pass) {
            let ids = waiting.ids.finish_cloned();
            found.extend(ids.iter().flatten().map(super::files::key));
        }
        for entry in &self.files {
            if entry.resource == resource && entry.pass == pass {
                read(store, entry, &mut |key| {
                    found.insert(key);
                })?;
            }
        }
        Ok(found)
    }

    /// Takes what unfinished passes have seen of a resource: the last pass of each record.
    pub fn take(
        &mut self,
        store: &dyn Store,
        resource: &str,
        retired: &mut Vec<Retired>,
    ) -> Result<HashMap<Key, String>> {
        let mut passes: HashMap<Key, String> = HashMap::new();
        for entry in self.files.iter().filter(|entry| entry.resource == resource) {
            read(store, entry, &mut |key| {
                let pass = passes.entry(key).or_default();
                if *pass < entry.pass {
                    pass.clone_from(&entry.pass);
                }
            })?;
        }
        self.forget(|entry| entry.resource == resource, retired);
        Ok(passes)
    }

    /// Follows a resource to its new name.
    pub fn rename(&mut self, from: &str, to: &str) {
        for entry in self.files.iter_mut().filter(|entry| entry.resource == from) {
            to.clone_into(&mut entry.resource);
        }
    }
}

/// Passes the keys of a file.
fn read(store: &dyn Store, entry: &SeenEntry, each: &mut dyn FnMut(Key)) -> Result<()> {
    let name = names::parse(&entry.file.name).map_or("", |(name, _)| name);
    let file = DataFile {
        table: &entry.table,
        name,
        placed: false,
    };
    store.read(file, &[], &mut |rows| {
        let ids: Option<&StringArray> = rows.columns().first().and_then(|ids| ids.as_string_opt());
        let ids = ids.into_iter().flat_map(StringArray::iter).flatten();
        ids.for_each(|id| each(super::files::key(id)));
        Ok(())
    })
}

/// Writes into the rows of a root table which pass has brought them last.
pub fn settled(
    rows: &RecordBatch,
    root: &TableSchema,
    passes: &HashMap<Key, String>,
) -> Result<RecordBatch> {
    let rows = fit(rows, root)?;
    let mut all = root.columns.iter();
    let Some(place) = all.position(|column| column.role == ColumnRole::LoadId) else {
        return Ok(rows);
    };
    let Some(loads) = rows.column(place).as_string_opt::<i32>() else {
        return Ok(rows);
    };
    let keys = keys(&rows, key_column(root));
    let loads: StringArray = (keys.iter().zip(loads))
        .map(|(key, load)| {
            let pass = key.and_then(|key| passes.get(&key)).map(String::as_str);
            load.max(pass)
        })
        .collect();
    let mut columns = rows.columns().to_vec();
    columns[place] = Arc::new(loads);
    RecordBatch::try_new(rows.schema(), columns).map_err(unfit)
}

fn unfit(error: arrow_schema::ArrowError) -> Error {
    let message = "the rows of a pass do not fit together; this is a bug of etlgen";
    Error::new(ErrorKind::Destination, message).caused_by(error)
}
