//! Reads JSON without loss: it keeps duplicate keys, the digits of numbers and halves of surrogate
//! pairs.

use std::fmt::Write;

use crate::record::json::Reader;

/// A JSON value; text as UTF-16 code units, numbers as they are written.
#[derive(Clone, Debug)]
pub enum Doc {
    Null,
    Bool(bool),
    Number(String),
    Text(Text),
    List(Vec<Doc>),
    Object(Vec<(Text, Doc)>),
}

/// A string: the raw text between its quotes, and its code units.
#[derive(Clone, Debug)]
pub struct Text {
    pub raw: String,
    pub units: Vec<u16>,
}

/// A scalar that is not null.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    Bool(bool),
    Number(String),
    Text(Vec<u16>),
}

impl Text {
    pub fn new(raw: &str) -> Self {
        Text {
            raw: raw.to_owned(),
            units: units(raw),
        }
    }

    /// Returns the text as a key: one that is not valid text stays raw, including escapes.
    pub fn key(&self) -> String {
        String::from_utf16(&self.units).unwrap_or_else(|_| self.raw.clone())
    }
}

impl Doc {
    /// Parses valid JSON.
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader::new(text);
        let doc = value(&mut reader);
        reader.end().unwrap();
        doc
    }

    /// Writes the value, with `space` between its parts.
    pub fn write(&self, out: &mut String, space: &str) {
        match self {
            Doc::Null => out.push_str("null"),
            Doc::Bool(value) => write!(out, "{value}").unwrap(),
            Doc::Number(raw) => out.push_str(raw),
            Doc::Text(text) => write!(out, "\"{}\"", text.raw).unwrap(),
            Doc::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(space);
                    item.write(out, space);
                }
                out.push_str(space);
                out.push(']');
            }
            Doc::Object(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write!(out, "{space}\"{}\"{space}:{space}", key.raw).unwrap();
                    value.write(out, space);
                }
                out.push_str(space);
                out.push('}');
            }
        }
    }

    /// Collects every scalar that is not null, with its JSON pointer.
    pub fn leaves(&self, path: &str, out: &mut Vec<(String, Leaf)>) {
        let mut leaf = |leaf| out.push((path.to_owned(), leaf));
        match self {
            Doc::Null => {}
            Doc::Bool(value) => leaf(Leaf::Bool(*value)),
            Doc::Number(raw) => leaf(Leaf::Number(raw.clone())),
            Doc::Text(text) => leaf(Leaf::Text(text.units.clone())),
            Doc::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.leaves(&format!("{path}/{index}"), out);
                }
            }
            Doc::Object(entries) => {
                for (key, value) in entries {
                    let key = key.key().replace('~', "~0").replace('/', "~1");
                    value.leaves(&format!("{path}/{key}"), out);
                }
            }
        }
    }

    /// Returns whether any object has a duplicate key.
    pub fn repeats(&self) -> bool {
        match self {
            Doc::List(items) => items.iter().any(Doc::repeats),
            Doc::Object(entries) => {
                let mut keys: Vec<String> = entries.iter().map(|(key, _)| key.key()).collect();
                keys.sort();
                keys.windows(2).any(|pair| pair[0] == pair[1])
                    || entries.iter().any(|(_, value)| value.repeats())
            }
            _ => false,
        }
    }
}

fn value(reader: &mut Reader<'_>) -> Doc {
    match reader.peek() {
        b'{' => {
            let mut entries = Vec::new();
            let mut more = reader.open(b'}');
            while more {
                let key = Text::new(reader.key().unwrap().raw);
                entries.push((key, value(reader)));
                more = reader.more(b'}').unwrap();
            }
            Doc::Object(entries)
        }
        b'[' => {
            let mut items = Vec::new();
            let mut more = reader.open(b']');
            while more {
                items.push(value(reader));
                more = reader.more(b']').unwrap();
            }
            Doc::List(items)
        }
        b'"' => Doc::Text(Text::new(reader.string().unwrap().raw)),
        _ => match reader.raw().unwrap() {
            "null" => Doc::Null,
            "true" => Doc::Bool(true),
            "false" => Doc::Bool(false),
            number => Doc::Number(number.to_owned()),
        },
    }
}

/// Returns the text between the quotes, as code units.
fn units(raw: &str) -> Vec<u16> {
    let mut out = Vec::new();
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        let unit = match letter {
            '\\' => match letters.next().unwrap() {
                'u' => {
                    let hex: String = letters.by_ref().take(4).collect();
                    u16::from_str_radix(&hex, 16).unwrap()
                }
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                other => other as u16,
            },
            letter => {
                out.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
                continue;
            }
        };
        out.push(unit);
    }
    out
}
