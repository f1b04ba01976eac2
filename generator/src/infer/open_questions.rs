//! Open questions: decisions that are not certain enough to apply, each with the line of `etlgen.toml` that settles it.

use etlgen_model::Paginator;

use super::facts::{Doubt, ParentFacts, ParentLink, ResourceFacts, ResourceKind, SURE};
use crate::diagnostics::{toml_key, toml_string as quoted};
use crate::spec::api::Location;

/// Returns the open questions of a resource.
pub(super) fn open_questions(facts: &ResourceFacts) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if let Some(reason) = &facts.off {
        doubts.push(Doubt {
            question: format!("is it safe to request? {reason}"),
            settle: "off = false".to_owned(),
        });
    }
    if facts.kind == ResourceKind::Single {
        return doubts;
    }
    let mut ask = |question: String, settle: String| doubts.push(Doubt { question, settle });
    if facts.records_path.confidence < SURE {
        let path = facts.records_path.value.join(".");
        let shown = if path.is_empty() { "$" } else { &path };
        ask(
            "where are the records in the response?".to_owned(),
            format!("records = {}", quoted(shown)),
        );
    }
    if facts.primary_key.confidence < SURE {
        let key: Vec<String> = facts
            .primary_key
            .value
            .iter()
            .map(|name| quoted(name))
            .collect();
        let shown = key.join(", ");
        ask(
            format!(
                "is [{shown}] the key? {}",
                first(&facts.primary_key.reasons)
            ),
            format!("primary_key = [{shown}]"),
        );
    }
    let undecided = facts.paginator.value == Paginator::Undecided;
    if undecided || facts.paginator.confidence < SURE {
        let page = facts.paging();
        let settle = match (&page.page_param, &page.next_path) {
            (Some(param), next) => {
                let next = next.as_deref().unwrap_or("PATH.OF.NEXT");
                format!(
                    "paginate = {{ kind = \"token\", param = {}, next = {} }}",
                    quoted(param),
                    quoted(next)
                )
            }
            (None, Some(next)) => {
                format!(
                    "paginate = {{ kind = \"token\", param = \"PARAMETER\", next = {} }}",
                    quoted(next)
                )
            }
            (None, None) => "paginate = \"single\"".to_owned(),
        };
        ask(
            format!(
                "how is this list paged? {}",
                first(&facts.paginator.reasons)
            ),
            settle,
        );
    }
    if let Some(cursor) = &facts.cursor.value
        && facts.cursor.confidence < SURE
    {
        let field = match cursor.field.as_str() {
            "" => "FIELD",
            field => field,
        };
        let settle = match &cursor.param {
            Some(param) => format!(
                "incremental = {{ field = {}, param = {} }}",
                quoted(field),
                quoted(param)
            ),
            None => format!("incremental = {{ field = {} }}", quoted(field)),
        };
        ask(
            format!(
                "can a run request only new rows? {}",
                first(&facts.cursor.reasons)
            ),
            settle,
        );
    }
    if let Some(parent) = &facts.parent.value
        && facts.parent.confidence < SURE
    {
        ask(
            format!("is it a child of `{}`?", parent.resource),
            parent_line(parent),
        );
    }
    doubts
}

/// Returns the line that names a parent. Parameters of the query are listed, as they may be
/// settings as well.
fn parent_line(parent: &ParentFacts) -> String {
    let in_query = |link: &&ParentLink| link.location == Location::Query;
    let links = parent.links.iter().filter(in_query);
    let params = links.map(|link| format!("{} = {}", toml_key(&link.param), quoted(&link.field)));
    let params: Vec<String> = params.collect();
    let resource = quoted(&parent.resource);
    match params.is_empty() {
        true => format!("parent = {resource}"),
        false => format!(
            "parent = {{ resource = {resource}, params = {{ {} }} }}",
            params.join(", ")
        ),
    }
}

/// Returns why a resource is off whose parent is a guess: nothing is known to supply its
/// parameters.
pub fn unsupplied(facts: &ResourceFacts) -> Option<String> {
    let guess = facts.parent.confidence < SURE;
    let parent = facts.parent.value.as_ref().filter(|_| guess)?;
    let is_fixed = |link: &ParentLink| {
        let mut fixed = facts.fixed.iter();
        fixed.any(|fixed| fixed.name == link.param && fixed.location == link.location)
    };
    let open = parent.links.iter().find(|link| !is_fixed(link))?;
    Some(format!(
        "nothing is known to supply `{}`, which may be a field of `{}`",
        open.param, parent.resource
    ))
}

fn first(reasons: &[String]) -> &str {
    reasons.first().map(String::as_str).unwrap_or_default()
}
