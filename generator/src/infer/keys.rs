//! Infers the primary key of a record: every field that may be it is a candidate.

use indexmap::IndexMap;

use super::candidates::{Answers, Candidate, elect};
use super::facts::Decision;
use super::links::{ENDS, field_for};
use super::node::Node;
use super::rules::{self, among, rule};
use super::words::{flat, is_version, same_noun, segments, singular_name, words};

/// Names that are keys anywhere, best first.
const IDS: [&str; 8] = ["id", "gid", "_id", "uuid", "guid", "uid", "ID", "Id"];
/// Names that are keys if nothing better exists.
const LAST: [&str; 8] = [
    "key",
    "sha",
    "hash",
    "fingerprint",
    "code",
    "slug",
    "url",
    "uri",
];
/// Numbers by which a trade knows a thing anywhere.
const TRADE: [&str; 7] = ["sku", "isbn", "imo", "ean", "gtin", "upc", "vin"];
/// Names that are keys only if one record is requested by a name.
const NAMED: [&str; 6] = ["name", "slug", "username", "login", "email", "number"];
/// Last words of schemas that state the form of a record.
const FORMS: [&str; 15] = [
    "dto", "item", "items", "response", "summary", "info", "details", "detail", "model", "object",
    "entity", "view", "data", "resource", "record",
];

/// The weights of the evidence. Weights of kinds that compete are further apart than the margin of
/// a decision.
pub(super) mod weights {
    /// The record has a field that is a key anywhere.
    pub const ID: i32 = 100;
    /// An object of the record has such a field.
    pub const ID_WITHIN: i32 = 92;
    /// One record is requested by it.
    pub const ASKED_BY: i32 = 86;
    /// One such record is requested by it, at another path.
    pub const ASKED_BY_ELSEWHERE: i32 = 80;
    /// It is the name of a whole resource, in the format of the list's path.
    pub const WHOLE_NAME: i32 = 78;
    /// It is named after the record.
    pub const NAMED_AFTER: i32 = 74;
    /// It lacks a word of the record's name, so that it may be the id of what the record is about.
    pub const OF_THE_BASE: i32 = -20;
    /// The same records have this key in another list.
    pub const TOLD_ELSEWHERE: i32 = 68;
    /// Its description says that it is unique.
    pub const UNIQUE: i32 = 62;
    /// It is a UUID.
    pub const UUID: i32 = 56;
    /// It is the key of other lists of the API.
    pub const OF_THE_HOUSE: i32 = 52;
    /// It is the first field and the only id.
    pub const ONLY_ID: i32 = 46;
    /// It is a URL or a number named after the record.
    pub const OWN_URL: i32 = 40;
    /// One record is requested by a name, and this is one.
    pub const NAME: i32 = 34;
    /// It has the record's own name, and one record is requested by it.
    pub const OWN_NAME: i32 = 28;
    /// It is a number that the trade knows a thing by.
    pub const TRADE: i32 = 22;
    /// No id, and it is the field most like one.
    pub const LIKE_A_KEY: i32 = 16;
}

/// A record with its fields at hand.
pub(super) struct Record<'a> {
    node: Node<'a>,
    fields: IndexMap<String, Node<'a>>,
}

impl<'a> Record<'a> {
    pub fn new(node: &Node<'a>) -> Self {
        Record {
            node: node.clone(),
            fields: node.properties(),
        }
    }

    pub fn properties(&self) -> &IndexMap<String, Node<'a>> {
        &self.fields
    }

    /// Returns whether a field may be a key by its type.
    pub fn is_usable(&self, name: &str) -> bool {
        let node = self.fields.get(name);
        node.is_some_and(|node| node.is_scalar() && !node.is_boolean())
    }
}

/// A key: the dotted paths of its fields.
pub(super) type Key = Vec<String>;

/// Decides on the best candidate. A wrong key loses rows, a missing key does not, so names and other
/// URLs are no candidates.
pub(super) fn decide(record: &Node<'_>, candidates: &[Candidate<Key>]) -> Decision<Key> {
    let none = |confidence, reason: &str| Decision {
        value: Vec::new(),
        confidence,
        reasons: vec![reason.to_owned()],
        others: Vec::new(),
    };
    if record.is_scalar() && !record.is_object() {
        return none(0.9, "its rows are plain values");
    }
    if !record.is_object() {
        // The fields are unknown; most records have an `id`.
        return Decision {
            value: vec!["id".to_owned()],
            ..none(0.4, "no field is known; most records have an `id`")
        };
    }
    let found = elect(candidates.to_vec(), Answers::One);
    found.unwrap_or_else(|| none(0.6, "no field looks like a key"))
}

