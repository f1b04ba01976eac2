//! Compares two datasets, cell by cell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// A value with its column.
#[derive(Clone, PartialEq)]
pub struct Cell {
    pub column: String,
    pub ty: String,
    pub text: String,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.column, self.ty, self.text)
    }
}

impl Cell {
    fn same(&self, other: &Cell) -> bool {
        let number = |cell: &Cell| cell.text.parse::<f64>().ok();
        let json = |cell: &Cell| serde_json::from_str::<Value>(&cell.text).ok();
        let text = match self.ty.as_str() {
            "double" => number(self) == number(other),
            "json" => json(self) == json(other),
            _ => self.text == other.text,
        };
        text && self.column == other.column && self.ty == other.ty
    }
}

/// A table: its columns with their types, its rows by their `_dlt_id`.
#[derive(Default)]
pub struct Table {
    pub columns: BTreeMap<String, String>,
    pub rows: BTreeMap<String, Vec<Cell>>,
}

impl Table {
    pub fn add(&mut self, row: impl Iterator<Item = (String, String)>) {
        let cell = |(column, text): (String, String)| Cell {
            ty: self.columns.get(&column).cloned().unwrap_or_default(),
            column,
            text,
        };
        let row: Vec<Cell> = row.map(cell).collect();
        let id = row
            .iter()
            .find(|cell| cell.column == "_dlt_id")
            .map(|cell| cell.text.clone());
        // Rows with the same id are numbered.
        let id = id.expect("each row has an id");
        let number = (0..).find(|number| !self.rows.contains_key(&format!("{id}#{number}")));
        self.rows
            .insert(format!("{id}#{}", number.unwrap_or_default()), row);
    }
}

#[derive(Default)]
pub struct Dataset {
    pub tables: BTreeMap<String, Table>,
    /// The schemas in `_dlt_version`.
    pub schemas: Vec<String>,
}

impl Dataset {
    /// Parses the output of the peer.
    pub fn parse(tables: &Value) -> Dataset {
        let mut set = Dataset::default();
        for (name, found) in tables.as_object().unwrap() {
            let columns = found["columns"].as_object().unwrap().iter();
            let columns = columns.map(|(name, ty)| (name.clone(), ty.as_str().unwrap().to_owned()));
            let mut table = Table {
                columns: columns.collect(),
                ..Table::default()
            };
            for row in found["rows"].as_array().unwrap() {
                let cells = row.as_object().unwrap().iter();
                table.add(
                    cells.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned())),
                );
            }
            set.tables.insert(name.clone(), table);
        }
        set
    }
}

/// A difference between the two datasets.
pub struct Difference {
    pub table: String,
    /// The id of the row; empty for a difference between columns.
    pub row: String,
    /// Whether only one dataset has the row, or the column.
    pub whole: bool,
    /// The cells that only one dataset has, of one column and its variants; for a row that only one dataset has, all
    /// cells.
    pub dlt: Vec<Cell>,
    pub ours: Vec<Cell>,
}

/// Returns the family of a column: the name that it shares with its variants and with numbered
/// columns.
pub fn family(column: &str) -> &str {
    let plain = column.split("__v_").next().unwrap_or(column);
    let plain = plain.strip_suffix("__again").unwrap_or(plain);
    match plain.rsplit_once('_') {
        Some((before, number))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            before
        }
        _ => plain,
    }
}

/// Returns the number of compared cells, and the differences.
pub fn differences(dlt: &Dataset, ours: &Dataset) -> (usize, Vec<Difference>) {
    let none = Table::default();
    let (mut count, mut found) = (0, Vec::new());
    let names: BTreeSet<&String> = dlt.tables.keys().chain(ours.tables.keys()).collect();
    for name in names {
        let (left, right) = (
            dlt.tables.get(name).unwrap_or(&none),
            ours.tables.get(name).unwrap_or(&none),
        );
        let mut explained = BTreeSet::new();
        let ids: BTreeSet<&String> = left.rows.keys().chain(right.rows.keys()).collect();
        for id in ids {
            let (one, other) = (left.rows.get(id), right.rows.get(id));
            let whole = one.is_none() || other.is_none();
            let (one, other) = (
                one.cloned().unwrap_or_default(),
                other.cloned().unwrap_or_default(),
            );
            count += one.len().max(other.len());
            let only = |these: &[Cell], those: &[Cell]| -> Vec<Cell> {
                let lacks = |cell: &&Cell| {
                    cell.column != "_dlt_load_id" && !those.iter().any(|there| there.same(cell))
                };
                these.iter().filter(lacks).cloned().collect()
            };
            let (dlt, ours) = (only(&one, &other), only(&other, &one));
            explained.extend(dlt.iter().chain(&ours).map(|cell| cell.column.clone()));
            let difference = |dlt, ours| Difference {
                table: name.clone(),
                row: id.clone(),
                whole,
                dlt,
                ours,
            };
            if whole {
                found.push(difference(dlt, ours));
                continue;
            }
            let families: BTreeSet<&str> = dlt
                .iter()
                .chain(&ours)
                .map(|cell| family(&cell.column))
                .collect();
            for wanted in families {
                let of = |cells: &[Cell]| {
                    cells
                        .iter()
                        .filter(|cell| family(&cell.column) == wanted)
                        .cloned()
                        .collect()
                };
                found.push(difference(of(&dlt), of(&ours)));
            }
        }
        let only = |these: &Table, those: &Table| -> Vec<Cell> {
            let lacks = |(name, ty): &(&String, &String)| {
                those.columns.get(*name) != Some(*ty) && !explained.contains(*name)
            };
            let cell = |(name, ty): (&String, &String)| Cell {
                column: name.clone(),
                ty: ty.clone(),
                text: String::new(),
            };
            these.columns.iter().filter(lacks).map(cell).collect()
        };
        let (one, other) = (only(left, right), only(right, left));
        if !one.is_empty() || !other.is_empty() {
            found.push(Difference {
                table: name.clone(),
                row: String::new(),
                whole: true,
                dlt: one,
                ours: other,
            });
        }
    }
    (count, found)
}
