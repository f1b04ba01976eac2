//! What the processes of a run have extracted so far, as readers take it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{Array, make_array};
use arrow_data::transform::MutableArrayData;
use xxhash_rust::xxh3::xxh3_128;

use super::lines::Lines;
use super::receipt::{Extracted, ExtractedBatch, Receipt};
use super::run_file::parse;
use super::slice::{ChildList, Extracts, PlannedSlice};
use crate::cursor::Interval;
use crate::error::{Error, ErrorKind, Result};
use crate::load::staging::{StagedRows, Staging};
use crate::run::read::keys::Among;
use crate::run::read::output::{Boxed, ReadBatch};
use crate::run::read::reads::{EachKeys, Facts, Known, LoggedKeys, Taken, TakenPart, Wanted};
use crate::schema::TableBatch;
use crate::source::{SliceRequest, Source};
use crate::state::StateChange;

/// The folder of receipts.
pub(super) const RECEIPTS: &str = "receipts";

/// Slices that are passed on at a time.
const FOUND_AT_ONCE: usize = 10_000;

/// The slices of a run, and what was extracted of them.
pub(super) struct Receipts {
    place: Arc<dyn Staging>,
    /// The parent of each child.
    parents: HashMap<String, String>,
    /// The resources whose windows are slices of their own.
    split: HashSet<String>,
    /// The resources that are extracted together with others, and the first of these.
    tied: BTreeMap<String, String>,
    /// The planned slices, by what they extract.
    planned: HashMap<u128, usize>,
    slices: Vec<PlannedSlice>,
    receipts: HashMap<usize, Arc<Receipt>>,
    /// The ids of the slices that have a receipt.
    there: HashSet<String>,
    /// Whether rows are taken; otherwise only what shows further slices.
    rows: bool,
    found: Mutex<FoundNow>,
}

/// What the readers have found.
#[derive(Default)]
struct FoundNow {
    /// What nobody has planned yet, in the order in which it was found.
    ready: Vec<Ready>,
    /// Planned slices without a receipt.
    missing: BTreeSet<usize>,
    /// What has been taken: a slice, and a resource of it.
    taken: HashSet<(usize, String)>,
}

/// A slice that can be extracted and has not been planned.
pub(super) enum Ready {
    Resource(String),
    Window(String, Interval),
    List(String, Box<ChildList>),
}

impl Receipts {
    pub fn new(
        place: Arc<dyn Staging>,
        source: &Source,
        (split, tied): (HashSet<String>, BTreeMap<String, String>),
        slices: Vec<PlannedSlice>,
        rows: bool,
    ) -> Result<Self> {
        let parent = |resource: &Arc<dyn crate::source::AnyResource>| {
            let spec = resource.spec();
            Some((spec.name.clone(), spec.parent.as_ref()?.resource.clone()))
        };
        let listed = place.list(RECEIPTS)?;
        let names = listed.iter().filter_map(|name| name.strip_suffix(".json"));
        let mut receipts = Receipts {
            parents: source.resources().iter().filter_map(parent).collect(),
            place,
            split,
            tied,
            planned: HashMap::new(),
            slices: Vec::new(),
            receipts: HashMap::new(),
            there: names.map(str::to_owned).collect(),
            rows,
            found: Mutex::default(),
        };
        slices.into_iter().for_each(|slice| receipts.add(slice));
        receipts.read()?;
        Ok(receipts)
    }

    fn add(&mut self, slice: PlannedSlice) {
        let at = self.slices.len();
        match &slice.extracts {
            Extracts::Resources(names) => {
                for name in names {
                    self.planned.insert(key(name, "", None), at);
                }
            }
            Extracts::Window(window) => {
                self.planned
                    .insert(key(&slice.resource, "", Some(window)), at);
            }
            Extracts::Lists(lists) => {
                for list in lists {
                    let key = key(&slice.resource, &list.slice, None);
                    self.planned.entry(key).or_insert(at);
                }
            }
        }
        self.slices.push(slice);
    }

    /// Reads the receipts; those that show no further slices only if rows are taken.
    fn read(&mut self) -> Result<()> {
        let has_children = |name: &str| self.parents.values().any(|parent| parent == name);
        let matters = |slice: &PlannedSlice| {
            let names = match &slice.extracts {
                Extracts::Resources(names) => names.as_slice(),
                _ => std::slice::from_ref(&slice.resource),
            };
            self.rows || names.iter().any(|name| has_children(name))
        };
        let slices = self.slices.iter().enumerate();
        let (at, names): (Vec<usize>, Vec<String>) = slices
            .filter(|(_, slice)| self.there.contains(&slice.id) && matters(slice))
            .map(|(at, slice)| (at, receipt_name(&slice.id)))
            .unzip();
        let read = self.place.get_all(&names)?;
        for ((at, name), content) in at.into_iter().zip(names).zip(read) {
            let content = content.ok_or_else(|| {
                let message = format!("`{name}` has gone from {}", self.place.describe());
                Error::new(ErrorKind::System, message)
            })?;
            let receipt = parse(&name, &content, &*self.place)?;
            self.receipts.insert(at, Arc::new(receipt));
        }
        Ok(())
    }

