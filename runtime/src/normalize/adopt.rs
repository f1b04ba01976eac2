//! Rows that another process has normalised, in the tables of this one: drift may have given a column
//! another name or another type there.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, make_array,
    new_null_array,
};
use arrow_data::transform::MutableArrayData;
use arrow_schema::Schema;

use super::Normalizer;
use super::place::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{
    ArrowType, Column, ColumnRole, ColumnType, Done, Drifted, TableBatch, TableSchema,
};

/// The columns here of a column there, by the names of its table and of itself, each with the number of its values.
type Renamed = HashMap<(String, String), Vec<(String, u64)>>;

/// The lines of the drift of some rows, with their counts.
type Drift = Vec<(Drifted, u64)>;

impl Normalizer {
    /// Returns rows of the same resource, and their drift, in its own tables. `tables`: parents before
    /// children.
    pub(crate) fn adopt(
        &mut self,
        tables: Vec<TableBatch>,
        drift: Drift,
    ) -> Result<(Vec<TableBatch>, Drift)> {
        let mut adopted = Vec::with_capacity(tables.len());
        // The table here of each table there.
        let mut places: Vec<(String, usize)> = Vec::new();
        let mut renamed = Renamed::new();
        for batch in tables {
            let table = self.adopted_table(&batch.schema, &places)?;
            places.push((batch.schema.name.clone(), table));
            let rows = self.adopted_rows(table, &batch, &mut renamed)?;
            let schema = Arc::new(self.tables[table].shown_schema());
            adopted.push(TableBatch::new(schema, rows));
        }
        let drift = drift.into_iter();
        let drift: Vec<_> = drift
            .flat_map(|(line, count)| told(line, count, &renamed))
            .collect();
        for (line, count) in &drift {
            self.keeper.account.add_left(line.clone(), *count);
        }
        Ok((adopted, drift))
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

    fn adopted_rows(
        &mut self,
        table: usize,
        batch: &TableBatch,
        renamed: &mut Renamed,
    ) -> Result<RecordBatch> {
        let mut arrays: Vec<(usize, ArrayRef)> = Vec::new();
        for (column, array) in batch.schema.columns.iter().zip(batch.rows.columns()) {
            for (at, array) in self.adopted_column(table, column, array) {
                let name = &self.tables[table].schema.columns[at].name;
                let values = (array.len() - array.null_count()) as u64;
                if column.role == ColumnRole::Data && values > 0 {
                    let there = (batch.schema.name.clone(), column.name.clone());
                    renamed
                        .entry(there)
                        .or_default()
                        .push((name.clone(), values));
                }
                match arrays.iter_mut().find(|(known, _)| *known == at) {
                    // Two columns there are one here only if no row has a value of both.
                    Some((_, other)) => *other = either(other, &array)?,
                    None => arrays.push((at, array)),
                }
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
        let schema = table.shown_schema();
        let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(
            |error| {
                let message = format!("the rows of `{}` do not fit together", batch.schema.name);
                Error::new(ErrorKind::System, message).caused_by(error)
            },
        )
    }

    /// Returns the columns here for a column there, with their values: a number goes where it would
    /// have gone if it had been normalised here.
    fn adopted_column(
        &mut self,
        table: usize,
        column: &Column,
        array: &ArrayRef,
    ) -> Vec<(usize, ArrayRef)> {
        let naming = self.naming;
        let table = &mut self.tables[table];
        if column.role != ColumnRole::Data {
            return vec![(table.system(column.role, naming), array.clone())];
        }
        let there: Vec<(usize, ColumnType)> = table
            .at(&column.path)
            .iter()
            .map(|at| (*at, table.schema.columns[*at].ty))
            .collect();
        if let Some((at, _)) = there.first().filter(|(_, ty)| *ty == column.ty) {
            return vec![(*at, array.clone())];
        }
        let mut left = array.clone();
        let mut adopted = Vec::new();
        for (at, ty) in there {
            if let Some((taken, rest)) = fitting(&left, ty) {
                adopted.push((at, taken));
                left = rest;
            }
        }
        if left.null_count() < left.len() || adopted.is_empty() {
            let place = (column.path.as_str(), column.name.as_str());
            let at = table.column(place, column.ty, false, naming);
            match adopted.iter_mut().find(|(known, _)| *known == at) {
                Some((_, known)) => *known = array.clone(),
                None => adopted.push((at, left)),
            }
        }
        adopted
    }
}

/// Returns a line of the drift with the names of columns here: its values may have gone to several.
fn told(line: Drifted, count: u64, renamed: &Renamed) -> Vec<(Drifted, u64)> {
    let Done::Column(column) = &line.done else {
        return vec![(line, count)];
    };
    let there = (line.table.clone(), column.clone());
    let Some(here) = renamed.get(&there) else {
        return vec![(line, count)];
    };
    let to = |name: &String| Drifted {
        done: Done::Column(name.clone()),
        ..line.clone()
    };
    let values: u64 = here.iter().map(|(_, values)| values).sum();
    match here.as_slice() {
        [(first, _), ..] if here.len() == 1 || values != count => vec![(to(first), count)],
        several => several
            .iter()
            .map(|(name, values)| (to(name), *values))
            .collect(),
    }
}

/// Splits the values of a column into those that a column of that type holds without loss, and the
/// others; `None` if it holds none.
fn fitting(array: &ArrayRef, ty: ColumnType) -> Option<(ArrayRef, ArrayRef)> {
    let ints = array.as_primitive_opt::<Int64Type>();
    let floats = array.as_primitive_opt::<Float64Type>();
    let (taken, rest): (ArrayRef, ArrayRef) = match (ty, ints, floats) {
        (ColumnType::Int64, Some(_), _) | (ColumnType::Float64, _, Some(_)) => (
            array.clone(),
            new_null_array(array.data_type(), array.len()),
        ),
        (ColumnType::Float64, Some(ints), _) => {
            let fits = |int: &i64| (*int as f64) as i128 == i128::from(*int);
            let taken = ints
                .iter()
                .map(|int| int.filter(fits).map(|int| int as f64));
            let rest = ints.iter().map(|int| int.filter(|int| !fits(int)));
            (
                Arc::new(taken.collect::<Float64Array>()),
                Arc::new(rest.collect::<Int64Array>()),
            )
        }
        (ColumnType::Int64, _, Some(floats)) => {
            let fits = |float: &f64| float.fract() == 0.0 && float.abs() < 9e15;
            let taken = floats
                .iter()
                .map(|float| float.filter(fits).map(|float| float as i64));
            let rest = floats
                .iter()
                .map(|float| float.filter(|float| !fits(float)));
            (
                Arc::new(taken.collect::<Int64Array>()),
                Arc::new(rest.collect::<Float64Array>()),
            )
        }
        _ if ty.arrow() == *array.data_type() => (
            array.clone(),
            new_null_array(array.data_type(), array.len()),
        ),
        _ => return None,
    };
    (taken.null_count() < taken.len()).then_some((taken, rest))
}

/// Returns the values of two columns of which each row has at most one.
fn either(one: &ArrayRef, other: &ArrayRef) -> Result<ArrayRef> {
    let joined = || {
        let both = (0..one.len()).any(|row| one.is_valid(row) && other.is_valid(row));
        let (first, second) = (one.to_data(), other.to_data());
        let fits = !both && first.data_type() == second.data_type();
        let mut all = MutableArrayData::new(vec![&first, &second], true, one.len());
        for row in (0..one.len()).filter(|_| fits) {
            let from = usize::from(other.is_valid(row));
            all.try_extend(from, row, row + 1).ok()?;
        }
        fits.then(|| make_array(all.freeze()))
    };
    joined().ok_or_else(|| {
        let message = "two columns of a slice are one here; this is a bug of etlgen";
        Error::new(ErrorKind::System, message)
    })
}
