//! The plan of a crate: names, types and calls, without anything of OpenAPI. Every decision is made
//! here or in `infer`; `emit` only writes it down.

mod body;
mod build;
mod case;
mod credentials;
mod embedded;
mod features;
mod fields;
mod given;
mod names;
pub mod package;
mod parameters;
mod path;
mod records;
mod samples;
mod settings;
mod shared;
mod text;
mod types;

use std::collections::BTreeMap;

use etlgen_model::{
    Contract, Deletes, Embedded, Length, Meaning, Order, Paginator, StatusRule, TimeFormat, Windows,
};
use serde::{Deserialize, Serialize};

pub use build::{Options, Runtime, plan, resource_key};
pub use case::Case;
pub use names::{Ledger, is_keyword, module as module_name};
pub use text::{markdown, plain as plain_text};

pub use crate::spec::api::Format;

/// A crate to generate.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name of the state, the default file and the crate, such as `billing`.
    pub source: String,
    /// For example `billing-connector`.
    pub crate_name: String,
    /// The prefix of environment variables, such as `BILLING`.
    pub prefix: String,
    /// The document's title as one line of text, such as `Billing API`.
    pub title: String,
    /// The document's description as one line of text, maybe empty.
    pub description: String,
    pub auth: Auth,
    /// Rate limits as (requests, seconds); all of them apply.
    pub rates: Vec<(u64, u64)>,
    /// The contract of the resources that have none of their own.
    pub contract: Option<Contract>,
    /// The headers that every resource sends with the same value. The source declares them.
    pub headers: Vec<Parameter>,
    /// The paginator that most lists have, declared as `api::pages()`.
    pub pages: Option<Paginator>,
    /// The fields of `Config`, in order.
    pub settings: Vec<Setting>,
    pub resources: Vec<Resource>,
    /// Structs that several resources use.
    pub types: Vec<Struct>,
    /// The features that use a shared struct, by its name. A struct without an entry is always
    /// compiled.
    pub type_features: BTreeMap<String, Vec<String>>,
    /// The Cargo features of a large crate.
    pub features: Vec<Feature>,
    /// The names given, by their ledger entries.
    pub ledger: Ledger,
}

/// A Cargo feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    pub name: String,
    pub needs: Vec<String>,
}

/// A field of `Config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub ident: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// The credentials of every request; each name is a field of `Config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    None,
    Bearer(String),
    Basic(String, String),
    /// Keys that are all sent.
    Keys(Vec<Key>),
    OAuth2 {
        token_url: String,
        client_id: String,
        client_secret: String,
        scopes: Vec<String>,
    },
    /// A user and a password that are exchanged for tokens.
    Password {
        token_url: String,
        username: String,
        password: String,
        scopes: Vec<String>,
    },
    /// A refresh token and its client.
    Refresh {
        token_url: String,
        client_id: String,
        client_secret: String,
        refresh_token: String,
        /// The file that keeps a replaced refresh token.
        file: String,
    },
    /// A user and a password that a request of the API exchanges for tokens.
    Login {
        path: String,
        /// The places of the user and of the password in the body.
        user_field: String,
        password_field: String,
        /// The other fields of the body.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fixed: Vec<(String, serde_json::Value)>,
        /// The place of the token in the response.
        token: String,
        /// The header that carries the token, and the prefix; `None`: a bearer token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<(String, String)>,
        username: String,
        password: String,
    },
    /// The first of them whose settings are set.
    Either(Vec<Auth>),
}

/// One key of the credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub place: KeyPlace,
    /// The name of the header, parameter or cookie.
    pub name: String,
    /// The text before the value in a header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The field of `Config`.
    pub setting: String,
}

/// The part of the request that carries a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    Header,
    Query,
    Cookie,
}

