//! A request that exchanges a user and a password for a token, as the API itself declares it.

use serde_json::Value;

use super::auth::Auth;
use super::login_body::{Field, LoginBody};
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
pub struct Login(LoginBody);

impl Login {
    /// Creates a login at a path below the base URL.
    pub fn post(path: &str) -> Self {
        Login(LoginBody::new(path))
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
    pub fn token_in(mut self, place: &str, header: &str, prefix: &str) -> Auth {
        self.0.token = place.to_owned();
        Auth::by_login(self.0, header, prefix)
    }

    fn with(mut self, name: &str, field: Field) -> Self {
        self.0.put(name, field);
        self
    }
}
