//! Changes of existing tables, made when the declaration of their resource changes.

use arrow_array::{ArrayRef, RecordBatch};

use crate::error::Result;
use crate::schema::{Column, TableSchema};
use crate::state::{Memory, StateChange};

/// Computes new values for some columns of a batch of rows, which has all columns of the table before the change.
pub type NewValues = Box<dyn Fn(&RecordBatch) -> Result<Vec<ArrayRef>> + Send + Sync>;

/// One table of a migration. A migration has all tables of a resource, changed or not.
#[non_exhaustive]
pub struct TableChange {
    /// The table before.
    pub from: TableSchema,
    /// The table after: the same columns in the same positions, possibly with other names and
    /// types. `None` drops the table.
    pub to: Option<TableSchema>,
    /// The positions of the columns whose values are computed.
    pub anew: Vec<usize>,
    /// Computes their values, in that order.
    pub values: NewValues,
}

impl TableChange {
    /// Drops a table.
    pub fn drop(from: TableSchema) -> Self {
        TableChange {
            from,
            to: None,
            anew: Vec::new(),
            values: Box::new(|_| Ok(Vec::new())),
        }
    }

    /// Returns whether rows and columns stay unchanged: only the destination's record of the table
    /// changes.
    pub fn leaves_rows(&self) -> bool {
        let Some(to) = &self.to else { return false };
        let same = |(a, b): (&Column, &Column)| a.name == b.name && a.ty == b.ty;
        let mut columns = self.from.columns.iter().zip(&to.columns);
        self.anew.is_empty() && to.name == self.from.name && columns.all(same)
    }
}

impl Memory {
    /// Applies a migration.
    pub(crate) fn change(&mut self, changes: &[TableChange], state: &[StateChange]) {
        for change in changes {
            self.tables.retain(|table| table.name != change.from.name);
        }
        let tables = changes.iter().filter_map(|change| change.to.clone());
        self.tables.extend(tables);
        self.apply(state);
    }
}
