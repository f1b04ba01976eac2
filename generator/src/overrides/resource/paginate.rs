//! `paginate`: how the pages of a list follow one another.

use etlgen_model::Paginator;

use crate::infer::facts::{Decision, PaginatorFacts, PaginatorKind as Found, ResourceKind};
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{About, Key, ResourceKey};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::Value;
use crate::spec::api::{Location, Operation};

/// A paginator.
#[derive(Clone, Debug, PartialEq)]
pub struct Paginate(Paginator);

impl Key for Paginate {
    const ABOUT: About = About {
        name: "paginate",
        takes: "a kind of paginator, or a table with `kind`",
        does: "Says how the pages of the list follow one another.",
        examples: &[
            "paginate = \"single\"",
            "paginate = \"link_header\"",
            "paginate = { kind = \"page_number\", param = \"page\", first = 0, pages = \"meta.pages\" }",
            "paginate = { kind = \"offset\", param = \"skip\", size = \"take\", page_size = 200, total = \"header:X-Total-Count\" }",
            "paginate = { kind = \"token\", param = \"cursor\", next = \"meta.next\", first = \"\", total = false }",
            "paginate = { kind = \"token\", param = \"cursor\", next = \"header:X-Next\", in_body = true }",
            "paginate = { kind = \"last_id\", param = \"starting_after\", field = \"id\", more = \"has_more\" }",
            "paginate = { kind = \"next_url\", next = \"links.next\" }",
        ],
        // The kinds have them.
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.model(faults).map(Paginate)
    }
}

impl ResourceKey for Paginate {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        let resource = on.resource();
        if resource.kind == ResourceKind::Single && self.0.is_paged() {
            let message = format!(
                "`paginate` says how a list is paged, and `{}` is a single object",
                resource.name
            );
            let hint = "leave it out, or make a list of it: kind = \"list\"";
            on.faults.add(place, message).hint(hint.to_owned());
            return;
        }
        let mut paginator = self.0.clone();
        let is_in_body = is_in_body(on.operation(), &paginator);
        if let Some(common) = paginator.common_mut() {
            common.in_body |= is_in_body;
        }
        on.resource_mut().paginator = sure(facts(paginator));
    }
}

/// Whether the parameter that asks for a page can only be a field of the body: it is a POST, and no query knows it.
fn is_in_body(operation: &Operation, paginator: &Paginator) -> bool {
    let size = paginator.page_size().map(|size| size.param.as_str());
    let param = paginator.param().or(size);
    let in_query = |name: &str| {
        let mut parameters = operation.parameters.iter();
        parameters.any(|known| known.location == Location::Query && known.name == name)
    };
    operation.method == "post" && param.is_some_and(|param| !in_query(param))
}

/// The parameters that ask for pages.
pub fn parameters(decision: &Decision<PaginatorFacts>) -> Vec<&str> {
    let found = &decision.value;
    let params = [&found.page_param, &found.size_param];
    match found.kind {
        Found::None | Found::Undecided => Vec::new(),
        _ => params.into_iter().filter_map(|it| it.as_deref()).collect(),
    }
}

fn facts(paginator: Paginator) -> PaginatorFacts {
    use etlgen_model::Total;
    let common = paginator.common().cloned().unwrap_or_default();
    let (kind, next, first) = match &paginator {
        Paginator::Single => (Found::None, None, 1),
        Paginator::Undecided => (Found::Undecided, None, 1),
        Paginator::LastId(it) => {
            let field = it.field.as_ref();
            let field = field.map(|field| format!("last_record.{field}"));
            (Found::CursorLastId, field, 1)
        }
        Paginator::Token(it) => (Found::CursorParam, Some(it.next.to_string()), 1),
        Paginator::PageNumber(it) => (Found::PageNumber, None, it.first),
        Paginator::Offset(it) => (Found::Offset, None, it.first),
        Paginator::NextUrl(it) => (Found::NextUrl, Some(it.next.clone()), 1),
        Paginator::LinkHeader(_) => (Found::LinkHeader, None, 1),
    };
    let (total, is_pages) = match &common.total {
        Some(Total::Items(at)) => (Some(at.to_string()), false),
        Some(Total::Pages(at)) => (Some(at.to_string()), true),
        _ => (None, false),
    };
    PaginatorFacts {
        kind,
        page_param: paginator.param().map(str::to_owned),
        size_param: common.page_size.as_ref().map(|size| size.param.clone()),
        max_page_size: common.page_size.as_ref().map(|size| size.rows.get()),
        next_path: next,
        more_path: common.more.clone(),
        total_path: total,
        total_is_pages: is_pages,
        first_page: first,
        in_body: common.in_body,
    }
}
