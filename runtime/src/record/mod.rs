//! STUB
use crate::error::Result;
pub use etlgen_derive::Record;
use std::marker::PhantomData;
use std::ops::Range;
/// stub
#[allow(unsafe_code)]
pub unsafe trait Record: Sized + Send + 'static {
    /// s
    const SCHEMA: &'static RecordSchema;
}
/// s
pub struct RecordSchema;
/// s
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// s
    pub record: T,
    /// s
    pub drift: Drift,
}
/// s
#[derive(Clone, Debug)]
pub struct Drift;
/// s
#[derive(Clone, Copy)]
pub struct RowRef<'a>(PhantomData<&'a ()>);
impl<T: Record> Row<T> {
    /// s
    pub fn as_ref(&self) -> RowRef<'_> {
        RowRef(PhantomData)
    }
}
/// s
#[derive(Clone)]
pub struct FieldPath<R = ()> {
    keys: Vec<String>,
    r: PhantomData<fn() -> R>,
}
impl<R> FieldPath<R> {
    /// s
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
    /// s
    pub fn erase(self) -> FieldPath {
        FieldPath {
            keys: self.keys,
            r: PhantomData,
        }
    }
    /// s
    pub fn value(&self, _: RowRef<'_>) -> Option<CursorValue> {
        None
    }
    /// s
    pub fn parse_bound(&self, _: &str) -> Option<CursorValue> {
        None
    }
    /// s
    pub fn parse_stored(&self, _: &str) -> Option<CursorValue> {
        None
    }
}
/// s
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorValue(i64);
impl CursorValue {
    /// s
    pub fn wire(&self) -> String {
        String::new()
    }
    /// s
    pub fn stored(&self) -> String {
        String::new()
    }
    /// s
    pub fn minus(&self, _: std::time::Duration) -> Self {
        self.clone()
    }
}
/// s
pub struct PageReader<T>(PhantomData<fn() -> T>);
impl<T: Record> PageReader<T> {
    /// s
    pub fn new(_: &[String], _: &[Vec<String>]) -> Self {
        PageReader(PhantomData)
    }
    /// s
    pub fn read(&self, _: &[u8]) -> Result<Page<T>> {
        Ok(Page {
            rows: vec![],
            probes: vec![],
            spans: vec![],
        })
    }
}
/// s
pub struct Page<T> {
    /// s
    pub rows: Vec<Row<T>>,
    /// s
    pub probes: Vec<Option<String>>,
    /// s
    pub spans: Vec<Range<usize>>,
}
/// s
pub fn raw_scalar(_: &[u8], _: &[String]) -> Option<String> {
    None
}
macro_rules! t { ($($n:ident)*) => { $(
/// s
#[derive(Clone, Debug)] pub struct $n; impl std::fmt::Display for $n { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("") } })* } }
t!(Bytes Date Decimal Dynamic Json Timestamp UnixMillis UnixTime Uuid);
