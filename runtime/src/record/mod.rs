//! Typed records: the struct determines what is decoded, the schema, and what is loaded.
//!
//! `#[derive(Record)]` generates a static table of the fields (key, type, offset) and a handle for
//! each (`Customer::CREATED`). The code that reads and appends records is written once, here, and
//! driven by that table, so that a struct compiles quickly. The derive also implements `Debug` and
//! `PartialEq`, with the same table.
//!
//! The key of a field in JSON is its name. `#[record(rename_all = "camelCase")]` above the struct (or `PascalCase`,
//! `snake_case`, `kebab-case`, `SCREAMING_SNAKE_CASE`) derives it from the name, and `#[record(key = "maxResults")]` at
//! the field states it.
//!
//! # Types of values
//! Every field is an `Option`: `null` and a missing key are the same. A value that does not fit its field, and a key
//! that the struct does not know, never fail the record: they go, with their raw JSON, to the row's [`Drift`].
//!
//! | field | takes |
//! |---|---|
//! | `String` | strings |
//! | `i64` | integers of 64 bits (`1.0` is 1) |
//! | `f64` | numbers; an integer that a double cannot represent is drift, as is a number that overflows or underflows |
//! | `bool` | `true`, `false` |
//! | [`Timestamp`] | RFC 3339 text, any offset, `T` or a space, no offset means UTC; up to the microsecond |
//! | [`UnixTime`], [`UnixMillis`] | numbers and numeric text, up to the microsecond, or RFC 3339 text |
//! | [`Date`] | `2024-01-31` |
//! | [`Decimal`] | numbers and numeric text of up to 29 digits before and 9 after the point |
//! | [`Uuid`] | 36 characters, either case |
//! | [`Bytes`] | base64 with padding |
//! | [`Json`] | anything, loaded as one JSON column |
//! | [`Dynamic`] | anything, typed when it is loaded |
//! | a record, `Box` of one | objects |
//! | `Vec` | lists; items that do not fit (`null` too) are drift and keep their place |
//!
//! - If a key is duplicated, the first value that is not `null` counts, and the others are drift.
//! - A string with half a surrogate pair (`"\ud800"`), which UTF-8 cannot represent, is drift with its raw JSON.
//! - `\u0000` is a character like any other.
//! - A byte that is not UTF-8 becomes U+FFFD and its two hexadecimal digits, and the page reports
//!   it.
//! - Records nested in records deeper than 100 levels are drift.

pub(crate) mod beside;
mod cursor_value;
mod decimal;
mod drift;
mod field;
pub(crate) mod json;
#[allow(unsafe_code)]
pub(crate) mod layout;
mod lengths;
pub(crate) mod page;
mod parse_error;
mod partial;
mod path;
mod read;
#[allow(unsafe_code)]
pub(crate) mod schema;
mod select;
pub(crate) mod serialize;
mod time;
pub(crate) mod traits;
mod value;
mod within;

use xxhash_rust::xxh3::xxh3_64_with_seed;

pub(crate) use cursor_value::{CursorValue, WireFormat};
pub use decimal::Decimal;
pub(crate) use drift::Content;
pub use drift::Drift;
pub use etlgen_derive::Record;
pub use field::{AnyField, FieldPath, IntoFieldPath, IntoKey};
pub(crate) use field::{Found, Lookup};
pub(crate) use lengths::{Lengths, Longest};
pub(crate) use page::{PageReader, Stands};
pub use parse_error::ParseError;
pub(crate) use partial::{OpenList, OwnSigns, Partial};
pub(crate) use path::parse_path;
#[cfg(test)]
pub(crate) use schema::nested;
pub use schema::{Field, IsOrdered, Ordered, Record, Unordered};
pub(crate) use schema::{RecordSchema, Shape};
pub use select::SelectRule;
pub(crate) use select::{Kept, Selection};
pub use time::{Date, Timestamp, UnixMillis, UnixTime};
pub(crate) use time::{day, parse_instant, sortable};
pub use value::{Bytes, Dynamic, Json, JsonRef, Uuid};
pub(crate) use within::Said;

/// A record, with the data that the API sent and its struct does not declare.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Customer {
///     id: Option<String>,
/// }
///
/// fn is_internal(row: &Row<Customer>) -> bool {
///     row.record.id.is_none() || row.drift.text("kind").as_deref() == Some("internal")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// The typed part.
    pub record: T,
    /// Unknown keys and mistyped values, with their raw JSON.
    pub drift: Drift,
}

/// A row without its record's type.
#[derive(Clone, Copy)]
pub(crate) struct RowRef<'a> {
    pub record: layout::RecordRef<'a>,
    pub drift: &'a Drift,
}

impl<T: Record> Row<T> {
    pub(crate) fn erased(&self) -> RowRef<'_> {
        RowRef {
            record: layout::RecordRef::new(&self.record),
            drift: &self.drift,
        }
    }
}

/// Returns the raw text of the scalar at these keys of a record, if there is one.
pub(crate) fn raw_scalar(record: &[u8], keys: &[String]) -> Option<String> {
    let text = std::str::from_utf8(record).ok()?;
    json::scalar_text(json::find(text, keys.iter().map(String::as_str))?)
}

/// Returns the hash of a key; `None` if a part of it is missing.
pub(crate) fn key_hash(key: &[Lookup], row: RowRef<'_>) -> Option<u64> {
    key.iter().try_fold(key.len() as u64, |seed, part| {
        let hash = |text: &str| xxh3_64_with_seed(text.as_bytes(), seed);
        Some(match part.find(row.record, row.drift)? {
            Found::Value(layout::ValueRef::String(text)) => hash(text),
            Found::Value(layout::ValueRef::Int(number)) => whole_number(*number, hash),
            Found::Value(value) => {
                let mut json = String::new();
                serialize::write(&mut json, value, None);
                hash(&json::key_text(&json)?)
            }
            Found::Raw(raw) => hash(&json::key_text(raw)?),
        })
    })
}

/// Passes the text of a number on, without memory of its own.
fn whole_number<R>(number: i64, take: impl FnOnce(&str) -> R) -> R {
    let (mut text, mut left, mut at) = ([b'-'; 20], number.unsigned_abs(), 20);
    loop {
        at -= 1;
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    let start = at - usize::from(number < 0);
    take(std::str::from_utf8(&text[start..]).unwrap_or_default())
}

#[cfg(test)]
mod tests;
