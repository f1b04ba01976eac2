//! Loads JSON without a struct: objects become columns, lists become tables, scalars get their own type.

use std::borrow::Cow;

use super::contract::Made;
use super::names;
use super::place::Place;
use super::wide::Rest;
use super::{At, Normalizer};
use crate::record::json::{self, Number, Reader};
use crate::record::layout::ValueRef;
use crate::record::{Decimal, Timestamp, parse_instant};
use crate::schema::ColumnType;

/// The greatest depth of parts with columns of their own; deeper parts stay JSON.
const DEEPEST: usize = 32;

/// A scalar by its own type.
enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text, and the instant that it denotes, if any.
    Text(Cow<'a, str>, Option<Timestamp>),
    /// An integer beyond 64 bits.
    Decimal(Decimal),
    /// A value that no other column can hold: a string with half a surrogate pair, a number beyond decimals and
    /// doubles.
    Json(&'a str),
}

impl<'a> Scalar<'a> {
    fn read(raw: &'a str) -> Option<Self> {
        let mut reader = Reader::new(raw);
        Some(match reader.peek() {
            b'n' => return None,
            b't' => Scalar::Bool(true),
            b'f' => Scalar::Bool(false),
            b'"' => match reader.string().ok().and_then(|text| text.decode()) {
                Some(text) => {
                    let time = parse_instant(&text, true).map(Timestamp::from_micros);
                    Scalar::Text(text, time)
                }
                None => Scalar::Json(raw),
            },
            _ => match reader.number() {
                Ok(Number::Int(value)) => Scalar::Int(value),
                Ok(number @ Number::Real(_)) => {
                    number.as_float().map_or(Scalar::Json(raw), Scalar::Float)
                }
                Ok(Number::Big(digits)) => {
                    digits.parse().map_or(Scalar::Json(raw), Scalar::Decimal)
                }
                Err(_) => Scalar::Json(raw),
            },
        })
    }

    fn ty(&self) -> ColumnType {
        match self {
            Scalar::Bool(_) => ColumnType::Bool,
            Scalar::Int(_) => ColumnType::Int64,
            Scalar::Float(_) => ColumnType::Float64,
            Scalar::Text(_, Some(_)) => ColumnType::Timestamp,
            Scalar::Text(_, None) => ColumnType::Text,
            Scalar::Decimal(_) => ColumnType::Decimal,
            Scalar::Json(_) => ColumnType::Json,
        }
    }

    /// Returns whether a column of that type can hold it without loss.
    fn fits(&self, ty: ColumnType) -> bool {
        match (self, ty) {
            (Scalar::Text(..), ColumnType::Text) => true,
            (Scalar::Int(value), ColumnType::Float64) => {
                (*value as f64) as i128 == i128::from(*value)
            }
            (Scalar::Float(value), ColumnType::Int64) => value.fract() == 0.0 && value.abs() < 9e15,
            (_, ColumnType::Json) => true,
            (scalar, ty) => scalar.ty() == ty,
        }
    }
}

impl Normalizer {
    /// Loads JSON without a struct at a place of a row. Returns where it went, for the count of the drift.
    pub(super) fn dynamic(&mut self, at: At, place: &Place, raw: &str, depth: usize) -> Went {
        let mut reader = Reader::new(raw);
        let deep = depth >= DEEPEST;
        match reader.peek() {
            b'{' if !deep => self.object(at, place, raw, depth),
            b'[' if !deep => self.dynamic_list(at, place, &mut reader, depth),
            b'{' | b'[' => self.json_column(at, place, raw),
            _ => match Scalar::read(raw) {
                Some(scalar) => self.dynamic_scalar(at, place, raw, scalar),
                None => Went::Nowhere,
            },
        }
    }

    fn object(&mut self, at: At, place: &Place, raw: &str, depth: usize) -> Went {
        let mut reader = Reader::new(raw);
        let (mut loaded, mut discarded) = (false, false);
        let (full, mut rest) = (self.is_full(at, place, raw), Rest::default());
        // The text was JSON when it was read.
        let mut more = reader.open(b'}');
        while more {
            let (Ok(key), Ok(value)) = (reader.key(), reader.raw()) else {
                break;
            };
            let quoted = key.raw;
            let key = key.decode().unwrap_or(Cow::Borrowed(quoted));
            let below = place.below(&key, self.naming);
            if full && self.is_rest(at, place, &below, value) {
                rest.add(quoted, value);
            } else {
                match self.dynamic(at, &below, value, depth + 1) {
                    Went::Nowhere => {}
                    Went::Discarded => discarded = true,
                    _ => loaded = true,
                }
            }
            more = matches!(reader.more(b'}'), Ok(true));
        }
        let rest = rest.column(place);
        match rest.map(|(column, json)| self.json_column(at, &column, &json)) {
            None => {}
            Some(Went::Discarded) => discarded = true,
            Some(went) if !loaded => return went,
            Some(_) => loaded = true,
        }
        match discarded && !loaded {
            true => Went::Discarded,
            false => Went::Columns,
        }
    }

    fn dynamic_list(
        &mut self,
        parent: At,
        place: &Place,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Went {
        if !reader.open(b']') {
            return Went::Nowhere;
        }
        if !self.admits_table(parent, place) {
            return Went::Discarded;
        }
        let table = self.new_table(parent.table, place);
        let mut index = self.next_index(table, &parent);
        while let Ok(item) = reader.raw() {
            let open = self.open_row();
            let row = self.child_row(table, &parent, index);
            self.dynamic_item(row, item, depth + 1);
            self.close_row(open);
            index += 1;
            if !matches!(reader.more(b']'), Ok(true)) {
                break;
            }
        }
        Went::Table(table)
    }

    /// Loads an item of a list: an object's keys are columns, a list is a table of its own, a scalar goes to `value`.
    pub(super) fn dynamic_item(&mut self, row: At, raw: &str, depth: usize) -> Went {
        let name = match raw.as_bytes().first() {
            Some(b'{') => "",
            Some(b'[') => "list",
            _ => "value",
        };
        let place = Place {
            path: String::new(),
            name: name.to_owned(),
        };
        self.dynamic(row, &place, raw, depth)
    }

    fn dynamic_scalar(&mut self, at: At, place: &Place, raw: &str, scalar: Scalar<'_>) -> Went {
        let table = &self.tables[at.table];
        let free = |column: &&usize| !table.columns[**column].holds(at.row);
        let fitting = table
            .at(&place.path)
            .iter()
            .filter(free)
            .find(|column| scalar.fits(table.schema.columns[**column].ty))
            .copied();
        let column = match fitting {
            Some(column) => column,
            None => {
                let ty = scalar.ty();
                if !self.admits_column(at, place, ty) {
                    return Went::Discarded;
                }
                let column = self.new_column(at, place, &place.name, ty);
                if self.tables[at.table].columns[column].holds(at.row) {
                    // A duplicate key: the second value has a column of its own.
                    return self.dynamic(at, &again(place), raw, DEEPEST);
                }
                column
            }
        };
        let table = &mut self.tables[at.table];
        let ty = table.schema.columns[column].ty;
        let values = &mut table.columns[column];
        self.bytes += raw.len();
        match (scalar, ty) {
            (_, ColumnType::Json) => values.text(at.row, raw),
            (Scalar::Text(_, Some(time)), ColumnType::Timestamp) => {
                values.scalar(at.row, ValueRef::Timestamp(&time));
            }
            (Scalar::Text(text, _), _) => values.text(at.row, &text),
            (Scalar::Json(text), _) => values.text(at.row, text),
            (Scalar::Decimal(value), _) => {
                values.scalar(at.row, ValueRef::Decimal(&value));
            }
            (Scalar::Bool(value), _) => {
                values.scalar(at.row, ValueRef::Bool(&value));
            }
            (Scalar::Int(value), _) => {
                values.scalar(at.row, ValueRef::Int(&value));
            }
            (Scalar::Float(value), ColumnType::Int64) => {
                values.scalar(at.row, ValueRef::Int(&(value as i64)));
            }
            (Scalar::Float(value), _) => {
                values.scalar(at.row, ValueRef::Float(&value));
            }
        }
        Went::Column(column)
    }

    /// Loads JSON into a JSON column.
    pub(super) fn json_column(&mut self, at: At, place: &Place, raw: &str) -> Went {
        let wanted = match place.name.as_str() {
            "" => "value",
            name => name,
        };
        if !self.admits_column(at, place, ColumnType::Json) {
            return Went::Discarded;
        }
        let column = self.new_column(at, place, wanted, ColumnType::Json);
        let values = &mut self.tables[at.table].columns[column];
        if values.holds(at.row) {
            return self.json_column(at, &again(place), raw);
        }
        self.bytes += raw.len();
        values.text(at.row, &json::compact(raw));
        Went::Column(column)
    }

    /// Returns the column for values of that type; creates it if it does not exist.
    fn new_column(&mut self, at: At, place: &Place, name: &str, ty: ColumnType) -> usize {
        let table = &mut self.tables[at.table];
        let before = table.columns.len();
        let column = table.column((&place.path, name), ty, false, self.naming);
        if table.columns.len() > before {
            self.keeper.made(Made::Column(at.table));
        }
        column
    }

    /// Returns the child table for a list that the struct does not declare; creates it if it does
    /// not exist: the load that creates it also creates all its columns.
    fn new_table(&mut self, parent: usize, place: &Place) -> usize {
        let before = self.tables.len();
        let table = self.child_table(parent, place);
        if self.tables.len() > before {
            self.tables[table].fresh = true;
            self.keeper.made(Made::Table(parent));
        }
        table
    }
}

/// Returns the kind of JSON: the name of a column's type, `object` or `list`.
pub(super) fn kind(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "list",
        _ => Scalar::read(raw).map_or("null", |scalar| scalar.ty().name()),
    }
}

/// Returns the place of another value for the same key.
pub(super) fn again(place: &Place) -> Place {
    Place {
        path: format!("{}~again", place.path),
        name: names::join(&place.name, "again"),
    }
}

/// The part of the tables that dynamic JSON went to.
pub(super) enum Went {
    Column(usize),
    Columns,
    Table(usize),
    /// It was null, or an empty list.
    Nowhere,
    /// The contract leaves it out, and it is counted.
    Discarded,
}
