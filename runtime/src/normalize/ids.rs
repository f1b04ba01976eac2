//! Row ids: the same input gives the same id, on every machine and in every run.

use std::collections::BTreeMap;

use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use xxhash_rust::xxh3::xxh3_128;

use crate::record::json;
use crate::schema::Layout;

/// 120 bits of a hash, as 20 characters; in dlt's layout 80 bits, as 14 characters and 6 NULs.
pub(super) type Id = [u8; 20];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The length of one of dlt's ids.
const DLT_LENGTH: usize = 14;

/// The input of an id: parts with unambiguous boundaries.
pub(super) struct Hasher {
    layout: Layout,
    bytes: Vec<u8>,
}

impl Hasher {
    pub fn new(layout: Layout) -> Self {
        let bytes = Vec::new();
        Hasher { layout, bytes }
    }

    /// Starts a new id; ids of different kinds differ.
    pub fn start(&mut self, kind: u8) -> &mut Self {
        self.bytes.clear();
        self.bytes.push(kind);
        self
    }

    pub fn part(&mut self, part: &[u8]) -> &mut Self {
        self.bytes
            .extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(part);
        self
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub fn id(&self) -> Id {
        let mut hash = xxh3_128(&self.bytes);
        if self.layout == Layout::Dlt {
            return base64(&hash.to_le_bytes());
        }
        let mut id = [0; 20];
        for place in &mut id {
            *place = ALPHABET[(hash & 63) as usize];
            hash >>= 6;
        }
        id
    }

    /// Returns the id of the row of an item of a list.
    pub fn child(&mut self, parent: &Id, table: &str, index: usize) -> Id {
        match self.layout {
            Layout::Etl => {
                self.start(b'c').part(parent).part(table.as_bytes());
                self.number(index as u64).id()
            }
            Layout::Dlt => dlt_hash(&format!("{}_{table}_{index}", text(parent))),
        }
    }
}

/// Returns the id that dlt computes for a text: the JSON of a key, or the place of a child row.
pub(super) fn dlt_hash(text: &str) -> Id {
    base64(&shake::<16>(text.as_bytes()))
}

/// Returns the id that dlt computes for a key: for the JSON of its parts, by the names of their
/// columns.
pub(super) fn dlt_key(parts: &BTreeMap<String, String>) -> Id {
    let mut out = String::from("{");
    for (name, value) in parts {
        if out.len() > 1 {
            out.push(',');
        }
        json::write_string(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    dlt_hash(&out)
}

/// Returns the first bytes of a SHAKE128 digest.
pub(super) fn shake<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut hasher = Shake128::default();
    hasher.update(bytes);
    let mut digest = [0; N];
    hasher.finalize_xof().read(&mut digest);
    digest
}

/// Encodes the first 10 bytes in base64, without padding.
fn base64(bytes: &[u8; 16]) -> Id {
    let mut id = [0; 20];
    let bits = u128::from_be_bytes(*bytes) & !((1 << 48) - 1);
    for (place, at) in id[..DLT_LENGTH].iter_mut().zip(0_u32..) {
        *place = BASE64[(bits >> (122 - 6 * at)) as usize & 63];
    }
    id
}

/// Returns an id as text.
pub(super) fn text(id: &Id) -> &str {
    let length = match id[DLT_LENGTH] {
        0 => DLT_LENGTH,
        _ => id.len(),
    };
    // The alphabets are ASCII.
    std::str::from_utf8(&id[..length]).unwrap_or_default()
}

/// Parses the text of an id.
pub(super) fn parse(text: &str) -> Id {
    let mut id = [0; 20];
    let length = text.len().min(id.len());
    id[..length].copy_from_slice(&text.as_bytes()[..length]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_dlt_makes() {
        let mut parent = [0; 20];
        parent[..14].copy_from_slice(b"abcdefghijklmn");
        let child = Hasher::new(Layout::Dlt).child(&parent, "orders__lines", 3);
        assert_eq!(text(&child), "qm+OZfSsqQx1vg");
        for (key, id) in [
            (r#"{"id":"or_1"}"#, "zxK1WONWAm9Ueg"),
            (r#"{"a__b":"é\n\u0001\"/","id":7}"#, "6Im2gPfPyX1T8Q"),
            (r#"{"id":1.5}"#, "ajYxs7YZNhIBVQ"),
        ] {
            assert_eq!(text(&dlt_hash(key)), id, "{key}");
        }
    }

    #[test]
    fn each_layout_has_ids_of_its_length() {
        for (layout, length) in [(Layout::Etl, 20), (Layout::Dlt, 14)] {
            let id = Hasher::new(layout).start(b'k').part(b"1").id();
            assert_eq!(text(&id).len(), length);
        }
    }
}
