//! The shape of nested records, as a JSON Schema.

use serde_json::{Map, Value, json};

use super::place::{Place, places};
use crate::error::Result;
use crate::schema::{ColumnType, TableSchema};

/// What values of a place may be. It only ever grows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    types: Vec<ColumnType>,
    keys: Vec<(String, Shape)>,
    items: Option<Box<Shape>>,
}

/// Keywords of a JSON Schema and their values.
pub(crate) type Keywords = &'static [(&'static str, &'static str)];

/// What a schema says about text that stands for a type that JSON does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// A decimal: `-12.340000000`.
    pub decimal: Keywords,
    /// A moment: `2024-01-31T12:00:00.000000Z`.
    pub timestamp: Keywords,
    /// A UUID.
    pub uuid: Keywords,
}

impl Dialect {
    /// JSON Schema, without an extension.
    pub const PLAIN: Dialect = Dialect {
        decimal: &[("format", "decimal")],
        timestamp: &[("format", "date-time")],
        uuid: &[("format", "uuid")],
    };
}

impl Shape {
    /// Returns the shape of the records that these tables of one resource hold; parents come before
    /// children.
    pub fn of(tables: &[&TableSchema]) -> Result<Self> {
        let places = places(tables)?;
        Ok(match places.first() {
            Some(root) => Tables {
                tables,
                places: &places,
            }
            .record(root),
            None => Shape::default(),
        })
    }

    /// Adds a key of the record.
    #[cfg(any(feature = "singer", feature = "airbyte", feature = "emit"))]
    pub fn with(mut self, key: &str, ty: ColumnType) -> Self {
        self.key(key).add(ty);
        self
    }

    /// Adds what another shape has; returns whether there was anything new.
    #[cfg(any(feature = "singer", feature = "emit"))]
    pub fn merge(&mut self, other: &Shape) -> bool {
        let mut new = false;
        for ty in &other.types {
            new |= self.add(*ty);
        }
        for (key, below) in &other.keys {
            let known = self.keys.len();
            let place = self.key(key);
            new |= place.merge(below);
            new |= self.keys.len() > known;
        }
        if let Some(items) = &other.items {
            new |= self.items.is_none();
            new |= self.items.get_or_insert_default().merge(items);
        }
        new
    }

    /// Removes the field at a path; lists have no key of their own in it.
    #[cfg(feature = "singer")]
    pub fn remove(&mut self, path: &[String]) {
        if let Some(items) = &mut self.items {
            items.remove(path);
        }
        match path {
            [] => {}
            [last] => self.keys.retain(|(key, _)| key != last),
            [first, below @ ..] => {
                let known = self.keys.iter_mut().find(|(key, _)| key == first);
                known.into_iter().for_each(|(_, shape)| shape.remove(below));
            }
        }
    }

    fn add(&mut self, ty: ColumnType) -> bool {
        let new = !self.types.contains(&ty);
        if new {
            self.types.push(ty);
        }
        new
    }

    fn key(&mut self, key: &str) -> &mut Shape {
        let at = self.keys.iter().position(|(known, _)| known == key);
        let at = at.unwrap_or_else(|| {
            self.keys.push((key.to_owned(), Shape::default()));
            self.keys.len() - 1
        });
        &mut self.keys[at].1
    }

    /// Returns the JSON Schema of a record.
    pub fn record_schema(&self, dialect: &Dialect) -> Value {
        let keys = self.keys.iter();
        let properties: Map<String, Value> = keys
            .map(|(key, shape)| (key.clone(), shape.schema(dialect)))
            .collect();
        json!({"type": "object", "properties": properties})
    }

    fn schema(&self, dialect: &Dialect) -> Value {
        let mut all = Map::new();
        let mut types: Vec<&str> = Vec::new();
        let mut kinds = 0;
        for ty in &self.types {
            for (key, value) in keywords(*ty, dialect) {
                all.insert((*key).to_owned(), (*value).into());
            }
            types.extend(json_types(*ty));
            kinds += 1;
        }
        if !self.keys.is_empty() {
            let object = self.record_schema(dialect);
            all.insert("properties".to_owned(), object["properties"].clone());
            types.push("object");
            kinds += 1;
        }
        if let Some(items) = &self.items {
            all.insert("items".to_owned(), items.schema(dialect));
            types.push("array");
            kinds += 1;
        }
        if kinds > 1 {
            // What is said of one type does not hold for the others.
            all.retain(|key, _| matches!(key.as_str(), "properties" | "items"));
        }
        types.push("null");
        let mut known: Vec<&str> = Vec::new();
        types.retain(|ty| {
            !known.contains(ty) && {
                known.push(ty);
                true
            }
        });
        let mut schema = Map::from_iter([("type".to_owned(), json!(types))]);
        schema.append(&mut all);
        Value::Object(schema)
    }
}

/// The JSON types of a column's values.
fn json_types(ty: ColumnType) -> &'static [&'static str] {
    match ty {
        ColumnType::Bool => &["boolean"],
        ColumnType::Int64 => &["integer"],
        ColumnType::Float64 => &["number"],
        ColumnType::Json => &["object", "array", "string", "number", "integer", "boolean"],
        _ => &["string"],
    }
}

/// What else a schema says about a column's values.
fn keywords(ty: ColumnType, dialect: &Dialect) -> Keywords {
    match ty {
        ColumnType::Timestamp => dialect.timestamp,
        ColumnType::Decimal => dialect.decimal,
        ColumnType::Uuid => dialect.uuid,
        ColumnType::Date => &[("format", "date")],
        ColumnType::Bytes => &[("contentEncoding", "base64")],
        _ => &[],
    }
}

struct Tables<'a> {
    tables: &'a [&'a TableSchema],
    places: &'a [Place],
}

impl Tables<'_> {
    /// Returns the shape of the records: a record that is no object is the value of a key.
    fn record(&self, root: &Place) -> Shape {
        let whole = self.shape(root, 0);
        let mut record = Shape {
            keys: whole.keys,
            ..Shape::default()
        };
        for at in &root.columns {
            let column = &self.tables[0].columns[*at];
            record.key(&column.name).add(column.ty);
        }
        if let Some(items) = whole.items {
            record.key("list").items = Some(items);
        }
        record
    }

    fn shape(&self, place: &Place, table: usize) -> Shape {
        let mut shape = Shape::default();
        for at in &place.columns {
            shape.add(self.tables[table].columns[*at].ty);
        }
        for (key, below) in &place.keys {
            shape.keys.push((key.clone(), self.shape(below, table)));
        }
        let items = place.list.map(|list| self.shape(&self.places[list], list));
        shape.items = items.map(Box::new);
        shape
    }
}
