//! Resources without their record's type: a source holds resources of many types, and little code
//! is compiled for each.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::resource::{Resource, ResourceSpec};
use crate::error::Result;
use crate::record::beside::Beside;
use crate::record::layout::RecordMut;
use crate::record::{
    CursorValue, Lengths, Longest, Lookup, Partial, Record, RecordSchema, Row, RowRef, Selection,
    Stands, key_hash,
};

/// A resource of any record type.
pub(crate) trait AnyResource: Send + Sync {
    fn spec(&self) -> &ResourceSpec;
    fn schema(&self) -> &'static RecordSchema;
    fn record_type(&self) -> TypeId;
    /// Returns whether the owner's closures read the records.
    fn has_closures(&self) -> bool;
    /// Returns a reader of its pages that also keeps the raw JSON at the paths `probes`; it may
    /// skip fields that are not selected.
    fn reader(
        self: Arc<Self>,
        probes: &[Vec<String>],
        selection: Option<&Selection>,
    ) -> Box<dyn PageReader>;
}

/// Reads pages of one resource.
pub(crate) trait PageReader: Send + Sync {
    fn read(&self, body: &[u8]) -> Result<ReadPage>;
}

/// One page after reading.
pub(crate) struct ReadPage {
    pub rows: Box<dyn Rows>,
    /// One entry per probe.
    pub probes: Vec<Option<String>>,
    /// Other values of the body, beside the records.
    pub beside: Vec<Beside>,
    /// What the body holds at the path of the records.
    pub stands: Stands,
    /// Items of lists that are null or do not have the records.
    pub absent: u64,
    /// The raw JSON of each record within the body.
    pub spans: Vec<Range<usize>>,
    /// The indexes of records whose embedded lists continue and can be completed.
    pub open: Vec<usize>,
    /// The number of records with another list that continues, by the list's path.
    pub cut: BTreeMap<String, u64>,
    /// The longest lists within records, by their paths.
    pub longest: BTreeMap<String, Longest>,
    /// The repaired text, if the body was not UTF-8; the spans refer to it.
    pub repaired: Option<String>,
}

impl ReadPage {
    /// Returns the page of a 204 No Content: no records.
    pub fn empty() -> Self {
        ReadPage {
            rows: Box::new(NoRows),
            probes: Vec::new(),
            beside: Vec::new(),
            stands: Stands::Nothing,
            absent: 0,
            spans: Vec::new(),
            open: Vec::new(),
            cut: BTreeMap::new(),
            longest: BTreeMap::new(),
            repaired: None,
        }
    }

    /// Drops its first rows, which the page before had.
    pub fn leave_out(&mut self, rows: usize) {
        if rows > 0 {
            self.rows.leave_out(rows);
            self.spans.drain(..rows.min(self.spans.len()));
        }
    }
}

struct NoRows;

impl Rows for NoRows {
    fn keys(&self, _: &[Lookup]) -> Vec<Option<u64>> {
        Vec::new()
    }

    fn drain(self: Box<Self>, _: &mut dyn RowSink) -> Result<()> {
        Ok(())
    }

    fn leave_out(&mut self, _: usize) {}

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// The typed rows of one page.
pub(crate) trait Rows: Send {
    /// Returns the key of each row as one number; `None` if a part of it is missing.
    fn keys(&self, key: &[Lookup]) -> Vec<Option<u64>>;
    /// Passes each row to the sink, after the owner's closures.
    fn drain(self: Box<Self>, sink: &mut dyn RowSink) -> Result<()>;
    /// Drops the first rows.
    fn leave_out(&mut self, rows: usize);
    /// Converts the rows to a [`TypedRows`], for callers that know the record's type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Takes the rows of a page.
pub(crate) trait RowSink {
    /// Returns whether a row with this cursor value is needed; it is called before the owner's
    /// closures.
    fn admit(&mut self, cursor: Option<CursorValue>) -> bool;
    /// Takes a row; `record` is the typed record.
    fn take(&mut self, row: RowRef<'_>, record: &dyn Any) -> Result<()>;
    /// Makes the slices of children from the row that was taken last. Fields whose values have
    /// another type hold their text, if they can.
    fn link(&mut self, _record: &dyn Any) {}
}

impl<T: Record> AnyResource for Resource<T> {
    fn spec(&self) -> &ResourceSpec {
        &self.spec
    }

