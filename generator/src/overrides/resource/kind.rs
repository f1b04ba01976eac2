//! `kind`: whether a resource is a list or a single object.

use etlgen_model::Paginator;

use crate::infer::facts::{Decision, Doubt, PagingSigns, ResourceKind};
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::places::{lists, record};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::Value;

/// The kind of the resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind(ResourceKind);

impl Key for Kind {
    const ABOUT: About = About {
        name: "kind",
        takes: "`\"list\"` or `\"single\"`",
        does: "Reads the response as a list of records, or as one record. A list that was taken for a single object also \
               needs `records` and `paginate` if these are ambiguous.",
        examples: &["kind = \"list\"", "kind = \"single\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let words = [
            ("list", ResourceKind::List),
            ("single", ResourceKind::Single),
        ];
        value.choice(&words, faults).map(Kind)
    }
}

impl ResourceKey for Kind {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        match (on.resource().kind, self.0) {
            (ResourceKind::Single, ResourceKind::List) => list(place, on),
            (ResourceKind::List, ResourceKind::Single) => single(on),
            _ => {}
        }
    }
}

/// Makes a list of a single object. `paginate` decides its pages.
fn list(place: Place, on: &mut Target<'_>) {
    let response = on.operation().response.as_ref();
    let body = response.and_then(|response| response.schema);
    let found = body.map_or(Vec::new(), |body| lists(on.api, body));
    let states_records = on.keys().records.is_some();
    let api = on.api;
    let (path, item) = match (found.as_slice(), body) {
        _ if states_records => (Vec::new(), None),
        ([(path, item)], _) => (
            crate::spec::path::parse(path.trim_start_matches('$')),
            Some(*item),
        ),
        ([], None) => (Vec::new(), None),
        (found, _) => {
            let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
            let name = on.name();
            let (message, hint) = match names.as_slice() {
                [] => (
                    format!("`kind` is `list`, and the responses of `{name}` contain no list"),
                    "an overlay can add what the document leaves out".to_owned(),
                ),
                names => (
                    format!(
                        "`kind` is `list`, and the responses of `{name}` contain several lists"
                    ),
                    format!("`records` names one: {}", crate::near::listed(names, 12)),
                ),
            };
            on.faults.add(place, message).hint(hint);
            return;
        }
    };
    let resource = on.resource_mut();
    resource.kind = ResourceKind::List;
    resource.records_path = sure(path);
    resource.record = item.and_then(|item| record(api, item));
    resource.paginator = Decision {
        value: Paginator::undecided(),
        confidence: 0.0,
        reasons: vec!["etlgen.toml declares it a list".to_owned()],
        others: Vec::new(),
    };
    resource.doubts.push(Doubt {
        question: "how is this list paged?".to_owned(),
        settle: "paginate = \"single\"".to_owned(),
    });
    super::records::settle_key(on);
}

/// Makes a single object of a list: the object that holds the records becomes the record.
fn single(on: &mut Target<'_>) {
    let response = on.operation().response.as_ref();
    let body = response.and_then(|response| response.schema);
    let api = on.api;
    let mut path = on.resource().records_path.value.clone();
    path.pop();
    let at = body.and_then(|body| super::records::at(api, body, &path));
    let resource = on.resource_mut();
    resource.kind = ResourceKind::Single;
    resource.record = at.and_then(|at| record(api, at));
    resource.records_path = sure(path);
    resource.paginator = sure(Paginator::single());
    resource.signs = PagingSigns::default();
    resource.cursor = sure(None);
    resource.key_within_parent = false;
    resource
        .doubts
        .retain(|doubt| doubt.settle.starts_with("parent"));
    super::records::settle_key(on);
}
