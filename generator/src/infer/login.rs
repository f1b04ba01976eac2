//! Finds the request that returns the token of the API, where the document has one.

use crate::spec::api::{Api, Operation};

use super::node::Node;
use super::words::{flat, segments};

/// Last segments of paths that return a token.
const PATHS: [&str; 7] = [
    "login",
    "token",
    "tokens",
    "signin",
    "authenticate",
    "session",
    "sessions",
];
const USERS: [&str; 5] = ["username", "email", "user", "login", "name"];
const TOKENS: [&str; 6] = [
    "accesstoken",
    "token",
    "jwt",
    "authtoken",
    "apitoken",
    "idtoken",
];

/// Returns the request, such as `POST /security/login`: it takes a user and a password, and returns
/// a token.
pub fn login(api: &Api) -> Option<String> {
    let logins = api.operations.iter();
    let mut logins = logins.filter(|operation| {
        let last = segments(&operation.path).pop().unwrap_or_default();
        operation.method == "post" && PATHS.contains(&flat(last).as_str()) && trades(api, operation)
    });
    let found = logins.next()?;
    Some(format!("POST {}", found.path))
}

/// Returns whether an operation takes a user and a password, and returns a token.
fn trades(api: &Api, operation: &Operation) -> bool {
    let names = |node: &Node<'_>| -> Vec<String> {
        let mut names: Vec<String> = node.properties().keys().map(|name| flat(name)).collect();
        for inner in node.properties().values() {
            names.extend(inner.properties().keys().map(|name| flat(name)));
        }
        names
    };
    let Some(body) = operation.request_body else {
        return false;
    };
    let Some(response) = &operation.response else {
        return false;
    };
    let asked = names(&Node::of_schema(api, body));
    let given = names(&Node::of_response(api, response));
    let has = |names: &[String], wanted: &[&str]| {
        names.iter().any(|name| wanted.contains(&name.as_str()))
    };
    has(&asked, &["password"]) && has(&asked, &USERS) && has(&given, &TOKENS)
}
