//! Decides what supplies the fields that the body of a POST requires: paging, a fixed value or a
//! setting. A field that none of them supplies is an open question.

use etlgen_model::Paginator;
use serde_json::Value;

use crate::diagnostics::toml_key;
use crate::spec::api::{Api, Location, Operation, Schema, SchemaId, SchemaKind};

use super::facts::{Doubt, FixedParameter, ResourceFacts, SURE, SettingFacts};
use super::node::Node;

/// The start of the line that supplies fields of the body.
const KEY: &str = "body";

/// The reason of a field that the owner fixes.
pub const OWNER: &str = "etlgen.toml";

/// Decides what supplies the required fields of the body, from the other facts of the resource. It
/// replaces an earlier decision, except for the values that are fixed.
pub fn settle(api: &Api, facts: &mut ResourceFacts) {
    let operation = &api.operations[facts.operation];
    let required = required(api, operation);
    let in_body = |location| location == Location::Body;
    facts.settings.retain(|known| !in_body(known.location));
    let paged: Vec<&str> = required
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| is_paging(facts, name))
        .collect();
    facts
        .fixed
        .retain(|known| !in_body(known.location) || !paged.contains(&known.name.as_str()));
    facts.needs.clear();
    for (name, id) in required {
        let mut fixed = facts.fixed.iter();
        if paged.contains(&name) || fixed.any(|known| in_body(known.location) && known.name == name)
        {
            continue;
        }
        let schema = id.map(|id| &api.schemas[id]);
        if let Some((value, reason)) = schema.and_then(only_value) {
            facts.fixed.push(FixedParameter {
                name: name.to_owned(),
                location: Location::Body,
                value,
                reason: reason.to_owned(),
            });
        } else if id.is_some_and(|id| Node::of_schema(api, id).is_scalar())
            && !is_of_parent(facts, name)
        {
            let description = schema.map(|schema| schema.description.clone());
            facts.settings.push(SettingFacts {
                parameter: name.to_owned(),
                location: Location::Body,
                description: description.unwrap_or_default(),
                default: None,
            });
        } else {
            facts.needs.push(name.to_owned());
        }
    }
    let supplied = |name: &str| {
        let mut fixed = facts.fixed.iter();
        is_paging(facts, name) || fixed.any(|known| in_body(known.location) && known.name == name)
    };
    let open: Vec<&str> = of_variant(api, operation);
    // The owner's fields may be those of any variant.
    let owner = facts
        .fixed
        .iter()
        .any(|known| in_body(known.location) && known.reason == OWNER);
    let open = open.into_iter().filter(|name| !owner && !supplied(name));
    let open: Vec<String> = open.map(str::to_owned).collect();
    facts.needs.extend(open);
    facts.doubts.retain(|doubt| !doubt.settle.starts_with(KEY));
    facts.doubts.extend(question(&facts.needs));
}

/// A field that a body requires, and its schema if the body describes it.
type Field<'a> = (&'a str, Option<SchemaId>);

/// Returns the fields that the body of a POST requires. Of several variants, these are the fields
/// that all of them require.
pub(super) fn required<'a>(api: &'a Api, operation: &Operation) -> Vec<Field<'a>> {
    let mut variants = variants(api, operation).into_iter();
    let mut common = variants.next().unwrap_or_default();
    for other in variants {
        common.retain(|(name, _)| other.iter().any(|(known, _)| known == name));
    }
    common
}

/// Returns the fields that the variant with the fewest requires beside those that all require: it is
/// not known which variant is meant.
fn of_variant<'a>(api: &'a Api, operation: &Operation) -> Vec<&'a str> {
    let common = required(api, operation);
    let variants = variants(api, operation).into_iter();
    let Some(smallest) = variants.min_by_key(Vec::len) else {
        return Vec::new();
    };
    let names = smallest.into_iter().map(|(name, _)| name);
    let is_common = |name: &&str| common.iter().any(|(known, _)| known == name);
    names.filter(|name| !is_common(name)).collect()
}