    fn found_now(&self) -> MutexGuard<'_, FoundNow> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what can be extracted and nobody has planned yet.
    pub fn ready(&self) -> Vec<Ready> {
        std::mem::take(&mut self.found_now().ready)
    }

    /// Returns the planned slices that have no receipt, in the order in which they were planned.
    pub fn missing(&self) -> Vec<&PlannedSlice> {
        let missing = self.slices.iter();
        missing
            .filter(|slice| !self.there.contains(&slice.id))
            .collect()
    }

    /// Returns the slice in which this is read, if one is planned.
    fn slice_of(&self, wanted: &Wanted<'_>) -> Option<usize> {
        let known = match self.tied.get(wanted.resource) {
            Some(_) => key(wanted.resource, "", None),
            None => key(wanted.resource, wanted.slice, wanted.window),
        };
        self.planned.get(&known).copied()
    }

    fn known(&self, wanted: &Wanted<'_>) -> Result<Known> {
        let Some(at) = self.slice_of(wanted) else {
            let resource = wanted.resource.to_owned();
            let ready = match wanted.window {
                Some(window) => Ready::Window(resource, window.clone()),
                None if self.parents.contains_key(wanted.resource)
                    && !self.tied.contains_key(wanted.resource) =>
                {
                    let list = ChildList {
                        slice: wanted.slice.to_owned(),
                        state: wanted.state.clone(),
                        listed: wanted.listed,
                    };
                    Ready::List(resource, Box::new(list))
                }
                None => Ready::Resource(resource),
            };
            self.found_now().ready.push(ready);
            return Ok(Known::Nothing);
        };
        let id = self
            .slices
            .get(at)
            .map(|slice| slice.id.as_str())
            .unwrap_or_default();
        if !self.there.contains(id) {
            self.found_now().missing.insert(at);
            return Ok(Known::Nothing);
        }
        let taken = (at, wanted.resource.to_owned());
        if !self.found_now().taken.insert(taken) {
            return Ok(Known::Before);
        }
        let receipt = self.receipts.get(&at).cloned();
        let part = Part::of(self, receipt, wanted.resource)?;
        Ok(Known::Read(Box::new(part)))
    }
}

impl Taken for Receipts {
    fn is_split(&self, resource: &str) -> bool {
        self.split.contains(resource)
    }

    fn of(&self, wanted: Wanted<'_>) -> Boxed<'_, Result<Known>> {
        let known = self.known(&wanted);
        Box::pin(async { known })
    }
}

/// Returns the name of the receipt of a slice.
pub(super) fn receipt_name(slice: &str) -> String {
    format!("{RECEIPTS}/{slice}.json")
}

/// Returns what identifies a slice within its run.
fn key(resource: &str, slice: &str, window: Option<&Interval>) -> u128 {
    let window = window.map(|window| format!("{:?} {:?}", window.from, window.until));
    let text = format!("{resource}\u{0}{slice}\u{0}{}", window.unwrap_or_default());
    xxh3_128(text.as_bytes())
}

/// What was extracted of a resource in one slice.
struct Part {
    place: Arc<dyn Staging>,
    extracted: Extracted,
    /// Whether its rows are taken.
    rows: bool,
    /// The files that are being read, and what is left of their last batch.
    open: HashMap<usize, Rows>,
    next: usize,
    /// The files with slices of children that have not been passed on.
    found: Vec<(String, Lines)>,
}

impl Part {
    /// `receipt`: `None` if it shows nothing that is taken.
    fn of(receipts: &Receipts, receipt: Option<Arc<Receipt>>, resource: &str) -> Result<Self> {
        let place = receipts.place.clone();
        let mut found = Vec::new();
        let mut extracted = None;
        if let Some(receipt) = receipt {
            for (child, file) in &receipt.found {
                if receipts
                    .parents
                    .get(child)
                    .is_some_and(|parent| parent == resource)
                {
                    found.push((child.clone(), Lines::open(&*place, file)?));
                }
            }
            let mut parts = receipt.resources.iter();
            extracted = parts.find(|part| part.resource == resource).cloned();
        }
        Ok(Part {
            place,
            extracted: extracted.unwrap_or_else(|| Extracted::of(resource)),
            rows: receipts.rows,
            open: HashMap::new(),
            next: 0,
            found,
        })
    }