/// A resource, which is one file of the crate.
#[derive(Clone, Debug)]
pub struct Resource {
    pub name: String,
    /// The name of the function, the module and its file.
    pub ident: String,
    /// The Cargo feature that it belongs to, if the crate has any.
    pub feature: Option<String>,
    /// One line of text, maybe empty.
    pub doc: String,
    pub post: bool,
    pub single: bool,
    pub format: Format,
    pub path: String,
    /// Parameters from settings and fixed ones.
    pub parameters: Vec<Parameter>,
    /// The dotted path of the records; empty if the body is the list.
    pub records: String,
    pub key: Vec<FieldRef>,
    /// Whether the key identifies a record only among those of one parent.
    pub within_parent: bool,
    pub paginator: Paginator,
    /// Lists within its records that are read beyond what the record holds.
    pub embedded: Vec<Embedded>,
    pub cursor: Option<Cursor>,
    pub contract: Option<Contract>,
    /// Credentials in place of the source's; their settings are optional.
    pub auth: Option<Auth>,
    pub deletes: Option<Deletes>,
    /// The field that marks a record as deleted.
    pub tombstone: Option<FieldRef>,
    /// The reason why runs that do not name it leave it out.
    pub off: Option<String>,
    /// The reason why its rows may be others than all of the API.
    pub unsure: Option<String>,
    /// Whether its request cannot be sent, which `off` says.
    pub unsendable: bool,
    /// The rules for statuses of responses.
    pub on_status: Vec<(u16, StatusRule)>,
    /// Whether a response without the list stands for an empty one.
    pub list_may_be_absent: bool,
    /// The lists within its records that are whole, whatever their objects say.
    pub whole_lists: Vec<String>,
    pub parent: Option<Parent>,
    /// The struct of a record; `None`: `Json`.
    pub record: Option<String>,
    /// The structs in this file, that of the record first.
    pub structs: Vec<Struct>,
    /// The open questions, as (question, line of `etlgen.toml`).
    pub doubts: Vec<(String, String)>,
    /// Records from the document's examples, as JSON.
    pub examples: Vec<serde_json::Value>,
    /// A made-up exchange of some pages.
    pub exchange: Option<serde_json::Value>,
}

/// A parameter of every request of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub place: ParameterPlace,
    pub name: String,
    pub value: ParameterValue,
}

/// The part of the request that carries a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterPlace {
    Path,
    Query,
    Header,
    Body(BodyType),
}

/// The type of a field of a request's JSON body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyType {
    Text,
    Number,
    Bool,
    /// A list or an object, whose value is fixed.
    Json,
}

/// The source of a parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterValue {
    Fixed(String),
    /// The fixed value of a field of the body.
    Json(serde_json::Value),
    /// A field of `Config`.
    Setting(String),
}

/// A reference to a field of a record in a declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRef {
    /// A handle, such as `Customer::CREATED`.
    Handle { record: String, constant: String },
    /// A dotted path.
    Path(String),
}

/// An incremental cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    pub field: FieldRef,
    /// The meaning of its value.
    pub meaning: Meaning,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether these are fields of the JSON body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_body: bool,
    /// The value of the parameter, in which `{}` stands for the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The format in which the parameter takes a time, if the field has another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<TimeFormat>,
    /// Whether the filter leaves out records of the bound itself, so that requests ask from a
    /// moment earlier.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_rows_only: bool,
    /// The length before the cursor that each run requests again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<Length>,
    /// How the API sorts the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// The most rows of one list that the API returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
}

impl Cursor {
    /// Returns whether runs read only what is new: a filter by time of creation misses later
    /// changes.
    pub fn is_incremental(&self) -> bool {
        self.meaning == Meaning::Updated || self.new_rows_only
    }
}

/// The source of a child's parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    pub resource: String,
    /// The name of the parent's record in the closure.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variable: String,
    /// The struct of its records; `None`: `Json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Path parameters that have the value of the parent's own request, as (child's name, parent's
    /// name).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited: Vec<(String, String)>,
}

/// One parameter that a parent's record supplies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub place: ParameterPlace,
    pub parameter: String,
    /// The Rust fields down to the value; for a parent of `Json`, the keys.
    pub fields: Vec<String>,
    /// Whether the value is copied instead of borrowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
}

/// A struct with `#[derive(Record)]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Struct {
    pub name: String,
    /// One line of text, maybe empty.
    pub doc: String,
    /// The case of the keys; `None`: the keys are written like the fields.
    pub case: Option<Case>,
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The identifier without `r#`.
    pub ident: String,
    /// Its key in JSON.
    pub key: String,
    /// One line of text, maybe empty.
    pub doc: String,
    pub ty: Type,
}

/// The type in the `Option` of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    String,
    Int,
    Float,
    Bool,
    Timestamp,
    UnixTime,
    UnixMillis,
    Date,
    Decimal,
    Uuid,
    Bytes,
    Json,
    Dynamic,
    Record(String),
    List(Box<Type>),
}

impl Type {
    /// Returns whether a handle of this type can serve as a key or a cursor.
    pub fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Type::Bool | Type::Bytes | Type::Json | Type::Dynamic | Type::Record(_) | Type::List(_)
        )
    }

    /// Returns whether a value can be sent in a request.
    pub fn is_parameter(&self) -> bool {
        matches!(
            self,
            Type::String | Type::Int | Type::Bool | Type::Timestamp | Type::Date | Type::Uuid
        )
    }

    /// Returns the name of the struct within, if there is one.
    pub fn record(&self) -> Option<&str> {
        match self {
            Type::Record(name) => Some(name),
            Type::List(item) => item.record(),
            _ => None,
        }
    }
}