/// Returns the required fields of each variant of the body of a POST.
fn variants<'a>(api: &'a Api, operation: &Operation) -> Vec<Vec<Field<'a>>> {
    let body = operation.request_body;
    let Some(body) = body.filter(|_| operation.method == "post") else {
        return Vec::new();
    };
    let arms = match &api.schemas[body].kind {
        SchemaKind::Union { arms } => arms.clone(),
        _ => vec![body],
    };
    let fields = arms.into_iter().map(|arm| match &api.schemas[arm].kind {
        SchemaKind::Object {
            properties,
            required,
            ..
        } => {
            let known = |name: &'a String| (name.as_str(), properties.get(name).copied());
            required.iter().map(known).collect()
        }
        _ => Vec::new(),
    });
    fields.collect()
}

/// Returns whether the paginator sends a field. A parameter such as `options.skip` is within
/// `options`.
fn is_paging(facts: &ResourceFacts, name: &str) -> bool {
    let page = facts.paging();
    let sends = |param: Option<&str>| {
        param.is_some_and(|param| param == name || param.split('.').next() == Some(name))
    };
    let decision = &facts.paginator;
    let undecided = decision.value == Paginator::Undecided || decision.confidence < SURE;
    // The number of rows is sent only if the paginator states it.
    let size = page.size_param.as_deref();
    let size = size.filter(|_| undecided || decision.value.page_size().is_some());
    page.in_body && (sends(page.page_param.as_deref()) || sends(size))
}

/// Returns the value of a field that needs no other: its default, or the only one that it takes.
fn only_value(schema: &Schema) -> Option<(Value, &'static str)> {
    let default = schema.default.clone().filter(|value| !value.is_null());
    if let Some(default) = default {
        let reason = "the body requires it, and this is its default in the document";
        return Some((default, reason));
    }
    let only = match &schema.kind {
        SchemaKind::String { values, .. } => match values.as_slice() {
            [only] => Value::from(only.as_str()),
            _ => return None,
        },
        SchemaKind::Integer { values, .. } => match values.as_slice() {
            [only] => Value::from(*only),
            _ => return None,
        },
        _ => return None,
    };
    Some((only, "the body requires it, and it has one value only"))
}

/// Returns whether the records of the parent supply a parameter of that name: one value for all
/// requests would contradict it.
fn is_of_parent(facts: &ResourceFacts, name: &str) -> bool {
    facts.parent.value.as_ref().is_some_and(|parent| {
        let linked = parent.links.iter().map(|link| &link.param);
        let inherited = parent.inherited.iter().map(|(own, _)| own);
        linked.chain(inherited).any(|known| known == name)
    })
}

/// Returns the question for the values of fields that nothing supplies.
fn question(needs: &[String]) -> Option<Doubt> {
    let reason = reason(needs)?;
    Some(Doubt {
        question: format!("what does the body hold? {reason}"),
        settle: line(needs),
    })
}

/// Returns why a resource whose body needs these fields is off; `None`: it needs none.
pub fn reason(needs: &[String]) -> Option<String> {
    let names: Vec<String> = needs.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("its request needs {} in the body", names.join(", ")))
}

/// Returns why an operation cannot be requested: its body is not JSON.
pub(super) fn unsendable(operation: &Operation) -> Option<String> {
    let media_type = operation.foreign_body.as_ref();
    let media_type = media_type.filter(|_| operation.method == "post")?;
    Some(format!(
        "its request needs a body of the type `{media_type}`, and a connector sends only JSON"
    ))
}

/// Returns the line of `etlgen.toml` that supplies fields of the body.
pub fn line(needs: &[String]) -> String {
    let fields = needs.iter().map(|name| format!("{} = …", toml_key(name)));
    let fields: Vec<String> = fields.collect();
    format!("{KEY} = {{ {} }}", fields.join(", "))
}