    fn table(&mut self, file: usize, rows: u64) -> Result<Option<TableBatch>> {
        let Some(known) = self.extracted.files.get(file) else {
            return Ok(None);
        };
        let schema = Arc::new(known.table.clone());
        let fields: Vec<_> = schema
            .columns
            .iter()
            .map(|column| column.arrow_field())
            .collect();
        let arrow = Arc::new(arrow_schema::Schema::new(fields));
        if rows == 0 {
            let none = arrow_array::RecordBatch::new_empty(arrow);
            return Ok(Some(TableBatch::new(schema, none)));
        }
        if !self.open.contains_key(&file) {
            let rows = Rows::new(known.name.clone(), self.place.rows(&known.name)?);
            self.open.insert(file, rows);
        }
        let Some(open) = self.open.get_mut(&file) else {
            return Ok(None);
        };
        let rows = open.take(rows, arrow)?;
        Ok(Some(TableBatch::new(schema, rows)))
    }

    fn read(&mut self, batch: &ExtractedBatch) -> Result<ReadBatch> {
        let mut tables = Vec::new();
        for (file, rows) in &batch.tables {
            tables.extend(self.table(*file, *rows)?);
        }
        Ok(ReadBatch {
            tables,
            drift: batch.drift.iter().map(|line| line.line()).collect(),
            gone: batch.gone.clone(),
        })
    }
}

impl TakenPart for Part {
    fn facts(&self) -> &Facts {
        &self.extracted.facts
    }

    fn state(&self) -> &[StateChange] {
        &self.extracted.state
    }

    fn keys(&mut self, each: &mut EachKeys<'_>) -> Result<()> {
        let Some(name) = self.extracted.keys.as_ref().filter(|_| self.rows) else {
            return Ok(());
        };
        let mut lines = Lines::open(&*self.place, name)?;
        while let Some((among, keys)) = lines.next::<(Among, LoggedKeys)>()? {
            each(among, &keys)?;
        }
        Ok(())
    }

    fn batch(&mut self) -> Boxed<'_, Result<Option<ReadBatch>>> {
        Box::pin(async {
            let batch = self.extracted.batches.get(self.next).filter(|_| self.rows);
            let Some(batch) = batch.cloned() else {
                return Ok(None);
            };
            self.next += 1;
            self.read(&batch).map(Some)
        })
    }

    fn found(&mut self) -> Result<Option<(String, Vec<SliceRequest>)>> {
        while let Some((child, lines)) = self.found.last_mut() {
            let mut slices = Vec::new();
            while slices.len() < FOUND_AT_ONCE
                && let Some(slice) = lines.next()?
            {
                slices.push(slice);
            }
            if !slices.is_empty() {
                return Ok(Some((child.clone(), slices)));
            }
            self.found.pop();
        }
        Ok(None)
    }
}

/// The rows of a file, which come in batches of other sizes than they were written in.
struct Rows {
    name: String,
    rows: StagedRows,
    left: Option<arrow_array::RecordBatch>,
}

impl Rows {
    fn new(name: String, rows: StagedRows) -> Self {
        Rows {
            name,
            rows,
            left: None,
        }
    }

    /// Returns the next rows.
    fn take(
        &mut self,
        rows: u64,
        schema: arrow_schema::SchemaRef,
    ) -> Result<arrow_array::RecordBatch> {
        let mut wanted = usize::try_from(rows).unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        while wanted > 0 {
            let next = match self.left.take() {
                Some(left) => left,
                None => match self.rows.next() {
                    Some(next) => next?,
                    None => {
                        let message =
                            format!("`{}` has fewer rows than its receipt says", self.name);
                        return Err(Error::new(ErrorKind::System, message));
                    }
                },
            };
            let taken = next.num_rows().min(wanted);
            parts.push(next.slice(0, taken));
            if taken < next.num_rows() {
                self.left = Some(next.slice(taken, next.num_rows() - taken));
            }
            wanted -= taken;
        }
        joined(&parts, schema).ok_or_else(|| {
            let message = format!("`{}` has other columns than its receipt says", self.name);
            Error::new(ErrorKind::System, message)
        })
    }
}

/// Returns the rows of several batches as one; `None` if they do not have the columns of the schema.
fn joined(
    parts: &[arrow_array::RecordBatch],
    schema: arrow_schema::SchemaRef,
) -> Option<arrow_array::RecordBatch> {
    let rows = parts.iter().map(|part| part.num_rows()).sum();
    let fits = |part: &arrow_array::RecordBatch| part.num_columns() == schema.fields().len();
    if !parts.iter().all(fits) {
        return None;
    }
    let columns = (0..schema.fields().len()).map(|at| match parts {
        [part] => Some(part.column(at).clone()),
        _ => {
            let data: Vec<_> = parts.iter().map(|part| part.column(at).to_data()).collect();
            let mut all = MutableArrayData::new(data.iter().collect(), false, rows);
            for (index, part) in data.iter().enumerate() {
                all.try_extend(index, 0, part.len()).ok()?;
            }
            Some(make_array(all.freeze()))
        }
    });
    let columns: Vec<_> = columns.collect::<Option<_>>()?;
    arrow_array::RecordBatch::try_new(schema.clone(), columns).ok()
}
