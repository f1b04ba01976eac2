//! What will be generated: names, types and calls, with nothing of OpenAPI in it. Every decision is made here or in
//! `infer`; what is emitted only writes it down.

mod build;
mod case;
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

/// A crate that will be generated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `billing`: names state, the default file and the crate.
    pub source: String,
    /// `billing-connector`.
    pub crate_name: String,
    /// `BILLING`: begins the names of environment variables.
    pub prefix: String,
    /// `Billing API`: one line of text from the document.
    pub title: String,
    /// What the document says of itself: one line of text, maybe empty.
    pub description: String,
    pub auth: Auth,
    /// At most so many requests in so many seconds; all of them hold.
    pub rates: Vec<(u64, u64)>,
    /// Of the resources that have none of their own.
    pub contract: Option<Contract>,
    /// The headers that every resource sends with the same value: the source states them.
    pub headers: Vec<Parameter>,
    /// The paginator that most lists have: `api::pages()`.
    pub pages: Option<Paginator>,
    /// The fields of `Config`, in order.
    pub settings: Vec<Setting>,
    pub resources: Vec<Resource>,
    /// Structs that several resources use.
    pub types: Vec<Struct>,
    /// The features that such a struct is for, by its name; none: it is always there.
    pub type_features: BTreeMap<String, Vec<String>>,
    /// Cargo features, where the crate is large.
    pub features: Vec<Feature>,
    /// Names given, by what they were given to.
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
    /// Keys that all go along.
    Keys(Vec<Key>),
    OAuth2 {
        token_url: String,
        client_id: String,
        client_secret: String,
        scopes: Vec<String>,
    },
    /// A user and a password, for which tokens are sold.
    Password {
        token_url: String,
        username: String,
        password: String,
        scopes: Vec<String>,
    },
    /// A refresh token and its client, or an access token got by hand.
    Refresh {
        token_url: String,
        client_id: String,
        client_secret: String,
        refresh_token: String,
        /// Where a replaced refresh token is kept.
        file: String,
        access_token: String,
    },
}

/// One key of the credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub place: KeyPlace,
    /// The header's, parameter's or cookie's name.
    pub name: String,
    /// Stands before the value, in a header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The field of `Config`.
    pub setting: String,
}

/// Where a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    Header,
    Query,
    Cookie,
}

/// A resource: one file.
#[derive(Clone, Debug)]
pub struct Resource {
    pub name: String,
    /// The function, and the module with its file.
    pub ident: String,
    /// The Cargo feature that it belongs to, if the crate has any.
    pub feature: Option<String>,
    /// One line of text, maybe empty.
    pub doc: String,
    pub post: bool,
    pub single: bool,
    pub format: Format,
    pub path: String,
    /// Filled from settings or fixed.
    pub parameters: Vec<Parameter>,
    /// Dotted; empty: the body is the list.
    pub records: String,
    pub key: Vec<FieldRef>,
    /// The key names a record only among those of one parent.
    pub within_parent: bool,
    pub paginator: Paginator,
    /// Lists within its records that are read on.
    pub embedded: Vec<Embedded>,
    pub cursor: Option<Cursor>,
    pub contract: Option<Contract>,
    /// Credentials in place of the source's; their settings are optional.
    pub auth: Option<Auth>,
    pub deletes: Option<Deletes>,
    /// The field that says that a record is gone.
    pub tombstone: Option<FieldRef>,
    /// Why it is left out of runs that do not name it.
    pub off: Option<String>,
    /// What is done about an answer's status.
    pub on_status: Vec<(u16, StatusRule)>,
    pub parent: Option<Parent>,
    /// The struct of a record; `None`: `Json`.
    pub record: Option<String>,
    /// The structs that stand in this file, the record's first.
    pub structs: Vec<Struct>,
    /// What is open: (question, line of `etlgen.toml`).
    pub doubts: Vec<(String, String)>,
    /// Records of the document's examples, as JSON.
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

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterPlace {
    Path,
    Query,
    Header,
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterValue {
    Fixed(String),
    /// A field of `Config`.
    Setting(String),
}

/// A field of a record, as the declaration names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRef {
    /// `Customer::CREATED`.
    Handle { record: String, constant: String },
    /// A dotted path.
    Path(String),
}

/// An incremental cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    pub field: FieldRef,
    /// What its value is.
    pub meaning: Meaning,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What the parameter holds around the value `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How the parameter takes its value, where the field holds it in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<TimeFormat>,
    /// The filter leaves out records of the very moment: it is asked from a moment before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_rows_only: bool,
    /// How much is asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<Length>,
    /// How the API sorts the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// The API shows no more rows of one list than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
}

impl Cursor {
    /// Whether runs read only what is new: a filter by the time of creation cannot see later changes.
    pub fn is_incremental(&self) -> bool {
        self.meaning == Meaning::Updated || self.new_rows_only
    }
}

/// Where a child's parameters come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    pub resource: String,
    /// What the closure calls its record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variable: String,
    /// The struct of its records; `None`: `Json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Path parameters that have the value of the parent's own request: (child's name, parent's name).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited: Vec<(String, String)>,
}

/// One parameter that a parent's record supplies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub place: ParameterPlace,
    pub parameter: String,
    /// The Rust fields down to the value; for a parent of `Json` its keys.
    pub fields: Vec<String>,
    /// The value can be copied; else it is borrowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
}

/// A struct with `#[derive(Record)]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Struct {
    pub name: String,
    /// One line of text, maybe empty.
    pub doc: String,
    /// The case of the keys; `None`: they are written as the fields are.
    pub case: Option<Case>,
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Without `r#`.
    pub ident: String,
    /// Its key in JSON.
    pub key: String,
    /// One line of text, maybe empty.
    pub doc: String,
    pub ty: Type,
}

/// What stands in the `Option` of a field.
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
    /// Whether it can serve as a key or a cursor by its handle.
    pub fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Type::Bool | Type::Bytes | Type::Json | Type::Dynamic | Type::Record(_) | Type::List(_)
        )
    }

    /// Whether a value can stand in a request.
    pub fn is_parameter(&self) -> bool {
        matches!(
            self,
            Type::String | Type::Int | Type::Bool | Type::Timestamp | Type::Date | Type::Uuid
        )
    }

    /// The struct within, if there is one.
    pub fn record(&self) -> Option<&str> {
        match self {
            Type::Record(name) => Some(name),
            Type::List(item) => item.record(),
            _ => None,
        }
    }
}
