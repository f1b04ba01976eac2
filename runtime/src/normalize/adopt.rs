//! Rows that another process has normalised, in the tables of this one: drift may have given a column
//! another name or another type there.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, new_null_array,
};
use arrow_schema::Schema;

use super::Normalizer;
use super::place::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ArrowType, Column, ColumnRole, ColumnType, Drifted, TableBatch, TableSchema};

impl Normalizer {
    /// Returns rows of the same resource in its own tables. `tables`: parents before children.
    pub(crate) fn adopt(&mut self, tables: Vec<TableBatch>) -> Result<Vec<TableBatch>> {
        let mut adopted = Vec::with_capacity(tables.len());
        // The table here of each table there.
        let mut places: Vec<(String, usize)> = Vec::new();
        for batch in tables {
            let table = self.adopted_table(&batch.schema, &places)?;
            places.push((batch.schema.name.clone(), table));
            let rows = self.adopted_rows(table, &batch)?;
            let schema = Arc::new(self.tables[table].shown_schema());
            adopted.push(TableBatch::new(schema, rows));
        }
        Ok(adopted)
    }

    /// Adds the drift of adopted rows to what is told of it.
    pub(crate) fn count_drift(&mut self, drift: &[(Drifted, u64)]) {
        for (line, count) in drift {
            self.keeper.account.add_left(line.clone(), *count);
        }
    }

    fn adopted_table(&mut self, schema: &TableSchema, places: &[(String, usize)]) -> Result<usize> {
        let Some(parent) = &schema.parent else {
            return Ok(0);
        };
        let known = places.iter().find(|(name, _)| name == parent);
        let Some((_, parent_at)) = known else {
            let message = format!("the table `{}` comes before its parent", schema.name);
            return Err(Error::new(ErrorKind::System, message));
        };
        let prefix = format!("{parent}__");
        let place = Place {
            path: schema.path.clone(),
            name: (schema.name.strip_prefix(&prefix).unwrap_or(&schema.name)).to_owned(),
        };
        let table = self.child_table(*parent_at, &place);
        self.tables[table].tie(self.naming);
        // The ids of its rows derive from its name.
        let name = &self.tables[table].schema.name;
        if *name != schema.name {
            let message = format!(
                "the lists at `{}` are in the table `{}` in one slice and in `{name}` in another",
                schema.path, schema.name
            );
            return Err(Error::new(ErrorKind::Contract, message).hint(
                "load the resource with `sync` once: the tables of a destination keep their names",
            ));
        }
        self.tables[table].exists = true;
        Ok(table)
    }

    fn adopted_rows(&mut self, table: usize, batch: &TableBatch) -> Result<RecordBatch> {
        let mut arrays: Vec<(usize, ArrayRef)> = Vec::new();
        for (column, array) in batch.schema.columns.iter().zip(batch.rows.columns()) {
            let (at, array) = self.adopted_column(table, column, array);
            match arrays.iter_mut().find(|(known, _)| *known == at) {
                // Two columns there are one here only if no row has a value of both.
                Some((_, other)) => *other = either(other, &array)?,
                None => arrays.push((at, array)),
            }
        }
        let table = &mut self.tables[table];
        table.show(arrays.iter().map(|(at, _)| *at));
        let rows = batch.rows.num_rows();
        let array = |at: &usize| {
            let known = arrays.iter().find(|(known, _)| known == at);
            let ty = table.schema.columns[*at].ty.arrow();
            known.map_or_else(|| new_null_array(&ty, rows), |(_, array)| array.clone())
        };
        let columns: Vec<ArrayRef> = table.shown().iter().map(array).collect();
        let fields: Vec<_> = table
            .shown_schema()
            .columns
            .iter()
            .map(Column::arrow_field)
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(
            |error| {
                let message = format!("the rows of `{}` do not fit together", batch.schema.name);
                Error::new(ErrorKind::System, message).caused_by(error)
            },
        )
    }

    /// Returns the column here for a column there, and its values.
    fn adopted_column(
        &mut self,
        table: usize,
        column: &Column,
        array: &ArrayRef,
    ) -> (usize, ArrayRef) {
        let naming = self.naming;
        let table = &mut self.tables[table];
        if column.role != ColumnRole::Data {
            return (table.system(column.role, naming), array.clone());
        }
        let there: Vec<usize> = table.at(&column.path).to_vec();
        let same = |at: &&usize| table.schema.columns[**at].ty == column.ty;
        if let Some(at) = there.iter().find(same) {
            return (*at, array.clone());
        }
        for at in there {
            if let Some(array) = fitted(array, table.schema.columns[at].ty) {
                return (at, array);
            }
        }
        let place = (column.path.as_str(), column.name.as_str());
        (table.column(place, column.ty, false, naming), array.clone())
    }
}

/// Returns numbers as the other kind of number, if each of them can be one without loss: as a value
/// that comes here would be put into the existing column.
fn fitted(array: &ArrayRef, ty: ColumnType) -> Option<ArrayRef> {
    match ty {
        ColumnType::Float64 => {
            let ints = array.as_primitive_opt::<Int64Type>()?;
            let fits = |int: i64| (int as f64) as i128 == i128::from(int);
            let all = ints.iter().flatten().all(fits);
            let floats = ints.iter().map(|int| int.map(|int| int as f64));
            all.then(|| Arc::new(floats.collect::<Float64Array>()) as ArrayRef)
        }
        ColumnType::Int64 => {
            let floats = array.as_primitive_opt::<Float64Type>()?;
            let fits = |float: f64| float.fract() == 0.0 && float.abs() < 9e15;
            let all = floats.iter().flatten().all(fits);
            let ints = floats.iter().map(|float| float.map(|float| float as i64));
            all.then(|| Arc::new(ints.collect::<Int64Array>()) as ArrayRef)
        }
        _ => None,
    }
}

/// Returns the values of two columns of which each row has at most one.
fn either(one: &ArrayRef, other: &ArrayRef) -> Result<ArrayRef> {
    let both = (0..one.len()).any(|row| one.is_valid(row) && other.is_valid(row));
    let mixed = || match (
        one.as_primitive_opt::<Int64Type>(),
        one.as_primitive_opt::<Float64Type>(),
    ) {
        (Some(ints), _) => {
            let others = other.as_primitive_opt::<Int64Type>()?;
            let pairs = ints
                .iter()
                .zip(others.iter())
                .map(|(one, other)| one.or(other));
            Some(Arc::new(pairs.collect::<Int64Array>()) as ArrayRef)
        }
        (_, Some(floats)) => {
            let others = other.as_primitive_opt::<Float64Type>()?;
            let pairs = floats
                .iter()
                .zip(others.iter())
                .map(|(one, other)| one.or(other));
            Some(Arc::new(pairs.collect::<Float64Array>()) as ArrayRef)
        }
        _ => None,
    };
    mixed().filter(|_| !both).ok_or_else(|| {
        Error::new(
            ErrorKind::System,
            "two columns of a slice are one here; this is a bug",
        )
    })
}
