//! The content of a document, without OpenAPI's syntax: the value that `spec` passes to `infer`.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One API.
#[derive(Clone, Debug, Default)]
pub struct Api {
    /// `info.title`.
    pub title: String,
    /// `info.description`; many documents state paging and tokens only here.
    pub description: String,
    /// The servers in document order; relative URLs stay relative.
    pub servers: Vec<Server>,
    /// By name, in document order.
    pub security_schemes: IndexMap<String, SecurityScheme>,
    /// The default for operations: alternatives, each a set of scheme names that are used together.
    pub security: Vec<Vec<String>>,
    /// In document order.
    pub operations: Vec<Operation>,
    /// Every schema that the response of an operation reaches.
    pub schemas: Schemas,
    /// Extensions at the root. `info.license.name` and similar are not kept.
    pub extensions: BTreeMap<String, Value>,
}

/// A server.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// The URL, which may contain `{variables}`.
    pub url: String,
    /// Name -> (default, description).
    pub variables: IndexMap<String, (String, String)>,
}

/// A way in which requests authenticate.
#[derive(Clone, Debug)]
pub enum SecurityScheme {
    /// `Authorization: Bearer …`.
    Bearer { description: String },
    /// `Authorization: Basic …`.
    Basic { description: String },
    /// A key in a header, the query or a cookie.
    ApiKey {
        location: Location,
        name: String,
        description: String,
    },
    /// OAuth 2; flows by name (`clientCredentials`, `authorizationCode`, …).
    OAuth2 {
        flows: IndexMap<String, OAuthFlow>,
        description: String,
    },
    /// Anything else.
    Other,
}

impl SecurityScheme {
    /// Returns the description of the document; maybe empty.
    pub fn description(&self) -> &str {
        match self {
            SecurityScheme::Bearer { description }
            | SecurityScheme::Basic { description }
            | SecurityScheme::ApiKey { description, .. }
            | SecurityScheme::OAuth2 { description, .. } => description,
            SecurityScheme::Other => "",
        }
    }
}

/// One OAuth 2 flow.
#[derive(Clone, Debug, Default)]
pub struct OAuthFlow {
    pub token_url: Option<String>,
    pub refresh_url: Option<String>,
    pub scopes: Vec<String>,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Lower case: `get`, `post`.
    pub method: String,
    /// `/v1/invoices/{invoice}/lines`.
    pub path: String,
    /// `operationId`, if there is one.
    pub id: Option<String>,
    pub summary: String,
    pub description: String,
    pub tags: Vec<String>,
    pub deprecated: bool,
    /// The parameters of the path and of the operation; the latter win.
    pub parameters: Vec<Parameter>,
    /// The JSON body of the request, if it has one.
    pub request_body: Option<SchemaId>,
    /// The media type of a body that the request must have and that is not JSON.
    pub foreign_body: Option<String>,
    /// The first 2xx (or default) response.
    pub response: Option<Response>,
    /// The security of the operation; `None`: that of the API; `Some([])`: none.
    pub security: Option<Vec<Vec<String>>>,
    /// `x-…`.
    pub extensions: BTreeMap<String, Value>,
    /// The place in the document, as a JSON pointer; the ledger refers to it.
    pub pointer: String,
}

/// The place of a parameter or key in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Path,
    Query,
    Header,
    Cookie,
    /// A field of the JSON body.
    Body,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub description: String,
    pub deprecated: bool,
    pub schema: SchemaId,
    /// How an object is written as its value.
    pub style: Style,
    /// `x-…`.
    pub extensions: BTreeMap<String, Value>,
}

/// How a query parameter carries an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Each field is a parameter of its own: `page=1&size=2`.
    #[default]
    Exploded,
    /// Each field is a parameter named after the object too: `page[number]=1&page[size]=2`.
    Deep,
    /// All fields in one value: `page=number,1,size,2`.
    Joined,
    /// Names and values of the fields joined by commas: `limit,20,offset,40`.
    Pairs,
    /// JSON: the parameter has `content` with that media type.
    Json,
}

/// The content of a 2xx response.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: String,
    /// `application/json`, `application/x-ndjson`, `text/csv`, …; the JSON one if there are several.
    pub media_type: Option<String>,
    pub schema: Option<SchemaId>,
    /// Header name -> description and example.
    pub headers: IndexMap<String, String>,
    /// `example`, and the values of `examples`.
    pub examples: Vec<Value>,
}

/// The formats of a body that the runtime reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    /// One JSON value per line, or after each record separator.
    Lines,
    Csv,
}

impl Response {
    /// Returns the format of the body; `None`: it cannot be read as records.
    pub fn format(&self) -> Option<Format> {
        match self.media_type.as_deref() {
            None => Some(Format::Json),
            Some("text/csv" | "application/csv") => Some(Format::Csv),
            Some(name) if is_lines(name) => Some(Format::Lines),
            Some(name) => (name.contains("json") || name.contains('*')).then_some(Format::Json),
        }
    }
}

/// Returns whether a media type is JSON with one value per line; only the last two are registered.
pub(super) fn is_lines(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/stream+json"
            | "application/x-json-stream"
            | "application/json-seq"
            | "application/geo+json-seq"
    )
}

/// The index of a schema in [`Schemas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaId(pub usize);

/// All schemas of an API; a `$ref` and its target have one id, so a recursive schema is a cycle of ids.
#[derive(Clone, Debug, Default)]
pub struct Schemas(pub Vec<Schema>);

impl std::ops::Index<SchemaId> for Schemas {
    type Output = Schema;

    fn index(&self, id: SchemaId) -> &Schema {
        &self.0[id.0]
    }
}

/// One schema; `allOf` is merged, and the differences of 3.1 and 2.0 are resolved.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The name of a schema in `components.schemas`.
    pub component: Option<String>,
    /// The place in the document, as a JSON pointer; the ledger refers to it.
    pub pointer: String,
    pub description: String,
    pub nullable: bool,
    pub deprecated: bool,
    pub default: Option<Value>,
    /// `example`, and `examples`.
    pub examples: Vec<Value>,
    pub kind: SchemaKind,
    /// `x-…`.
    pub extensions: BTreeMap<String, Value>,
}

/// The shape of a schema.
#[derive(Clone, Debug)]
pub enum SchemaKind {
    Object {
        /// In document order.
        properties: IndexMap<String, SchemaId>,
        required: Vec<String>,
        /// The values of other keys, if the document describes them (`additionalProperties: {…}`); a map has only this.
        additional: Option<SchemaId>,
    },
    Array(SchemaId),
    String {
        format: Option<String>,
        pattern: Option<String>,
        /// Known values; never enforced.
        values: Vec<String>,
    },
    Integer {
        format: Option<String>,
        minimum: Option<f64>,
        maximum: Option<f64>,
        values: Vec<i64>,
    },
    Number {
        format: Option<String>,
    },
    Boolean,
    /// oneOf / anyOf with more than one non-null arm.
    Union {
        arms: Vec<SchemaId>,
    },
    /// Free form: no type is stated, or the stated type cannot be used (a diagnostic says so).
    Any,
}
