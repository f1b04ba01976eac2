//! The same search in records that were read, which every page pays for.

use std::collections::HashMap;

use super::named::{about, counts_below, holds_counts, is_cut, is_embedded};
use super::{Below, Fact, Part, Said, Saying, fact_of_text, goes_on, open, part, tell};
use crate::record::layout::{RecordRef, ValueRef};
use crate::record::schema::{RecordSchema, Shape, nested};

/// The schemas whose records, or those below them, may have a list beside which something is said about it.
///
/// They are a graph whose places are numbered, since a record of each page is searched: nothing is looked up or
/// copied for a record that says nothing.
#[derive(Debug)]
pub(in crate::record) struct Sayers {
    /// The schema of the whole record is the first one.
    schemas: Vec<Sayer>,
    saying: Saying,
}

#[derive(Debug)]
struct Sayer {
    /// What each field says about a list of the record beside it; `None`: no list, or nothing about it.
    own: Option<Box<[Option<Said>]>>,
    /// The fields that say something about a list by its name.
    tells: Box<[Tell]>,
    /// The fields whose records are searched, their keys, and the places of their schemas.
    below: Vec<(usize, &'static str, usize)>,
}

/// A field of a record, or of an object in it.
#[derive(Clone, Copy, Debug)]
struct Spot {
    at: usize,
    key: &'static str,
    /// The index and the key of the field within the object.
    within: Option<(usize, &'static str)>,
}

/// A field that says something about a list.
#[derive(Debug)]
struct Tell {
    list: Spot,
    by: Spot,
    said: Said,
    /// Whether it does so only in a record.
    of_record: bool,
}

/// The keys that lead to a value.
struct Trail<'a> {
    above: Option<&'a Trail<'a>>,
    key: &'a str,
}

impl Trail<'_> {
    fn keys(trail: Option<&Self>) -> Vec<String> {
        let mut keys: Vec<String> = std::iter::successors(trail, |trail| trail.above)
            .map(|trail| trail.key.to_owned())
            .collect();
        keys.reverse();
        keys
    }
}

impl Sayers {
    /// Finds them among a schema and those below it.
    pub fn of(schema: &'static RecordSchema, saying: Saying) -> Self {
        let mut all = vec![schema];
        let mut places = HashMap::from([(schema.type_id(), 0)]);
        let mut at = 0;
        while let Some(schema) = all.get(at).copied() {
            for (.., below) in below_schema(schema) {
                places.entry(below.type_id()).or_insert_with(|| {
                    all.push(below);
                    all.len() - 1
                });
            }
            at += 1;
        }
        let sayer = |schema: &&'static RecordSchema| Sayer {
            own: may_say(schema, saying).then(|| {
                let fields = schema.fields.iter();
                fields.map(|field| saying(field.key)).collect()
            }),
            tells: Tell::all(schema),
            below: below_schema(schema)
                .map(|(at, key, below)| (at, key, places[&below.type_id()]))
                .collect(),
        };
        let mut schemas: Vec<Sayer> = all.iter().map(sayer).collect();
        keep_searched(&mut schemas);
        Sayers { schemas, saying }
    }

    /// Returns whether records of the schema are worth a search.
    pub fn is_any(&self) -> bool {
        (self.schemas.first()).is_some_and(|root| root.says() || !root.below.is_empty())
    }

    /// Finds the lists of a record that continue, without its drift; `found` receives the keys of each.
    pub fn search(&self, record: RecordRef<'_>, found: &mut dyn FnMut(&[String])) {
        self.search_record((record, 0), true, None, found);
    }

    fn search_record(
        &self,
        (record, at): (RecordRef<'_>, usize),
        is_record: bool,
        trail: Option<&Trail<'_>>,
        found: &mut dyn FnMut(&[String]),
    ) {
        let Some(sayer) = self.schemas.get(at) else {
            return;
        };
        for tell in sayer
            .tells
            .iter()
            .filter(|tell| is_record || !tell.of_record)
        {
            if tell.goes_on(record) {
                let mut keys = Trail::keys(trail);
                keys.push(tell.list.key.to_owned());
                keys.extend(tell.list.within.map(|(_, key)| key.to_owned()));
                found(&keys);
            }
        }
        if let Some(said) = sayer.own.as_deref().filter(|_| !is_record)
            && may_continue(record, said)
        {
            let fields = record.schema().fields.iter().enumerate();
            let parts: Vec<Part<'_>> = fields
                .map(|(at, field)| (at, field.key, record.get(at)))
                .filter(|(_, _, value)| !matches!(value, ValueRef::Null))
                .map(|(at, key, value)| {
                    part(key, said[at], fact_of(value), || {
                        below_of(value, self.saying)
                    })
                })
                .collect();
            tell(&open(&parts, false), &mut Trail::keys(trail), found);
        }
        for (field, key, below) in &sayer.below {
            let (above, key) = (trail, *key);
            let trail = Some(&Trail { above, key });
            self.search_value((record.get(*field), *below), false, trail, found);
        }
    }

    fn search_value(
        &self,
        (value, at): (ValueRef<'_>, usize),
        is_record: bool,
        trail: Option<&Trail<'_>>,
        found: &mut dyn FnMut(&[String]),
    ) {
        match value {
            ValueRef::Record(record) => {
                self.search_record((record, at), is_record, trail, found);
            }
            ValueRef::List(list) => (0..list.len())
                .for_each(|i| self.search_value((list.get(i), at), true, trail, found)),
            _ => {}
        }
    }
}

impl Spot {
    /// Returns the fields of a record, and those of its objects whose keys `within` accepts.
    fn all(schema: &RecordSchema, within: fn(&str) -> bool) -> Vec<(Spot, Shape)> {
        let mut spots = Vec::new();
        for (at, field) in schema.fields.iter().enumerate() {
            let (key, shape) = (field.key, field.shape());
            let within_key = None;
            spots.push((
                Spot {
                    at,
                    key,
                    within: within_key,
                },
                shape,
            ));
            let below = nested(shape).filter(|_| !is_list(shape) && within(key));
            let below = below
                .into_iter()
                .flat_map(|below| below.fields.iter().enumerate());
            spots.extend(below.map(|(index, field)| {
                let within = Some((index, field.key));
                (Spot { at, key, within }, field.shape())
            }));
        }
        spots
    }

    fn of<'a>(self, record: RecordRef<'a>) -> ValueRef<'a> {
        match (record.get(self.at), self.within) {
            (value, None) => value,
            (ValueRef::Record(below), Some((at, _))) => below.get(at),
            _ => ValueRef::Null,
        }
    }
}

