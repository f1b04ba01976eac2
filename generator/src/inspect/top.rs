//! Ranks lists by how likely users want them.

use std::collections::HashMap;

use crate::infer::facts::ResourceFacts;
use crate::spec::api::{Api, SchemaId, SchemaKind};

/// Returns the positions of the `count` most common of these lists, in the document's order.
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

/// Returns the weight of a list. Roots, lists with children, with more operations or with a cursor,
/// and lists that other records refer to weigh more.
fn weight(
    api: &Api,
    lists: &[&ResourceFacts],
    resource: &ResourceFacts,
    mentions: &HashMap<SchemaId, usize>,
    actions: &HashMap<&str, usize>,
) -> Option<f64> {
    let operation = api.operations.get(resource.operation)?;
    // Roots come first; then lists that need only a name that the owner knows.
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

/// Weighs a count so that each further one counts less.
fn grown(count: usize) -> f64 {
    (count as f64 + 1.0).log2()
}

/// Returns the length of a path without placeholders, `/v1` and `/api`: common lists have short
/// paths and names.
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

/// Returns, for each schema, the number of object fields that hold, or may hold, such a record:
/// orders refer to customers.
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

/// Returns, for each list path, the number of operations at it and directly below one of its items.
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

/// Counts how often texts mention each word and each pair of words.
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

/// Returns the last two words of a name, in the form that [`spoken`] counts.
fn phrase(name: &str) -> String {
    let words: Vec<String> = name.split('_').map(stem).collect();
    let start = words.len().saturating_sub(2);
    words.get(start..).unwrap_or_default().join(" ")
}

/// Returns one form for singular and plural.
fn stem(word: &str) -> String {
    word.to_ascii_lowercase().trim_end_matches('s').to_owned()
}
