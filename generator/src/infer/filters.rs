//! Recognises parameters that bound a time from below, in every spelling.

use etlgen_model::{Meaning, TimeFormat};

use crate::spec::api::Api;

use super::compare::{latest, opposite};
use super::facts::rank;
use super::node::Node;
use super::roles::Param;
use super::rules::{rule, tells};
use super::times::{Time, is_epoch, is_millis, meaning_of};
use super::words::{flat, snake, words};

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

/// Returns the first of these words that means a lower bound, and the word of the upper bound.
fn bound<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<(String, String)> {
    if let Some(operator) = latest(words.clone()) {
        return Some((operator.to_owned(), opposite(operator)));
    }
    let (low, high) = BOUNDS
        .into_iter()
        .find(|(low, _)| words.clone().any(|word| word == *low) && tells("bound", low, &[low]))?;
    Some((low.to_owned(), high.to_owned()))
}

/// Returns whether a parameter of that name bounds something from below.
pub(super) fn is_lower_bound(name: &str) -> bool {
    bound(words(name).iter().map(String::as_str)).is_some()
}

/// A parameter that bounds a time from below.
pub(super) struct Filter {
    pub param: String,
    pub until: Option<String>,
    /// The meaning according to its name or its text.
    pub meaning: Option<Meaning>,
    /// The field that the parameter names itself.
    pub field: Option<String>,
    /// Whether its name says nothing of the time: `since`, but not `updated_since`.
    pub is_bare: bool,
    pub format: Option<TimeFormat>,
    pub template: Option<String>,
    pub confidence: f32,
}

/// Reads one parameter.
pub(super) fn filter(
    api: &Api,
    param: &Param,
    all: &[Param],
    times: &[Time<'_>],
) -> Option<Filter> {
    let node = Node::of_schema(api, param.schema);
    let name_words = words(&param.name);
    if node.is_boolean() || param.deprecated {
        return None;
    }
    if let Some(filter) = range(&node, param, &name_words, times) {
        return Some(filter);
    }
    if matches!(
        flat(&param.name).as_str(),
        "filter" | "filters" | "filterby" | "q" | "query" | "search" | "where"
    ) {
        return expression(param, times)
            .or_else(|| shown(param, times).filter(|_| rule("a filter language", true)));
    }
    if let Some((low, high)) = bound(name_words.iter().map(String::as_str)) {
        let (low, high) = (low.as_str(), high.as_str());
        let mut rest: Vec<String> = name_words
            .iter()
            .filter(|word| word.as_str() != low)
            .cloned()
            .collect();
        // For example `filter[updated_at][gte]` or `date_range.start`.
        rest.retain(|word| {
            !matches!(
                word.as_str(),
                "filter" | "range" | "query" | "q" | "where" | "if"
            )
        });
        let text = &param.description;
        let timely = matches!(node.format(), Some("date-time" | "date"))
            || tells(
                "told time",
                text,
                &[
                    "date",
                    "time",
                    "iso 8601",
                    "iso8601",
                    "timestamp",
                    "unix",
                    "yyyy",
                ],
            );
        let meaning = meaning_of(&rest)?;
        if meaning.is_none()
            && (!timely
                || text.contains(" id ")
                || rest.is_empty()
                    && !matches!(
                        low,
                        "since" | "after" | "from" | "start" | "begin" | "oldest"
                    ))
        {
            return None;
        }
        // A bare name such as `from` needs a description that says what it bounds.
        let told = meaning.or_else(|| told(text));
        let confidence = match (meaning, told, low) {
            (Some(_), ..) => 0.95,
            (None, Some(_), _) => 0.85,
            (None, None, "since") => 0.55,
            (None, None, _) => return plain_bound(param, &node, times, all, low, high),
        };
        return Some(Filter {
            until: counterpart(&param.name, low, high, all),
            param: param.name.clone(),
            meaning: told,
            field: None,
            is_bare: rest.is_empty(),
            format: format_hint(&node, text),
            template: None,
            confidence,
        });
    }
    None
}

/// Reads a bound such as `start_date` for a record with only one plain time: it must mean that
/// time.
fn plain_bound(
    param: &Param,
    node: &Node<'_>,
    times: &[Time<'_>],
    all: &[Param],
    low: &str,
    high: &str,
) -> Option<Filter> {
    let [time] = times else {
        return None;
    };
    // `start_date` is not about changes.
    if !rule("the only time", time.meaning != Some(Meaning::Updated)) {
        return None;
    }
    Some(Filter {
        until: counterpart(&param.name, low, high, all),
        param: param.name.clone(),
        meaning: time.meaning,
        field: Some(time.path.clone()),
        is_bare: false,
        format: format_hint(node, &param.description),
        template: None,
        confidence: 0.6,
    })
}

/// Reads a parameter such as `created` with `gte` and `lte` as properties, or one that takes
/// `>=2024-01-01`.
fn range(node: &Node<'_>, param: &Param, words: &[String], times: &[Time<'_>]) -> Option<Filter> {
    let meaning = meaning_of(words).filter(|_| !words.is_empty())?;
    let named = times
        .iter()
        .find(|time| flat(&time.path) == flat(&param.name))
        .map(|time| time.path.clone());
    if meaning.is_none() && named.is_none() {
        return None;
    }
    let inner = node.properties();
    let bound =
        bound(inner.keys().map(String::as_str)).filter(|_| rule("a record's time compared", true));
    if let Some((low, high)) = bound {
        let format = inner
            .get(&low)
            .map(|node| format_of(node, &param.description));
        return Some(Filter {
            until: inner
                .contains_key(&high)
                .then(|| format!("{}[{high}]", param.name)),
            param: format!("{}[{low}]", param.name),
            meaning,
            field: named,
            is_bare: false,
            format,
            template: None,
            confidence: 0.95,
        });
    }
    let text = &param.description;
    let signs = [
        "date-time range",
        "date range",
        "range of",
        "search syntax",
        ">=",
        "greater than",
    ];
    let spans = tells("range", text, &signs);
    // Operators before the value.
    let operators = [
        ("gte:2", "gte:{}"),
        ("gte.2", "gte.{}"),
        ("ge2", "ge{}"),
        ("ge:2", "ge:{}"),
        (">=2", ">={}"),
    ];
    let operator = operators
        .into_iter()
        .find(|(shown, _)| text.contains(shown));
    if node.is_text() && (spans || rule("an operator before the value", operator.is_some())) {
        return Some(Filter {
            param: param.name.clone(),
            until: None,
            meaning,
            field: None,
            is_bare: false,
            format: Some(TimeFormat::Rfc3339),
            template: Some(operator.map_or(">={}", |(_, template)| template).to_owned()),
            confidence: 0.7,
        });
    }
    None
}

/// Reads a filter language whose description lists fields and operators: "`updated`:
/// `greater-than`".
fn expression(param: &Param, times: &[Time<'_>]) -> Option<Filter> {
    let mut best: Option<(u8, Filter)> = None;
    let text = param.description.replace("<br>", "\n");
    for line in text.lines() {
        let mut parts = line.split('`').skip(1).step_by(2);
        let Some(field) = parts.next() else { continue };
        let Some(operator) = latest(parts) else {
            continue;
        };
        let Some(time) = times.iter().find(|time| {
            time.path.rsplit('.').next().is_some_and(|last| {
                rule("a record's time compared", last.eq_ignore_ascii_case(field))
            })
        }) else {
            continue;
        };
        let rank = rank(time.meaning);
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            let filter = Filter {
                param: param.name.clone(),
                until: None,
                meaning: time.meaning,
                field: Some(time.path.clone()),
                is_bare: false,
                format: Some(TimeFormat::Rfc3339),
                template: Some(format!("{operator}({field},{{}})")),
                confidence: 0.7,
            };
            best = Some((rank, filter));
        }
    }
    best.map(|(_, filter)| filter)
}

/// Reads a filter language whose description has an example with a time: `updated_at>=2024-01-01`,
/// `updated_at:>2024-01-01`.
fn shown(param: &Param, times: &[Time<'_>]) -> Option<Filter> {
    let operators = [
        ">=", ":>=", " >= ", " ge ", " gte ", ":gte:", "[gte]=", ">", ":>", " > ", " gt ", ":gt:",
    ];
    let mut found: Vec<(u8, Filter)> = Vec::new();
    for time in times {
        let name = time.path.rsplit('.').next().unwrap_or_default();
        let lower = name.to_lowercase();
        let after = operators.into_iter().find_map(|operator| {
            let (before, after) = param
                .description
                .split_once(&format!("{lower}{operator}"))?;
            let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            whole.then_some((operator, after))
        });
        let Some((operator, after)) = after else {
            continue;
        };
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.map(String::from).unwrap_or_default();
        if !after
            .trim_start_matches(['"', '\''])
            .starts_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        let rank = rank(time.meaning);
        let filter = Filter {
            param: param.name.clone(),
            until: None,
            meaning: time.meaning,
            field: Some(time.path.clone()),
            is_bare: false,
            format: Some(TimeFormat::Rfc3339),
            template: Some(format!("{name}{operator}{quote}{{}}{quote}")),
            confidence: 0.7,
        };
        found.push((rank, filter));
    }
    found
        .into_iter()
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, filter)| filter)
}

