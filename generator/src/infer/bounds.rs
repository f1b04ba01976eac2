//! Recognises what bounds a time from below, by a parameter's name or its text, and the field that
//! it compares.

use super::compare::{latest, opposite};
use super::node::Node;
use super::roles::Param;
use super::rules::{rule, tells};
use super::times::{Time, essence};
use super::words::{flat, same_noun, words};

/// Words of a lower bound that are not comparisons, best first, with those of the upper bound.
const BOUNDS: [(&str, &str); 7] = [
    ("since", "until"),
    ("after", "before"),
    ("from", "to"),
    ("min", "max"),
    ("start", "end"),
    ("begin", "end"),
    ("oldest", "latest"),
];

/// A lower bound, as a name or a text states it.
pub(super) struct Bound {
    /// The word or the operator; empty if only the text states it.
    pub low: String,
    /// That of the upper bound.
    pub high: String,
    /// The other words of the name.
    pub rest: Vec<String>,
}

/// Returns whether a parameter of that name bounds something from below.
pub(super) fn is_lower_bound(name: &str) -> bool {
    of_words(words(name).iter().map(String::as_str)).is_some()
}

/// Returns the first of these words that means a lower bound, and the word of the upper bound.
pub(super) fn of_words<'a>(
    words: impl Iterator<Item = &'a str> + Clone,
) -> Option<(String, String)> {
    if let Some(operator) = latest(words.clone()) {
        return Some((operator.to_owned(), opposite(operator)));
    }
    let (low, high) = BOUNDS
        .into_iter()
        .find(|(low, _)| words.clone().any(|word| word == *low) && tells("bound", low, &[low]))?;
    Some((low.to_owned(), high.to_owned()))
}

/// Reads the bound in a name: `updated_since`, `fromdate`, `created[gte]`, `SoldOn>`.
pub(super) fn of_name(name: &str) -> Option<Bound> {
    let words = split(name);
    if let Some(sign) = sign(name) {
        return Some(Bound {
            low: sign.to_owned(),
            high: opposite(sign),
            rest: words,
        });
    }
    let (low, high) = of_words(words.iter().map(String::as_str))?;
    let mut rest = words;
    rest.retain(|word| *word != low);
    // For example `filter[updated_at][gte]` or `date_range.start`.
    rest.retain(|word| {
        let neutral = ["filter", "filters", "range", "query", "q", "where", "if"];
        !neutral.contains(&word.as_str())
    });
    Some(Bound { low, high, rest })
}

/// Returns the comparison that ends a name.
pub(super) fn sign(name: &str) -> Option<&'static str> {
    let signs = [">=", ">"].into_iter();
    let mut signs = signs.filter(|sign| name.ends_with(sign));
    signs
        .next()
        .filter(|_| rule("a comparison in the name", true))
}

/// Splits a name into words, also between a bound and what it bounds: `fromdate`.
fn split(name: &str) -> Vec<String> {
    let plain = ["date", "time", "timestamp", "datetime"];
    let parts = |word: String| -> Vec<String> {
        let bounds = BOUNDS.iter().flat_map(|(low, high)| [low, high]);
        let mut halves = bounds.filter_map(|bound| {
            let rest = word.strip_prefix(bound)?;
            plain
                .contains(&rest)
                .then(|| vec![(*bound).to_owned(), rest.to_owned()])
        });
        halves.next().unwrap_or_else(|| vec![word.clone()])
    };
    words(name).into_iter().flat_map(parts).collect()
}

/// Reads a bound that only the text states: "The earliest time of the events to return".
pub(super) fn of_text(param: &Param, node: &Node<'_>) -> Option<Bound> {
    let text = param.description.split(". ").next().unwrap_or_default();
    let signs = [
        "beginning of",
        "earliest",
        "the minimum",
        "start of the",
        "lower bound",
        "later than",
        "newer than",
    ];
    let timely = is_dated(node) || ["time", "date", "day"].iter().any(|it| text.contains(it));
    let upper = BOUNDS.iter().map(|(_, high)| *high);
    let ends = words(&param.name)
        .iter()
        .any(|word| upper.clone().any(|high| high == word));
    let takes = node.is_scalar() && node.values().is_empty();
    let states = timely && !ends && takes && tells("text of a bound", text, &signs);
    states.then(|| Bound {
        low: String::new(),
        high: String::new(),
        rest: Vec::new(),
    })
}

