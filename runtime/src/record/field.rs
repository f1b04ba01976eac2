//! Fields of a record, named by a handle or by keys, and their values.

use std::marker::PhantomData;

use super::cursor_value::{CursorValue, WireFormat};
use super::drift::{self, Content};
use super::json;
use super::layout::{RecordRef, ValueRef};
use super::path::parse_path;
use super::schema::{Field, IsOrdered, RecordSchema, Shape, nested};
use super::{Drift, Record, Row, RowRef};

/// A field of `R`, named by a handle, or by its JSON keys joined with dots (`"commit.committer.date"`). The struct need
/// not declare the keys: the drift and JSON fields are searched as well.
pub struct FieldPath<R> {
    lookup: Lookup,
    marker: PhantomData<fn() -> R>,
}

impl<R> FieldPath<R> {
    /// Returns the keys.
    pub fn keys(&self) -> &[String] {
        &self.lookup.keys
    }
}

impl<R: Record> FieldPath<R> {
    /// Creates the path of these keys.
    pub fn new(keys: Vec<String>) -> Self {
        FieldPath {
            lookup: Lookup::new(R::SCHEMA, keys),
            marker: PhantomData,
        }
    }

    /// Returns the format of this field's cursor values in a request; text if the struct does not
    /// declare the field.
    pub(crate) fn wire_format(&self) -> WireFormat {
        self.lookup.wire_format(R::SCHEMA)
    }

    /// Returns the value of the field, if it can be a cursor position. A value that does not fit
    /// its field is parsed in the wire format; if that fails, there is none.
    pub(crate) fn cursor_value(&self, row: &Row<R>) -> Option<CursorValue> {
        self.lookup.cursor_value(R::SCHEMA, row.erased())
    }

    /// Returns the value of the field as text: a string without its quotes, a number or a boolean
    /// in its JSON form.
    pub fn text(&self, row: &Row<R>) -> Option<String> {
        self.lookup.text(row.erased())
    }
}

/// A name of a field of `R` that can be a key or a cursor: a handle (`Invoice::ID`), or the field's JSON keys joined
/// with dots (`"meta.id"`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a field of `{R}`",
    label = "not a field of `{R}`",
    note = "write a handle of the record, like `{R}::ID`, or the JSON keys of the field, joined with dots: `\"meta.id\"`"
)]
pub trait IntoFieldPath<R> {
    /// Returns the field.
    fn into_field_path(self) -> FieldPath<R>;
}

impl<R: Record, O: IsOrdered> IntoFieldPath<R> for Field<R, O> {
    fn into_field_path(self) -> FieldPath<R> {
        FieldPath::new(vec![self.key().to_owned()])
    }
}

impl<R: Record> IntoFieldPath<R> for &str {
    fn into_field_path(self) -> FieldPath<R> {
        FieldPath::new(parse_path(self))
    }
}

impl<R> IntoFieldPath<R> for FieldPath<R> {
    fn into_field_path(self) -> FieldPath<R> {
        self
    }
}

/// A key of a record: one field, or a list of fields that together identify a record (`[Line::ORDER, Line::NUMBER]`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key of `{R}`",
    label = "not a field of `{R}`, nor a list of its fields",
    note = "write a handle of the record, like `{R}::ID`, the JSON keys of a field (`\"meta.id\"`), or a list of these"
)]
pub trait IntoKey<R> {
    /// Returns the fields.
    fn into_key(self) -> Vec<FieldPath<R>>;
}

impl<R: Record, O: IsOrdered> IntoKey<R> for Field<R, O> {
    fn into_key(self) -> Vec<FieldPath<R>> {
        vec![self.into_field_path()]
    }
}

impl<R: Record> IntoKey<R> for &str {
    fn into_key(self) -> Vec<FieldPath<R>> {
        vec![self.into_field_path()]
    }
}

impl<R, F: IntoFieldPath<R>, const N: usize> IntoKey<R> for [F; N] {
    fn into_key(self) -> Vec<FieldPath<R>> {
        self.map(F::into_field_path).into()
    }
}

impl<R, F: IntoFieldPath<R>> IntoKey<R> for Vec<F> {
    fn into_key(self) -> Vec<FieldPath<R>> {
        self.into_iter().map(F::into_field_path).collect()
    }
}

/// A field of `R` of any type, named by a handle, or by its JSON keys joined with dots.
pub struct AnyField<R> {
    lookup: Lookup,
    marker: PhantomData<fn() -> R>,
}

impl<R: Record> AnyField<R> {
    fn new(keys: Vec<String>) -> Self {
        AnyField {
            lookup: Lookup::new(R::SCHEMA, keys),
            marker: PhantomData,
        }
    }

    pub(crate) fn lookup(self) -> Lookup {
        self.lookup
    }
}

impl<R: Record, Order> From<Field<R, Order>> for AnyField<R> {
    fn from(field: Field<R, Order>) -> Self {
        AnyField::new(vec![field.key().to_owned()])
    }
}

impl<R: Record> From<&str> for AnyField<R> {
    fn from(path: &str) -> Self {
        AnyField::new(parse_path(path))
    }
}

impl<R> Clone for FieldPath<R> {
    fn clone(&self) -> Self {
        FieldPath {
            lookup: self.lookup.clone(),
            marker: PhantomData,
        }
    }
}

impl<R> std::fmt::Debug for FieldPath<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.keys().join("."))
    }
}

