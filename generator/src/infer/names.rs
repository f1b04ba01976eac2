//! Names resources: short, unique, and the same for the same document.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Draft;
use super::facts::ResourceKind;
use super::words::{
    is_variable, is_verb, is_version, noun, path_shape, segments, singular, snake, words,
};

/// Names every draft; `above` is the list above each in its path.
pub(super) fn give(drafts: &mut [Draft<'_>], above: &[Option<(usize, String)>]) {
    let nested = &nested(drafts, above);
    let items = items_below(drafts);
    let mut claims: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        claims.entry(short(draft)).or_default().push(index);
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut rest: Vec<usize> = Vec::new();
    for (name, mut claimants) in claims {
        claimants.sort_by_key(|&index| {
            drafts
                .get(index)
                .map(|draft| centrality(draft, index, nested, &items))
        });
        let mut claimants = claimants.into_iter();
        let Some(first) = claimants.next() else {
            continue;
        };
        // If every claimant is the child of some list, none gets the short name.
        let contested = claimants.len() > 0 && nested.get(first) == Some(&true);
        if contested {
            rest.push(first);
        } else if let Some(draft) = drafts.get_mut(first) {
            taken.insert(name.clone());
            draft.name = name;
        }
        rest.extend(claimants);
    }
    rest.sort_by_key(|&index| {
        drafts
            .get(index)
            .map(|draft| centrality(draft, index, nested, &items))
    });
    for index in rest {
        let Some(draft) = drafts.get_mut(index) else {
            continue;
        };
        draft.name = longer(draft, &taken);
        taken.insert(draft.name.clone());
    }
}

/// Last segments that do not describe what is listed.
const SAYS_NOTHING: [&str; 31] = [
    "item",
    "value",
    "list",
    "entry",
    "record",
    "data",
    "result",
    "part",
    "content",
    "detail",
    "line",
    "key",
    "type",
    "status",
    "history",
    "summary",
    "info",
    "information",
    "metadata",
    "meta",
    "property",
    "option",
    "field",
    "link",
    "child",
    "element",
    "resource",
    "object",
    "node",
    "attribute",
    "relationship",
];
/// Last segments that many things have. They suffice only if they do not follow a placeholder.
const SAYS_LITTLE: [&str; 14] = [
    "event",
    "log",
    "activity",
    "version",
    "revision",
    "permission",
    "setting",
    "stat",
    "statistic",
    "metric",
    "note",
    "comment",
    "tag",
    "file",
];

/// Returns the last static segment, with the segment before it if it does not suffice:
/// `project_keys`.
fn short(draft: &Draft<'_>) -> String {
    let own = bare(draft);
    let last = words(&own).pop().unwrap_or_default();
    let lone = own == last || last.is_empty();
    let last = singular(&last);
    let segments = segments(draft.path);
    let at = segments
        .iter()
        .rposition(|segment| !is_variable(segment) && !is_verb(segment))
        .unwrap_or(0);
    let before = segments.get(..at).unwrap_or_default();
    let of_one = before.last().is_some_and(|before| is_variable(before));
    let needs =
        SAYS_NOTHING.contains(&last.as_str()) || of_one && SAYS_LITTLE.contains(&last.as_str());
    if !lone || !needs {
        return own;
    }
    let mut name = own;
    for segment in before.iter().rev() {
        let mut words = words(segment);
        let Some(word) = words.pop() else { continue };
        if is_variable(segment) || is_version(segment) || is_verb(segment) {
            continue;
        }
        let word = singular(&word);
        let says = !SAYS_NOTHING.contains(&word.as_str()) || !words.is_empty();
        words.push(word);
        name = identifier(&format!("{}_{name}", words.join("_")));
        if says {
            break;
        }
    }
    name
}

/// Returns the last static segment.
fn bare(draft: &Draft<'_>) -> String {
    let base = plain(draft);
    // A single object has a name in the singular.
    let item = draft.kind == ResourceKind::Single
        && segments(draft.path)
            .last()
            .is_some_and(|last| is_variable(last));
    let mut words = words(&base);
    if item && let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    identifier(&words.join("_"))
}

fn plain(draft: &Draft<'_>) -> String {
    let container = [
        "data", "items", "results", "records", "entries", "values", "value", "list", "content",
    ];
    // For example `issues` for `/search` whose response has `issues`.
    let by_records = draft
        .found
        .path
        .last()
        .filter(|key| !container.contains(&key.as_str()));
    // `/transactions/accounts/{account}` lists transactions, as its schema says.
    let asked_by_one = draft.kind == ResourceKind::List
        && segments(draft.path)
            .last()
            .is_some_and(|last| is_variable(last));
    let by_path = noun(draft.path).filter(|_| !asked_by_one || by_records.is_none());
    by_path
        .or_else(|| by_records.map(|key| snake(key)))
        .or_else(|| {
            let last = segments(draft.path).pop();
            let last = last.map(|last| snake(last.strip_suffix(".json").unwrap_or(last)));
            last.filter(|name| !name.is_empty())
        })
        .unwrap_or_else(|| "root".to_owned())
}

/// Returns a name with as many of the preceding segments as it needs to be unique.
fn longer(draft: &Draft<'_>, taken: &HashSet<String>) -> String {
    let mut name = bare(draft);
    let base = plain(draft);
    let mut skipped = false;
    for segment in segments(draft.path).into_iter().rev() {
        if is_variable(segment) || is_version(segment) || is_verb(segment) {
            continue;
        }
        let segment_words = words(segment);
        if !skipped && segment_words.join("_").ends_with(&base) {
            skipped = true;
            continue;
        }
        let Some((last, before)) = segment_words.split_last() else {
            continue;
        };
        let mut prefix = before.to_vec();
        prefix.push(singular(last));
        name = identifier(&format!("{}_{name}", prefix.join("_")));
        if !taken.contains(&name) {
            return name;
        }
    }
    let short = short(draft);
    if !taken.contains(&short) {
        return short;
    }
    let version = segments(draft.path)
        .into_iter()
        .find(|segment| version(segment) > 0);
    if let Some(version) = version {
        let by_version = identifier(&format!("{name}_{version}"));
        if draft.method == "get" && !taken.contains(&by_version) {
            return by_version;
        }
    }
    let by_verb = identifier(&format!("{name}_{}", draft.method));
    if draft.method != "get" && !taken.contains(&by_verb) {
        return by_verb;
    }
    // The paths differ only in their placeholders.
    if let Some(variable) = segments(draft.path)
        .into_iter()
        .rev()
        .find(|segment| is_variable(segment))
    {
        let by_variable = identifier(&format!("{name}_by_{}", snake(variable)));
        if !taken.contains(&by_variable) {
            return by_variable;
        }
    }
    let mut number: u32 = 2;
    loop {
        let candidate = format!("{name}_{number}");
        if !taken.contains(&candidate) {
            return candidate;
        }
        number = number.saturating_add(1);
    }
}

/// Makes a name ASCII, without a digit at its start.
fn identifier(name: &str) -> String {
    let clean: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let clean = clean.trim_matches('_');
    if clean.is_empty() {
        return "root".to_owned();
    }
    if clean.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("n{clean}");
    }
    clean.to_owned()
}

