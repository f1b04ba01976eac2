//! JSON without a struct: objects become columns, lists become tables, scalars are typed by what they are.

use std::borrow::Cow;

use super::{At, Normalizer, names};
use crate::record::json::{self, Number, Reader};
use crate::record::layout::ValueRef;
use crate::record::{Decimal, Timestamp, parse_instant};
use crate::schema::ColumnType;

/// What is nested deeper stays JSON.
const DEEPEST: usize = 32;

/// A place below a row: JSON pointer within the row, and the name that a column there gets.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: String,
    pub name: String,
}

impl Place {
    /// The row itself.
    pub fn row() -> Self {
        Place {
            path: String::new(),
            name: String::new(),
        }
    }

    /// The place at a key of this one.
    pub fn below(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Place {
            path: format!("{}/{escaped}", self.path),
            name: names::join(&self.name, &names::snake_case(key)),
        }
    }

    /// The keys, as a person writes them.
    pub fn dotted(&self) -> String {
        match self.path.strip_prefix('/') {
            None => "(the value itself)".to_owned(),
            Some(path) => path.replace('/', ".").replace("~1", "/").replace("~0", "~"),
        }
    }
}

/// A scalar, typed by what it is.
enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text, and the instant that it names, if it does.
    Text(Cow<'a, str>, Option<Timestamp>),
    /// A whole number beyond 64 bits.
    Decimal(Decimal),
    /// What no other column can say: a string with half a surrogate pair, a number beyond decimals and doubles.
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

    /// Whether a column of that type holds it without loss.
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
    /// Loads JSON that has no struct at a place of a row. Returns what it went to, for the account of the drift.
    pub(super) fn dynamic(&mut self, at: At, place: &Place, raw: &str, depth: usize) -> Went {
        let mut reader = Reader::new(raw);
        let deep = depth >= DEEPEST;
        match reader.peek() {
            b'{' if !deep => {
                self.object(at, place, &mut reader, depth);
                Went::Columns
            }
            b'[' if !deep => {
                let table = self.child_table(at.table, place);
                self.dynamic_list(table, at, &mut reader, depth);
                Went::Table(table)
            }
            b'{' | b'[' => Went::Column(self.json_column(at, place, raw)),
            _ => match Scalar::read(raw) {
                Some(scalar) => Went::Column(self.dynamic_scalar(at, place, raw, scalar)),
                None => Went::Nowhere,
            },
        }
    }

    fn object(&mut self, at: At, place: &Place, reader: &mut Reader<'_>, depth: usize) {
        // The text was JSON when it was read.
        if !reader.open(b'}') {
            return;
        }
        loop {
            let (Ok(key), Ok(value)) = (reader.key(), reader.raw()) else {
                return;
            };
            let key = key.decode().unwrap_or(Cow::Borrowed(key.raw));
            self.dynamic(at, &place.below(&key), value, depth + 1);
            if !matches!(reader.more(b'}'), Ok(true)) {
                return;
            }
        }
    }

    fn dynamic_list(&mut self, table: usize, parent: At, reader: &mut Reader<'_>, depth: usize) {
        if !reader.open(b']') {
            return;
        }
        let mut index = self.next_index(table, &parent);
        loop {
            let Ok(item) = reader.raw() else { return };
            let row = self.child_row(table, &parent, index);
            self.dynamic_item(row, item, depth + 1);
            index += 1;
            if !matches!(reader.more(b']'), Ok(true)) {
                return;
            }
        }
    }

    /// An item of a list: an object's keys are columns, a list is a table of its own, a scalar stands in `value`.
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

    fn dynamic_scalar(&mut self, at: At, place: &Place, raw: &str, scalar: Scalar<'_>) -> usize {
        let table = &mut self.tables[at.table];
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
                let column =
                    table.column(&place.path, &place.name, ty, false, self.identifier_length);
                if table.columns[column].holds(at.row) {
                    // The key came twice: the second value has a column of its own.
                    return match self.dynamic(at, &again(place), raw, DEEPEST) {
                        Went::Column(column) => column,
                        _ => column,
                    };
                }
                column
            }
        };
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
        column
    }

    /// JSON kept as JSON.
    pub(super) fn json_column(&mut self, at: At, place: &Place, raw: &str) -> usize {
        let table = &mut self.tables[at.table];
        let wanted = match place.name.as_str() {
            "" => "value",
            name => name,
        };
        let limit = self.identifier_length;
        let column = table.column(&place.path, wanted, ColumnType::Json, false, limit);
        if table.columns[column].holds(at.row) {
            return self.json_column(at, &again(place), raw);
        }
        self.bytes += raw.len();
        table.columns[column].text(at.row, &json::compact(raw));
        column
    }
}

/// The place of another value for the same key.
pub(super) fn again(place: &Place) -> Place {
    Place {
        path: format!("{}~again", place.path),
        name: names::join(&place.name, "again"),
    }
}

/// Where dynamic JSON went.
pub(super) enum Went {
    Column(usize),
    Columns,
    Table(usize),
    Nowhere,
}
