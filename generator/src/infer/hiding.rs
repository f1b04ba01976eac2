//! Recognises optional parameters whose default hides rows, and what shows them.

use etlgen_model::TimeFormat;
use serde_json::Value;

use crate::diagnostics::{toml_key, toml_string as quoted};
use crate::spec::api::{Api, Location, Operation, Parameter};

use super::bounds::is_lower_bound;
use super::facts::{Doubt, FixedParameter};
use super::filters::format_of;
use super::node::Node;
use super::rules::{rule, tells};
use super::words::words;

/// Words at the end of the names of parameters that choose records by their state.
const STATES: [&str; 12] = [
    "state",
    "status",
    "filter",
    "archived",
    "visibility",
    "scope",
    "statuses",
    "states",
    "active",
    "deleted",
    "enabled",
    "closed",
];

/// Returns the value with which the API returns all rows.
pub(super) fn shown(api: &Api, parameter: &Parameter) -> Option<FixedParameter> {
    all_of(api, parameter)
        .or_else(|| hidden(api, parameter))
        .or_else(|| early(api, parameter))
}

/// Returns the questions about parameters whose default hides rows, and which have no value for all of them.
pub(super) fn questions(api: &Api, operation: &Operation, fixed: &[FixedParameter]) -> Vec<Doubt> {
    let is_set = |parameter: &Parameter| {
        let mut fixed = fixed.iter();
        fixed.any(|it| it.location == Location::Query && it.name == parameter.name)
    };
    let optional = operation.parameters.iter().filter(|parameter| {
        let is_free = !parameter.required && !parameter.deprecated;
        is_free && parameter.location == Location::Query && !is_set(parameter)
    });
    optional
        .filter_map(|parameter| {
            let (default, value) = part(api, parameter).or_else(|| recent(api, parameter))?;
            Some(Doubt {
                question: format!(
                    "does it return all rows? Without `{}` the API returns only {default}",
                    parameter.name
                ),
                settle: format!("query.{} = {value}", toml_key(&parameter.name)),
            })
        })
        .collect()
}

/// Returns the default of a parameter that chooses a part of the records, such as `active` of `status`, and the value that
/// asks for it in `etlgen.toml`.
fn part(api: &Api, parameter: &Parameter) -> Option<(String, String)> {
    let node = Node::of_schema(api, parameter.schema);
    let name = words(&parameter.name);
    let chooses = name
        .last()
        .is_some_and(|last| STATES.contains(&last.as_str()));
    if !chooses || !rule("a default that hides rows", true) {
        return None;
    }
    match node.default()? {
        Value::Bool(value) => {
            // `deleted = true` asks for the deleted ones, `active = false` for the others.
            let shown = if *value { "true" } else { "false" };
            Some((format!("those of `{shown}`"), shown.to_owned()))
        }
        Value::String(value) => {
            let is_all = ["all", "any", "", "*"].contains(&value.to_lowercase().as_str());
            let others = node.values().len() > 1;
            (others && !is_all).then(|| (format!("`{value}`"), quoted(value)))
        }
        _ => None,
    }
}

/// Returns an early time for a lower bound whose default hides old rows, such as "Defaults to 30 days ago".
fn early(api: &Api, parameter: &Parameter) -> Option<FixedParameter> {
    let default = age(api, parameter)?;
    if is_limited(&parameter.description) {
        return None;
    }
    let node = Node::of_schema(api, parameter.schema);
    let first = match format_of(&node, &parameter.description) {
        TimeFormat::UnixSeconds | TimeFormat::UnixMillis => "0",
        TimeFormat::Date => "1970-01-01",
        _ => "1970-01-01T00:00:00Z",
    };
    let reason = format!("without it the API returns only rows since {default}");
    Some(FixedParameter::new(parameter, first, reason))
}

/// Returns the default of a lower bound that cannot begin with the first row, and a value for it in `etlgen.toml`.
fn recent(api: &Api, parameter: &Parameter) -> Option<(String, String)> {
    let default = age(api, parameter)?;
    Some((format!("rows since {default}"), "\"2024-01-01\"".to_owned()))
}

