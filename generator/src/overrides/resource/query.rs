//! `query`: parameters that every request sends.

use crate::diagnostics::toml_key;
use crate::infer::facts::FixedParameter;
use crate::overrides::about::About;
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;
use crate::spec::api::Location;

/// The names and values of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(Vec<(String, At<String>)>);

impl Key for Query {
    const ABOUT: About = About {
        name: "query",
        takes: "a table of texts, numbers and `true` or `false`",
        does: "Sends these parameters with every request.",
        examples: &[
            "query = { state = \"all\", archived = false }",
            "query.\"filter[type]\" = \"open\"",
        ],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let table = value.table("a table such as { state = \"all\" }", faults)?;
        let mut query = Vec::new();
        for entry in table.entries() {
            let place = entry.place;
            let value = entry.value.scalar(faults)?;
            query.push((entry.name.clone(), At { value, place }));
        }
        Some(Query(query))
    }
}

impl ResourceKey for Query {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        for (name, value) in &self.0 {
            if let Some((what, key)) = use_of(on, name) {
                let message = format!("`query.{name}` is {what}");
                let hint = format!("leave it out: `{key}` decides what it holds");
                on.faults.add(value.place, message).hint(hint);
                continue;
            }
            if on.resource().paginator.value.in_json() == Some(name) && !is_object(&value.value) {
                let message = format!(
                    "`query.{name}` is not a JSON object, and `paginate` sends pages as its fields"
                );
                let hint = format!("write it as JSON: query.{name} = '{{\"KEY\": \"VALUE\"}}'");
                on.faults.add(value.place, message).hint(hint);
                continue;
            }
            let resource = on.resource_mut();
            let is_same = |location| location == Location::Query;
            resource
                .fixed
                .retain(|known| !(is_same(known.location) && known.name == *name));
            resource
                .settings
                .retain(|known| !(is_same(known.location) && known.parameter == *name));
            let answered = format!("query.{} =", toml_key(name));
            resource
                .doubts
                .retain(|doubt| !doubt.settle.starts_with(&answered));
            resource.fixed.push(FixedParameter {
                name: name.clone(),
                location: Location::Query,
                value: value.value.clone().into(),
                reason: "etlgen.toml".to_owned(),
            });
        }
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(text).is_ok()
}

/// Returns what a parameter is used for, and the key that decides it.
pub fn use_of(on: &Target<'_>, name: &str) -> Option<(&'static str, &'static str)> {
    let resource = on.resource();
    let paginator = &resource.paginator.value;
    let mut pages = super::paginate::parameters(paginator);
    let within = paginator.in_json().or(paginator.in_pairs());
    if within.is_none() && pages.any(|param| param == name) {
        return Some(("a parameter that asks for pages", "paginate"));
    }
    if let Some(cursor) = &resource.cursor.value {
        let bounds = [&cursor.param, &cursor.until];
        if on.choices[on.at].incremental.is_some()
            && bounds.iter().any(|bound| bound.as_deref() == Some(name))
        {
            return Some(("a parameter of the incremental cursor", "incremental"));
        }
    }
    let links = resource
        .parent
        .value
        .iter()
        .flat_map(|parent| &parent.links);
    let mut links = links.filter(|link| link.location == Location::Query);
    links
        .any(|link| link.param == name)
        .then_some(("a parameter that the parent supplies", "parent"))
}
