//! Objects with an unbounded number of keys, such as maps by id: the number of columns is limited,
//! and keys without a column of their own go into one JSON column at the place of the object.

use super::place::Place;
use super::{At, Normalizer};
use crate::record::json::{self, Reader};
use crate::schema::ColumnType;

/// The number of keys of one object that get columns or tables, if the struct declares none of
/// them.
pub(super) const WIDEST: usize = 200;
/// The column for those keys of the record itself that get no column of their own.
const REST: &str = "other_keys";

/// Members of an object that get no column of their own.
#[derive(Default)]
pub(super) struct Rest(String);

impl Rest {
    /// Adds a member; `key` is written as in JSON, without quotes.
    pub fn add(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(&json::compact(value));
    }

    /// Returns the JSON of an object's rest, and the place of the column that it goes to; `None` if
    /// there is no rest.
    pub fn column(self, object: &Place) -> Option<(Place, String)> {
        if self.0.is_empty() {
            return None;
        }
        let name = match object.path.as_str() {
            "" => REST.to_owned(),
            _ => object.name.clone(),
        };
        let path = object.path.clone();
        Some((Place { path, name }, self.0 + "}"))
    }
}

impl Normalizer {
    /// Returns whether the table has no room for undeclared data.
    pub(super) fn has_no_room(&self, at: At) -> bool {
        self.tables[at.table].columns.len() >= self.most_columns
    }

    /// Returns whether new keys of an object no longer get columns. `raw` is the object.
    pub(super) fn is_full(&self, at: At, place: &Place, raw: &str) -> bool {
        if self.has_no_room(at) {
            return true;
        }
        // Only the room in the table limits the keys of the record itself.
        if place.path.is_empty() {
            return false;
        }
        let table = &self.tables[at.table];
        let is_json = |at: &usize| table.schema.columns[*at].ty == ColumnType::Json;
        if table.at(&place.path).iter().any(is_json) {
            return true;
        }
        let known = table.known_keys(&place.path);
        let room = self.widest.saturating_sub(known);
        // A shorter text cannot have that many keys.
        room == 0 || raw.len() > 4 * room && self.has_more(at, place, raw, room)
    }

    /// Returns whether an object has more than `room` new keys.
    fn has_more(&self, at: At, place: &Place, raw: &str, room: usize) -> bool {
        let table = &self.tables[at.table];
        let mut reader = Reader::new(raw);
        let (mut new, mut more) = (0, reader.open(b'}'));
        while more {
            let (Ok(key), Ok(_)) = (reader.key(), reader.raw()) else {
                break;
            };
            let key = key.decode().unwrap_or_default();
            let below = place.below(&key, self.naming);
            new += usize::from(!table.knows(&place.path, &below.path));
            if new > room {
                return true;
            }
            more = matches!(reader.more(b'}'), Ok(true));
        }
        false
    }

    /// Returns whether a key of a full object gets no column.
    pub(super) fn is_rest(&self, at: At, object: &Place, below: &Place, value: &str) -> bool {
        value != "null" && !self.tables[at.table].knows(&object.path, &below.path)
    }
}
