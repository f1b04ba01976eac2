//! A request that exchanges a user and a password for a token, as the API itself declares it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::auth::Auth;
use super::oauth::Grant;
use crate::settings::Secret;

/// A login of the API: `POST` with a JSON body that holds a user and a password. A token is fetched
/// before the first request, shortly before it expires if the response says when, and once more
/// if the API answers 401.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// let auth = Login::post("/security/login")
///     .user("username", "ann")
///     .password("password", "a-password")
///     .field("provider", "db")
///     .token("access_token");
/// let source = Source::new("shop", "https://api.example/v1").auth(auth);
/// # let _ = source;
/// ```
pub struct Login {
    path: String,
    fields: Vec<(String, Field)>,
}

/// The value of a field of the body.
enum Field {
    Fixed(Value),
    User(Secret),
    Password(Secret),
}

impl Login {
    /// Creates a login at a path below the base URL.
    pub fn post(path: &str) -> Self {
        Login {
            path: path.to_owned(),
            fields: Vec::new(),
        }
    }

    /// Sets the field of the user; a dotted name (`user.email`) is a field of an object.
    pub fn user(self, name: &str, user: impl Into<Secret>) -> Self {
        self.with(name, Field::User(user.into()))
    }

    /// Sets the field of the password, which is never printed.
    pub fn password(self, name: &str, password: impl Into<Secret>) -> Self {
        self.with(name, Field::Password(password.into()))
    }

    /// Sets a field with a fixed value.
    pub fn field(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(name, Field::Fixed(value.into()))
    }

    /// Sends the token at this place of the response as `Authorization: Bearer …`.
    pub fn token(self, place: &str) -> Auth {
        self.token_in(place, "Authorization", "Bearer ")
    }

    /// Sends the token at this place of the response in a header, after a prefix, which may be
    /// empty.
    pub fn token_in(self, place: &str, header: &str, prefix: &str) -> Auth {
        Auth::fetched(Arc::new(Grant::login(self, place)), header, prefix)
    }

    fn with(mut self, name: &str, field: Field) -> Self {
        self.fields.push((name.to_owned(), field));
        self
    }

    /// Returns the path relative to the base URL.
    pub(super) fn path(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    /// Returns the passwords, for redaction.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.fields.iter().filter_map(|(_, field)| match field {
            Field::Password(password) => Some(password.clone()),
            Field::Fixed(_) | Field::User(_) => None,
        })
    }

    /// Returns the JSON body.
    pub(super) fn body(&self) -> Value {
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
        let login = Login::post("/login")
            .user("user.email", "ann")
            .password("user.password", "p")
            .field("remember", true);
        let body = serde_json::json!({"user": {"email": "ann", "password": "p"}, "remember": true});
        assert_eq!(login.body(), body);
        assert_eq!(text_at(&body, "user.email"), Some("ann"));
        assert_eq!(text_at(&body, "user.none"), None);
    }
}
