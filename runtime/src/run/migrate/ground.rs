//! The existing rows, as a comparison sees them.

use arrow_array::RecordBatch;

use crate::error::Result;
use crate::load::Destination;
use crate::schema::TableSchema;

/// The rows that a comparison looks at.
pub(super) trait Ground {
    /// Returns the name of the destination for people.
    fn name(&self) -> &str;

    /// Scans rows as [`Destination::scan`] does.
    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()>;
}

/// The rows of a destination.
pub(super) struct Stored<'a> {
    pub name: String,
    pub destination: &'a mut dyn Destination,
}

impl Ground for Stored<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.destination.scan(table, columns, each)
    }
}

/// Rows that are not read: each is assumed to allow the change.
pub(super) struct Foreseen;

impl Ground for Foreseen {
    fn name(&self) -> &str {
        "the destination"
    }

    fn scan(
        &mut self,
        _: &TableSchema,
        _: &[&str],
        _: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        Ok(())
    }
}
