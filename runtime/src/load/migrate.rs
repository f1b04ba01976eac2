//! What becomes of a table that is there when its resource is declared otherwise than before.

use arrow_array::{ArrayRef, RecordBatch};

use crate::error::Result;
use crate::schema::TableSchema;
use crate::state::{Memory, StateChange};

/// Makes new values for some columns of a batch of rows, which has all columns of the table as it was.
pub type NewValues = Box<dyn Fn(&RecordBatch) -> Result<Vec<ArrayRef>> + Send + Sync>;

/// One table of a migration. All tables of a resource are in one migration, changed or not.
pub struct TableChange {
    /// As it is.
    pub from: TableSchema,
    /// As it becomes: the same columns at the same places, which may have other names and types; `None`: it goes.
    pub to: Option<TableSchema>,
    /// Places of the columns whose values are made anew.
    pub anew: Vec<usize>,
    /// Their values, in that order.
    pub values: NewValues,
}

impl TableChange {
    /// A table that goes.
    pub fn gone(from: TableSchema) -> Self {
        TableChange {
            from,
            to: None,
            anew: Vec::new(),
            values: Box::new(|_| Ok(Vec::new())),
        }
    }

    /// Whether only what is remembered of the table changes, and not the table.
    pub fn leaves_rows(&self) -> bool {
        let Some(to) = &self.to else { return false };
        let same = |(a, b): (&crate::schema::Column, &crate::schema::Column)| {
            a.name == b.name && a.ty == b.ty
        };
        let mut columns = self.from.columns.iter().zip(&to.columns);
        self.anew.is_empty() && to.name == self.from.name && columns.all(same)
    }
}

impl Memory {
    /// What it is after a migration.
    pub(crate) fn change(&mut self, changes: &[TableChange], state: &[StateChange]) {
        for change in changes {
            self.tables.retain(|table| table.name != change.from.name);
        }
        let tables = changes.iter().filter_map(|change| change.to.clone());
        self.tables.extend(tables);
        self.apply(state);
    }
}