/// Returns the meaning that a text gives to the time that it bounds.
fn told(text: &str) -> Option<Meaning> {
    if tells(
        "told updated",
        text,
        &["updated", "modified", "changed", "last update"],
    ) {
        return Some(Meaning::Updated);
    }
    let created = ["created", "creation", "occurred", "recorded", "added"];
    tells("told created", text, &created).then_some(Meaning::Created)
}

/// Returns the parameter of the upper bound.
fn counterpart(name: &str, low: &str, high: &str, all: &[Param]) -> Option<String> {
    let wanted = snake(name)
        .split('_')
        .map(|word| if word == low { high } else { word })
        .collect::<Vec<_>>()
        .join("_");
    let found = all
        .iter()
        .find(|param| snake(&param.name) == wanted && param.name != name)?;
    Some(found.name.clone())
}

/// Returns the format of a time, if the schema or the text states it.
fn format_hint(node: &Node<'_>, text: &str) -> Option<TimeFormat> {
    let known = node.is_integer()
        || node.format().is_some()
        || ["unix", "epoch", "8601", "rfc", "yyyy"]
            .iter()
            .any(|sign| text.contains(sign));
    known.then(|| format_of(node, text))
}

pub(super) fn format_of(node: &Node<'_>, text: &str) -> TimeFormat {
    let own = node.description();
    let says = |sign: &str| text.contains(sign) || own.contains(sign);
    let millis = says("millisecond") || node.examples.iter().any(|value| is_millis(value));
    if node.is_integer() || says("unix") || says("epoch") {
        return if millis {
            TimeFormat::UnixMillis
        } else {
            TimeFormat::UnixSeconds
        };
    }
    let mut shown = node.examples.iter().filter_map(|value| value.as_str());
    if node.format().is_none() && shown.any(is_epoch) {
        return TimeFormat::AsIs;
    }
    match node.format() {
        Some("date") => TimeFormat::Date,
        Some(_) => TimeFormat::Rfc3339,
        None if says("yyyy-mm-dd") && !says("yyyy-mm-ddt") && !says("hh:mm") => TimeFormat::Date,
        None => TimeFormat::Rfc3339,
    }
}
