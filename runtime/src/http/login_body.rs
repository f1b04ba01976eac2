//! The JSON body of a login, and the token in its response.

use serde_json::{Map, Value};

use crate::settings::Secret;

/// A login of the API as a grant sends it.
pub(super) struct LoginBody {
    path: String,
    fields: Vec<(String, Field)>,
    /// The dotted path of the token in the response.
    pub(super) token: String,
}

/// The value of a field of the body.
pub(super) enum Field {
    Fixed(Value),
    User(Secret),
    Password(Secret),
}

impl LoginBody {
    pub fn new(path: &str) -> Self {
        LoginBody {
            path: path.to_owned(),
            fields: Vec::new(),
            token: String::new(),
        }
    }

    pub fn put(&mut self, name: &str, field: Field) {
        self.fields.push((name.to_owned(), field));
    }

    /// Returns the path relative to the base URL.
    pub fn path(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    /// Returns the passwords, for redaction.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.fields.iter().filter_map(|(_, field)| match field {
            Field::Password(password) => Some(password.clone()),
            Field::Fixed(_) | Field::User(_) => None,
        })
    }

    /// Returns the JSON body.
    pub fn json(&self) -> Value {
        let mut body = Map::new();
        for (name, field) in &self.fields {
            let value = match field {
                Field::Fixed(value) => value.clone(),
                Field::User(text) | Field::Password(text) => text.expose().into(),
            };
            put(&mut body, name, value);
        }
        Value::Object(body)
    }
}

/// Sets the value at a dotted path.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), value);
        return;
    };
    let inner = object.entry(first).or_insert_with(|| Map::new().into());
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// Returns the text at a dotted path.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    let mut keys = path.split('.');
    keys.try_fold(value, |value, key| value.get(key))?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_names_are_fields_of_objects() {
        let mut login = LoginBody::new("/login");
        login.put("user.email", Field::User("ann".into()));
        login.put("user.password", Field::Password("p".into()));
        login.put("remember", Field::Fixed(true.into()));
        let body = serde_json::json!({"user": {"email": "ann", "password": "p"}, "remember": true});
        assert_eq!(login.json(), body);
        assert_eq!(text_at(&body, "user.email"), Some("ann"));
        assert_eq!(text_at(&body, "user.none"), None);
    }
}