/// Returns a candidate for one field.
pub(super) fn candidate(field: &str, sure: f32, weight: i32, reason: &str) -> Candidate<Key> {
    let shown = format!("`{field}`");
    Candidate::new(vec![field.to_owned()], shown, sure).with(weight, reason)
}

/// Returns the fields of a record that may be its key; `item_param` is the placeholder of the path to
/// one such record, and `alone` tells that the list is not that of something else.
pub(super) fn candidates(
    record: &Record<'_>,
    noun: &str,
    item_param: Option<&str>,
    alone: bool,
) -> Vec<Candidate<Key>> {
    let mut found: Vec<Candidate<Key>> = Vec::new();
    found.extend(by_id(record));
    found.extend(within(record, noun));
    found.extend(by_item(record, noun, item_param));
    found.extend(whole_name(record, noun));
    found.extend(named_after(record, noun));
    found.extend(unique(record, noun));
    found.extend(only_id(record, noun));
    found.extend(by_name(record, noun, item_param));
    found.extend(of_the_trade(record).filter(|_| alone));
    found.extend(like_a_key(record));
    merge(found)
}

/// Puts the evidence for one field together; the kind of the strongest decides how sure it is.
pub(super) fn merge(candidates: Vec<Candidate<Key>>) -> Vec<Candidate<Key>> {
    let mut merged: Vec<Candidate<Key>> = Vec::new();
    for one in candidates {
        match merged.iter_mut().find(|other| other.value == one.value) {
            Some(other) => {
                if one.score() > other.score() {
                    other.sure = one.sure;
                    other.evidence.splice(0..0, one.evidence);
                } else {
                    other.evidence.extend(one.evidence);
                }
            }
            None => merged.push(one),
        }
    }
    merged
}

fn is_id_word(word: &str) -> bool {
    ENDS.iter().take(5).any(|end| *end == word)
}

fn by_id(record: &Record<'_>) -> Option<Candidate<Key>> {
    let properties = record.properties();
    let has = |name: &&str| properties.contains_key(*name) && among("id", &IDS, name);
    let id = IDS.into_iter().find(has)?;
    Some(candidate(id, 0.95, weights::ID, "the record has it"))
}

/// Kubernetes has the id in the metadata, others in a node.
fn within(record: &Record<'_>, noun: &str) -> Option<Candidate<Key>> {
    let properties = record.properties();
    let around = |name: &&String| {
        rule(
            "a node around",
            same_noun(name, noun) && properties.len() <= 3,
        )
    };
    let wrapped = properties.keys().find(around);
    let wrappers = ["metadata", "sys", "meta", "node"].into_iter();
    wrappers
        .chain(wrapped.map(String::as_str))
        .find_map(|inner| {
            let ids = properties.get(inner)?.properties();
            let has = |id: &&str| rule("an id within", ids.contains_key(*id));
            if let Some(id) = ["uid", "id", "uuid"].into_iter().find(has) {
                let path = format!("{inner}.{id}");
                return Some(candidate(
                    &path,
                    0.8,
                    weights::ID_WITHIN,
                    "the record has it",
                ));
            }
            // For example `dataset.dataset_id` of datasets.
            let own = ids.iter().find(|(name, node)| {
                let mut words = words(name);
                let last = words.pop().unwrap_or_default();
                rule(
                    "an id within, named after the record",
                    is_id_word(&last) && node.is_scalar() && names_it(&words, noun),
                )
            });
            let path = format!("{inner}.{}", own?.0);
            let reason = "it is named after the record";
            Some(candidate(&path, 0.8, weights::ID_WITHIN, reason))
        })
}

/// The parameter by which one record is requested names the key.
fn by_item(record: &Record<'_>, noun: &str, param: Option<&str>) -> Option<Candidate<Key>> {
    let param = param?;
    let name = field_for(&record.node, param, noun)?;
    let usable = rule("what an item is asked by", record.is_usable(&name));
    let reason = format!("one record is requested by `{param}`");
    usable.then(|| candidate(&name, 0.85, weights::ASKED_BY, &reason))
}