impl Tell {
    /// Finds the fields of a schema that say something about its lists.
    fn all(schema: &RecordSchema) -> Box<[Tell]> {
        let lists = Spot::all(schema, is_embedded);
        let lists: Vec<Spot> = lists
            .into_iter()
            .filter(|(_, shape)| is_list(*shape))
            .map(|(spot, _)| spot)
            .collect();
        let is_only = lists.len() == 1;
        let mut tells = Vec::new();
        for list in lists {
            let name = list.within.map_or(list.key, |(_, key)| key);
            for (by, shape) in Spot::all(schema, holds_counts) {
                if is_list(shape) {
                    continue;
                }
                let said = match by.within {
                    Some((_, key)) => counts_below(key, name).then_some(Said::Total),
                    None => about(by.key, name),
                };
                let of_record = said.is_none() && by.within.is_none() && is_cut(by.key) && is_only;
                if let Some(said) = said.or(of_record.then_some(Said::More)) {
                    tells.push(Tell {
                        list,
                        by,
                        said,
                        of_record,
                    });
                }
            }
        }
        tells.into()
    }

    /// Returns whether its list continues.
    fn goes_on(&self, record: RecordRef<'_>) -> bool {
        match self.list.of(record) {
            ValueRef::List(list) => {
                goes_on(self.said, &fact_of(self.by.of(record)), list.len() as u64)
            }
            _ => false,
        }
    }
}

fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::List(_))
}

impl Sayer {
    fn says(&self) -> bool {
        self.own.is_some() || !self.tells.is_empty()
    }
}

/// Leaves the fields that lead to a schema that says something.
fn keep_searched(schemas: &mut [Sayer]) {
    let mut searched: Vec<bool> = schemas.iter().map(Sayer::says).collect();
    loop {
        let is_new = |at: &usize| {
            !searched[*at]
                && schemas[*at]
                    .below
                    .iter()
                    .any(|(.., below)| searched[*below])
        };
        let new: Vec<usize> = (0..schemas.len()).filter(is_new).collect();
        if new.is_empty() {
            break;
        }
        new.into_iter().for_each(|at| searched[at] = true);
    }
    for schema in schemas {
        schema.below.retain(|(.., below)| searched[*below]);
    }
}

/// Returns whether a field of an object may say that a list beside it continues.
fn may_continue(record: RecordRef<'_>, said: &[Option<Said>]) -> bool {
    said.iter().enumerate().any(|(at, said)| match said {
        None => false,
        Some(said) => match fact_of(record.get(at)) {
            Fact::Yes => *said == Said::More,
            Fact::Number(number) => *said != Said::Idle && number > 0,
            Fact::Text => *said == Said::Next,
            Fact::Object => true,
            Fact::Array(_) | Fact::Other => false,
        },
    })
}

fn below_schema(
    schema: &'static RecordSchema,
) -> impl Iterator<Item = (usize, &'static str, &'static RecordSchema)> {
    let fields = schema.fields.iter().enumerate();
    fields.filter_map(|(at, field)| Some((at, field.key, nested(field.shape())?)))
}

/// Returns whether records of a schema may have a list of their own beside which something is said about it.
fn may_say(schema: &'static RecordSchema, saying: Saying) -> bool {
    let has_list = (schema.fields.iter()).any(|field| matches!(field.shape(), Shape::List(_)));
    let is_said = |key: &str| saying(key).is_some_and(|said| said != Said::Idle);
    has_list && schema.fields.iter().any(|field| is_said(field.key))
}

fn below_of<'a>(value: ValueRef<'a>, saying: Saying) -> Vec<Below<'a>> {
    let ValueRef::Record(record) = value else {
        return Vec::new();
    };
    let fields = record.schema().fields.iter().enumerate();
    fields
        .map(|(at, field)| Below {
            key: field.key,
            said: saying(field.key),
            fact: fact_of(record.get(at)),
        })
        .collect()
}

fn fact_of(value: ValueRef<'_>) -> Fact {
    match value {
        ValueRef::List(list) => Fact::Array(list.len() as u64),
        ValueRef::Bool(true) => Fact::Yes,
        ValueRef::Int(number) => u64::try_from(*number).map_or(Fact::Other, Fact::Number),
        ValueRef::String(text) => fact_of_text(text),
        ValueRef::Record(_) => Fact::Object,
        _ => Fact::Other,
    }
}