/// An order of claimants: the lowest is the main list of its name.
type Centrality = (
    bool,
    bool,
    bool,
    bool,
    bool,
    std::cmp::Reverse<Option<u32>>,
    std::cmp::Reverse<usize>,
    usize,
    usize,
    usize,
);

fn centrality(
    draft: &Draft<'_>,
    index: usize,
    nested: &[bool],
    items: &HashMap<String, usize>,
) -> Centrality {
    let variables = segments(draft.path)
        .into_iter()
        .filter(|segment| is_variable(segment))
        .count();
    let newest = segments(draft.path).into_iter().map(version).max();
    let below = items.get(&path_shape(draft.path)).copied().unwrap_or(0);
    (
        draft.kind == ResourceKind::Single,
        draft.deprecated,
        nested.get(index) == Some(&true),
        is_own(draft.path),
        draft.method != "get",
        std::cmp::Reverse(newest),
        std::cmp::Reverse(below),
        variables,
        segments(draft.path).len(),
        index,
    )
}

/// Returns which drafts are below another list: children of an item, or of a view
/// (`/credit_notes/preview/lines`).
fn nested(drafts: &[Draft<'_>], above: &[Option<(usize, String)>]) -> Vec<bool> {
    let lists: HashSet<String> = drafts
        .iter()
        .filter(|draft| draft.kind == ResourceKind::List)
        .map(|draft| path_shape(draft.path))
        .collect();
    let below_list = |path: &str| {
        let mut segments = segments(path);
        while segments.pop().is_some() {
            if noun(&segments.join("/")).is_some()
                && lists.contains(&path_shape(&segments.join("/")))
            {
                return true;
            }
        }
        false
    };
    drafts
        .iter()
        .zip(above)
        .map(|(draft, above)| above.is_some() || below_list(draft.path))
        .collect()
}

/// Returns the number in `v2`.
fn version(segment: &str) -> u32 {
    let digits = segment.strip_prefix(['v', 'V']).unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// Returns the number of operations below each path and one placeholder: those on the collection's
/// own items.
fn items_below(drafts: &[Draft<'_>]) -> HashMap<String, usize> {
    let mut items = HashMap::new();
    for draft in drafts {
        let mut segments = segments(draft.path);
        while let Some(last) = segments.pop() {
            if is_variable(last) {
                *items.entry(path_shape(&segments.join("/"))).or_insert(0) += 1;
            }
        }
    }
    items
}

/// Returns whether the path lists only what belongs to the caller: `/user/repos`, `/me/boards`.
pub(super) fn is_own(path: &str) -> bool {
    let segments = segments(path);
    segments.iter().enumerate().any(|(index, segment)| {
        let followed = segments
            .get(index + 1)
            .is_some_and(|next| !is_variable(next));
        followed
            && [
                "user",
                "me",
                "self",
                "my",
                "current_user",
                "currentuser",
                "myself",
                "~",
            ]
            .contains(segment)
    })
}
