//! Which lists a person would look for first.

use std::collections::HashMap;

use crate::infer::facts::ResourceFacts;
use crate::spec::api::{Api, SchemaId, SchemaKind};

/// The positions of the `count` most common of these lists, in the document's order.
pub(super) fn top(api: &Api, lists: &[&ResourceFacts], count: usize) -> Vec<usize> {
    let mentions = mentions(api);
    let actions = actions(api);
    let spoken = spoken(api);
    let ranked = lists.iter().enumerate().filter_map(|(index, resource)| {
        let weight = weight(api, lists, resource, &mentions, &actions)?;
        let count = spoken.get(&phrase(&resource.name)).copied();
        Some((weight + 0.7 * grown(count.unwrap_or(0)), index))
    });
    let mut ranked: Vec<(f64, usize)> = ranked.collect();
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    ranked.truncate(count);
    let mut chosen: Vec<usize> = ranked.into_iter().map(|(_, index)| index).collect();
    chosen.sort_unstable();
    chosen
}

/// How common a list is: a root, spoken of by other records, with others below it, read like data.
fn weight(
    api: &Api,
    lists: &[&ResourceFacts],
    resource: &ResourceFacts,
    mentions: &HashMap<SchemaId, usize>,
    actions: &HashMap<&str, usize>,
) -> Option<f64> {
    let operation = api.operations.get(resource.operation)?;
    // Roots come first; then what only wants a name that its owner knows.
    let mut weight = match (&resource.parent.value, operation.path.contains('{')) {
        (None, false) => 8.0,
        (None, true) => 4.0,
        (Some(_), _) => 0.0,
    };
    let below = lists.iter().filter(|other| {
        let parent = other.parent.value.as_ref();
        parent.is_some_and(|parent| parent.resource == resource.name)
    });
    let mentioned = resource.record.and_then(|record| mentions.get(&record));
    weight += grown(below.count());
    weight += 0.4 * grown(mentioned.copied().unwrap_or(0));
    weight += 0.5 * grown(actions.get(operation.path.as_str()).copied().unwrap_or(0));
    weight -= length(&operation.path);
    let paged = resource.paginator.value.is_paged();
    weight += if paged { 1.5 } else { 0.0 };
    weight += if resource.primary_key.value.is_empty() {
        0.0
    } else {
        1.0
    };
    weight += match &resource.cursor.value {
        Some(cursor) if cursor.param.is_some() => 4.0,
        Some(_) => 0.5,
        None => 0.0,
    };
    weight -= if operation.deprecated { 6.0 } else { 0.0 };
    Some(weight)
}

/// The second of a thing says less than the first.
fn grown(count: usize) -> f64 {
    (count as f64 + 1.0).log2()
}

/// How long a path is without placeholders, `/v1` and `/api`: what is common stands high and has a short name.
fn length(path: &str) -> f64 {
    let version = |segment: &str| {
        let rest = segment.trim_start_matches('v');
        rest.starts_with(|c: char| c.is_ascii_digit())
    };
    path.split('/')
        .filter(|segment| {
            !segment.is_empty()
                && *segment != "api"
                && !segment.starts_with('{')
                && !version(segment)
        })
        .map(|segment| 4.0 + 1.3 * segment.matches(['_', '-', '.']).count() as f64)
        .sum()
}

/// How many objects have a field that holds, or may hold, such a record: orders speak of customers.
fn mentions(api: &Api) -> HashMap<SchemaId, usize> {
    let mut mentions: HashMap<SchemaId, usize> = HashMap::new();
    for schema in &api.schemas.0 {
        let SchemaKind::Object { properties, .. } = &schema.kind else {
            continue;
        };
        for id in properties.values() {
            let arms = match api.schemas.0.get(id.0).map(|schema| &schema.kind) {
                Some(SchemaKind::Union { arms, .. }) => arms.as_slice(),
                _ => std::slice::from_ref(id),
            };
            for arm in arms {
                *mentions.entry(*arm).or_default() += 1;
            }
        }
    }
    mentions
}

/// List path -> how many operations stand at it and right below one of its items.
fn actions(api: &Api) -> HashMap<&str, usize> {
    let mut actions: HashMap<&str, usize> = HashMap::new();
    for operation in &api.operations {
        *actions.entry(&operation.path).or_default() += 1;
        if let Some((list, _)) = operation.path.split_once("/{") {
            *actions.entry(list).or_default() += 1;
        }
    }
    actions
}

/// How often texts speak of a thing, in one word or in two.
fn spoken(api: &Api) -> HashMap<String, usize> {
    let mut spoken: HashMap<String, usize> = HashMap::new();
    let operations = api
        .operations
        .iter()
        .flat_map(|operation| [&operation.summary, &operation.description]);
    let schemas = api.schemas.0.iter().map(|schema| &schema.description);
    for text in operations.chain(schemas) {
        let mut before = String::new();
        for word in text
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| !word.is_empty())
            .map(stem)
        {
            if !before.is_empty() {
                *spoken.entry(format!("{before} {word}")).or_default() += 1;
            }
            *spoken.entry(word.clone()).or_default() += 1;
            before = word;
        }
    }
    spoken
}

/// The last two words of a name, as [`spoken`] counts them.
fn phrase(name: &str) -> String {
    let words: Vec<String> = name.split('_').map(stem).collect();
    let start = words.len().saturating_sub(2);
    words.get(start..).unwrap_or_default().join(" ")
}

/// One form for one and many.
fn stem(word: &str) -> String {
    word.to_ascii_lowercase().trim_end_matches('s').to_owned()
}
