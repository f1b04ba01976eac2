//! A nested record as JSON.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::NestedRecords;
use super::place::Place;
use crate::record::json::write_string;
use crate::schema::ColumnType;
use crate::schema::lines::write_value;

/// A row of a table.
#[derive(Clone, Copy)]
struct At {
    table: usize,
    row: usize,
}

impl NestedRecords<'_> {
    /// Adds a record, from 0, as a JSON object.
    pub(crate) fn write_json(&self, out: &mut String, row: usize) {
        let at = At { table: 0, row };
        out.push('{');
        for (column, key) in &self.shown {
            let from = member(out, key);
            if !self.column(out, *column, at) {
                out.truncate(from);
            }
        }
        if let Some(root) = self.rows.first() {
            self.members(out, root, at);
            // A record that is no object.
            if root.list.is_some() {
                let from = member(out, "list");
                if !self.list(out, root, at) {
                    out.truncate(from);
                }
            }
            for column in &root.columns {
                let from = member(out, &self.tables[0].schema.columns[*column].name);
                if self.object_text(*column, at).is_some() || !self.column(out, *column, at) {
                    out.truncate(from);
                }
            }
        }
        out.push('}');
    }

    /// Adds the keys of an object.
    fn members(&self, out: &mut String, place: &Place, at: At) {
        for (key, below) in &place.keys {
            let mut name = key.clone();
            let mut add = |write: &dyn Fn(&mut String) -> bool| {
                let from = member(out, &name);
                match write(out) {
                    true => name.push_str("~again"),
                    false => out.truncate(from),
                }
            };
            add(&|out| self.object(out, below, at));
            add(&|out| self.list(out, below, at));
            for column in &below.columns {
                // It is part of the object.
                if below.keys.is_empty() || self.object_text(*column, at).is_none() {
                    add(&|out| self.column(out, *column, at));
                }
            }
        }
        // The keys that have no columns of their own.
        for column in &place.columns {
            let text = self.object_text(*column, at).unwrap_or_default();
            let rest = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            if let Some(rest) = rest.map(str::trim).filter(|rest| !rest.is_empty()) {
                separate(out);
                push_line(out, rest);
            }
        }
    }

    /// Adds the object at a place; returns whether it has a key.
    fn object(&self, out: &mut String, place: &Place, at: At) -> bool {
        if place.keys.is_empty() {
            return false;
        }
        let from = out.len();
        out.push('{');
        self.members(out, place, at);
        let has_keys = out.len() > from + 1;
        out.push('}');
        has_keys
    }

    /// Adds the list at a place; returns whether it has an item.
    fn list(&self, out: &mut String, place: &Place, at: At) -> bool {
        let Some(table) = place.list else {
            return false;
        };
        let offsets = &self.offsets[table];
        let (Some(first), Some(end)) = (offsets.get(at.row), offsets.get(at.row + 1)) else {
            return false;
        };
        out.push('[');
        for row in *first..*end {
            if row > *first {
                out.push(',');
            }
            self.item(
                out,
                At {
                    table,
                    row: row as usize,
                },
            );
        }
        out.push(']');
        first < end
    }

    /// Adds an item of a list, which is an object, a list, a scalar or null.
    fn item(&self, out: &mut String, at: At) {
        let place = &self.rows[at.table];
        let from = out.len();
        if self.object(out, place, at) {
            return;
        }
        out.truncate(from);
        if self.list(out, place, at) {
            return;
        }
        out.truncate(from);
        if !place.columns.iter().any(|it| self.column(out, *it, at)) {
            out.push_str("null");
        }
    }

    /// Adds the value of a column; returns whether it is not null.
    fn column(&self, out: &mut String, column: usize, at: At) -> bool {
        let table = &self.tables[at.table];
        let values = table.rows.column(column);
        if values.is_null(at.row) {
            return false;
        }
        match table.schema.columns[column].ty {
            ColumnType::Json => push_line(out, values.as_string::<i32>().value(at.row)),
            ty => write_value(out, ty, values.as_ref(), at.row),
        }
        true
    }

    /// Returns the text of a JSON column if it is an object.
    fn object_text(&self, column: usize, at: At) -> Option<&str> {
        let table = &self.tables[at.table];
        let is_json = table.schema.columns[column].ty == ColumnType::Json;
        let values = table.rows.column(column);
        let texts = values.as_string_opt::<i32>().filter(|_| is_json)?;
        let text = texts.is_valid(at.row).then(|| texts.value(at.row))?;
        text.starts_with('{').then_some(text)
    }
}

/// Begins a member of an object; returns where the object ended before.
fn member(out: &mut String, key: &str) -> usize {
    let from = out.len();
    separate(out);
    write_string(out, key);
    out.push(':');
    from
}

/// Adds JSON on one line: within strings, line breaks are escaped.
fn push_line(out: &mut String, json: &str) {
    for part in json.split(['\n', '\r']) {
        out.push_str(part);
    }
}

fn separate(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}
