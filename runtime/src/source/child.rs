//! The parameters that a parent's record supplies to the requests of its children.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Date, Timestamp, Uuid};
use crate::settings::Secret;

/// The request of a child resource, filled from its parent's record.
#[derive(Clone, Debug, Default)]
pub struct ChildRequest {
    /// The parent's own request.
    parent: SliceRequest,
    slice: SliceRequest,
    /// The parameters for which the parent has no value.
    missing: Vec<String>,
}

impl ChildRequest {
    /// Returns the request of a child of a record that this request returned.
    pub(crate) fn below(parent: &SliceRequest) -> Self {
        ChildRequest {
            parent: parent.clone(),
            ..ChildRequest::default()
        }
    }

    /// Fills `{name}` in the child's path.
    pub fn path(mut self, name: &str, value: impl ParamValue) -> Self {
        // The list of a parent whose value is empty may exist, although it cannot be requested.
        if let Some(value) = self.required(name, value.text()) {
            self.slice.path.insert(name.to_owned(), value);
        }
        self
    }

    /// Sets a query parameter.
    pub fn query(mut self, name: &str, value: impl ParamValue) -> Self {
        let value = value.text().filter(|text| !text.is_empty());
        if let Some(value) = self.required(name, value) {
            self.slice.query.insert(name.to_owned(), value);
        }
        self
    }

    /// Fills `{name}` in the child's path with its value in the parent's own request.
    pub fn inherit(self, name: &str) -> Self {
        self.inherit_as(name, name)
    }

    /// Fills `{name}` in the child's path with the value of `from` in the parent's own request.
    pub fn inherit_as(self, name: &str, from: &str) -> Self {
        let SliceRequest { path, query, .. } = &self.parent;
        let value = path.get(from).or_else(|| query.get(from)).cloned();
        self.path(name, value)
    }

    /// Copies a value of the parent into a column of every child row.
    pub fn copy(mut self, column: &str, value: impl ParamValue) -> Self {
        self.slice.columns.insert(column.to_owned(), value.text());
        self
    }

    fn required(&mut self, name: &str, value: Option<String>) -> Option<String> {
        if value.is_none() {
            self.missing.push(name.to_owned());
        }
        value
    }

    /// Returns the slice; an error is one that cannot be requested, since the parent has no value
    /// for a parameter. That parameter is empty in it.
    pub(crate) fn finish(mut self) -> Result<SliceRequest, SliceRequest> {
        let whole = self.missing.is_empty();
        for name in self.missing {
            self.slice.query.insert(name, String::new());
        }
        match whole {
            true => Ok(self.slice),
            false => Err(self.slice),
        }
    }
}

/// The parameters of one slice of a child resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceRequest {
    /// Path parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Columns copied into every row.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Option<String>>,
}

impl SliceRequest {
    /// Returns the columns that each of its rows gets: copied values, and its parameters. A
    /// parameter that the record itself has is left out, unless it is the record's own key (`id`):
    /// then it is named after the parent (`campaigns_id`).
    pub(crate) fn row_columns(
        &self,
        parent: &str,
        in_record: impl Fn(&str) -> bool,
        is_key: impl Fn(&str) -> bool,
    ) -> BTreeMap<String, Option<String>> {
        let mut columns = self.columns.clone();
        for (name, value) in self.path.iter().chain(&self.query) {
            let name = match (is_key(name), in_record(name)) {
                (true, _) => format!("{parent}_{name}"),
                (false, true) => continue,
                (false, false) => name.clone(),
            };
            columns.entry(name).or_insert_with(|| Some(value.clone()));
        }
        columns
    }

    /// Returns whether the parent has no value for one of its parameters.
    pub(crate) fn lacks_a_value(&self) -> bool {
        self.query.values().any(String::is_empty)
    }

    /// Returns the id of the slice in the state: its parameters as canonical JSON, without the
    /// copied columns.
    pub fn id(&self) -> String {
        let SliceRequest { path, query, .. } = self.clone();
        let parameters = SliceRequest {
            path,
            query,
            columns: BTreeMap::new(),
        };
        if parameters == SliceRequest::default() {
            return String::new();
        }
        serde_json::to_string(&parameters).unwrap_or_default()
    }
}

