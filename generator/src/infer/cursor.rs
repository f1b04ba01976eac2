//! Infers the time by which a run can request rows that are new since the last run.

use etlgen_model::{Meaning, TimeFormat};

use crate::spec::api::{Api, Operation, SchemaKind};

use super::facts::{CursorFacts, Decision, SURE, rank};
use super::filters::{Filter, filter, format_of};
use super::node::Node;
use super::prose;
use super::roles::{Param, Place, Roles, parameters};
use super::rules::{among, rule, tells};
use super::times::{Time, deep_dates, events, meaning_of, times};
use super::words::words;

/// Decides on the cursor.
pub(super) fn cursor(
    api: &Api,
    operation: &Operation,
    record: &Node<'_>,
    roles: &Roles,
) -> Decision<Option<CursorFacts>> {
    let times = times(record);
    let events = events(record);
    let wishes = wishes(api, operation);
    let mut filters: Vec<(Filter, bool)> = Vec::new();
    let params = parameters(api, operation);
    let free = |param: &&Param| {
        let place = matches!(param.place, Place::Query | Place::Body);
        place && !roles.names().contains(&param.name.as_str())
    };
    for param in params.iter().filter(free) {
        let found = filter(api, param, &params, (&times, &events));
        filters.extend(found.map(|found| (found, excludes(&param.description))));
    }
    // Filters by change come before filters by creation, then the more certain ones.
    filters.sort_by_key(|(filter, _)| {
        let rank = rank(filter.meaning);
        (rank, (-filter.confidence * 100.0) as i64)
    });
    let mut open = None;
    for (filter, excludes) in filters {
        let unknown = open_field(&filter, excludes);
        let is_change = filter.is_open || filter.meaning == Some(Meaning::Updated);
        if !filter.is_open
            && let Some(decision) = settle(record, (&times, &events), &wishes, (filter, excludes))
        {
            return decision;
        }
        open = open.or(Some(unknown).filter(|_| is_change));
    }
    if let Some(open) = open.filter(|_| rule("a bound without its field", true)) {
        return open;
    }
    let updated = times
        .iter()
        .find(|time| rule("a field alone", time.meaning == Some(Meaning::Updated)));
    if let Some(time) = updated {
        let facts = CursorFacts {
            param: None,
            until: None,
            in_body: false,
            field: time.path.clone(),
            meaning: Meaning::Updated,
            format: format_of(&time.node, ""),
            template: None,
            excludes: false,
        };
        return decide(
            Some(facts),
            0.7,
            "every change moves the field, but no parameter filters by it",
        );
    }
    if let Some(field) = wishes
        .iter()
        .find(|field| rule("a field that is asked for", updated_name(field)))
    {
        let facts = CursorFacts {
            param: None,
            until: None,
            in_body: false,
            field: field.clone(),
            meaning: Meaning::Updated,
            format: TimeFormat::Rfc3339,
            template: None,
            excludes: false,
        };
        return decide(
            Some(facts),
            0.6,
            "the field comes only if it is asked for, and no parameter filters by it",
        );
    }
    decide(
        None,
        0.8,
        "no parameter filters by a time, and no field shows changes",
    )
}

/// States a filter by changes of which no field of the record is known: an open question.
fn open_field(filter: &Filter, excludes: bool) -> Decision<Option<CursorFacts>> {
    let facts = CursorFacts {
        param: Some(filter.param.clone()),
        until: filter.until.clone(),
        field: String::new(),
        meaning: Meaning::Updated,
        format: filter.format.unwrap_or(TimeFormat::Rfc3339),
        template: filter.template.clone(),
        excludes,
        in_body: filter.in_body,
    };
    let reason = format!(
        "`{}` asks for changed rows, but no field of the record has the time of its change",
        filter.param
    );
    decide(Some(facts), 0.5, &reason)
}

