//! The columns of a child that come from outside of its records.

use std::collections::BTreeMap;

use super::child::SliceRequest;
use super::path::placeholders;
use super::resource::ResourceSpec;
use crate::record::RecordSchema;

impl ResourceSpec {
    /// Returns the columns that each row of a slice gets from its request.
    pub fn row_columns(
        &self,
        request: &SliceRequest,
        schema: &RecordSchema,
    ) -> BTreeMap<String, Option<String>> {
        request.row_columns(
            self.parent.as_ref().map_or("", |parent| &parent.resource),
            |name| schema.position(name).is_some(),
            |name| {
                let mut keys = self.primary_key.iter();
                keys.any(|keys| keys.len() == 1 && keys[0] == name)
            },
        )
    }

    /// Returns the columns that each row of a child gets from the parameters of its path; whether
    /// there are more is known only when its parent has been read.
    pub fn path_columns(&self, schema: &RecordSchema) -> Vec<String> {
        let names = placeholders(&self.path).filter(|_| self.parent.is_some());
        let names = names.filter(|name| !self.path_values.contains_key(*name));
        let request = SliceRequest {
            path: names.map(|name| (name.to_owned(), String::new())).collect(),
            ..SliceRequest::default()
        };
        self.row_columns(&request, schema).into_keys().collect()
    }
}
