//! The types and names of the columns of a resource, before and after a migration.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};

use crate::error::{Error, ErrorKind, Result};
use crate::normalize::{Normalizer, ScanFn};
use crate::record::day;
use crate::schema::{ArrowType, Column, ColumnRole, ColumnType, TableSchema};

/// Every whole number up to this one is exact as a double.
const EXACT: u64 = 1 << 53;

/// Returns the columns that the owner has named, by their paths in a record.
pub fn named(fresh: &Normalizer) -> BTreeMap<String, String> {
    let tables = fresh.tables();
    let named = fresh.named().filter_map(|(table, path)| {
        let place = format!("{}{path}", chain(&tables, table));
        let column = table.columns.iter().find(|column| column.path == path)?;
        Some((place, column.name.clone()))
    });
    named.collect()
}

/// Returns the path of a table's rows in a record: `/lines[]`.
fn chain(tables: &[TableSchema], table: &TableSchema) -> String {
    let above = table.parent.as_ref();
    let above = above.and_then(|above| tables.iter().find(|table| table.name == *above));
    above.map_or(String::new(), |above| {
        format!("{}{}[]", chain(tables, above), table.path)
    })
}

/// Adapts the existing tables to the current declaration.
pub struct Adapt<'a> {
    /// The tables as they are.
    pub tables: &'a [TableSchema],
    /// The tables as they become.
    pub becomes: &'a mut [TableSchema],
    /// The columns that the owner had named.
    pub named: &'a BTreeMap<String, String>,
    pub notes: &'a mut Vec<String>,
}

impl Adapt<'_> {
    /// Returns the indexes of the columns, by table, whose type changes. `fresh`: the tables as
    /// they would be created now.
    pub fn adapt(
        &mut self,
        fresh: &Normalizer,
        scan: &mut ScanFn<'_>,
    ) -> Result<BTreeMap<String, Vec<usize>>> {
        let named = named(fresh);
        let fresh = fresh.tables();
        let mut casts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for table in &fresh {
            let place = chain(&fresh, table);
            let known = self.tables.iter();
            let mut known = known
                .enumerate()
                .filter(|(_, t)| chain(self.tables, t) == place);
            let Some((index, _)) = known.next() else {
                continue;
            };
            for column in table.columns.iter().filter(|c| c.role == ColumnRole::Data) {
                let place = format!("{place}{}", column.path);
                let owned = named.contains_key(&place) || self.named.contains_key(&place);
                if let Some(at) = self.retype(index, column, scan)? {
                    let name = self.tables[index].name.clone();
                    casts.entry(name).or_default().push(at);
                }
                if owned {
                    self.rename(index, column);
                }
            }
        }
        Ok(casts)
    }

    /// Returns the columns for the values at this path.
    fn at(&self, table: usize, path: &str) -> Vec<usize> {
        let columns = self.becomes[table].columns.iter().enumerate();
        let found = columns.filter(|(_, c)| c.role == ColumnRole::Data && c.path == path);
        found.map(|(at, _)| at).collect()
    }

    /// Changes the type of a column to the declared one, if all existing values fit; returns its
    /// index then.
    fn retype(
        &mut self,
        table: usize,
        wanted: &Column,
        scan: &mut ScanFn<'_>,
    ) -> Result<Option<usize>> {
        let there = self.at(table, &wanted.path);
        let (from, to) = (&self.tables[table], &mut self.becomes[table]);
        let same = |at: &usize| to.columns[*at].ty == wanted.ty;
        let (Some(first), false) = (there.first(), there.iter().any(same)) else {
            return Ok(None);
        };
        let column = &from.columns[*first];
        let place = format!("the column `{}` of `{}`", column.name, from.name);
        let (was, is) = (column.ty.name(), wanted.ty.name());
        if there.len() == 1 && widens(column.ty, wanted.ty) && fits(from, column, wanted.ty, scan)?
        {
            to.columns[*first].ty = wanted.ty;
            self.notes
                .push(format!("{place} was {was} and is {is} now"));
            return Ok(Some(*first));
        }
        self.notes.push(format!(
            "{place} remains {was}: {is} values go to an additional column `{}__v_{is}`",
            column.name
        ));
        Ok(None)
    }

    /// Renames a column to which the owner gives another name now.
    fn rename(&mut self, table: usize, wanted: &Column) {
        let there = self.at(table, &wanted.path);
        let to = &mut self.becomes[table];
        let plain = there
            .into_iter()
            .min_by_key(|at| to.columns[*at].name.len());
        let Some(plain) = plain.filter(|at| to.columns[*at].name != wanted.name) else {
            return;
        };
        let name = to.columns[plain].name.clone();
        let mut others = to.columns.iter().enumerate();
        if others.any(|(at, c)| at != plain && c.name.eq_ignore_ascii_case(&wanted.name)) {
            self.notes.push(format!(
                "the column `{name}` of `{}` keeps its name: there is another column `{}`",
                to.name, wanted.name
            ));
            return;
        }
        to.columns[plain].name.clone_from(&wanted.name);
        let new = &wanted.name;
        self.notes.push(format!(
            "the column `{name}` of `{}` is called `{new}` now",
            to.name
        ));
    }
}

