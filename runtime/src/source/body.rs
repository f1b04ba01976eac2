//! The fields of a request's JSON body that parameters fill.

use serde_json::Value;

use super::child::ParamValue;
use super::resource::Resource;
use crate::record::Record;

impl<T: Record> Resource<T> {
    /// Adds a text to the JSON body of every request. Without a value, reading the resource is an
    /// error that names the field. A call of [`Resource::body`] comes first, as it sets the whole
    /// body.
    pub fn body_text(self, field: &str, value: impl ParamValue) -> Self {
        self.body_field(field, "a text", value, |text| Some(Value::from(text)))
    }

    /// Adds a number to the JSON body of every request, like [`Resource::body_text`]. A value that
    /// is not a number is an error, too.
    pub fn body_number(self, field: &str, value: impl ParamValue) -> Self {
        let number = |text: &str| serde_json::from_str(text).ok().map(Value::Number);
        self.body_field(field, "a number", value, number)
    }

    /// Adds `true` or `false` to the JSON body of every request, like [`Resource::body_text`]. A
    /// value that is neither is an error, too.
    pub fn body_bool(self, field: &str, value: impl ParamValue) -> Self {
        let flag = |text: &str| text.parse().ok().map(Value::Bool);
        self.body_field(field, "`true` or `false`", value, flag)
    }

    fn body_field(
        mut self,
        field: &str,
        what: &str,
        value: impl ParamValue,
        read: impl Fn(&str) -> Option<Value>,
    ) -> Self {
        let Some(text) = self.value(field, value) else {
            return self;
        };
        match read(text.trim()) {
            Some(value) => {
                let empty = || Value::Object(Default::default());
                let body = self.spec.body.get_or_insert_with(empty);
                if let Value::Object(fields) = body {
                    fields.insert(field.to_owned(), value);
                }
            }
            None => {
                let message = format!("the value of `{field}` is not {what}");
                self.spec.wrong.get_or_insert(message);
            }
        }
        self
    }
}
