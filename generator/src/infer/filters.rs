//! Recognises parameters that bound a time from below, in every spelling.

use etlgen_model::{Meaning, TimeFormat};

use crate::spec::api::Api;

use super::bounds::{self, Bound};
use super::compare::latest;
use super::facts::rank;
use super::node::Node;
use super::roles::{Param, Place};
use super::rules::{rule, tells};
use super::times::{Time, essence, is_change, is_epoch, is_millis, meaning_of};
use super::words::{flat, snake, words};

/// A parameter that bounds a time from below.
pub(super) struct Filter {
    pub param: String,
    /// Whether the parameter is a field of the body.
    pub in_body: bool,
    pub until: Option<String>,
    /// The meaning according to its name or its text.
    pub meaning: Option<Meaning>,
    /// The field that the parameter names itself.
    pub field: Option<String>,
    /// Whether its name says nothing of the time: `since`, but not `updated_since`.
    pub is_bare: bool,
    /// Whether it is known that no field of the record is meant.
    pub is_open: bool,
    pub format: Option<TimeFormat>,
    pub template: Option<String>,
    pub confidence: f32,
}

/// Reads one parameter.
pub(super) fn filter(
    api: &Api,
    param: &Param,
    all: &[Param],
    (times, events): (&[Time<'_>], &[Time<'_>]),
) -> Option<Filter> {
    let node = Node::of_schema(api, param.schema);
    let name_words = words(&param.name);
    if node.is_boolean() || param.deprecated {
        return None;
    }
    // `CreatedOn>` is the bound, and `CreatedOn` asks for one day.
    let compared = |other: &Param| {
        let sign = other.name.strip_prefix(&param.name).unwrap_or_default();
        bounds::sign(sign).is_some()
    };
    if all.iter().any(compared) {
        return None;
    }
    if bounds::sign(&param.name).is_some() {
        let found = bounds::of_name(&param.name)?;
        return bounded(param, &node, (times, events), all, &found);
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
    let found = bounds::of_name(&param.name).or_else(|| bounds::of_text(param, &node))?;
    bounded(param, &node, (times, events), all, &found)
}

/// Reads a parameter whose name or text states a lower bound.
fn bounded(
    param: &Param,
    node: &Node<'_>,
    (times, events): (&[Time<'_>], &[Time<'_>]),
    all: &[Param],
    bound: &Bound,
) -> Option<Filter> {
    let text = &param.description;
    let Bound { low, rest, .. } = bound;
    let signs = [
        "date",
        "time",
        "iso 8601",
        "iso8601",
        "timestamp",
        "unix",
        "yyyy",
    ];
    let timely = bounds::is_dated(node) || tells("told time", text, &signs);
    let filter = |meaning, time: Option<&Time<'_>>, confidence| Filter {
        until: counterpart(&param.name, bound, all),
        param: param.name.clone(),
        in_body: param.place == Place::Body,
        meaning,
        field: time.map(|time| time.path.clone()),
        is_bare: rest.is_empty() && time.is_none(),
        is_open: false,
        format: format_hint(node, text),
        template: None,
        confidence,
    };
    let known = bounds::named_in_text(text, events).or_else(|| bounds::of_same_words(rest, events));
    // Beside a time of change, that of an event misses what changes later.
    let changes = times
        .iter()
        .any(|time| time.meaning == Some(Meaning::Updated));
    let known = known.filter(|time| timely && time.is_event && !changes);
    if let Some(time) = known {
        return Some(filter(time.meaning, Some(time), 0.8));
    }
    let Some(meaning) = meaning_of(rest) else {
        // A change of something of the record, for which it has no field.
        let change = essence(rest).last().is_some_and(|last| is_change(last));
        let open = timely && rule("a bound without its field", change);
        return open.then(|| Filter {
            is_open: true,
            ..filter(Some(Meaning::Updated), None, 0.5)
        });
    };
    if meaning.is_some() {
        return Some(filter(meaning, None, 0.95));
    }
    let bare = ["since", "after", "from", "start", "begin", "oldest", ""];
    let vague = rest.is_empty() && !bare.contains(&low.as_str());
    if !timely || text.contains(" id ") || vague {
        return None;
    }
    // A bare name such as `from` needs a description that says what it bounds.
    let told = told(text);
    let has = |meaning| times.iter().any(|time| time.meaning == Some(meaning));
    if told.is_some_and(has) {
        return Some(filter(told, None, 0.85));
    }
    // `start_date` is not about changes.
    let created = |time: &&Time<'_>| time.meaning != Some(Meaning::Updated);
    let by_text = bounds::told_in_text(text, events).filter(created);
    if let Some(time) = by_text.filter(|_| bounds::is_from(text)) {
        return Some(filter(time.meaning, Some(time), 0.7));
    }
    if told.is_some() {
        return Some(filter(told, None, 0.85));
    }
    if low == "since" {
        return Some(filter(None, None, 0.55));
    }
    let only = bounds::only_event(times).or_else(|| bounds::only_event(events));
    let only = only.filter(created).filter(|_| bounds::is_from(text));
    only.map(|time| filter(time.meaning, Some(time), 0.6))
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
    let bound = bounds::of_words(inner.keys().map(String::as_str))
        .filter(|_| rule("a record's time compared", true));
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
            in_body: false,
            is_bare: false,
            is_open: false,
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
            in_body: false,
            is_bare: false,
            is_open: false,
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
                in_body: false,
                is_bare: false,
                is_open: false,
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
            in_body: false,
            is_bare: false,
            is_open: false,
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
fn counterpart(name: &str, bound: &Bound, all: &[Param]) -> Option<String> {
    let Bound { low, high, .. } = bound;
    if low.is_empty() {
        return None;
    }
    let swap = |word: &str| {
        if word == low {
            high.clone()
        } else {
            word.to_owned()
        }
    };
    let snake: Vec<String> = snake(name).split('_').map(swap).collect();
    let wanted = match bounds::sign(name) {
        Some(sign) => format!("{}{high}", name.trim_end_matches(sign)),
        None => snake.join("_"),
    };
    // `todate` of `fromdate`.
    let joined = || Some(format!("{high}{}", flat(name).strip_prefix(low.as_str())?));
    let exact = all.iter().find(|param| {
        let same = param.name == wanted || self::snake(&param.name) == wanted;
        same && param.name != name
    });
    let found = exact.or_else(|| {
        let joined = joined()?;
        all.iter().find(|param| flat(&param.name) == joined)
    })?;
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
