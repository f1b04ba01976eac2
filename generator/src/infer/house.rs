//! Derives the conventions of a document from what is sure about some of its lists, and adds them as
//! evidence for the pages and the keys of the others.

use std::collections::{HashMap, HashSet};

use crate::spec::api::{Api, SchemaId};

use super::Draft;
use super::facts::ResourceKind;
use super::keys::{self, Record, candidate, is_foreign, is_name, weights};
use super::links::field_for;
use super::node::Node;
use super::records::CONTAINERS;
use super::roles::{Param, Place};
use super::rules::rule;
use super::words::{
    flat, is_plural, is_variable, noun, path_shape, placeholder, same_noun, segments, singular_name,
};
use super::{items_follow, words};

/// The fewest kinds of records with one key that are a convention.
const FEWEST: usize = 2;
/// The fewest fields that show that two records without a name are the same.
const FIELDS: usize = 3;
/// Keys that are less sure than this give way to a convention.
const WEAK: f32 = 0.7;

/// A path to one record.
struct Item {
    /// The shape of the path before the placeholder.
    list: String,
    noun: String,
    param: String,
    /// The name of the schema of what it returns, if it returns one object.
    component: Option<String>,
    returns_one: bool,
    /// Whether the path only begins with it.
    goes_on: bool,
}

