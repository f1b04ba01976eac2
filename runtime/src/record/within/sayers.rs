//! The same search in records that were read, which every page pays for.

use std::collections::HashMap;

use super::{Fact, Part, Said, Saying, counts, fact_of_text, open, part, tell};
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
    /// Whether a field counts the items of a list.
    is_counting: bool,
    /// The fields whose records are searched, their keys, and the places of their schemas.
    below: Vec<(usize, &'static str, usize)>,
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
            is_counting: has_count(schema),
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
        (self.schemas.first()).is_some_and(|root| root.own.is_some() || !root.below.is_empty())
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
        if let Some(said) = sayer.said(is_record)
            && (sayer.is_counting || may_continue(record, said))
        {
            let fields = record.schema().fields.iter().enumerate();
            let parts: Vec<Part<'_>> = fields
                .map(|(at, field)| (at, field.key, record.get(at)))
                .filter(|(_, _, value)| !matches!(value, ValueRef::Null))
                .map(|(at, key, value)| match is_record {
                    true => Part::of_a_record(key, fact_of(value)),
                    false => part(key, said[at], fact_of(value), || {
                        below_of(value, self.saying)
                    }),
                })
                .collect();
            tell(&open(&parts, is_record), &mut Trail::keys(trail), found);
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

impl Sayer {
    /// Returns what the fields of a record say about its lists; `None`: nothing.
    fn said(&self, is_record: bool) -> Option<&[Option<Said>]> {
        self.own
            .as_deref()
            .filter(|_| !is_record || self.is_counting)
    }
}

/// Leaves the fields that lead to a schema that says something.
fn keep_searched(schemas: &mut [Sayer]) {
    let mut searched: Vec<bool> = schemas.iter().map(|s| s.own.is_some()).collect();
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

/// Returns whether a field of a schema counts the items of one of its lists.
fn has_count(schema: &RecordSchema) -> bool {
    let lists = || {
        let fields = schema.fields.iter();
        fields.filter(|field| matches!(field.shape(), Shape::List(_)))
    };
    let mut fields = schema.fields.iter();
    fields.any(|field| lists().any(|list| counts(field.key, list.key)))
}

/// Returns whether records of a schema may have a list of their own beside which something is said about it.
fn may_say(schema: &'static RecordSchema, saying: Saying) -> bool {
    let has_list = (schema.fields.iter()).any(|field| matches!(field.shape(), Shape::List(_)));
    let is_said = |key: &str| saying(key).is_some_and(|said| said != Said::Idle);
    has_list && (has_count(schema) || schema.fields.iter().any(|field| is_said(field.key)))
}

fn below_of(value: ValueRef<'_>, saying: Saying) -> Vec<(Option<Said>, Fact)> {
    let ValueRef::Record(record) = value else {
        return Vec::new();
    };
    let fields = record.schema().fields.iter().enumerate();
    fields
        .map(|(at, field)| (saying(field.key), fact_of(record.get(at))))
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
