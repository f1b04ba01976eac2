//! Lists within records of which the API sends only the beginning: `{"data": […], "has_more": true, "url": …}`.

use etlgen_model::{Embedded, EmbeddedPlace as Place, Paginator};
use serde_json::Value;

use super::fields::type_at;
use super::records::Structs;
use super::{FieldRef, Resource, Type, path};
use crate::spec::api::Api;

/// The deepest nesting of records that is searched.
const DEEPEST: usize = 6;

/// The keys under which a list states its URL.
const URLS: [&str; 3] = ["url", "href", "uri"];

/// Returns the lists that the owner names, or else those with the shape of the resource's own list.
pub fn embedded(
    api: &Api,
    structs: &Structs<'_>,
    resource: &Resource,
    wish: Option<&[Embedded]>,
) -> Vec<Embedded> {
    if let Some(wish) = wish {
        return wish.to_vec();
    }
    let mut found = Vec::new();
    // If the records have no key of their own, any object might look like such a list.
    if let Some(record) = &resource.record
        && !resource.records.is_empty()
        && tells(&resource.paginator)
    {
        let look = Look {
            api,
            structs,
            resource,
        };
        look.record(record, &mut Vec::new(), &mut vec![record], &mut found);
    }
    found
}

/// Returns whether the body of a list with this paginator states that more pages follow.
fn tells(paginator: &Paginator) -> bool {
    !paginator.in_body() && (paginator.next_in_body().is_some() || paginator.more().is_some())
}

struct Look<'a> {
    api: &'a Api,
    structs: &'a Structs<'a>,
    resource: &'a Resource,
}

impl<'a> Look<'a> {
    fn record(
        &self,
        name: &str,
        keys: &mut Vec<String>,
        above: &mut Vec<&'a str>,
        found: &mut Vec<Embedded>,
    ) {
        let Some(record) = self.structs.get(name) else {
            return;
        };
        for field in &record.fields {
            let Some(inner) = field.ty.record() else {
                continue;
            };
            if above.len() > DEEPEST || above.contains(&inner) {
                continue;
            }
            keys.push(field.key.clone());
            if matches!(field.ty, Type::Record(_))
                && self.is_list(inner)
                && let Some(place) = self.place(inner, keys)
            {
                found.push(Embedded {
                    list: path::write(keys),
                    place,
                });
            }
            if let Some(inner) = self.structs.get(inner) {
                above.push(&inner.name);
                self.record(&inner.name, keys, above, found);
                above.pop();
            }
            keys.pop();
        }
    }

    fn ty(&self, record: &str, place: &str) -> Option<Type> {
        let keys = path::parse(place);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        type_at(self.structs, record, &keys)
    }

    /// Returns whether a struct has the shape of the resource's own envelope.
    fn is_list(&self, record: &str) -> bool {
        let Resource {
            records, paginator, ..
        } = self.resource;
        let items = matches!(self.ty(record, records), Some(Type::List(_)));
        let more = |path: &str| self.ty(record, path) == Some(Type::Bool);
        let next = |path: &str| {
            let ty = self.ty(record, path);
            matches!(ty, Some(Type::String | Type::Int | Type::Dynamic))
        };
        items && paginator.next_in_body().is_none_or(next) && paginator.more().is_none_or(more)
    }

    /// Returns where the other pages of a list are; `None`: unknown.
    fn place(&self, list: &str, keys: &[String]) -> Option<Place> {
        if matches!(self.resource.paginator, Paginator::NextUrl(_)) {
            return Some(Place::Next);
        }
        let text = |key: &&&str| self.ty(list, key) == Some(Type::String);
        if let Some(url) = URLS.iter().find(text) {
            return Some(Place::Url((*url).to_owned()));
        }
        // For example `/v1/invoices/{invoice}/lines` for `/v1/invoices`.
        let ([field], [key]) = (self.resource.key.as_slice(), keys) else {
            return None;
        };
        let key_of_record = match field {
            FieldRef::Path(path) => path.clone(),
            FieldRef::Handle { record, constant } => {
                let mut fields = self.structs.get(record)?.fields.iter();
                let field = fields.find(|field| field.ident.to_uppercase() == *constant)?;
                field.key.clone()
            }
        };
        let below = format!("{}/{{", self.resource.path.trim_end_matches('/'));
        let leads = |path: &str| {
            let rest = path
                .strip_prefix(&below)
                .and_then(|rest| rest.split_once('}'));
            rest.is_some_and(|(name, rest)| !name.contains('/') && rest == format!("/{key}"))
        };
        let mut operations = self.api.operations.iter();
        let there = operations.any(|operation| operation.method == "get" && leads(&operation.path));
        there.then(|| Place::Path(format!("{below}{key_of_record}}}/{key}")))
    }
}

/// Returns whether a list in an example has more pages: a recorded exchange holds no response for
/// them.
pub fn goes_on(resource: &Resource, example: &Value) -> bool {
    let paginator = &resource.paginator;
    let paths = [paginator.more(), paginator.next_in_body()];
    let paths: Vec<&str> = paths.into_iter().flatten().collect();
    let mut lists = resource.embedded.iter();
    lists.any(|list| {
        paths.iter().any(|sign| {
            let mut keys = path::parse(&list.list);
            keys.extend(path::parse(sign));
            any(example, &keys, &|value| {
                !matches!(value, Value::Null | Value::Bool(false))
            })
        })
    })
}

/// Returns whether any value at these keys is wanted; a list on the path stands for its items.
fn any(value: &Value, keys: &[String], wanted: &dyn Fn(&Value) -> bool) -> bool {
    match (value, keys.split_first()) {
        (value, None) => wanted(value),
        (Value::Array(items), _) => items.iter().any(|item| any(item, keys, wanted)),
        (Value::Object(object), Some((key, below))) => object
            .get(key)
            .is_some_and(|value| any(value, below, wanted)),
        _ => false,
    }
}
