//! Values of the file, read with their places. A value of the wrong type becomes a mistake that
//! says what the key takes.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::about::{About, Part};
use super::file::{At, Faults, Place};
use crate::near::{listed, nearest};

/// A value and its key.
#[derive(Clone)]
pub struct Value<'a> {
    /// The dotted key, such as `incremental.field`.
    pub key: String,
    pub place: Place,
    value: &'a DeValue<'a>,
    span: Range<usize>,
    source: Source<'a>,
}

/// The text of a file, and whether its places are reported.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub text: &'a str,
    /// Whether the file has a name; without one, values have no place.
    pub named: bool,
}

/// A table, whose keys are read one by one.
pub struct Table<'a> {
    /// The table's key; empty for the whole file.
    key: String,
    entries: Vec<Entry<'a>>,
}

/// A key of a table.
pub struct Entry<'a> {
    pub name: String,
    /// The place of the key.
    pub place: Place,
    pub value: Value<'a>,
}

impl<'a> Source<'a> {
    fn place(self, span: &Range<usize>) -> Place {
        self.named.then_some(span.start)
    }

    /// Returns the table of the whole file.
    pub fn table(self, table: &'a DeTable<'a>) -> Table<'a> {
        Table::new(String::new(), table, self)
    }
}

impl<'a> Table<'a> {
    fn new(key: String, table: &'a DeTable<'a>, source: Source<'a>) -> Self {
        let mut entries: Vec<Entry<'a>> = table
            .iter()
            .map(|(name, value)| {
                let written = match key.as_str() {
                    "" => name.get_ref().to_string(),
                    key => format!("{key}.{}", name.get_ref()),
                };
                Entry {
                    name: name.get_ref().to_string(),
                    place: source.place(&name.span()),
                    value: Value::new(written, value, source),
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.place);
        Table { key, entries }
    }

    /// Returns all keys, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter()
    }

    /// Returns the value of a key.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.name == name)?;
        Some(&entry.value)
    }

    /// Adds a mistake for each key that is in neither `known` nor `besides`.
    pub fn refuse_others(&self, known: &[Part], besides: &[&str], faults: &mut Faults) {
        let of = match self.key.as_str() {
            "" => String::new(),
            key => format!(" of `{key}`"),
        };
        let names: Vec<&str> = known.iter().map(|part| part.name).collect();
        for entry in &self.entries {
            let name = entry.name.as_str();
            if names.contains(&name) || besides.contains(&name) {
                continue;
            }
            // A table, such as `[resources.NAME]`, may be what is meant.
            if let Some(table) = nearest(name, besides).filter(|_| entry.value.is_table()) {
                let message = format!("unknown key `{name}`{of}");
                let hint = format!("did you mean `{table}`?");
                faults.add(entry.place, message).hint(hint);
                continue;
            }
            let near = nearest(name, &names);
            let near = near.and_then(|near| known.iter().find(|part| part.name == near));
            let near = match near {
                Some(Part { name, takes, does }) => {
                    format!("did you mean `{name}` ({takes})? {does}")
                }
                None => format!("the keys are {}", listed(&names, KEYS)),
            };
            let message = format!("unknown key `{}`{of}", entry.name);
            faults.add(entry.place, message).hint(near);
        }
    }

    /// Adds a mistake for each key that is not one of a key's parts.
    pub fn refuse_other_parts(&self, about: &About, faults: &mut Faults) {
        self.refuse_others(about.parts, &[], faults);
    }
}

/// The most keys in a hint.
const KEYS: usize = 12;

/// Lists all names: `a`, `b` and `c`.
fn list(names: &[&str]) -> String {
    listed(names, usize::MAX)
}

impl<'a> Value<'a> {
    fn new(key: String, value: &'a Spanned<DeValue<'a>>, source: Source<'a>) -> Self {
        let span = value.span();
        Value {
            key,
            place: source.place(&span),
            value: value.get_ref(),
            span,
            source,
        }
    }

    /// Returns the value as written in the file.
    fn shown(&self) -> String {
        match self.value {
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            _ => {
                let text = self.source.text.get(self.span.clone());
                let text: String = text.unwrap_or_default().chars().take(60).collect();
                format!(
                    "`{}`",
                    text.escape_debug().to_string().replace("\\\"", "\"")
                )
            }
        }
    }

    /// Adds the mistake that the value is not what the key takes.
    pub fn wrong(&self, takes: &str, faults: &mut Faults) {
        let message = format!("`{}` takes {takes}, not {}", self.key, self.shown());
        faults.add(self.place, message);
    }

