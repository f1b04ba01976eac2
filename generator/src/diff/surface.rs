//! The surface of a crate as plain values, which determine its Rust API and its tables. The lock
//! keeps it, so that the next generation can be compared with the last one after the document has
//! changed.

use std::collections::BTreeMap;

use etlgen_model::{Contract, Deletes, Embedded, Paginator};
use serde::{Deserialize, Serialize};

use crate::plan::{
    Auth, Cursor, Feature, FieldRef, Format, Link, Parameter, ParameterValue, Parent, Plan,
    Resource, Setting, Struct, Type,
};

/// The Rust API and the tables of a crate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// The prefix of the environment variables, in capitals.
    pub source: String,
    pub auth: Auth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// The parameters that the source sets for all resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Parameter>,
    /// The settings, without their documentation.
    pub settings: Vec<Setting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    pub resources: Vec<Declared>,
    /// The structs by their names.
    pub structs: BTreeMap<String, Body>,
}

/// The declaration of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    pub name: String,
    /// The name of the function.
    pub ident: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The method and the path, such as `GET /v1/invoices`.
    pub endpoint: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    #[serde(default, skip_serializing_if = "is_json")]
    pub format: Format,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub records: String,
    /// The dotted paths of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within_parent: bool,
    pub paginator: Paginator,
    /// The lists in its records that are read to their ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<Embedded>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletes>,
    /// The dotted path of the field that marks a record as deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone: Option<String>,
    /// Whether runs leave it out, although it is clear how it is paged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A struct: its fields by their keys in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Whether the struct is in `types`, not in `resources`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    pub fields: BTreeMap<String, Field>,
}

/// A field, written as `i64`, or as `user_name: String` if its name differs from its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Field {
    /// The name, if it differs from the key.
    pub ident: Option<String>,
    pub ty: Type,
}

fn is_json(format: &Format) -> bool {
    *format == Format::Json
}

impl Surface {
    /// Returns whether the function of a resource takes the settings.
    pub fn takes_config(&self, resource: &Declared) -> bool {
        let mut own = resource.parameters.iter();
        resource.auth.is_some()
            || own.any(|it| {
                matches!(it.value, ParameterValue::Setting(_)) && !self.headers.contains(it)
            })
    }
}

impl From<&Plan> for Surface {
    fn from(plan: &Plan) -> Self {
        let own = plan.resources.iter().flat_map(|resource| {
            let structs = resource.structs.iter();
            structs.map(|it| (it.name.clone(), body(it, false)))
        });
        let shared = plan.types.iter();
        let shared = shared.map(|it| (it.name.clone(), body(it, true)));
        let structs: BTreeMap<String, Body> = own.chain(shared).collect();
        let settings = plan.settings.iter();
        Surface {
            source: plan.source.clone(),
            auth: plan.auth.clone(),
            contract: plan.contract,
            headers: plan.headers.clone(),
            settings: settings
                .map(|setting| Setting {
                    doc: String::new(),
                    ..setting.clone()
                })
                .collect(),
            features: plan.features.clone(),
            resources: plan
                .resources
                .iter()
                .map(|resource| declared(resource, &structs))
                .collect(),
            structs,
        }
    }
}

fn body(from: &Struct, shared: bool) -> Body {
    let fields = from.fields.iter().map(|field| {
        let ident = (field.ident != field.key).then(|| field.ident.clone());
        let ty = field.ty.clone();
        (field.key.clone(), Field { ident, ty })
    });
    Body {
        shared,
        fields: fields.collect(),
    }
}

fn declared(resource: &Resource, structs: &BTreeMap<String, Body>) -> Declared {
    // The pattern names each field, so that a new field of `Resource` must be compared or left out
    // on purpose.
    let Resource {
        name,
        ident,
        feature,
        doc: _,
        post,
        single,
        format,
        path: route,
        parameters,
        records,
        key,
        within_parent,
        paginator,
        embedded,
        cursor,
        contract,
        auth,
        deletes,
        tombstone,
        off,
        // A question that is open changes no rows.
        unsure: _,
        // The owner sets these; they do not follow from a change of the API.
        on_status: _,
        list_may_be_absent: _,
        whole_lists: _,
        // `off` says it.
        unsendable: _,
        parent: above,
        record,
        structs: _,
        doubts: _,
        examples: _,
        exchange: _,
    } = resource;
    let method = if *post { "POST" } else { "GET" };
    Declared {
        name: name.clone(),
        ident: ident.clone(),
        feature: feature.clone(),
        endpoint: format!("{method} {route}"),
        single: *single,
        format: *format,
        parameters: parameters.clone(),
        records: records.clone(),
        key: key.iter().map(|field| path(field, structs)).collect(),
        within_parent: *within_parent,
        paginator: paginator.clone(),
        embedded: embedded.clone(),
        cursor: cursor.as_ref().map(|cursor| Cursor {
            field: FieldRef::Path(path(&cursor.field, structs)),
            ..cursor.clone()
        }),
        contract: *contract,
        auth: auth.clone(),
        deletes: *deletes,
        tombstone: tombstone.as_ref().map(|field| path(field, structs)),
        off: off.is_some() && *paginator != Paginator::Undecided,
        parent: above.as_ref().map(parent),
        record: record.clone(),
    }
}

/// Returns the parameters that a child requests, without the details of its closure.
fn parent(from: &Parent) -> Parent {
    let links = from.links.iter().map(|link| Link {
        copy: false,
        ..link.clone()
    });
    Parent {
        variable: String::new(),
        record: None,
        links: links.collect(),
        ..from.clone()
    }
}

/// Returns a field by its keys, independent of the names of structs.
fn path(field: &FieldRef, structs: &BTreeMap<String, Body>) -> String {
    let (record, constant) = match field {
        FieldRef::Path(path) => return path.clone(),
        FieldRef::Handle { record, constant } => (record, constant),
    };
    let mut fields = structs.get(record).into_iter().flat_map(|it| &it.fields);
    let found = fields.find(|(key, field)| {
        let ident = field.ident.as_ref().unwrap_or(key);
        ident.to_uppercase() == *constant
    });
    found.map_or_else(|| constant.to_lowercase(), |(key, _)| key.clone())
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        match field.ident {
            Some(ident) => format!("{ident}: {}", field.ty),
            None => field.ty.to_string(),
        }
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        let (ident, ty) = match text.split_once(": ") {
            Some((ident, ty)) => (Some(ident.to_owned()), ty),
            None => (None, text.as_str()),
        };
        let ty = Type::from(ty);
        Field { ident, ty }
    }
}