/// Gives lists the page parameters that only other lists declare, where the response shows that they
/// come in pages in the same way: the same place of the next token, or a field that repeats the size.
pub(super) fn pages(api: &Api, drafts: &mut [Draft<'_>]) {
    let mut tokens: HashMap<String, (Param, Option<Param>, String)> = HashMap::new();
    let mut sizes: HashMap<String, (Param, String)> = HashMap::new();
    for draft in drafts.iter().filter(|it| it.kind == ResourceKind::List) {
        let path = || draft.path.to_owned();
        if let (Some(token), Some(cursor)) = (&draft.envelope.next_token, &draft.roles.cursor) {
            let found = (cursor.clone(), draft.roles.size.clone(), path());
            tokens.entry(token.clone()).or_insert(found);
        }
        if let (Some(next), Some(size)) = (&draft.envelope.next_url, &draft.roles.size) {
            let key = format!("{next} {}", flat(&size.name));
            sizes.entry(key).or_insert((size.clone(), path()));
        }
    }
    for draft in drafts.iter_mut().filter(|it| it.kind == ResourceKind::List) {
        let place = match draft.method {
            "post" => Place::Body,
            _ => Place::Query,
        };
        let borrow = |param: &Param, path: &str| Param {
            place: place.clone(),
            borrowed: Some(path.to_owned()),
            ..param.clone()
        };
        let plain = |param: &Param| matches!(param.place, Place::Query | Place::Body);
        let token = draft.envelope.next_token.as_ref();
        if let Some((cursor, size, path)) = token.and_then(|token| tokens.get(token))
            && !draft.roles.advance()
            && plain(cursor)
            && rule("page parameters of another list", true)
        {
            draft.roles.cursor = Some(borrow(cursor, path));
            let size = size.as_ref().filter(|size| plain(size));
            let size = size.map(|size| borrow(size, path));
            draft.roles.size = draft.roles.size.take().or(size);
        }
        let Some(next) = draft.envelope.next_url.clone() else {
            continue;
        };
        let response = api.operations.get(draft.operation);
        let response = response.and_then(|operation| operation.response.as_ref());
        let Some(response) = response.filter(|_| draft.roles.size.is_none()) else {
            continue;
        };
        let body = Node::of_response(api, response).properties();
        let echoed = body
            .keys()
            .find_map(|name| sizes.get(&format!("{next} {}", flat(name))));
        if let Some((size, path)) = echoed
            && plain(size)
            && rule("a size of another list", true)
        {
            draft.roles.size = Some(borrow(size, path));
        }
    }
}

/// Finds the key of every list: by its own record first, then by the document.
pub(super) fn keys(api: &Api, drafts: &mut [Draft<'_>]) {
    let items = items(api, drafts);
    for draft in drafts.iter_mut() {
        let noun = draft.noun.as_deref().unwrap_or_default();
        let shape = path_shape(draft.path);
        let follows = items_follow(draft.path, &draft.found.path);
        let mut own = items.iter().filter(|item| item.list == shape && follows);
        let item = own.next().map(|item| item.param.as_str());
        let alone = !draft.path.contains('{');
        let record = Record::new(&draft.found.record);
        draft.keys = keys::candidates(&record, noun, item, alone);
        // `/rehearsals/missed` lists `absences`.
        let named =
            draft.found.path.last().filter(|name| {
                !CONTAINERS.contains(&flat(name).as_str()) && !same_noun(name, noun)
            });
        if let Some(named) = named.filter(|_| rule("named after its records", true)) {
            let mut all = std::mem::take(&mut draft.keys);
            all.extend(keys::candidates(&record, named, item, alone));
            draft.keys = keys::merge(all);
        }
        draft.key = keys::decide(&draft.found.record, &draft.keys);
    }
    ask_items(drafts, &items);
    ask_equals(drafts);
    ask_house(drafts);
}

/// Returns the paths that continue that of a list with one placeholder, unless lists of the same
/// records are requested there by the id of something else: `/peals/{bell_id}` returns the peals of a
/// bell.
fn items(api: &Api, drafts: &[Draft<'_>]) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    let lists = Lists::new(drafts);
    let mut seen: HashSet<String> = HashSet::new();
    for operation in &api.operations {
        let whole = path_shape(&operation.path);
        let mut segments = segments(&operation.path);
        let mut follows = false;
        let mut goes_on = false;
        while let Some(last) = segments.pop() {
            let placeholder = placeholder(last);
            // In `/{scope}/{template}` neither placeholder is the key by itself.
            let alone = !std::mem::replace(&mut follows, placeholder.is_some());
            if let Some(param) = placeholder.filter(|_| alone) {
                let before = segments.join("/");
                let list = path_shape(&before);
                let node = operation.response.as_ref().filter(|_| !goes_on);
                let node = node.map(|response| Node::of_response(api, response));
                let one = node
                    .as_ref()
                    .filter(|node| operation.method == "get" && !node.is_array());
                let component = one.and_then(Node::component).map(str::to_owned);
                let below = !goes_on
                    && lists.are_same(&whole, &list)
                    && lists.names_another(param, &before);
                if !below && seen.insert(format!("{list} {goes_on}")) {
                    found.push(Item {
                        noun: noun(&before).unwrap_or_default(),
                        list,
                        param: param.to_owned(),
                        component,
                        returns_one: one.is_some() && !lists.at.contains_key(&whole),
                        goes_on,
                    });
                }
            }
            goes_on = true;
        }
    }
    // A path that ends with the placeholder says more than one that goes on.
    found.sort_by_key(|item| item.goes_on);
    found
}

/// The lists of a document, for looking them up.
struct Lists<'a, 'd> {
    drafts: &'d [Draft<'a>],
    /// By the shape of the path.
    at: HashMap<String, usize>,
    /// The static segments of their paths, in flat form and singular, each with whether it is a plural.
    things: HashSet<(String, bool)>,
}

impl<'a, 'd> Lists<'a, 'd> {
    fn new(drafts: &'d [Draft<'a>]) -> Self {
        let lists = || {
            let lists = drafts.iter().enumerate();
            lists.filter(|(_, draft)| draft.kind == ResourceKind::List)
        };
        let segments = lists().flat_map(|(_, draft)| segments(draft.path));
        let fixed = segments.filter(|segment| !is_variable(segment));
        Lists {
            drafts,
            at: lists()
                .map(|(index, draft)| (path_shape(draft.path), index))
                .collect(),
            things: fixed
                .map(|segment| (flat(&singular_name(segment)), is_plural(segment)))
                .filter(|(thing, _)| !thing.is_empty())
                .collect(),
        }
    }

    /// Returns whether the operations at two paths list the same records.
    fn are_same(&self, one: &str, other: &str) -> bool {
        let at = |shape: &str| self.drafts.get(*self.at.get(shape)?);
        match (at(one), at(other)) {
            (Some(one), Some(other)) => rule("a list below a list", same_records(one, other)),
            _ => false,
        }
    }

    /// Returns whether a placeholder is named after a segment of the path of a list, other than the
    /// last one of the path before it: `messageid` of `/messages/opens/{messageid}`.
    fn names_another(&self, param: &str, before: &str) -> bool {
        let own = noun(before).map(|noun| flat(&singular_name(&noun)));
        let ends = ["id", "uuid", "key", "code", "ref", "number"];
        let param = flat(param);
        let is_thing = |thing: &str, plural: &[bool]| {
            let known = plural
                .iter()
                .any(|it| self.things.contains(&(thing.to_owned(), *it)));
            known && own.as_deref() != Some(thing)
        };
        let with_end = |end: &&str| {
            let thing = param.strip_suffix(*end).unwrap_or_default();
            !thing.is_empty() && is_thing(thing, &[true, false])
        };
        is_thing(&param, &[true]) || ends.iter().any(with_end)
    }
}

/// What two lists of the same kind of records have in common: the name of the schema, or the fields.
#[derive(PartialEq, Eq, Hash)]
enum Kind {
    Named(String),
    Fields(Vec<String>),
}

fn kind(draft: &Draft<'_>) -> Option<Kind> {
    let record = &draft.found.record;
    if let Some(name) = record.component() {
        return Some(Kind::Named(name.to_owned()));
    }
    let fields: Vec<String> = record.properties().keys().cloned().collect();
    (fields.len() >= FIELDS).then_some(Kind::Fields(fields))
}

/// Returns whether two lists have the same kind of records.
fn same_records(one: &Draft<'_>, other: &Draft<'_>) -> bool {
    let (one, other) = (kind(one), kind(other));
    one.is_some() && one == other
}

/// Adds the parameters by which one such record is requested at other paths: `/masts/{plate}` for
/// `/yards/{id}/masts`.
fn ask_items(drafts: &mut [Draft<'_>], items: &[Item]) {
    for draft in drafts.iter_mut().filter(|it| it.kind == ResourceKind::List) {
        let node = &draft.found.record;
        let record = Record::new(node);
        let own = draft.noun.as_deref().unwrap_or_default();
        let shape = path_shape(draft.path);
        let elsewhere = items.iter().filter(|item| item.list != shape);
        let mut fields = elsewhere.filter_map(|item| {
            let component = item.component.as_deref();
            let known = component.is_some() && component == node.component();
            let named = item.returns_one && same_noun(&item.noun, own);
            if item.goes_on || !known && !named {
                return None;
            }
            let field = field_for(node, &item.param, own)?;
            let fits = record.is_usable(&field) && (known || !is_foreign(&field, own));
            rule("what an item is asked by elsewhere", fits).then_some((item, field))
        });
        let Some((item, field)) = fields.next() else {
            continue;
        };
        let reason = format!(
            "`{}/{{{}}}` requests one such record by it",
            item.list, item.param
        );
        let weight = weights::ASKED_BY_ELSEWHERE;
        let found = candidate(&field, 0.8, weight, &reason);
        add(draft, found);
    }
}

/// Adds the keys of the same records in other lists.
fn ask_equals(drafts: &mut [Draft<'_>]) {
    let mut sure: HashMap<Kind, (String, String)> = HashMap::new();
    for draft in drafts.iter() {
        let is_sure = draft.kind == ResourceKind::List && draft.key.confidence >= WEAK;
        if let [key] = draft.key.value.as_slice()
            && is_sure
            && let Some(kind) = kind(draft)
        {
            let told = (key.clone(), draft.path.to_owned());
            sure.entry(kind).or_insert(told);
        }
    }
    let weak =
        |draft: &&mut Draft<'_>| draft.kind == ResourceKind::List && draft.key.confidence < WEAK;
    for draft in drafts.iter_mut().filter(weak) {
        let told = kind(draft).and_then(|kind| sure.get(&kind));
        if let Some((field, path)) = told.filter(|_| rule("told elsewhere", true)) {
            let reason = format!("the same records have this key at `{path}`");
            let found = candidate(field, 0.8, weights::TOLD_ELSEWHERE, &reason);
            add(draft, found);
        }
    }
}

/// Adds the key that other lists of the API have.
fn ask_house(drafts: &mut [Draft<'_>]) {
    let mut kinds: HashMap<String, HashSet<Option<SchemaId>>> = HashMap::new();
    for draft in drafts.iter() {
        let sure = draft.kind == ResourceKind::List && draft.key.confidence >= WEAK;
        if let [key] = draft.key.value.as_slice()
            && sure
        {
            let kind = draft.found.record.schema;
            kinds.entry(key.clone()).or_default().insert(kind);
        }
    }
    let mut usual: Vec<(String, usize)> = kinds
        .into_iter()
        .map(|(key, kinds)| (key, kinds.len()))
        .filter(|(key, kinds)| *kinds >= FEWEST && words::words(key).len() == 1 && !is_name(key))
        .collect();
    usual.sort_by(|(one, many), (other, more)| more.cmp(many).then(one.cmp(other)));
    for draft in drafts.iter_mut() {
        let weak = draft.kind == ResourceKind::List
            && (draft.key.confidence < WEAK || draft.key.value.is_empty());
        if !weak {
            continue;
        }
        let record = Record::new(&draft.found.record);
        let has = |(key, _): &&(String, usize)| record.is_usable(key);
        if let Some((key, kinds)) = usual.iter().find(has)
            && rule("the key of the house", true)
        {
            let reason = format!("{kinds} other kinds of records have this key");
            let found = candidate(key, 0.7, weights::OF_THE_HOUSE, &reason);
            add(draft, found);
        }
    }
}

fn add(draft: &mut Draft<'_>, found: super::candidates::Candidate<keys::Key>) {
    let mut all = std::mem::take(&mut draft.keys);
    all.push(found);
    draft.keys = keys::merge(all);
    draft.key = keys::decide(&draft.found.record, &draft.keys);
}