    pub fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// Returns the value if it is true or false.
    pub fn as_bool(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// Returns the value if it is a text.
    pub fn as_text(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// Returns the value if it is a whole number that is not negative.
    pub fn as_whole(&self) -> Option<u64> {
        let number = self.value.as_integer()?;
        u64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// Reads `true` or `false`.
    pub fn flag(&self, faults: &mut Faults) -> Option<bool> {
        let flag = self.as_bool();
        if flag.is_none() {
            self.wrong("true or false", faults);
        }
        flag
    }

    /// Reads a whole number that is not below `least`.
    pub fn whole(&self, least: u64, faults: &mut Faults) -> Option<u64> {
        let number = self.as_whole().filter(|number| *number >= least);
        if number.is_none() {
            self.wrong(&format!("a whole number from {least} on"), faults);
        }
        number
    }

    /// Reads a text that is not empty.
    pub fn text(&self, faults: &mut Faults) -> Option<String> {
        match self.as_text() {
            None => self.wrong("a text", faults),
            Some(text) if text.trim().is_empty() => self.refuse_empty(faults),
            Some(text) => return Some(text.to_owned()),
        }
        None
    }

    /// Adds the mistake that the value is empty.
    pub fn refuse_empty(&self, faults: &mut Faults) {
        faults.add(self.place, format!("`{}` is empty", self.key));
    }

    /// Reads a text that is not empty, with its place.
    pub fn text_at(&self, faults: &mut Faults) -> Option<At<String>> {
        let value = self.text(faults)?;
        let place = self.place;
        Some(At { value, place })
    }

    /// Reads a text, a number, or true or false, as a text.
    pub fn scalar(&self, faults: &mut Faults) -> Option<String> {
        let text = match self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => None,
        };
        if text.is_none() {
            self.wrong("a text, a number, or true or false", faults);
        }
        text
    }

    /// Reads a text or a date, as a text.
    pub fn date(&self, faults: &mut Faults) -> Option<String> {
        match self.value {
            DeValue::Datetime(date) => Some(date.to_string()),
            _ => self.text(faults),
        }
    }

    /// Reads any value as JSON. A date becomes a text.
    pub fn json(&self, faults: &mut Faults) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        let json = match self.value {
            DeValue::String(text) => Some(Json::from(text.as_ref())),
            DeValue::Boolean(flag) => Some(Json::from(*flag)),
            DeValue::Datetime(date) => Some(Json::from(date.to_string())),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Json::from)
                .ok(),
            DeValue::Float(number) => number.as_str().parse().ok().and_then(json_number),
            DeValue::Array(_) => {
                let items = self.items("a list", faults)?;
                let items: Option<Vec<Json>> = items.iter().map(|item| item.json(faults)).collect();
                return items.map(Json::from);
            }
            DeValue::Table(table) => {
                let table = Table::new(self.key.clone(), table, self.source);
                let fields = table.entries();
                let fields = fields.map(|it| Some((it.name.clone(), it.value.json(faults)?)));
                let fields: Option<serde_json::Map<String, Json>> = fields.collect();
                return fields.map(Json::from);
            }
        };
        if json.is_none() {
            self.wrong("a number that JSON can hold", faults);
        }
        json
    }

    /// Reads one of some words.
    pub fn choice<T: Copy>(&self, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let text = self.as_text();
        let mut known = words.iter();
        let found = known.find(|(word, _)| Some(*word) == text);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{}` takes {}, not {}", self.key, or(&names), self.shown());
            let near = text.and_then(|text| nearest(text, &names));
            let near = near.map(|near| format!("did you mean `{near}`?"));
            faults.add(self.place, message).hint(near);
        }
        found.map(|(_, value)| *value)
    }

    /// Reads the values of a list.
    pub fn items(&self, takes: &str, faults: &mut Faults) -> Option<Vec<Value<'a>>> {
        let DeValue::Array(items) = self.value else {
            self.wrong(takes, faults);
            return None;
        };
        let items = items.iter();
        let items = items.map(|item| Value::new(self.key.clone(), item, self.source));
        Some(items.collect())
    }

    /// Reads a list of texts that are not empty.
    pub fn texts(&self, faults: &mut Faults) -> Option<Vec<At<String>>> {
        let items = self.items("a list of texts", faults)?;
        items.iter().map(|item| item.text_at(faults)).collect()
    }

    /// Reads a table.
    pub fn table(&self, takes: &str, faults: &mut Faults) -> Option<Table<'a>> {
        match self.value {
            DeValue::Table(table) => Some(Table::new(self.key.clone(), table, self.source)),
            _ => {
                self.wrong(takes, faults);
                None
            }
        }
    }

    /// Reads a type of `etlgen_model`, with the messages of its deserializer.
    pub fn model<T: DeserializeOwned>(&self, faults: &mut Faults) -> Option<T> {
        let spanned = Spanned::new(self.span.clone(), self.value.clone());
        let read = T::deserialize(ValueDeserializer::from(spanned));
        if let Err(error) = &read {
            let place = self.place_of(error.message());
            let message = format!("`{}`: {}", self.key, error.message());
            faults.add(place, message).hint(None);
        }
        read.ok()
    }

    /// Returns the place of the first key of the table that a message names, or of `kind`.
    fn place_of(&self, message: &str) -> Place {
        let DeValue::Table(table) = self.value else {
            return self.place;
        };
        let table = Table::new(String::new(), table, self.source);
        let named = message.split('`').skip(1).step_by(2);
        let key = named.chain(["kind"]).find_map(|name| table.get(name));
        key.map_or(self.place, |value| value.place)
    }
}

/// Returns a number as JSON, which has no infinite ones.
fn json_number(number: f64) -> Option<serde_json::Value> {
    serde_json::Number::from_f64(number).map(serde_json::Value::Number)
}

/// Lists the names: `a`, `b` or `c`.
pub fn or(names: &[&str]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => format!("`{last}`"),
        Some((last, others)) => format!("{} or `{last}`", list(others)),
    }
}
