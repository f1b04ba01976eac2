//! The rows that are there, as a comparison sees them.

use arrow_array::RecordBatch;

use crate::error::Result;
use crate::load::Destination;
use crate::schema::TableSchema;

/// The rows that a comparison looks at.
pub(super) trait Ground {
    /// How a person names the place.
    fn name(&self) -> &str;

    /// As [`Destination::scan`].
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

/// Rows that nobody looks at: each is taken to allow what is wanted of it.
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
