//! The declaration of a resource when its rows and its state were written, with which a later run
//! compares its own.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::format::{RowFormat, unreadable};
use super::{StateChange, StateRow};
use crate::error::Result;
use crate::record::WireFormat;
use crate::schema::Disposition;
use crate::source::{ResourceSpec, Source, placeholders};

/// The slice of the declaration of a resource in the state; no slice has that name.
const SLICE: &str = "declared";

/// The declaration of a resource, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Declared {
    /// The number of the format of the row.
    #[serde(default, skip_serializing)]
    pub format: RowFormat,
    /// Its method and path: `GET /v1/customers`.
    pub endpoint: String,
    /// A hash of what else distinguishes its requests, since parameters may be personal. Secrets are
    /// not part of it.
    pub request: String,
    /// A hash of each part of its requests that settings can change, by its name: the base URL,
    /// parameters, headers, the body. Secrets are not part of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// Its earlier names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
    /// The meaning of its state; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Reads>,
    /// What identifies its rows; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// What identifies the rows of a pass in progress, which will replace them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Rows>,
    /// Columns that the owner has named, by their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
}

/// The meaning of the state of a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reads {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<CursorField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The parameters that make its slices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
}

/// The values that a cursor holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CursorField {
    /// Its keys, joined with dots.
    pub field: String,
    pub format: String,
}

/// What identifies the rows of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// The keys of each part of the primary key.
    pub key: Vec<Vec<String>>,
    pub disposition: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within_parent: bool,
    /// The parameters that make its slices, if a slice identifies rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
}

impl Declared {
    /// Returns the current declaration of a resource.
    pub fn of(source: &Source, spec: &ResourceSpec, columns: BTreeMap<String, String>) -> Self {
        let request = serde_json::json!([spec.query, spec.path_values, spec.body, spec.records]);
        let request = source.redactor().redact(&request.to_string());
        let parameters: Vec<String> = match &spec.parent {
            Some(_) => {
                let names = placeholders(&spec.path);
                let open = names.filter(|name| !spec.path_values.contains_key(*name));
                open.map(str::to_owned).collect()
            }
            None => Vec::new(),
        };
        let sliced = spec.within_parent || spec.primary_key.is_empty();
        let rows = Rows {
            key: spec.primary_key.clone(),
            disposition: name(spec.disposition()).to_owned(),
            within_parent: spec.within_parent && spec.parent.is_some(),
            slices: parameters.clone().into_iter().filter(|_| sliced).collect(),
        };
        let cursor = spec.cursor.as_ref().map(|cursor| CursorField {
            field: cursor.keys.join("."),
            format: cursor.format.name().to_owned(),
        });
        let reads = Reads {
            cursor,
            parent: spec.parent.as_ref().map(|parent| parent.resource.clone()),
            parameters,
        };
        Declared {
            format: RowFormat,
            endpoint: format!("{} {}", spec.method.name(), spec.path),
            request: format!("{:016x}", xxh3_64(request.as_bytes())),
            parts: parts(source, spec),
            was: Vec::new(),
            reads: Some(reads),
            rows: Some(rows),
            next: None,
            columns,
        }
    }

    /// Returns the names of the parts of its requests that differ from those of another declaration,
    /// if both are known.
    pub fn other_parts<'a>(&'a self, other: &'a Declared) -> Vec<&'a str> {
        if self.parts.is_empty() || other.parts.is_empty() {
            return Vec::new();
        }
        let names = self.parts.keys().chain(other.parts.keys());
        let mut names: Vec<&str> = names
            .filter(|name| self.parts.get(*name) != other.parts.get(*name))
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Removes the declarations from the rows of the state, and returns them.
    pub fn take(state: &mut Vec<StateRow>) -> Result<HashMap<String, Declared>> {
        let (declared, slices) = std::mem::take(state).into_iter().partition(Declared::is);
        *state = slices;
        let parse = |row: StateRow| {
            let declared = serde_json::from_str(&row.value).map_err(|error| {
                let what = format!("the declaration of {}", row.resource);
                let hint = "load with the connector's newer version, or into another destination";
                unreadable(&what, &row.value, error, hint)
            })?;
            Ok((row.resource, declared))
        };
        let declared: Vec<StateRow> = declared;
        declared.into_iter().map(parse).collect()
    }

    /// Returns the change that stores it in the state.
    pub fn put(&self, resource: &str) -> StateChange {
        StateChange::Put(StateRow {
            resource: resource.to_owned(),
            slice: SLICE.to_owned(),
            value: serde_json::to_string(self).unwrap_or_default(),
        })
    }

    /// Returns whether a row of the state is a declaration.
    pub fn is(row: &StateRow) -> bool {
        row.slice == SLICE
    }

    /// Returns the change that removes the declaration of a resource from the state.
    pub fn forget(resource: &str) -> StateChange {
        StateChange::Forget {
            resource: resource.to_owned(),
            slice: SLICE.to_owned(),
        }
    }

    /// Returns whether it sends the same requests as another one.
    pub fn asks_like(&self, other: &Declared) -> bool {
        self.endpoint == other.endpoint && self.request == other.request
    }
}

impl CursorField {
    pub fn wire_format(&self) -> Option<WireFormat> {
        WireFormat::named(&self.format)
    }
}

impl Rows {
    pub fn replaces(&self) -> bool {
        self.disposition == name(Disposition::Replace)
    }

    pub fn appends(&self) -> bool {
        self.disposition == name(Disposition::Append)
    }

    /// Returns whether a record gets the same id under both.
    pub fn names_like(&self, other: &Rows) -> bool {
        self.key == other.key
            && self.appends() == other.appends()
            && self.within_parent == other.within_parent
            && self.slices == other.slices
    }
}

/// Returns a hash of each part of the requests that settings can change.
fn parts(source: &Source, spec: &ResourceSpec) -> BTreeMap<String, String> {
    let redactor = source.redactor();
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: String, value: &str| {
        let part = parts.entry(name).or_default();
        let text = format!("{part} {}", redactor.redact(value));
        *part = format!("{:016x}", xxh3_64(text.as_bytes()));
    };
    add("base URL".to_owned(), &place(source.base_url()));
    for (name, value) in &spec.query {
        add(format!("parameter `{name}`"), value);
    }
    for (name, value) in &spec.path_values {
        add(format!("`{name}` in the path"), value);
    }
    for (name, value) in &spec.headers {
        add(format!("header `{name}`"), value);
    }
    if let Some(body) = &spec.body {
        add("body".to_owned(), &body.to_string());
    }
    parts
}

/// Returns what tells one API from another in its base URL: the host and the path. The port of a
/// server on this machine changes from start to start.
fn place(base: &str) -> String {
    let Ok(url) = Url::parse(base) else {
        return base.to_owned();
    };
    let name = url.host_str().unwrap_or_default();
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    let here = name == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let host = match (here, url.port()) {
        (true, _) => "localhost".to_owned(),
        (false, port) => format!("{name} {port:?}"),
    };
    format!("{host}{}", url.path().trim_end_matches('/'))
}

fn name(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Append => "append",
        Disposition::Replace => "replace",
        Disposition::Merge => "merge",
    }
}