/// A field with the format of a whole resource name, `gardens/{garden}/beds/{bed}` of beds.
fn whole_name(record: &Record<'_>, noun: &str) -> Option<Candidate<Key>> {
    let properties = record.properties();
    let found = properties.iter().find(|(name, node)| {
        let text = node.description();
        let format = text.split_once("format: ").map(|(_, rest)| rest);
        let format = format.and_then(|rest| rest.split_whitespace().next());
        let format = format
            .unwrap_or_default()
            .trim_matches(['`', '"', '\'', '.', ',']);
        let parts = segments(format);
        let own = match parts.as_slice() {
            [.., of, last] => last.starts_with('{') && same_noun(of, noun),
            _ => false,
        };
        record.is_usable(name) && rule("a whole name", own)
    });
    let reason = "it names the record with its whole path";
    found.map(|(name, _)| candidate(name, 0.85, weights::WHOLE_NAME, reason))
}

/// For example `event_id` of events.
fn named_after(record: &Record<'_>, noun: &str) -> Vec<Candidate<Key>> {
    let properties = record.properties();
    let id = properties.keys().find(|name| {
        let mut words = words(name);
        let last = words.pop().unwrap_or_default();
        let is_id = is_id_word(&last) && record.is_usable(name);
        rule(
            "an id named after the path",
            is_id && names_it(&words, noun),
        ) || rule(
            "an id named after the schema",
            is_id && names_schema(&words, record),
        )
    });
    let url = properties.keys().find(|name| {
        let mut words = words(name);
        let last = words.pop().unwrap_or_default();
        rule(
            "a URL or a number named after the record",
            record.is_usable(name)
                && matches!(last.as_str(), "url" | "uri" | "key" | "code" | "number")
                && (names_it(&words, noun) || names_schema(&words, record)),
        )
    });
    let reason = "it is named after the record";
    let id = id.map(|name| {
        let found = candidate(name, 0.85, weights::NAMED_AFTER, reason);
        match lacks(name, noun).filter(|_| !names_schema_of(name, record)) {
            Some(word) => found.with(weights::OF_THE_BASE, format!("its name lacks `{word}`")),
            None => found,
        }
    });
    let url = url.map(|name| candidate(name, 0.6, weights::OWN_URL, reason));
    id.into_iter().chain(url).collect()
}

/// Returns the first word of a compound noun if an id lacks it: `applied` of `applied_coupons` for
/// `coupon_id`, which may be that of a coupon.
fn lacks(id: &str, noun: &str) -> Option<String> {
    let mut own = words(id);
    own.pop();
    let words = words(noun);
    let first = words.first().filter(|_| words.len() > 1)?;
    let lacks = !own.iter().any(|word| same_noun(word, first));
    rule("an id of the base", lacks).then(|| first.clone())
}

fn names_schema_of(id: &str, record: &Record<'_>) -> bool {
    let mut own = words(id);
    own.pop();
    names_schema(&own, record)
}

/// A description may state the key, or a type.
fn unique(record: &Record<'_>, noun: &str) -> Vec<Candidate<Key>> {
    let properties = record.properties();
    let said = properties.iter().find(|(name, node)| {
        let text = node.description();
        let signs = [
            "unique identifier",
            "uniquely identif",
            "the unique ",
            "unique id",
            "primary key",
            "resource name of",
        ];
        // "The box's unique address" for `address`.
        let by_name = format!("unique {}", words(name).join(" "));
        let by_name = text
            .find(&by_name)
            .filter(|_| rule("unique by its name", true));
        let begins = signs.iter().filter_map(|phrase| text.find(phrase)).min();
        let begins = begins.or(by_name);
        let own = begins.is_some_and(|at| {
            let text = text.get(at..).unwrap_or_default();
            !is_foreign(name, noun)
                || identifies(text, name, noun, properties.keys().next() == Some(*name))
        });
        record.is_usable(name)
            && own
            && (by_name.is_some() || rules::tells("unique", &text, &signs))
    });
    let uuid = properties.iter().find(|(name, node)| {
        rule(
            "a UUID",
            node.format() == Some("uuid") && !is_foreign(name, noun),
        )
    });
    let reason = "its description says that it is unique";
    let said = said.map(|(name, _)| candidate(name, 0.75, weights::UNIQUE, reason));
    let uuid = uuid.map(|(name, _)| candidate(name, 0.65, weights::UUID, "it is a UUID"));
    said.into_iter().chain(uuid).collect()
}

/// The only id of a record is its key.
fn only_id(record: &Record<'_>, noun: &str) -> Option<Candidate<Key>> {
    let properties = record.properties();
    let is_id = |name: &&String| {
        let last = words(name).pop().unwrap_or_default();
        record.is_usable(name) && is_id_word(&last)
    };
    let ids: Vec<&String> = properties.keys().filter(is_id).collect();
    let [only] = ids.as_slice() else {
        return None;
    };
    let first = properties.keys().next() == Some(*only);
    let reason = "it is the first field and the record's only id";
    (first && rule("the only id", !is_foreign(only, noun)))
        .then(|| candidate(only, 0.6, weights::ONLY_ID, reason))
}