/// A value that can be a parameter of a request.
///
/// A [`Json`](crate::record::Json) cannot be one: it may be an object or a list, and a string in it
/// has quotes.
///
/// ```compile_fail
/// # use etlgen_runtime::{prelude::*, source::ChildRequest};
/// fn child(request: ChildRequest, channel: &Json) -> ChildRequest {
///     request.query("channel", channel.get("id"))
/// }
/// ```
///
/// Its text can be one:
///
/// ```
/// # use etlgen_runtime::{prelude::*, source::ChildRequest};
/// fn child(request: ChildRequest, channel: &Json) -> ChildRequest {
///     request.query("channel", channel.text("id"))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be a parameter of a request",
    label = "not the text of a parameter",
    note = "a parameter is a text, a whole number, a bool, a Date, a Timestamp or a Uuid, or an Option of one; \
            for JSON, send the text at some keys: `.text(\"id\")`"
)]
pub trait ParamValue {
    /// Returns its text; `None` without a value.
    fn text(&self) -> Option<String>;
}

impl<T: ParamValue + ?Sized> ParamValue for &T {
    fn text(&self) -> Option<String> {
        (**self).text()
    }
}

impl<T: ParamValue> ParamValue for Option<T> {
    fn text(&self) -> Option<String> {
        self.as_ref()?.text()
    }
}

impl ParamValue for Secret {
    fn text(&self) -> Option<String> {
        Some(self.expose().to_owned())
    }
}

macro_rules! param_values {
    ($($ty:ty),*) => {
        $(impl ParamValue for $ty {
            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        })*
    };
}

param_values!(str, String, i64, u64, i32, u32, bool, Date, Timestamp, Uuid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_named_by_its_parameters_alone() {
        let build = |copied: Option<&str>| {
            ChildRequest::default()
                .path("repo", "r")
                .path("owner", Some(&Some("o".to_owned())))
                .copy("full", copied)
        };
        let slice = build(Some("o/r")).finish().unwrap();
        assert_eq!(slice.id(), r#"{"path":{"owner":"o","repo":"r"}}"#);
        assert_eq!(slice.id(), build(None).finish().unwrap().id());
        assert_eq!(SliceRequest::default().id(), "");
    }

    #[test]
    fn rows_tell_their_parent_whatever_their_own_fields_are_called() {
        let slice = ChildRequest::default()
            .path("id", "c1")
            .path("owner", "o")
            .query("project", 7i64);
        let has = |name: &str| matches!(name, "id" | "project");
        let columns = slice
            .finish()
            .unwrap()
            .row_columns("campaigns", has, |name| name == "id");
        let names: Vec<&String> = columns.keys().collect();
        assert_eq!(names, ["campaigns_id", "owner"]);
    }

    #[test]
    fn values_of_the_parents_request_are_inherited() {
        let parent = ChildRequest::default().path("repo", "r").query("org", "o");
        let parent = parent.finish().unwrap();
        let child = ChildRequest::below(&parent)
            .inherit("repo")
            .inherit_as("owner", "org")
            .path("number", 7i64);
        let id = child.finish().unwrap().id();
        assert_eq!(id, r#"{"path":{"number":"7","owner":"o","repo":"r"}}"#);
        let missing = ChildRequest::below(&parent).inherit("team").finish();
        assert_eq!(missing.unwrap_err().query["team"], "");
    }

    #[test]
    fn a_slice_whose_parent_has_no_value_for_it_cannot_be_requested() {
        let request = ChildRequest::default()
            .path("a", 1i64)
            .query("b", None::<String>)
            .query("c", "");
        let slice = request.finish().unwrap_err();
        assert_eq!(slice.id(), r#"{"path":{"a":"1"},"query":{"b":"","c":""}}"#);
        assert!(slice.lacks_a_value());
    }
}
