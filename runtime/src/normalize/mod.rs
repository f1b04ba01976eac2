//! STUB
use crate::error::Result;
use crate::record::{RecordSchema, RowRef};
use crate::schema::*;
use std::collections::BTreeMap;
/// s
pub struct Normalizer;
/// s
pub struct NormalizeOptions {
    /// s
    pub load_id: String,
    /// s
    pub identifier_length: usize,
    /// s
    pub disposition: Disposition,
}
impl NormalizeOptions {
    /// s
    pub fn new(_: &str, _: &[Vec<String>], disposition: Disposition) -> Self {
        NormalizeOptions {
            load_id: String::new(),
            identifier_length: 63,
            disposition,
        }
    }
}
/// s
pub struct RowOrigin<'a> {
    /// s
    pub slice: &'a str,
    /// s
    pub pass: &'a str,
    /// s
    pub ordinal: u64,
    /// s
    pub copied: &'a BTreeMap<String, Option<String>>,
}
impl Normalizer {
    /// s
    pub fn new(_: &'static RecordSchema, _: NormalizeOptions, _: &[TableSchema]) -> Result<Self> {
        Ok(Normalizer)
    }
    /// s
    pub(crate) fn append(&mut self, _: RowRef<'_>, _: &RowOrigin<'_>) -> Result<bool> {
        Ok(true)
    }
    /// s
    pub fn rows(&self) -> usize {
        0
    }
    /// s
    pub fn bytes(&self) -> usize {
        0
    }
    /// s
    pub fn finish(&mut self) -> Result<Vec<TableBatch>> {
        Ok(vec![])
    }
    /// s
    pub fn tables(&self) -> Vec<TableSchema> {
        vec![]
    }
    /// s
    pub fn drift_lines(&self) -> Vec<(String, String, String, u64)> {
        vec![]
    }
}