/// Names, where one record is requested by a name.
fn by_name(record: &Record<'_>, noun: &str, param: Option<&str>) -> Vec<Candidate<Key>> {
    let by_noun = param.is_some_and(|param| {
        same_noun(param, noun) || names_it(&words(param), noun) || flat(param).ends_with("name")
    });
    if !by_noun {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(name) = NAMED.into_iter().find_map(|name| named(record, name))
        && among("name as key", &NAMED, &flat(&name))
    {
        let reason = "one record is requested by name";
        found.push(candidate(&name, 0.65, weights::NAME, reason));
    }
    // `/versions/{version}` requests a version by its `version`.
    let properties = record.properties();
    let own = properties.keys().find(|name| {
        rule(
            "a field of the record's own name",
            same_noun(name, noun) && record.is_usable(name),
        )
    });
    let reason = "one record is requested by it";
    found.extend(own.map(|name| candidate(name, 0.65, weights::OWN_NAME, reason)));
    found
}

/// The number by which a trade knows a thing. Below something else, such as an order, it may occur
/// twice.
fn of_the_trade(record: &Record<'_>) -> Option<Candidate<Key>> {
    let name = TRADE.into_iter().find_map(|name| named(record, name))?;
    let reason = "the trade knows a thing by it";
    among("a trade's number", &TRADE, &flat(&name))
        .then(|| candidate(&name, 0.65, weights::TRADE, reason))
}

fn like_a_key(record: &Record<'_>) -> Vec<Candidate<Key>> {
    let mut found = Vec::new();
    if let Some(name) = LAST.into_iter().find_map(|name| named(record, name))
        && among("like a key", &LAST, &flat(&name))
    {
        let url = flat(&name).starts_with("ur");
        let sure = if url { 0.55 } else { 0.65 };
        let reason = "no id; this is the field most like one";
        found.push(candidate(&name, sure, weights::LIKE_A_KEY, reason));
    }
    found
}

/// Returns whether a field is what people call a thing, which only the document's own words make a
/// key.
pub(super) fn is_name(name: &str) -> bool {
    NAMED.contains(&flat(name).as_str())
}

/// Returns the usable field of this flat name.
fn named(record: &Record<'_>, wanted: &str) -> Option<String> {
    let properties = record.properties();
    let mut names = properties.keys();
    names
        .find(|name| flat(name) == wanted && record.is_usable(name))
        .cloned()
}

/// Returns whether words name the record, at least by its last word.
pub(super) fn names_it(words: &[String], noun: &str) -> bool {
    let own = self::words(noun);
    match (words.last(), own.last()) {
        (Some(word), Some(noun)) => same_noun(word, noun),
        _ => false,
    }
}

/// Returns whether the words before the last one in a name name the record's schema: `build` of
/// `build_url` for `Build` and `BuildSummary`.
fn names_schema(words: &[String], record: &Record<'_>) -> bool {
    let mut schema = record.node.component().map(self::words).unwrap_or_default();
    // `webhook_id` of a `WebhookRequest` is the id of the webhook: the last word names the record,
    // unless it is one of `FORMS`.
    while schema.len() > 1
        && schema
            .last()
            .is_some_and(|last| FORMS.contains(&last.as_str()) || is_version(last))
    {
        schema.pop();
    }
    let head = |word: &String| schema.last().is_some_and(|head| same_noun(word, head));
    words.last().is_some_and(head)
        && words
            .iter()
            .all(|word| schema.iter().any(|other| same_noun(word, other)))
}

/// Returns whether a text about something unique refers to the record and not to the subject of a
/// foreign `name`: "the unique identifier of the shop of the order" is that of the shop.
fn identifies(text: &str, name: &str, noun: &str, first: bool) -> bool {
    let mut own = words(name);
    own.pop();
    let foreign = own.iter().filter_map(|word| text.find(word.as_str())).min();
    let record = text.find(&singular_name(noun).replace('_', " "));
    match (record, foreign) {
        (Some(record), Some(foreign)) => record < foreign,
        (Some(_), None) => true,
        (None, foreign) => first && foreign.is_none(),
    }
}

/// Returns whether an id belongs to something else: it shares no word with the record's name.
pub(super) fn is_foreign(name: &str, noun: &str) -> bool {
    let mut own = words(name);
    own.pop();
    let nouns = words(noun);
    !own.is_empty()
        && !own
            .iter()
            .any(|word| nouns.iter().any(|noun| same_noun(word, noun)))
}