/// Returns whether a text that says what a bound does says that it is a lower one.
pub(super) fn is_from(text: &str) -> bool {
    let signs = [
        "from", "since", "after", "start", "begin", "earliest", "first", "later", "greater",
        "newer", "minimum", "lower", "oldest", "between", "range", ">",
    ];
    text.is_empty() || signs.iter().any(|sign| text.contains(sign))
}

pub(super) fn is_dated(node: &Node<'_>) -> bool {
    matches!(node.format(), Some("date-time" | "date"))
}

/// Returns the time that the text of a parameter names in code: "The minimum `measured_at`".
pub(super) fn named_in_text<'t, 'a>(text: &str, times: &'t [Time<'a>]) -> Option<&'t Time<'a>> {
    let named = |time: &&Time<'_>| {
        let name = time.path.rsplit('.').next().unwrap_or_default();
        text.contains(&format!("`{}`", name.to_lowercase()))
    };
    let found = times.iter().find(named);
    found.filter(|_| rule("a field named in the text", true))
}

/// Returns the time with the same verb as the name of a parameter: `sold_on` of `SoldOn>`.
pub(super) fn of_same_words<'t, 'a>(
    rest: &[String],
    times: &'t [Time<'a>],
) -> Option<&'t Time<'a>> {
    let wanted = essence(rest);
    let same = |time: &&Time<'_>| {
        let verb = time.verb();
        time.has_happened()
            && verb.len() == wanted.len()
            && verb.iter().zip(&wanted).all(|(one, two)| alike(one, two))
    };
    let found = times.iter().find(same).filter(|_| !wanted.is_empty());
    found.filter(|_| rule("a field of the same verb", true))
}

/// Returns the time whose verb the text of a parameter has: "changes of state" for `stateChangedAt`.
pub(super) fn told_in_text<'t, 'a>(text: &str, times: &'t [Time<'a>]) -> Option<&'t Time<'a>> {
    let said = words(text);
    let told = |time: &&Time<'_>| {
        let verb = time.verb();
        let in_text = |word: &String| said.iter().any(|other| alike(word, other));
        time.has_happened() && !verb.is_empty() && verb.iter().all(in_text)
    };
    let mut found = times.iter().filter(told);
    let first = found.next();
    // Of several verbs in one text, neither is meant for sure.
    let only = first.filter(|_| found.next().is_none());
    only.filter(|_| rule("a verb in the text", true))
}

/// Returns the only event of a record, or the last one of a pair such as `firstSeen` and `lastSeen`.
pub(super) fn only_event<'t, 'a>(times: &'t [Time<'a>]) -> Option<&'t Time<'a>> {
    if let [only] = times {
        let only = Some(only).filter(|time| time.has_happened());
        return only.filter(|_| rule("the only time", true));
    }
    let [one, two] = times else {
        return None;
    };
    let pair = |first: &Time<'_>, last: &Time<'_>| {
        let (first, last) = (flat(&first.path), flat(&last.path));
        let verb = first.strip_prefix("first").filter(|verb| !verb.is_empty());
        verb.is_some() && verb == last.strip_prefix("last")
    };
    let last = match (pair(one, two), pair(two, one)) {
        (true, _) => two,
        (_, true) => one,
        _ => return None,
    };
    rule("the last of a pair of times", true).then_some(last)
}

/// Returns whether two words have one stem: `changes` and `changed`.
fn alike(one: &str, other: &str) -> bool {
    let shared = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let shared = shared.count();
    let longest = one.chars().count().max(other.chars().count());
    same_noun(one, other) || shared >= 4 && longest - shared <= 3
}
