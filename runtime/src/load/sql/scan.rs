//! Reads existing rows.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray};

use super::seen::seen;
use super::{Select, Session, Store};
use crate::error::Result;
use crate::load::Brought;
use crate::schema::{Column, ColumnRole, TableSchema};

impl<S: Session> Store<S> {
    /// Passes columns of the rows of a table, batch by batch.
    pub fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let named = |name: &&str| table.columns.iter().find(|column| column.name == **name);
        let columns: Vec<Column> = columns.iter().filter_map(named).cloned().collect();
        let dialect = self.session.dialect();
        let names: Vec<String> = columns.iter().map(|c| dialect.column(&c.name)).collect();
        let table = dialect.quoted(&table.name);
        self.look((&table, None), (&names, &columns), each)
    }

    /// Passes the texts of the rows that a pass has brought.
    pub fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<()> {
        let (dialect, table) = (self.session.dialect(), rows.table);
        let staged = match rows.staged {
            true => Some(self.staged_columns(&table.name)?),
            false => None,
        };
        if staged.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let named = |name: &&str| table.columns.iter().find(|column| column.name == **name);
        let columns: Vec<Column> = rows.columns.iter().filter_map(named).cloned().collect();
        // A staging table may lack the columns that are new.
        let expression = |column: &Column| {
            let name = dialect.column_name(&column.name);
            match staged.as_ref().is_none_or(|staged| staged.contains(&name)) {
                true => dialect.quoted(&name),
                false => format!("CAST(NULL AS {})", (dialect.column_type)(column.ty)),
            }
        };
        let expressions: Vec<String> = columns.iter().map(expression).collect();
        let from = dialect.quoted(&self.place(&table.name, rows.staged));
        let id = table.role(ColumnRole::RowId);
        let since = rows.load_column().zip(id).map(|(load, id)| {
            let pass = rows.pass.replace('\'', "''");
            let (load, id) = (dialect.column(load), dialect.column(&id.name));
            let seen = seen(&self.load.source, &table.resource, rows.pass);
            format!("({load} COLLATE \"C\" >= '{pass}' OR {id} IN ({seen}))")
        });
        let from = (&*from, since.as_deref());
        self.look(from, (&expressions, &columns), &mut |batch| {
            let arrays = batch.columns().iter().map(|array| array.as_string_opt());
            let arrays: Vec<Option<&StringArray>> = arrays.collect();
            for row in 0..batch.num_rows() {
                let text = |array: &Option<&'_ StringArray>| {
                    let array = (*array)?;
                    array.is_valid(row).then(|| array.value(row).to_owned())
                };
                let texts: Vec<Option<String>> = arrays.iter().map(text).collect();
                let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
                each(&texts)?;
            }
            Ok(())
        })
    }

    /// Passes expressions over rows, batch by batch; leaves the transaction as it was.
    fn look(
        &mut self,
        from: (&str, Option<&str>),
        read: (&[String], &[Column]),
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let begins = !self.in_transaction;
        self.begin()?;
        let done = self.rows_of(from, read, &mut |_, rows| each(&rows));
        if begins {
            // Nothing was written.
            let _ = self.session.script("ROLLBACK");
            self.forget();
        }
        done
    }

    /// Passes expressions over rows of a table, all of them or those that meet a condition, batch by batch; these rows are
    /// not written meanwhile.
    pub(super) fn rows_of(
        &mut self,
        (table, wanted): (&str, Option<&str>),
        (expressions, columns): (&[String], &[Column]),
        each: &mut dyn FnMut(&mut Self, RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = self.session.cursor(&Select {
            expressions: &expressions.join(", "),
            table,
            wanted,
        })?;
        loop {
            let page = self.session.page(&mut cursor, columns)?;
            if page.is_empty() {
                return Ok(());
            }
            for rows in page {
                each(self, rows)?;
            }
        }
    }
}