/// Returns whether a text means true for a flag, or is a time: it is no word that denies, and no
/// zero.
fn is_yes(text: &str) -> bool {
    const NO: [&str; 10] = [
        "",
        "f",
        "false",
        "n",
        "nil",
        "no",
        "none",
        "null",
        "off",
        "undefined",
    ];
    let text = text.trim();
    let is_zero = || text.parse::<f64>().is_ok_and(|number| number == 0.0);
    !NO.iter().any(|no| text.eq_ignore_ascii_case(no)) && !is_zero()
}

fn instant(text: &str) -> Option<i64> {
    CursorValue::parse(WireFormat::Rfc3339, text).ok()?.micros()
}

/// A path whose leading keys are looked up in the schema once.
#[derive(Clone)]
pub(crate) struct Lookup {
    pub keys: Vec<String>,
    /// The indices of the fields that the first keys name.
    fields: Vec<usize>,
}

/// The value at a path.
pub(crate) enum Found<'a> {
    /// A value that was read; never null.
    Value(ValueRef<'a>),
    /// Raw JSON; never null.
    Raw(&'a str),
}

impl Lookup {
    pub fn new(schema: &'static RecordSchema, keys: Vec<String>) -> Self {
        let mut fields = Vec::new();
        let mut schema = Some(schema);
        for key in &keys {
            let Some((record, at)) =
                schema.and_then(|schema| Some((schema, schema.position(key)?)))
            else {
                break;
            };
            fields.push(at);
            schema = match record.fields[at].shape() {
                Shape::List(_) => None,
                shape => nested(shape),
            };
        }
        Lookup { keys, fields }
    }

    pub fn wire_format(&self, schema: &'static RecordSchema) -> WireFormat {
        let shape = self.shape(schema);
        shape.map_or(WireFormat::Text, WireFormat::of)
    }

    fn cursor_value(&self, schema: &'static RecordSchema, row: RowRef<'_>) -> Option<CursorValue> {
        match self.find(row.record, row.drift)? {
            Found::Value(value) => CursorValue::of(value),
            Found::Raw(raw) => {
                let format = self.wire_format(schema);
                CursorValue::parse(format, &json::scalar_text(raw)?).ok()
            }
        }
    }

    /// Returns whether this value of a tombstone means that the record was deleted, and since when.
    pub fn gone(&self, row: RowRef<'_>) -> Option<Option<i64>> {
        let (gone, since) = match self.find(row.record, row.drift)? {
            Found::Value(ValueRef::Bool(gone)) => (*gone, None),
            Found::Value(ValueRef::Int(number)) => (*number != 0, None),
            Found::Value(ValueRef::String(text)) => (is_yes(text), instant(text)),
            Found::Value(value) => {
                let since = CursorValue::of(value).and_then(|value| value.micros());
                (true, since)
            }
            Found::Raw(raw) => match json::scalar_text(raw) {
                Some(text) => (is_yes(&text), instant(&text)),
                None => (true, None),
            },
        };
        gone.then_some(since)
    }

    pub fn text(&self, row: RowRef<'_>) -> Option<String> {
        match self.find(row.record, row.drift)? {
            Found::Value(ValueRef::Bool(value)) => Some(value.to_string()),
            Found::Value(ValueRef::Json(value)) => json::scalar_text(value.as_str()),
            Found::Value(ValueRef::Dynamic(value)) => json::scalar_text(value.json().as_str()),
            Found::Value(value) => CursorValue::of(value).map(|value| value.to_string()),
            Found::Raw(raw) => json::scalar_text(raw),
        }
    }

    /// Returns the shape of the path in the schema.
    fn shape(&self, schema: &'static RecordSchema) -> Option<Shape> {
        if self.fields.len() != self.keys.len() {
            return None;
        }
        let mut shape = None;
        let mut schema = Some(schema);
        for at in &self.fields {
            let found = schema?.fields.get(*at)?.shape();
            shape = Some(found);
            schema = nested(found);
        }
        shape
    }

    /// Returns the value of this path in a record.
    pub fn find<'a>(&self, record: RecordRef<'a>, drift: &'a Drift) -> Option<Found<'a>> {
        if let Some(json) = record.whole() {
            return self.find_raw(json.as_str(), 0);
        }
        let mut value = ValueRef::Record(record);
        for (depth, at) in self.fields.iter().enumerate() {
            let ValueRef::Record(record) = value else {
                break;
            };
            value = record.get(*at);
            match value {
                ValueRef::Null => return self.find_drift(drift),
                ValueRef::Json(json) => return self.find_raw(json.as_str(), depth + 1),
                ValueRef::Dynamic(value) => return self.find_raw(value.json().as_str(), depth + 1),
                _ => {}
            }
        }
        if self.fields.len() == self.keys.len() {
            return Some(Found::Value(value));
        }
        self.find_drift(drift)
    }

    fn find_raw<'a>(&self, raw: &'a str, depth: usize) -> Option<Found<'a>> {
        let found = json::find(raw, self.keys[depth..].iter().map(String::as_str))?;
        (found != "null").then_some(Found::Raw(found))
    }

    fn find_drift<'a>(&self, drift: &'a Drift) -> Option<Found<'a>> {
        let content: &Content = drift.0.as_deref()?;
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let found = drift::find(content, &keys)?;
        (found != "null").then_some(Found::Raw(found))
    }
}
