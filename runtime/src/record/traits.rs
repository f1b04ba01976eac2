//! Printing and comparison of records, both by the table of fields, so that a struct adds no
//! compile time.

use std::fmt;

use super::Record;
use super::layout::{ListRef, RecordRef, ValueRef};
use super::schema::for_each_scalar;

/// Prints a record as its struct, each field under its JSON key. The derive calls it.
pub fn debug<T: Record>(record: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Debug::fmt(&RecordRef::new(record), f)
}

/// Returns whether both records are equal. The derive calls it.
pub fn equal<T: Record>(one: &T, other: &T) -> bool {
    RecordRef::new(one) == RecordRef::new(other)
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(json) = self.whole() {
            return fmt::Debug::fmt(json, f);
        }
        let mut printed = f.debug_struct(self.schema().name);
        for (index, field) in self.schema().fields.iter().enumerate() {
            let value = match self.get(index) {
                ValueRef::Null => None,
                value => Some(value),
            };
            printed.field(field.key, &value);
        }
        printed.finish()
    }
}

impl fmt::Debug for ListRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = (0..self.len()).map(|index| self.get(index));
        f.debug_list().entries(items).finish()
    }
}

impl PartialEq for RecordRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.whole(), other.whole()) {
            (None, None) => {}
            (one, other) => return one == other,
        }
        let mut fields = 0..self.schema().fields.len();
        self.schema().is(other.schema()) && fields.all(|index| self.get(index) == other.get(index))
    }
}

impl PartialEq for ListRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        let mut items = 0..self.len();
        self.len() == other.len() && items.all(|index| self.get(index) == other.get(index))
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueRef::Null => f.write_str("null"),
            ValueRef::String(value) => fmt::Debug::fmt(value, f),
            ValueRef::Float(value) => fmt::Debug::fmt(value, f),
            ValueRef::Int(value) => fmt::Debug::fmt(value, f),
            ValueRef::Bool(value) => fmt::Debug::fmt(value, f),
            // The JSON form is more readable than the number inside.
            ValueRef::Timestamp(value) => fmt::Display::fmt(value, f),
            ValueRef::UnixTime(value) => fmt::Display::fmt(value, f),
            ValueRef::UnixMillis(value) => fmt::Display::fmt(value, f),
            ValueRef::Date(value) => fmt::Display::fmt(value, f),
            ValueRef::Decimal(value) => fmt::Display::fmt(value, f),
            ValueRef::Uuid(value) => fmt::Display::fmt(value, f),
            ValueRef::Bytes(value) => fmt::Display::fmt(value, f),
            ValueRef::Json(value) => fmt::Display::fmt(value, f),
            ValueRef::Dynamic(value) => fmt::Display::fmt(value, f),
            ValueRef::Record(record) => fmt::Debug::fmt(record, f),
            ValueRef::List(list) => fmt::Debug::fmt(list, f),
        }
    }
}

macro_rules! compare_values {
    ($($(#[$doc:meta])* $name:ident $ty:ty,)*) => {
        impl PartialEq for ValueRef<'_> {
            fn eq(&self, other: &Self) -> bool {
                match (self, other) {
                    (ValueRef::Null, ValueRef::Null) => true,
                    $((ValueRef::$name(one), ValueRef::$name(other)) => one == other,)*
                    (ValueRef::Record(one), ValueRef::Record(other)) => one == other,
                    (ValueRef::List(one), ValueRef::List(other)) => one == other,
                    _ => false,
                }
            }
        }
    };
}
for_each_scalar!(compare_values);
