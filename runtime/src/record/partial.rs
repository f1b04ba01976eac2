//! Finds records whose lists continue after the record, in data that was read anyway.

use std::collections::BTreeMap;

use serde_json::Value;

use super::drift::Content;
use super::json;
use super::layout::{RecordRef, ValueRef};
use super::lengths::{Lengths, Longest};
use super::schema::{RecordSchema, Shape, nested};
use super::within::{self, Said, Sayers, Saying};
use super::{Drift, RowRef, serialize};

/// Keys next to a list that are `true` if more follows.
const MORE: [&str; 4] = ["has_more", "hasMore", "has_next_page", "hasNextPage"];
/// The maximum depth to which structs are searched.
const DEEPEST: usize = 12;
/// The maximum depth to which the lengths of lists are looked at.
const LISTS_DEEPEST: usize = 3;
/// The maximum number of fields that are searched.
const MOST_FIELDS: usize = 100_000;

/// A sign that a list continues.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    /// `true`.
    More,
    /// A token or a URL.
    Next,
    /// The list exists; only its other pages show whether more follows.
    There,
}

/// A path at which a record may show that one of its lists continues.
struct Place {
    keys: Vec<String>,
    /// The indices of the fields that the first keys name.
    fields: Vec<usize>,
    sign: Sign,
}

/// Finds lists that continue after the record.
pub(crate) struct Partial {
    /// Signs of lists whose other pages can be read.
    declared: Vec<Place>,
    /// Signs of other lists that the struct declares.
    others: Vec<Place>,
    /// Keys that are signs in data without a struct; the third part is the name of the list beside
    /// them.
    signs: Vec<(String, Sign, Option<String>)>,
    /// Fields that accept any JSON.
    loose: Vec<Place>,
    /// The lists of records that the struct declares: the indices of the fields that lead to each, and
    /// its path.
    lists: Vec<(Vec<usize>, String)>,
    /// The declared lists.
    known: Vec<Vec<String>>,
    /// The meaning of the keys beside lists.
    saying: Saying,
    /// Whether the struct declares a list beside which something is said about it.
    says: bool,
    /// The schemas whose records are searched for such lists.
    sayers: Sayers,
}

/// What a record shows about its lists.
struct Findings<'a> {
    /// The paths of those that continue.
    cut: Vec<String>,
    /// The longest lists of the page, unless the record has been added.
    lengths: Option<&'a mut Lengths>,
}

/// A list within records whose other pages can be read, and the path of the sign that it continues.
pub(crate) struct OpenList {
    pub keys: Vec<String>,
    /// The path, below the list, of the value that is `true` while more follows.
    pub more: Option<Vec<String>>,
    /// The path, below the list, of the token or URL of the next page.
    pub next: Option<Vec<String>>,
    /// Whether a total shows its end.
    pub has_total: bool,
}

/// The signs of the resource's own list; lists within its records may have the same ones.
pub(crate) struct OwnSigns {
    /// The key that is `true` while more follows.
    pub more: Option<String>,
    /// The key of the token or URL of the next page.
    pub next: Option<String>,
    /// The name of the list.
    pub list: Option<String>,
}

impl Partial {
    /// `saying`: the meaning of the keys beside lists.
    pub fn new(
        schema: &'static RecordSchema,
        lists: &[OpenList],
        own: OwnSigns,
        saying: Saying,
    ) -> Self {
        let mut declared = Vec::new();
        for list in lists {
            let place = |sign, path: &[String]| {
                Place::new(schema, [list.keys.as_slice(), path].concat(), sign)
            };
            let says = list.more.is_some() || list.next.is_some() && !list.has_total;
            declared.extend(list.more.iter().map(|path| place(Sign::More, path)));
            declared.extend(list.next.iter().map(|path| place(Sign::Next, path)));
            declared.extend((!says).then(|| place(Sign::There, &[])));
        }
        let sayers = Sayers::of(schema, saying);
        let mut partial = Partial {
            declared,
            others: Vec::new(),
            signs: signs(own),
            loose: Vec::new(),
            lists: Vec::new(),
            known: lists.iter().map(|list| list.keys.clone()).collect(),
            saying,
            says: sayers.is_any(),
            sayers,
        };
        partial.find_lists(schema, &mut Vec::new(), "");
        let mut left = MOST_FIELDS;
        partial.look(schema, &mut Vec::new(), &mut Vec::new(), &mut left);
        let known = &partial.known;
        let is_known = |place: &Place| known.iter().any(|list| place.is_of(list));
        partial.others.retain(|place| !is_known(place));
        partial
    }

