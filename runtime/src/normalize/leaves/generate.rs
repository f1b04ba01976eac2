//! Documents generated from a list of choices, biased towards the keys that a struct declares: a
//! shorter list of smaller numbers gives a simpler document, so that proptest can shrink it.

use super::doc::{Doc, Text};
use crate::record::{RecordSchema, Shape};

/// Below this depth only chains grow.
const BUSHY: usize = 4;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-7",
    "1.0",
    "-0.0",
    "2.5",
    "0.1",
    "1e3",
    "25e-1",
    "1706702400",
    "1706702400123",
    "1706702400.000216",
    "9007199254740993",
    "9007199254740992",
    "9007199254740993.0",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "123456789012345678901234567890",
    "12345678901234567890123456789",
    "1234567890123456789012345678901234567890",
    "0.123456789012345678901234567890",
    "12345678901234567890.123456789",
    "1e999",
    "-1e999",
    "1e-999",
    "1e300",
    "1E+22",
    "1e23",
    "5e-324",
    "0e5",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "abc def",
    "true",
    "null",
    "1",
    "1.5",
    "1e999",
    "1706702400",
    "9223372036854775808",
    "n/a",
    "2024-01-31",
    "0000-01-01",
    "2024-02-30",
    "2024-01-31T12:00:00Z",
    "2024-01-31 12:00:00",
    "2024-01-31T12:00:00.123456+05:30",
    "2024-01-31T12:00:00.123456789Z",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "123e4567-e89b-12d3-a456-426614174000",
    "123E4567-E89B-12D3-A456-426614174000",
    "TWFu",
    "TQ==",
    "TR==",
    "\\u0000",
    "a\\u0000b",
    "\\ud800",
    "x\\udc00y",
    "\\ud83d\\ude00",
    "\u{1F600}é",
    "\\\"\\\\\\/\\b\\f\\n\\r\\t",
    "\\\\ud800",
    "a \u{1}control",
    "{\\\"a\\\":1}",
    "  spaces  ",
];

/// Keys that no struct here declares, or that collide with declared ones.
const KEYS: &[&str] = &[
    "new",
    "userName",
    "user_name",
    "user-name",
    "User__Name",
    "",
    " ",
    "a",
    "a.b",
    "a/b",
    "a~b",
    "~again",
    "a~again",
    "~1",
    "a__b",
    "a_b",
    "é",
    "ü",
    "value",
    "list",
    "id",
    "_etl_id",
    "_etl_load_id",
    "_etl_list_idx",
    "_etl_parent_id",
    "_dlt_id",
    "_dlt_load_id",
    "__",
    "\\u0061",
    "k\\u0000",
    "\\ud800",
    "\\\\ud800",
    "0",
    "2fa",
    "a_key_that_is_longer_than_any_name_may_be_in_a_table_of_a_destination_1",
    "a_key_that_is_longer_than_any_name_may_be_in_a_table_of_a_destination_2",
];

/// A sequence of numbers; after its end, 0.
pub struct Choices<'a>(pub std::slice::Iter<'a, u16>);

impl Choices<'_> {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0
            .next()
            .map_or(0, |choice| usize::from(*choice) % limit)
    }

    fn of<'t>(&mut self, all: &'t [&'t str]) -> &'t str {
        all[self.below(all.len())]
    }

    /// Returns a document for a struct, or any other document.
    pub fn document(&mut self, schema: &'static RecordSchema) -> Doc {
        match self.below(20) {
            19 => self.anything(0),
            _ => self.object(schema, 0),
        }
    }

    fn object(&mut self, schema: &'static RecordSchema, depth: usize) -> Doc {
        let mut entries = Vec::new();
        for field in schema.fields {
            if self.below(3) == 1 || depth == 0 && self.below(3) == 1 {
                let key = field.key.replace('\\', "\\\\").replace('"', "\\\"");
                entries.push((Text::new(&key), self.value(field.shape(), depth + 1)));
            }
        }
        for _ in 0..self.below(4) {
            let key = Text::new(self.of(KEYS));
            entries.push((key, self.anything(depth + 1)));
        }
        if self.below(5) == 1 && !entries.is_empty() {
            let at = self.below(entries.len());
            let (key, again) = entries[at].clone();
            let again = match self.below(3) {
                0 => again,
                _ => self.anything(depth + 1),
            };
            entries.push((key, again));
        }
        if self.below(3) == 1 && !entries.is_empty() {
            let places = self.below(entries.len());
            entries.rotate_left(places);
        }
        Doc::Object(entries)
    }

    /// Returns a value for a field.
    fn value(&mut self, shape: Shape, depth: usize) -> Doc {
        match self.below(8) {
            0 => Doc::Null,
            1 => self.anything(depth),
            _ => self.fitting(shape, depth),
        }
    }

    fn fitting(&mut self, shape: Shape, depth: usize) -> Doc {
        let text = |text: &str| Doc::Text(Text::new(text));
        let number = |text: &str| Doc::Number(text.to_owned());
        match shape {
            Shape::Int | Shape::Float | Shape::UnixTime | Shape::UnixMillis => self.number(),
            Shape::Bool => Doc::Bool(self.below(2) == 1),
            Shape::Timestamp => text(TEXTS[14 + self.below(6)]),
            Shape::Date => text(TEXTS[11 + self.below(3)]),
            Shape::Uuid => text(TEXTS[20 + self.below(2)]),
            Shape::Bytes => text(TEXTS[22 + self.below(3)]),
            Shape::Decimal => match self.below(3) {
                0 => number("12.50"),
                1 => text("-0.000000001"),
                _ => self.number(),
            },
            Shape::String => text(self.of(TEXTS)),
            Shape::Json | Shape::Dynamic => self.anything(depth),
            Shape::Record(schema) | Shape::Boxed(schema) => self.object(schema(), depth),
            Shape::List(list) => {
                let items = self.below(if depth > BUSHY { 2 } else { 4 });
                Doc::List(
                    (0..items)
                        .map(|_| self.value(list.item, depth + 1))
                        .collect(),
                )
            }
        }
    }

    fn number(&mut self) -> Doc {
        Doc::Number(match self.below(3) {
            0 => (self.below(1 << 16) as i64 - 100).to_string(),
            _ => self.of(NUMBERS).to_owned(),
        })
    }

    /// Returns any JSON.
    fn anything(&mut self, depth: usize) -> Doc {
        match self.below(if depth > BUSHY { 5 } else { 10 }) {
            0 => Doc::Null,
            1 => Doc::Bool(self.below(2) == 1),
            2 => self.number(),
            3 | 4 => Doc::Text(Text::new(self.of(TEXTS))),
            5 | 6 => {
                let items = self.below(4);
                Doc::List((0..items).map(|_| self.anything(depth + 1)).collect())
            }
            7 | 8 => {
                let entries = self.below(4);
                let entries = (0..entries).map(|_| {
                    let key = Text::new(self.of(KEYS));
                    (key, self.anything(depth + 1))
                });
                Doc::Object(entries.collect())
            }
            _ => self.chain(),
        }
    }

    /// Returns up to 40 nested lists and objects.
    fn chain(&mut self) -> Doc {
        let mut doc = self.anything(BUSHY + 1);
        for _ in 0..self.below(41) {
            doc = match self.below(3) {
                0 => Doc::List(vec![doc]),
                1 => Doc::List(vec![Doc::Null, doc, Doc::Number("1".to_owned())]),
                _ => Doc::Object(vec![(Text::new(self.of(KEYS)), doc)]),
            };
        }
        doc
    }
}
