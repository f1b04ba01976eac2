//! `paginate`: how a list is paged.

use etlgen_model::Paginator;

use crate::infer::facts::{PagingSigns, ResourceKind};
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::Value;
use crate::spec::api::{Location, Operation};

/// The paginator of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Paginate(Paginator);

impl Key for Paginate {
    const ABOUT: About = About {
        name: "paginate",
        takes: "a kind of paginator, or a table with `kind`",
        does: "Declares how the list is paged. A parameter that the document does not declare is sent as well, unless it is \
               probably a misspelled one.",
        examples: &[
            "paginate = { kind = \"page_number\", param = \"page\", first = 0, pages = \"meta.pages\" }",
            "paginate = { kind = \"offset\", param = \"skip\", size = \"take\", page_size = 200, total = \"header:X-Total-Count\" }",
            "paginate = { kind = \"token\", param = \"cursor\", next = \"meta.next\", first = \"\", total = false }",
            "paginate = { kind = \"token\", param = \"cursor\", next = \"header:X-Next\", in_body = true }",
            "paginate = { kind = \"page_number\", param = \"page\", first = 0, size = \"page_size\", in_json = \"q\" }",
            "paginate = { kind = \"last_id\", param = \"starting_after\", field = \"id\", more = \"has_more\" }",
            "paginate = { kind = \"next_url\", next = \"links.next\" }",
            "paginate = \"link_header\"",
            "paginate = \"single\"",
        ],
        // The reference lists them by kind of paginator.
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
                "`paginate` declares how a list is paged, and `{}` is a single object",
                resource.name
            );
            let hint = "leave it out, or make a list of it: kind = \"list\"";
            on.faults.add(place, message).hint(hint.to_owned());
            return;
        }
        match self.0.in_json().or(self.0.in_pairs()) {
            Some(holder) => on.refuse_misspelled(place, "paginate", holder),
            None => {
                for param in parameters(&self.0) {
                    on.refuse_misspelled(place, "paginate", param);
                }
            }
        }
        let mut paginator = self.0.clone();
        let size = paginator.page_size().map(|size| size.param.as_str());
        let param = paginator.param().or(size);
        let is_in_body = param.is_some_and(|param| is_in_body(on.operation(), param));
        if let Some(common) = paginator.common_mut() {
            common.in_body |= is_in_body;
        }
        let resource = on.resource_mut();
        resource.paginator = sure(paginator);
        resource.signs = PagingSigns::default();
    }
}

/// Returns whether a parameter can only be a field of the body: the operation is a POST and has no such
/// query parameter.
pub fn is_in_body(operation: &Operation, param: &str) -> bool {
    let mut parameters = operation.parameters.iter();
    let in_query = parameters.any(|it| it.location == Location::Query && it.name == param);
    operation.method == "post" && !in_query
}

/// Returns the parameters that ask for pages.
pub fn parameters(paginator: &Paginator) -> impl Iterator<Item = &str> {
    let size = paginator.page_size().map(|size| size.param.as_str());
    paginator.param().into_iter().chain(size)
}