    /// Finds the lists of records of the struct and of the objects in it.
    fn find_lists(&mut self, schema: &'static RecordSchema, fields: &mut Vec<usize>, above: &str) {
        for (at, field) in schema.fields.iter().enumerate() {
            let Some(below) = nested(field.shape()) else {
                continue;
            };
            let path = match above {
                "" => field.key.to_owned(),
                above => format!("{above}.{}", field.key),
            };
            fields.push(at);
            if is_list(field.shape()) {
                self.lists.push((fields.clone(), path));
            } else if fields.len() < LISTS_DEEPEST {
                self.find_lists(below, fields, &path);
            }
            fields.pop();
        }
    }

    /// Finds the signs that the struct declares.
    fn look(
        &mut self,
        schema: &'static RecordSchema,
        keys: &mut Vec<String>,
        fields: &mut Vec<usize>,
        left: &mut usize,
    ) {
        let list = |name: &Option<String>| {
            let mut lists = schema.fields.iter().filter(|f| is_list(f.shape()));
            lists.any(|field| name.as_ref().is_none_or(|name| name == field.key))
        };
        for (at, field) in schema.fields.iter().enumerate() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            keys.push(field.key.to_owned());
            fields.push(at);
            let place = |sign| Place {
                keys: keys.clone(),
                fields: fields.clone(),
                sign,
            };
            if is_loose(field.shape()) {
                self.loose.push(place(Sign::There));
            }
            let sign = self.signs.iter().find(|(key, ..)| key == field.key);
            if let Some((_, sign, beside)) = sign
                && list(beside)
            {
                self.others.push(place(*sign));
            }
            if let Some(below) = nested(field.shape()).filter(|_| keys.len() < DEEPEST) {
                self.look(below, keys, fields, left);
            }
            keys.pop();
            fields.pop();
        }
    }

    /// Returns whether a list whose other pages can be read may continue.
    pub fn is_open(&self, row: RowRef<'_>) -> bool {
        self.declared.iter().any(|place| place.says(row))
    }

    /// Returns the longest lists of a page, by their paths, without those that can be completed.
    pub fn longest(&self, lengths: Lengths) -> BTreeMap<String, Longest> {
        let mut longest = lengths.others;
        for ((_, path), list) in self.lists.iter().zip(lengths.declared) {
            longest.entry(path.clone()).or_default().merge(list);
        }
        longest.retain(|path, _| self.known.iter().all(|known| known.join(".") != *path));
        longest
    }

    /// Adds the lengths of the lists of a record that the struct declares.
    fn measure(&self, record: RecordRef<'_>, lengths: &mut Lengths) {
        if record.whole().is_some() {
            return;
        }
        lengths
            .declared
            .resize(self.lists.len(), Longest::default());
        for ((fields, _), longest) in self.lists.iter().zip(&mut lengths.declared) {
            let mut value = ValueRef::Record(record);
            for at in fields {
                value = match value {
                    ValueRef::Record(record) => record.get(*at),
                    _ => ValueRef::Null,
                };
            }
            if let ValueRef::List(list) = value {
                longest.add(list.len());
            }
        }
    }

    /// Returns the paths of the other lists that continue; adds the lengths of all to `lengths`.
    pub fn cut(&self, row: RowRef<'_>, lengths: &mut Lengths) -> Vec<String> {
        self.measure(row.record, lengths);
        let others = self.others.iter().filter(|place| place.says(row));
        let mut found = Findings {
            cut: others.map(|place| path(&place.keys)).collect(),
            lengths: Some(lengths),
        };
        match row.record.whole() {
            Some(json) => self.raw(json.as_str(), true, &mut Vec::new(), &mut found),
            None => {
                for place in &self.loose {
                    place.each(ValueRef::Record(row.record), 0, &mut |raw| {
                        self.raw(raw, false, &mut place.keys.clone(), &mut found);
                    });
                }
            }
        }
        if let Drift(Some(content)) = row.drift {
            self.drifted(content, false, &mut Vec::new(), &mut found);
            if self.is_said_in(content) || self.says && !is_flat(content) {
                // The list may be declared, and some of what stands beside it is not.
                let mut whole = String::new();
                serialize::write_record(&mut whole, row.record, Some(content));
                found.lengths = None;
                self.raw(&whole, true, &mut Vec::new(), &mut found);
                return found.cut;
            }
        }
        let mut cut = found.cut;
        if self.says {
            let found = &mut |keys: &[String]| self.found(keys, &mut cut);
            self.sayers.search(row.record, found);
        }
        cut
    }

    /// Adds a list that continues, unless it is declared.
    fn found(&self, keys: &[String], cut: &mut Vec<String>) {
        let path = keys.join(".");
        if !self.known.iter().any(|known| known == keys) && !cut.contains(&path) {
            cut.push(path);
        }
    }

    /// Returns whether drift may say something about a list that the struct declares.
    fn is_said_in(&self, content: &Content) -> bool {
        match content {
            Content::Record(entries) => entries.iter().any(|entry| match &entry.content {
                Content::Raw(raw) => {
                    let is_said = (self.saying)(&entry.key).is_some_and(|said| said != Said::Idle);
                    let counts = || within::may_count(&entry.key) && !raw.starts_with(['{', '[']);
                    is_said || counts() || within::may_name(&entry.key, raw)
                }
                below => self.is_said_in(below),
            }),
            Content::List(_, items) => items.iter().any(|(_, item)| self.is_said_in(item)),
            Content::Raw(_) | Content::Again(_) => false,
        }
    }

    /// `is_record`: the content is that of an item of a list.
    fn drifted(
        &self,
        content: &Content,
        is_record: bool,
        keys: &mut Vec<String>,
        found: &mut Findings<'_>,
    ) {
        match content {
            Content::Raw(raw) | Content::Again(raw) => self.raw(raw, is_record, keys, found),
            Content::Record(entries) => {
                for entry in entries {
                    keys.push(entry.key.clone().into_owned());
                    self.drifted(&entry.content, false, keys, found);
                    keys.pop();
                }
            }
            Content::List(_, items) => {
                (items.iter()).for_each(|(_, item)| self.drifted(item, true, keys, found));
            }
        }
    }

    fn raw(&self, raw: &str, is_record: bool, keys: &mut Vec<String>, found: &mut Findings<'_>) {
        // Most JSON has no list, and is not parsed.
        if raw.contains('{')
            && raw.contains('[')
            && let Ok(value) = serde_json::from_str::<Value>(raw)
        {
            self.value(&value, keys, &mut found.cut);
            let is_item = is_record && !keys.is_empty();
            if let Some(lengths) = found.lengths.as_deref_mut().filter(|_| !is_item) {
                measure(&value, keys, lengths);
            }
            let cut = &mut found.cut;
            let found = &mut |keys: &[String]| self.found(keys, cut);
            within::search(&value, self.saying, is_record, keys, found);
        }
    }

    fn value(&self, value: &Value, keys: &mut Vec<String>, cut: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item, keys, cut)),
            Value::Object(object) => {
                let list = |name: &Option<String>| match name {
                    Some(name) => object.get(name).is_some_and(Value::is_array),
                    None => object.values().any(Value::is_array),
                };
                let says = |(key, sign, beside): &(String, Sign, Option<String>)| {
                    let said = object.get(key).is_some_and(|value| match sign {
                        Sign::More => *value == Value::Bool(true),
                        _ => value.as_str().is_some_and(|text| !text.is_empty()),
                    });
                    said && list(beside)
                };
                if self.signs.iter().any(says) {
                    self.found(keys, cut);
                }
                for (key, value) in object {
                    keys.push(key.clone());
                    self.value(value, keys, cut);
                    keys.pop();
                }
            }
            _ => {}
        }
    }
}