    fn schema(&self) -> &'static RecordSchema {
        T::SCHEMA
    }

    fn record_type(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn has_closures(&self) -> bool {
        !self.steps.is_empty()
    }

    fn reader(
        self: Arc<Self>,
        probes: &[Vec<String>],
        selection: Option<&Selection>,
    ) -> Box<dyn PageReader> {
        let pages = crate::record::PageReader::new(&self.spec.records, probes)
            .select(selection)
            .hear(crate::page::hears)
            .absent_is_empty(self.spec.absent_is_empty);
        Box::new(TypedReader {
            pages: Arc::new(pages),
            partial: super::partial::of(T::SCHEMA, &self.spec),
            resource: self,
        })
    }
}

struct TypedReader<T> {
    pages: Arc<crate::record::PageReader<T>>,
    partial: Partial,
    resource: Arc<Resource<T>>,
}

impl<T: Record> PageReader for TypedReader<T> {
    fn read(&self, body: &[u8]) -> Result<ReadPage> {
        let page = self.pages.read(body)?;
        let (mut open, mut cut) = (Vec::new(), BTreeMap::new());
        let mut lengths = Lengths::default();
        for (at, row) in page.rows.iter().enumerate() {
            open.extend(self.partial.is_open(row.erased()).then_some(at));
            for list in self.partial.cut(row.erased(), &mut lengths) {
                if self.resource.spec.whole_lists.contains(&list) {
                    continue;
                }
                *cut.entry(list).or_default() += 1;
            }
        }
        let mut longest = self.partial.longest(lengths);
        longest.retain(|list, _| !self.resource.spec.whole_lists.contains(list));
        let rows = Box::new(TypedRows {
            rows: page.rows,
            resource: self.resource.clone(),
            pages: self.pages.clone(),
        });
        Ok(ReadPage {
            rows,
            probes: page.probes,
            beside: page.beside,
            stands: page.stands,
            absent: page.absent,
            spans: page.spans,
            open,
            cut,
            longest,
            repaired: page.repaired,
        })
    }
}

pub(crate) struct TypedRows<T> {
    rows: Vec<Row<T>>,
    resource: Arc<Resource<T>>,
    pages: Arc<crate::record::PageReader<T>>,
}

impl<T: Record> TypedRows<T> {
    /// Returns the rows after the owner's closures.
    pub fn applied(self) -> impl Iterator<Item = Row<T>> {
        let resource = self.resource;
        self.rows
            .into_iter()
            .filter_map(move |row| resource.apply(row))
    }
}

impl<T: Record> Rows for TypedRows<T> {
    fn keys(&self, key: &[Lookup]) -> Vec<Option<u64>> {
        let rows = self.rows.iter();
        rows.map(|row| key_hash(key, row.erased())).collect()
    }

    fn drain(self: Box<Self>, sink: &mut dyn RowSink) -> Result<()> {
        let TypedRows {
            mut rows,
            resource,
            pages,
        } = *self;
        let cursor = |row: &Row<T>| {
            let field = resource.cursor.as_ref();
            field.and_then(|field| field.cursor_value(row))
        };
        // Without closures the records stay in place: moving some kilobytes each is costly.
        if resource.steps.is_empty() {
            for row in rows.iter_mut() {
                if sink.admit(cursor(row)) {
                    take(row, sink)?;
                }
            }
            pages.recycle(rows);
            return Ok(());
        }
        for row in rows {
            if sink.admit(cursor(&row))
                && let Some(mut row) = resource.apply(row)
            {
                take(&mut row, sink)?;
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, rows: usize) {
        self.rows.drain(..rows.min(self.rows.len()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Passes a row to the sink; nothing else needs it afterwards.
fn take<T: Record>(row: &mut Row<T>, sink: &mut dyn RowSink) -> Result<()> {
    sink.take(row.erased(), &row.record)?;
    row.drift.lend(RecordMut::new(&mut row.record));
    sink.link(&row.record);
    Ok(())
}

impl<T: Record> Resource<T> {
    /// Applies the owner's closures.
    pub(crate) fn apply(&self, row: Row<T>) -> Option<Row<T>> {
        self.steps.iter().try_fold(row, |row, step| step(row))
    }
}
