//! What a crate offers, as plain values: its Rust API and its tables follow from it. The lock keeps it, so that the next
//! generation can be compared with the last one although the document of that time is gone.

use std::collections::BTreeMap;

use etlgen_model::{Contract, Deletes, Embedded, Paginator};
use serde::{Deserialize, Serialize};

use crate::plan::{
    Auth, Cursor, Feature, FieldRef, Format, Link, Parameter, ParameterValue, Parent, Plan,
    Resource, Setting, Struct, Type,
};

/// All that a crate offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// Begins the names of environment variables, in capitals.
    pub source: String,
    pub auth: Auth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// Parameters of all resources that the source states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Parameter>,
    /// Without their documentation.
    pub settings: Vec<Setting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    pub resources: Vec<Declared>,
    /// The structs by their names.
    pub structs: BTreeMap<String, Body>,
}

/// A resource as it is declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    pub name: String,
    /// The function.
    pub ident: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// `GET /v1/invoices`.
    pub endpoint: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    #[serde(default, skip_serializing_if = "is_json")]
    pub format: Format,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub records: String,
    /// Dotted paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within_parent: bool,
    pub paginator: Paginator,
    /// Lists in its records that are read to their ends.
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
    /// The field that says that a record is gone, by its dotted path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A struct: its fields by their keys in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// It stands in `types`, not in `resources`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    pub fields: BTreeMap<String, Field>,
}

/// A field: `i64`, or `user_name: String` where it is not called as its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Field {
    /// Where it is not the key.
    pub ident: Option<String>,
    pub ty: Type,
}

fn is_json(format: &Format) -> bool {
    *format == Format::Json
}

impl Surface {
    /// Whether the function of a resource takes the settings.
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
    // Each field by its name: one that a resource gets later is either compared or left out on purpose.
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
        // The owner's: they come with no change of the API.
        off: _,
        on_status: _,
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
        parent: above.as_ref().map(parent),
        record: record.clone(),
    }
}

/// What a child is asked for, not how its closure is written.
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

/// A field by its keys, whatever its struct is called.
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