/// Renames a parameter that is named after the parent, since the record has a key of its name too,
/// after the parent's new name.
pub fn follow_parent(root: &mut TableSchema, old: &str, new: &str) {
    let mut names: Vec<String> = root.columns.iter().map(|c| c.name.clone()).collect();
    for (at, column) in root.columns.iter_mut().enumerate() {
        let rest = column.path.strip_prefix(&format!("~parent/{old}_"));
        let Some(rest) = rest.map(str::to_owned) else {
            continue;
        };
        // A name other than the plain one was made by a collision.
        let name = match column.name == format!("{old}_{rest}") {
            true => format!("{new}_{rest}"),
            false => column.name.clone(),
        };
        if names
            .iter()
            .enumerate()
            .all(|(other, taken)| other == at || *taken != name)
        {
            column.path = format!("~parent/{new}_{rest}");
            names[at].clone_from(&name);
            column.name = name;
        }
    }
}

/// Returns whether values of one type can become values of the other with the same meaning.
fn widens(from: ColumnType, to: ColumnType) -> bool {
    use ColumnType::{Date, Decimal, Float64, Int64, Text, Uuid};
    matches!(
        (from, to),
        (Int64, Float64 | Decimal | Text) | (Uuid | Date, Text)
    )
}

/// Returns whether each existing value stays the same.
fn fits(
    table: &TableSchema,
    column: &Column,
    to: ColumnType,
    scan: &mut ScanFn<'_>,
) -> Result<bool> {
    if (column.ty, to) != (ColumnType::Int64, ColumnType::Float64) {
        return Ok(true);
    }
    let mut exact = true;
    scan(table, &[&column.name], &mut |rows| {
        let numbers = rows.columns().first();
        let numbers = numbers.and_then(|column| column.as_primitive_opt::<Int64Type>());
        let fits = |number: i64| number.unsigned_abs() <= EXACT;
        exact &= numbers.is_none_or(|numbers| numbers.iter().flatten().all(fits));
        Ok(())
    })?;
    Ok(exact)
}

/// Converts the values of a column to another type that can hold them all.
pub fn cast(column: &Column, to: ColumnType, rows: &RecordBatch) -> Result<ArrayRef> {
    let wrong = || {
        let (from, to) = (column.ty.name(), to.name());
        let message = format!(
            "the column `{}` is {from} and cannot become {to}; this is a bug",
            column.name
        );
        Error::new(ErrorKind::Destination, message)
    };
    let values = rows.column_by_name(&column.name).ok_or_else(wrong)?;
    let numbers =
        || -> Result<&Int64Array> { values.as_primitive_opt::<Int64Type>().ok_or_else(wrong) };
    use ColumnType::{Date, Decimal, Float64, Int64, Text, Uuid};
    Ok(match (column.ty, to) {
        (Int64, Float64) => {
            let doubles = numbers()?.iter().map(|number| number.map(|n| n as f64));
            Arc::new(doubles.collect::<Float64Array>())
        }
        (Int64, Decimal) => {
            let exact = numbers()?
                .iter()
                .map(|n| n.map(|n| i128::from(n) * 1_000_000_000));
            let exact: Decimal128Array = exact.collect();
            Arc::new(exact.with_data_type(to.arrow()))
        }
        (Int64, Text) => {
            let texts = numbers()?
                .iter()
                .map(|number| number.map(|n| n.to_string()));
            Arc::new(texts.collect::<StringArray>())
        }
        (Date, Text) => {
            let days = values.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?;
            let texts = days
                .iter()
                .map(|days| days.map(|days| day(days).as_str().to_owned()));
            Arc::new(texts.collect::<StringArray>())
        }
        (Uuid, Text) => values.clone(),
        _ => return Err(wrong()),
    })
}