/// Returns the default of a lower bound of times, if it is not the time of the first row.
fn age(api: &Api, parameter: &Parameter) -> Option<String> {
    let node = Node::of_schema(api, parameter.schema);
    if !is_lower_bound(&parameter.name) || !rule("a default that hides rows", true) {
        return None;
    }
    let timely = matches!(node.format(), Some("date-time" | "date"))
        || tells(
            "told time",
            &parameter.description,
            &["date", "time", "8601", "unix", "yyyy"],
        );
    let relative = node
        .default()
        .and_then(Value::as_str)
        .filter(|value| is_relative(value));
    match relative {
        Some(value) => Some(format!("`{value}`")),
        None => told_age(&parameter.description).filter(|_| timely),
    }
}

/// Returns the relative time that a text calls a default: "Defaults to 30 days ago".
fn told_age(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let at = [
        "default",
        "if not specified",
        "if omitted",
        "if not provided",
        "when omitted",
    ];
    let at = at.into_iter().filter_map(|sign| lower.find(sign)).min()?;
    let sentence = lower.get(at..)?;
    let sentence = sentence.split(['.', ';', '\n']).next().unwrap_or_default();
    let shown = [
        "default",
        "defaults",
        "to",
        "is",
        "value",
        "the",
        "if",
        "not",
        "specified",
    ];
    let words = || {
        sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|it| !it.is_empty())
    };
    is_relative(sentence).then(|| {
        let rest = words().skip_while(|word| shown.contains(word));
        rest.collect::<Vec<_>>().join(" ")
    })
}

/// Returns whether a text is about a time before now: `30 days ago`, `yesterday`, `-7d`, `now-1h`.
fn is_relative(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let now = [
        "yesterday",
        "today",
        "ago",
        "now",
        "last",
        "past",
        "previous",
        "prior",
        "midnight",
        "current",
    ];
    let offset = lower.strip_prefix('-').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.ends_with(|c: char| c.is_alphabetic())
    });
    offset || words.any(|word| now.contains(&word))
}

/// Returns whether a text says that a bound must not lie far back.
fn is_limited(text: &str) -> bool {
    let signs = [
        "maximum",
        "max ",
        "max.",
        "at most",
        "no more than",
        "not be more than",
        "cannot exceed",
        "must not exceed",
        "not older than",
        "no earlier",
        "retention",
        "limited to",
        "up to",
    ];
    tells("a bound that is limited", text, &signs)
}

/// Returns the value for all rows, such as `all` of `state` with the default `open`.
fn all_of(api: &Api, parameter: &Parameter) -> Option<FixedParameter> {
    let node = Node::of_schema(api, parameter.schema);
    let values = node.values();
    let all = values
        .iter()
        .find(|value| value.eq_ignore_ascii_case("all"))
        .or_else(|| {
            values
                .iter()
                .find(|value| value.eq_ignore_ascii_case("any"))
        })?;
    let name = words(&parameter.name);
    let last = name.last().map(String::as_str).unwrap_or_default();
    let chooses = STATES.contains(&last);
    let stated = node.default().and_then(Value::as_str);
    let told = parameter.description.to_lowercase();
    let default = match stated {
        Some(default) if !default.eq_ignore_ascii_case(all) => format!("`{default}`"),
        Some(_) => return None,
        // Without a default, the parameter hides rows only if it is a state or its description
        // speaks of a default.
        None if told.contains("default")
            && !told.contains(&format!("default: {all}"))
            && chooses =>
        {
            "part of them".to_owned()
        }
        None if matches!(last, "state" | "status") => "part of them".to_owned(),
        None => return None,
    };
    let kinds = ["type", "sort", "order", "direction", "format", "fields"].contains(&last);
    (chooses && !kinds).then(|| {
        FixedParameter::new(
            parameter,
            all,
            format!("without it the API returns only {default}"),
        )
    })
}

/// Returns `true` for a parameter such as `include_archived`, which is false by default.
fn hidden(api: &Api, parameter: &Parameter) -> Option<FixedParameter> {
    let node = Node::of_schema(api, parameter.schema);
    if !node.is_boolean() || node.default().and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let name = words(&parameter.name);
    let (first, rest) = name.split_first()?;
    let shows = ["include", "includes", "with", "show"].contains(&first.as_str());
    let kinds = [
        "archived",
        "inactive",
        "closed",
        "disabled",
        "cancelled",
        "canceled",
        "deleted",
        "removed",
        "trashed",
        "completed",
        "hidden",
        "draft",
        "drafts",
    ];
    let hides = rest
        .last()
        .is_some_and(|last| kinds.contains(&last.as_str()));
    (shows && hides).then(|| {
        FixedParameter::new(
            parameter,
            "true",
            "without it the API leaves out such rows".to_owned(),
        )
    })
}