/// Decides which field a filter compares.
fn settle(
    record: &Node<'_>,
    (times, events): (&[Time<'_>], &[Time<'_>]),
    wishes: &[String],
    (filter, excludes): (Filter, bool),
) -> Option<Decision<Option<CursorFacts>>> {
    let named = filter.field.clone().and_then(|field| {
        events
            .iter()
            .find(|time| time.path == field || time.path.ends_with(&format!(".{field}")))
    });
    let time = named.or_else(|| match filter.meaning {
        Some(meaning) => times.iter().find(|time| time.meaning == Some(meaning)),
        None => times.iter().min_by_key(|time| rank(time.meaning)),
    });
    let plain = || {
        times
            .iter()
            .find(|time| time.meaning.is_none())
            .map(|time| (time.path.clone(), time.node.clone()))
    };
    let mut confidence = filter.confidence;
    let (field, node, meaning) = if let Some(time) = time {
        (
            time.path.clone(),
            Some(time.node.clone()),
            time.meaning.or(filter.meaning),
        )
    } else if let Some(field) = wishes
        .iter()
        .find(|field| !field.contains('.') && meaning_of(&words(field)) == Some(filter.meaning))
    {
        confidence = confidence.min(0.65);
        (field.clone(), None, filter.meaning)
    } else if let Some((path, node)) =
        plain().filter(|_| rule("a plain date", filter.meaning != Some(Meaning::Updated)))
    {
        (path, Some(node), filter.meaning)
    } else if rule(
        "a date deep within",
        times.is_empty() && filter.field.is_none() && filter.is_bare,
    ) {
        // Of several dates, the last one orders the rows.
        let (path, node) = deep_dates(record).pop()?;
        confidence = confidence.min(0.6);
        (path, Some(node), filter.meaning)
    } else {
        return None;
    };
    let format = filter
        .format
        .or_else(|| node.as_ref().map(|node| format_of(node, "")))
        .unwrap_or(TimeFormat::Rfc3339);
    let mut reason = format!("`{}` asks for rows whose `{field}` is later", filter.param);
    if filter.in_body {
        confidence = confidence.min(SURE - 0.05);
        reason.push_str("; it is a field of the body, which may be one of several filters");
    }
    let facts = CursorFacts {
        param: Some(filter.param),
        until: filter.until,
        field,
        meaning: meaning.unwrap_or(Meaning::Created),
        format,
        template: filter.template,
        excludes,
        in_body: filter.in_body,
    };
    Some(decide(Some(facts), confidence, &reason))
}

/// Returns whether the description of a lower bound says that it excludes an equal value.
fn excludes(text: &str) -> bool {
    let text = text.to_lowercase();
    let signs = ["exclusive", "strictly"];
    tells("a bound that excludes", &text, &signs) && !text.contains("inclusive")
}

/// Returns fields that are sent only if a parameter lists them, from its known values or its
/// description.
fn wishes(api: &Api, operation: &Operation) -> Vec<String> {
    let mut wishes = Vec::new();
    for parameter in &operation.parameters {
        if !chooses_fields(&parameter.name) {
            continue;
        }
        let node = Node::of_schema(api, parameter.schema);
        let items = match api
            .schemas
            .0
            .get(parameter.schema.0)
            .map(|schema| &schema.kind)
        {
            Some(SchemaKind::Array(_)) => node.element().unwrap_or(node),
            _ => node,
        };
        wishes.extend(items.values().into_iter().map(str::to_owned));
        let listed = prose::listed(&parameter.description);
        if rule("fields listed in a text", !listed.is_empty()) {
            wishes.extend(listed);
        }
    }
    wishes
}

/// Returns whether a parameter chooses fields: `fields`, `opt_fields`, but not `member_fields`,
/// which are those of other records.
fn chooses_fields(name: &str) -> bool {
    let choosers = ["fields", "select", "include", "expand"];
    let neutral = [
        "opt", "return", "response", "output", "list", "record", "records",
    ];
    let words = words(name);
    words.split_last().is_some_and(|(last, before)| {
        before.iter().all(|word| neutral.contains(&word.as_str()))
            && among("asks for fields", &choosers, last)
    })
}

fn updated_name(name: &str) -> bool {
    !name.contains('.') && meaning_of(&words(name)) == Some(Some(Meaning::Updated))
}

fn decide(
    value: Option<CursorFacts>,
    confidence: f32,
    reason: &str,
) -> Decision<Option<CursorFacts>> {
    Decision {
        value,
        confidence,
        reasons: vec![reason.to_owned()],
        others: Vec::new(),
    }
}