/// Adds the lengths of the lists of records of a value, except those within lists.
fn measure(value: &Value, keys: &mut Vec<String>, lengths: &mut Lengths) {
    match value {
        Value::Array(items)
            if !Longest::is_short(items.len()) && items.iter().any(Value::is_object) =>
        {
            let list = lengths.others.entry(keys.join(".")).or_default();
            list.add(items.len());
        }
        Value::Object(object) if keys.len() < LISTS_DEEPEST => {
            for (key, value) in object.iter().filter(|(_, v)| v.is_array() || v.is_object()) {
                keys.push(key.clone());
                measure(value, keys, lengths);
                keys.pop();
            }
        }
        _ => {}
    }
}

/// Returns whether all drift is at keys of the record itself.
fn is_flat(content: &Content) -> bool {
    let is_raw = |content: &Content| matches!(content, Content::Raw(_) | Content::Again(_));
    match content {
        Content::Record(entries) => entries.iter().all(|entry| is_raw(&entry.content)),
        content => is_raw(content),
    }
}

/// Returns the keys that are signs: well-known ones, and those of the resource's own list.
fn signs(own: OwnSigns) -> Vec<(String, Sign, Option<String>)> {
    let mut signs: Vec<_> = MORE
        .iter()
        .map(|key| ((*key).to_owned(), Sign::More, None))
        .collect();
    if let Some(key) = own.more.filter(|key| !MORE.contains(&key.as_str())) {
        signs.push((key, Sign::More, None));
    }
    // A token may have any name, so it only counts beside a list of the same name.
    if let (Some(key), Some(list)) = (own.next, own.list) {
        signs.push((key, Sign::Next, Some(list)));
    }
    signs
}

