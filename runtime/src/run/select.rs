//! The fields that a run selects: rules that name no field, and columns that are left out.

use etlgen_model::counted;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Kept, SelectRule, Selection};
use crate::schema::{ColumnRole, ColumnType, Disposition, TableSchema};
use crate::source::Source;
use crate::text::{alternatives, listed};

/// Refuses rules that name no field: neither the struct of a resource nor an existing table of it
/// has such a field.
pub(super) fn check(source: &Source, rules: &[SelectRule], tables: &[TableSchema]) -> Result<()> {
    rules
        .iter()
        .try_for_each(|rule| check_rule(source, rule, tables))
}

fn check_rule(source: &Source, rule: &SelectRule, tables: &[TableSchema]) -> Result<()> {
    let mut first = None;
    for resource in source.resources() {
        let name = &resource.spec().name;
        if !rule.is_about(name) {
            continue;
        }
        let Some(unknown) = rule.unknown(resource.schema()) else {
            return Ok(());
        };
        let stored = columns(tables.iter().filter(|table| table.resource == *name));
        if stored.iter().any(|column| rule.touches(&column.keys)) {
            return Ok(());
        }
        first.get_or_insert((name, unknown));
    }
    let Some((name, (key, fields))) = first else {
        return Ok(());
    };
    let message = format!("`{rule}` selects nothing: the struct of `{name}` has no field `{key}`");
    Err(Error::new(ErrorKind::Usage, message).hint(format!(
        "{}; a field that the API adds must be declared in the struct, or have a column from an earlier load",
        alternatives(key, &fields)
    )))
}

/// Returns a note about the existing columns and child tables that lose the values of the records
/// that this run loads, since it does not select them.
pub(super) fn note(
    selection: &Selection,
    tables: &[TableSchema],
    disposition: Disposition,
) -> Option<String> {
    if disposition == Disposition::Append {
        return None;
    }
    let (mut names, mut lists) = (Vec::new(), Vec::new());
    for column in columns(tables.iter()) {
        if column
            .list
            .is_some_and(|list| !keeps(selection, &list, true))
        {
            lists.push(column.table);
        } else if !keeps(selection, &column.keys, column.is_json) {
            names.push(column.name);
        }
    }
    lists.dedup();
    let mut parts = Vec::new();
    if !names.is_empty() {
        let count = counted(names.len() as u64, "existing column");
        parts.push(format!("sets {count} to null ({})", listed(&names)));
    }
    if !lists.is_empty() {
        let count = counted(lists.len() as u64, "child table");
        parts.push(format!("removes rows from {count} ({})", listed(&lists)));
    }
    let what = parts.join(" and ");
    (!parts.is_empty()).then(|| format!("`--select` {what} for each record that it loads"))
}

/// A column of a stored table that holds data of the API.
struct Stored<'a> {
    table: &'a str,
    name: &'a str,
    /// The keys that lead to its values in a record, through lists.
    keys: Vec<String>,
    /// The keys of the list whose items are the rows of its table.
    list: Option<Vec<String>>,
    is_json: bool,
}

fn columns<'a>(tables: impl Iterator<Item = &'a TableSchema>) -> Vec<Stored<'a>> {
    let tables: Vec<&TableSchema> = tables.collect();
    let mut found = Vec::new();
    for table in &tables {
        let list = list(&tables, table);
        let data = table.columns.iter().filter(|column| {
            column.role == ColumnRole::Data && !column.path.starts_with("~parent")
        });
        found.extend(data.filter_map(|column| {
            let keys = [list.clone(), keys(&column.path)].concat();
            (!keys.is_empty()).then(|| Stored {
                table: &table.name,
                name: &column.name,
                keys,
                list: table.parent.as_ref().map(|_| list.clone()),
                is_json: column.ty == ColumnType::Json,
            })
        }));
    }
    found
}

/// Returns the keys of the list whose items are the rows of a table; none for a root table.
fn list(tables: &[&TableSchema], table: &TableSchema) -> Vec<String> {
    let parent = table.parent.as_ref();
    let above = parent.and_then(|name| tables.iter().find(|table| table.name == *name));
    let above = above.map_or_else(Vec::new, |above| list(tables, above));
    [above, keys(&table.path)].concat()
}

/// Splits a JSON pointer.
fn keys(pointer: &str) -> Vec<String> {
    let keys = pointer.split('/').skip(1);
    keys.map(|key| key.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Returns whether the value at a path is selected; of a list or JSON a part suffices.
fn keeps(selection: &Selection, keys: &[String], in_part: bool) -> bool {
    let mut part = selection.clone();
    for key in keys {
        part = match part.below(key) {
            Kept::All => return true,
            Kept::Nothing => return false,
            Kept::Part(part) => part,
        };
    }
    in_part || part.takes_scalars()
}
