//! Gives existing rows the ids that they would get today.
//!
//! Only records with a key whose columns hold it exactly (text, integers, UUIDs) can get new ids;
//! ids derived from content or from a position cannot change.

use std::collections::{HashMap, HashSet};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use etlgen_model::counted;
use std::sync::Arc;

use super::ids::{self, Hasher, Id};
use super::names::{self, Naming};
use super::place::Place;
use crate::error::Result;
use crate::record::json;
use crate::schema::{ColumnRole, ColumnType, Layout, TableSchema};

/// Reads columns of an existing table.
pub(crate) type ScanFn<'a> =
    dyn FnMut(&TableSchema, &[&str], &mut dyn FnMut(&RecordBatch) -> Result<()>) -> Result<()> + 'a;

/// The new ids of the rows of a resource.
pub(crate) struct Rekey {
    layout: Layout,
    /// The new id of each row by its old one, for each table with child tables, by the table's old
    /// name.
    ids: HashMap<String, HashMap<Id, Id>>,
    root: String,
}

/// The reason why rows cannot get new ids.
pub(crate) type Reason = String;

impl Rekey {
    /// Computes the new ids. `tables` has each table before and after, parents first, starting with
    /// the root table.
    pub fn new(
        tables: &[(&TableSchema, &TableSchema)],
        key: &[Vec<String>],
        layout: Layout,
        identifier_length: usize,
        scan: &mut ScanFn<'_>,
    ) -> Result<Result<Self, Reason>> {
        let Some(((from, to), children)) = tables.split_first() else {
            return Ok(Err("the table of its records does not exist".to_owned()));
        };
        let naming = Naming {
            layout,
            limit: identifier_length,
        };
        let parts = match parts(from, to, key, naming) {
            Ok(parts) => parts,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut root = Root {
            table: to.name.clone(),
            layout,
            parts,
            ids: HashMap::new(),
            taken: HashSet::new(),
            nameless: 0,
            twice: 0,
        };
        let Some(id) = from.role(ColumnRole::RowId) else {
            return Ok(Err("its rows have no ids".to_owned()));
        };
        let mut names = vec![id.name.as_str()];
        let columns = root
            .parts
            .iter()
            .map(|part| from.columns[part.column].name.as_str());
        let keys: Vec<&str> = columns.collect();
        names.extend(&keys);
        scan(from, &names, &mut |rows| root.take(rows))?;
        let said = keys.join("`, `");
        if root.nameless > 0 {
            return Ok(Err(format!(
                "`{said}` is missing in {}",
                counted(root.nameless, "row")
            )));
        }
        if root.twice > 0 {
            return Ok(Err(format!(
                "the `{said}` of {} is not unique",
                counted(root.twice, "row")
            )));
        }
        let mut rekey = Rekey {
            layout,
            ids: HashMap::from([(from.name.clone(), root.ids)]),
            root: from.name.clone(),
        };
        for (from, to) in children {
            let has_children = children
                .iter()
                .any(|(table, _)| table.parent.as_ref() == Some(&from.name));
            if has_children {
                let mut ids = HashMap::new();
                let names = roles(from).map(|at| at.map_or("", |at| &from.columns[at].name));
                scan(from, &names, &mut |rows| {
                    for (old, new) in rekey.child_ids(from, to, rows) {
                        ids.insert(old, new);
                    }
                    Ok(())
                })?;
                rekey.ids.insert(from.name.clone(), ids);
            }
        }
        Ok(Ok(rekey))
    }

    /// Returns the columns of a table that hold ids.
    pub fn columns(table: &TableSchema) -> Vec<usize> {
        use ColumnRole::{ParentId, RootId, RowId};
        let is_id = |at: &usize| matches!(table.columns[*at].role, RowId | ParentId | RootId);
        (0..table.columns.len()).filter(is_id).collect()
    }

    /// Returns the new values of a column of ids.
    pub fn values(
        &self,
        from: &TableSchema,
        to: &TableSchema,
        rows: &RecordBatch,
        at: usize,
    ) -> ArrayRef {
        let column = &from.columns[at];
        let above = match column.role {
            ColumnRole::ParentId => from.parent.as_ref(),
            ColumnRole::RowId if from.parent.is_some() => {
                let ids = self.child_ids(from, to, rows);
                let ids = ids.iter().map(|(_, new)| Some(ids::text(new).to_owned()));
                return Arc::new(ids.collect::<StringArray>());
            }
            _ => Some(&self.root),
        };
        let map = above.and_then(|above| self.ids.get(above));
        let old = rows.column_by_name(&column.name);
        let old = old.and_then(|ids| ids.as_string_opt::<i32>());
        let new = |text: Option<&str>| -> Option<String> {
            let text = text?;
            let new = map.and_then(|map| map.get(&ids::parse(text)));
            Some(new.map_or(text.to_owned(), |id| ids::text(id).to_owned()))
        };
        let ids = old.into_iter().flatten().map(new);
        Arc::new(ids.collect::<StringArray>())
    }

    /// Returns the old and the new id of each row of a child table.
    fn child_ids(&self, from: &TableSchema, to: &TableSchema, rows: &RecordBatch) -> Vec<(Id, Id)> {
        let [id, parent, index] = roles(from).map(|at| {
            let name = at.map(|at| &from.columns[at].name);
            name.and_then(|name| rows.column_by_name(name))
        });
        let text = |column: Option<&ArrayRef>, row: usize| -> Id {
            let texts = column.and_then(|column| column.as_string_opt::<i32>());
            let there = texts.filter(|texts| texts.is_valid(row));
            there.map_or([0; 20], |texts| ids::parse(texts.value(row)))
        };
        let above = from.parent.as_ref().and_then(|parent| self.ids.get(parent));
        let mut hasher = Hasher::new(self.layout);
        let mut new = |row: usize| {
            let parent = text(parent, row);
            let parent = above
                .and_then(|above| above.get(&parent))
                .copied()
                .unwrap_or(parent);
            let index = index.and_then(|index| index.as_primitive_opt::<Int64Type>());
            let index = index.map_or(0, |index| index.value(row));
            hasher.child(&parent, &to.name, usize::try_from(index).unwrap_or(0))
        };
        (0..rows.num_rows())
            .map(|row| (text(id, row), new(row)))
            .collect()
    }
}

/// Returns the columns with the id of a row, the id of its parent, and its position there.
fn roles(table: &TableSchema) -> [Option<usize>; 3] {
    use ColumnRole::{ListIndex, ParentId, RowId};
    [RowId, ParentId, ListIndex].map(|role| table.columns.iter().position(|c| c.role == role))
}

/// A part of the key: its column.
struct Part {
    column: usize,
    /// The name that dlt hashes with it.
    name: String,
    quoted: bool,
}

fn parts(
    from: &TableSchema,
    to: &TableSchema,
    key: &[Vec<String>],
    naming: Naming,
) -> Result<Vec<Part>, Reason> {
    if key.is_empty() {
        return Err("it has no key to derive ids from".to_owned());
    }
    let part = |keys: &Vec<String>| {
        let below = |place: Place, key: &String| place.below(key, naming);
        let place = keys.iter().fold(Place::row(), below);
        let columns = from.columns.iter().enumerate();
        let mut found = columns
            .filter(|(_, column)| column.role == ColumnRole::Data && column.path == place.path);
        let dotted = keys.join(".");
        let (Some((at, column)), None) = (found.next(), found.next()) else {
            return Err(format!("they do not have `{dotted}` in one column"));
        };
        use ColumnType::{Int64, Text, Uuid};
        if !matches!(column.ty, Int64 | Text | Uuid) {
            let ty = column.ty.name();
            return Err(format!("`{dotted}` is of the type {ty}"));
        }
        let names = keys.iter().map(|key| naming.key(key));
        let name = names.reduce(|outer, inner| names::join(&outer, &inner));
        Ok(Part {
            column: at,
            name: name.unwrap_or_default(),
            quoted: to.columns[at].ty != Int64,
        })
    };
    key.iter().map(part).collect()
}

/// The records of a table, with their new ids.
struct Root {
    table: String,
    layout: Layout,
    parts: Vec<Part>,
    ids: HashMap<Id, Id>,
    taken: HashSet<Id>,
    nameless: u64,
    twice: u64,
}

impl Root {
    fn take(&mut self, rows: &RecordBatch) -> Result<()> {
        let Some(old) = rows
            .columns()
            .first()
            .and_then(|ids| ids.as_string_opt::<i32>())
        else {
            return Ok(());
        };
        for (row, old) in old.iter().enumerate() {
            let parts = rows.columns()[1..].iter().map(|column| text(column, row));
            let (Some(key), Some(old)) = (parts.collect::<Option<Vec<_>>>(), old) else {
                self.nameless += 1;
                continue;
            };
            let new = self.id(&key);
            if !self.taken.insert(new) {
                self.twice += 1;
            }
            self.ids.insert(ids::parse(old), new);
        }
        Ok(())
    }

    fn id(&self, key: &[String]) -> Id {
        if self.layout == Layout::Dlt {
            let part = |(part, text): (&Part, &String)| {
                let mut value = text.clone();
                if part.quoted {
                    value.clear();
                    json::write_string(&mut value, text);
                }
                (part.name.clone(), value)
            };
            return ids::dlt_key(&self.parts.iter().zip(key).map(part).collect());
        }
        let mut hasher = Hasher::new(self.layout);
        hasher.start(b'k').part(self.table.as_bytes());
        key.iter().for_each(|text| {
            hasher.part(text.as_bytes());
        });
        hasher.id()
    }
}

/// Returns the text of a value as a part of a key.
fn text(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    match column.as_string_opt::<i32>() {
        Some(texts) => Some(texts.value(row).to_owned()),
        None => {
            let numbers = column.as_primitive_opt::<Int64Type>()?;
            Some(numbers.value(row).to_string())
        }
    }
}