impl Place {
    fn new(schema: &'static RecordSchema, keys: Vec<String>, sign: Sign) -> Self {
        let mut fields = Vec::new();
        let mut at = Some(schema);
        for key in &keys {
            let Some((record, index)) = at.and_then(|schema| Some((schema, schema.position(key)?)))
            else {
                break;
            };
            fields.push(index);
            at = nested(record.fields[index].shape());
        }
        Place { keys, fields, sign }
    }

    /// Returns whether the path is directly below that list.
    fn is_of(&self, list: &[String]) -> bool {
        self.keys.starts_with(list) && self.keys.len() == list.len() + 1
    }

    fn says(&self, row: RowRef<'_>) -> bool {
        let drifted = || match row.drift {
            Drift(Some(content)) => self.in_drift(content, 0),
            Drift(None) => false,
        };
        self.in_record(row.record, 0) || drifted()
    }

    fn in_record(&self, record: RecordRef<'_>, depth: usize) -> bool {
        match (record.whole(), self.fields.get(depth)) {
            (Some(json), _) => self.in_raw(json.as_str(), depth),
            (None, Some(field)) => self.in_value(record.get(*field), depth + 1),
            (None, None) => false,
        }
    }

    fn in_value(&self, value: ValueRef<'_>, depth: usize) -> bool {
        let here = depth == self.keys.len();
        match value {
            ValueRef::Null => false,
            ValueRef::Json(json) => self.in_raw(json.as_str(), depth),
            ValueRef::Dynamic(value) => self.in_raw(value.json().as_str(), depth),
            _ if here && self.sign == Sign::There => true,
            ValueRef::Record(record) => self.in_record(record, depth),
            ValueRef::List(list) => (0..list.len()).any(|at| self.in_value(list.get(at), depth)),
            ValueRef::Bool(more) => here && self.sign == Sign::More && *more,
            ValueRef::String(text) => here && is_next(self.sign, text),
            _ => here && self.sign == Sign::Next,
        }
    }

    /// Passes the JSON of each value at this path to `found`.
    fn each(&self, value: ValueRef<'_>, depth: usize, found: &mut dyn FnMut(&str)) {
        match (value, self.fields.get(depth)) {
            (ValueRef::Json(json), _) => found(json.as_str()),
            (ValueRef::Dynamic(value), _) => found(value.json().as_str()),
            (ValueRef::Record(record), Some(at)) => self.each(record.get(*at), depth + 1, found),
            (ValueRef::List(list), _) => {
                (0..list.len()).for_each(|at| self.each(list.get(at), depth, found));
            }
            _ => {}
        }
    }

    fn in_drift(&self, content: &Content, depth: usize) -> bool {
        match content {
            Content::Raw(raw) | Content::Again(raw) => self.in_raw(raw, depth),
            Content::Record(entries) => entries.iter().any(|entry| {
                self.keys.get(depth).is_some_and(|key| *key == entry.key)
                    && self.in_drift(&entry.content, depth + 1)
            }),
            Content::List(_, items) => (items.iter()).any(|(_, item)| self.in_drift(item, depth)),
        }
    }

    fn in_raw(&self, raw: &str, depth: usize) -> bool {
        let places = json::find_all(raw, &self.keys[depth..]).unwrap_or_default();
        places.into_iter().any(|place| {
            let raw = &raw[place];
            match self.sign {
                Sign::There => raw != "null",
                Sign::More => raw == "true",
                Sign::Next => json::scalar_text(raw).is_some_and(|text| is_next(self.sign, &text)),
            }
        })
    }
}

/// Returns whether a text is a sign that more follows.
fn is_next(sign: Sign, text: &str) -> bool {
    match sign {
        Sign::More => text.eq_ignore_ascii_case("true"),
        _ => !text.is_empty() && text != "false",
    }
}

/// Returns the path of the list whose sign has these keys.
fn path(keys: &[String]) -> String {
    keys[..keys.len().saturating_sub(1)].join(".")
}

fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::List(_))
}

fn is_loose(shape: Shape) -> bool {
    match shape {
        Shape::Json | Shape::Dynamic => true,
        Shape::List(list) => is_loose(list.item()),
        _ => false,
    }
}
