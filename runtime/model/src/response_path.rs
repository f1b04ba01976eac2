//! Places in a response.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a response: a dotted path in its body, or a header.
///
/// ```
/// use etlgen_model::ResponsePath;
///
/// assert_eq!(ResponsePath::from("meta.next"), ResponsePath::Body("meta.next".into()));
/// assert_eq!(ResponsePath::from("header:X-Next"), ResponsePath::Header("X-Next".into()));
/// assert_eq!(ResponsePath::from("header:X-Next").to_string(), "header:X-Next");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ResponsePath {
    /// `meta.next`.
    Body(String),
    /// `header:X-Next`.
    Header(String),
}

impl ResponsePath {
    /// Returns the dotted path of a place in the body.
    pub fn body(&self) -> Option<&str> {
        match self {
            ResponsePath::Body(path) => Some(path),
            ResponsePath::Header(_) => None,
        }
    }

    /// Returns the name of the header, for a place in the headers.
    pub fn header(&self) -> Option<&str> {
        match self {
            ResponsePath::Header(name) => Some(name),
            ResponsePath::Body(_) => None,
        }
    }

    /// Returns whether its name is empty.
    pub fn is_empty(&self) -> bool {
        match self {
            ResponsePath::Body(name) | ResponsePath::Header(name) => name.is_empty(),
        }
    }
}

impl From<&str> for ResponsePath {
    fn from(text: &str) -> Self {
        match text.strip_prefix("header:") {
            Some(name) => ResponsePath::Header(name.to_owned()),
            None => ResponsePath::Body(text.to_owned()),
        }
    }
}

impl From<String> for ResponsePath {
    fn from(text: String) -> Self {
        ResponsePath::from(text.as_str())
    }
}

impl From<ResponsePath> for String {
    fn from(path: ResponsePath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for ResponsePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponsePath::Body(path) => f.write_str(path),
            ResponsePath::Header(name) => write!(f, "header:{name}"),
        }
    }
}
