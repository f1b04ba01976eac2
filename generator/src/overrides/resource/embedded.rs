//! `embedded`: lists within records of which the API sends only the beginning.

use etlgen_model::{Embedded, EmbeddedPlace};

use crate::near::nearest;
use crate::overrides::about::{About, Part};
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::places::{Found, walk};
use crate::overrides::subject::{Target, fields};
use crate::overrides::value::Value;
use crate::spec::placeholders;

/// The lists; if empty, no list is read beyond what the record holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists(Vec<At<Embedded>>);

impl Key for Lists {
    const ABOUT: About = About {
        name: "embedded",
        takes: "a list of tables",
        does: "Names the lists within a record of which the API sends only the beginning; the rest is read as well \
               ([state](state.md)). `[]`: there is none.",
        examples: &[
            "embedded = [{ list = \"lines\", url = \"url\" }]",
            "embedded = [{ list = \"lines\", path = \"/v1/invoices/{id}/lines\" }]",
            "embedded = []",
        ],
        parts: &[
            Part {
                name: "list",
                takes: "a dotted path",
                does: "The path of the list in the record.",
            },
            Part {
                name: "url",
                takes: "a dotted path",
                does: "The path of its URL in the list.",
            },
            Part {
                name: "path",
                takes: "a path with fields of the record",
                does: "The path of the list in the API. Without `url` and `path`, its own next link is followed.",
            },
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let items = value.items(
            "a list of tables such as { list = \"lines\", url = \"url\" }",
            faults,
        )?;
        let lists = items.iter().map(|item| list(item, faults));
        lists.collect::<Option<Vec<_>>>().map(Lists)
    }
}

fn list(value: &Value<'_>, faults: &mut Faults) -> Option<At<Embedded>> {
    let table = value.table("tables such as { list = \"lines\", url = \"url\" }", faults)?;
    table.refuse_other_parts(&Lists::ABOUT, faults);
    let Some(list) = table.get("list") else {
        let message = "`embedded` needs `list`: the path of the list in the record";
        faults.add(value.place, message);
        return None;
    };
    let place = match (table.get("url"), table.get("path")) {
        (None, None) => EmbeddedPlace::Next,
        (Some(url), None) => EmbeddedPlace::Url(url.text(faults)?),
        (None, Some(path)) => {
            let text = path.text(faults)?;
            if !text.starts_with('/') {
                path.wrong("a path of the API that begins with `/`", faults);
                return None;
            }
            EmbeddedPlace::Path(text)
        }
        (Some(url), Some(_)) => {
            let message = "`embedded` has both `url` and `path`: keep one";
            faults.add(url.place, message).hint(None);
            return None;
        }
    };
    let list = list.text_at(faults)?;
    Some(At {
        place: list.place,
        value: Embedded {
            list: list.value,
            place,
        },
    })
}

impl ResourceKey for Lists {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        for list in &self.0 {
            check(list, on);
        }
        let lists = self.0.iter().map(|list| list.value.clone());
        on.choices().embedded = Some(lists.collect());
    }
}

/// Adds a mistake for each field that the record, or the list, does not have.
fn check(list: &At<Embedded>, on: &mut Target<'_>) {
    let Some(record) = on.resource().record else {
        return;
    };
    let (name, api) = (on.name(), on.api);
    let at = match walk(api, record, &list.list, true) {
        Found::To(_, at) => at,
        Found::Open(_) => return,
        Found::No(known) => {
            let message = format!(
                "`embedded.list` names `{}`, and the records of `{name}` have no such field",
                list.list
            );
            on.faults
                .add(list.place, message)
                .hint(fields(&list.list, &known));
            return;
        }
    };
    match &list.value.place {
        EmbeddedPlace::Next => {}
        EmbeddedPlace::Url(url) => {
            if let Found::No(known) = walk(api, at, url, false) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let near = nearest(url, &known).map(|near| format!("did you mean `{near}`?"));
                let message = format!(
                    "`embedded.url` names `{url}`, which `{}` does not hold",
                    list.list
                );
                on.faults.add(list.place, message).hint(near);
            }
        }
        EmbeddedPlace::Path(path) => {
            let names: Vec<String> = placeholders(path).map(str::to_owned).collect();
            for field in names {
                on.has_field(list.place, "embedded.path", &field);
            }
        }
    }
}
