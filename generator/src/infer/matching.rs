//! Finds parents by more than the names of paths: what a text names, what `/x/{id}` returns, and the
//! values that a placeholder takes.

use crate::spec::api::{Api, Location};

use super::Draft;
use super::facts::{ParentLink, ResourceKind};
use super::links::{field, has_field};
use super::node::Node;
use super::rules::rule;
use super::words::{is_variable, is_version, path_shape, placeholder, says, segments};

/// The fewest letters of an operation's id that a text names.
const ID_LETTERS: usize = 5;

/// A parent, by its index among the drafts.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub index: usize,
    pub links: Vec<ParentLink>,
    pub inherited: Vec<(String, String)>,
    pub confidence: f32,
    pub reason: String,
}

/// Returns whether `index` is a descendant of `ancestor`.
pub(super) fn descends(parents: &[Option<Parent>], index: usize, ancestor: usize) -> bool {
    let mut at = index;
    for _ in 0..parents.len() {
        if at == ancestor {
            return true;
        }
        match parents.get(at) {
            Some(Some(parent)) => at = parent.index,
            _ => return false,
        }
    }
    true
}

/// Returns whether a list may supply a parameter of a child.
fn may_serve(drafts: &[Draft<'_>], parents: &[Option<Parent>], index: usize, child: usize) -> bool {
    drafts.get(index).is_some_and(|parent| {
        let usable = parent.kind == ResourceKind::List && parent.serves && !parent.deprecated;
        usable && index != child && !descends(parents, index, child)
    })
}

/// Returns the placeholders of a path, the last one first.
fn placeholders<'a>(draft: &Draft<'a>) -> Vec<&'a str> {
    let segments = segments(draft.path).into_iter().rev();
    segments.filter_map(placeholder).collect()
}

fn parent(
    drafts: &[Draft<'_>],
    (index, child): (usize, usize),
    param: &str,
    confidence: f32,
    reason: String,
) -> Option<Parent> {
    let (draft, above) = (drafts.get(child)?, drafts.get(index)?);
    let (field, _) = field(draft, above, param, 1);
    let exists = has_field(&above.found.record, &field);
    Some(Parent {
        index,
        links: vec![ParentLink {
            param: param.to_owned(),
            location: Location::Path,
            field,
        }],
        inherited: Vec::new(),
        confidence: if exists { confidence } else { 0.5 },
        reason,
    })
}

/// Finds the list that the text of a placeholder names, by its operation or its path: "Call
/// `calendarList.list` for the ids".
pub(super) fn told(
    api: &Api,
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    for param in placeholders(draft) {
        let parameter = draft
            .parameters
            .iter()
            .find(|it| it.name == param && it.location == Location::Path)?;
        let text = parameter.description.as_str();
        let found = (0..drafts.len()).find(|index| {
            let operation = drafts
                .get(*index)
                .and_then(|it| api.operations.get(it.operation));
            operation.is_some_and(|operation| {
                let id = operation.id.as_deref().unwrap_or_default();
                // The first part of an id may be the name of the API.
                let short = id.split_once('.').map_or("", |(_, rest)| rest);
                let ids = [id, short].into_iter();
                let mut ids = ids.filter(|id| {
                    let compound = id.contains(['.', '_']) || id.contains(char::is_uppercase);
                    compound && id.len() >= ID_LETTERS
                });
                let by_path = [
                    format!("GET {}", operation.path),
                    format!("`{}`", operation.path),
                ];
                ids.any(|id| says(text, id)) || by_path.iter().any(|path| says(text, path))
            }) && may_serve(drafts, parents, *index, child)
        });
        if let Some(index) = found.filter(|_| rule("a parent named in the text", true)) {
            let path = drafts.get(index)?.path;
            let reason = format!("the text of `{param}` names `{path}`");
            return parent(drafts, (index, child), param, 0.85, reason);
        }
    }
    None
}

/// Finds a list of the records that the path up to a placeholder returns: `/keepers/{id}/hives_tended`
/// for `/hives/{id}`, if both have the same schema.
pub(super) fn by_record(
    api: &Api,
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    let path = segments(draft.path);
    for end in (1..path.len()).rev() {
        let Some(param) = path.get(end - 1).copied().and_then(placeholder) else {
            continue;
        };
        // `/v2/{name}` returns anything.
        let noun = end.checked_sub(2).and_then(|at| path.get(at));
        if noun.is_none_or(|noun| is_variable(noun) || is_version(noun)) {
            continue;
        }
        let shape = path_shape(&path.get(..end)?.join("/"));
        let one = api
            .operations
            .iter()
            .find(|operation| operation.method == "get" && path_shape(&operation.path) == shape);
        let response = one.and_then(|operation| operation.response.as_ref());
        let node = response.map(|response| Node::of_response(api, response));
        let Some(component) = node.as_ref().and_then(Node::component) else {
            continue;
        };
        let mut lists = (0..drafts.len()).filter(|index| {
            let list = drafts.get(*index);
            let same = list.and_then(|it| it.found.record.component()) == Some(component);
            same && may_serve(drafts, parents, *index, child)
        });
        if let Some(index) = lists.next().filter(|_| rule("what an item is", true)) {
            let path = drafts.get(index)?.path;
            let reason = format!("`{path}` lists what `{shape}` returns");
            return parent(drafts, (index, child), param, 0.75, reason);
        }
    }
    None
}

/// Finds a list whose path is a value of the placeholder before: `/forms` for
/// `/{owner_kind}/{owner}/fields`, where the first one is `forms` or `tables`. Other values lead to
/// other lists, so that it is a question.
pub(super) fn by_value(api: &Api, drafts: &[Draft<'_>], child: usize) -> Option<Parent> {
    let draft = drafts.get(child)?;
    let path = segments(draft.path);
    let pairs = path.windows(2).enumerate();
    for (at, pair) in pairs {
        let [Some(kind), Some(param)] = [pair.first(), pair.get(1)].map(|it| placeholder(it?))
        else {
            continue;
        };
        let parameter = draft.parameters.iter().find(|it| it.name == kind)?;
        let values = Node::of_schema(api, parameter.schema).values();
        let found = values.iter().find_map(|value| {
            let before = path.get(..at)?.join("/");
            let shape = path_shape(&format!("{before}/{value}"));
            let mut lists = drafts.iter().enumerate();
            let list = lists.find(|(_, it)| {
                it.kind == ResourceKind::List && it.serves && path_shape(it.path) == shape
            });
            list.map(|(index, _)| (index, *value))
        });
        if let Some((index, value)) = found.filter(|_| rule("a value that is a path", true)) {
            let reason =
                format!("with `{value}` for `{kind}`, its path continues that of `/{value}`");
            return parent(drafts, (index, child), param, 0.55, reason);
        }
    }
    None
}
