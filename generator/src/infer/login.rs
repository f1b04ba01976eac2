//! Finds the requests that return the token of the API, where the document has any.

use serde_json::Value;

use crate::spec::api::{Api, Operation};

use super::facts::LoginFacts;
use super::node::Node;
use super::words::{flat, segments};

/// Last segments of paths that return a token.
const PATHS: [&str; 13] = [
    "login",
    "signin",
    "logon",
    "authenticate",
    "auth",
    "authwithpassword",
    "token",
    "tokens",
    "accesstoken",
    "jwt",
    "local",
    "session",
    "sessions",
];
const USERS: [&str; 8] = [
    "username",
    "email",
    "user",
    "login",
    "name",
    "identifier",
    "identity",
    "emailorusername",
];
const TOKENS: [&str; 9] = [
    "accesstoken",
    "token",
    "jwt",
    "jwttoken",
    "authtoken",
    "apitoken",
    "bearertoken",
    "sessiontoken",
    "idtoken",
];

/// Returns the first request that returns a token, such as `POST /security/login`.
pub fn login(api: &Api) -> Option<String> {
    let mut logins = api.operations.iter();
    let found = logins.find(|operation| trade(api, operation).is_some())?;
    Some(format!("POST {}", found.path))
}

/// Returns the login that the connector can do by itself: the only one of the document, whose body
/// requires nothing that the document does not say.
pub(super) fn only(api: &Api) -> Option<LoginFacts> {
    let logins = api.operations.iter();
    let mut logins = logins.filter_map(|operation| Some((operation, trade(api, operation)?)));
    let (operation, trade) = logins.next()?;
    if logins.next().is_some() || operation.path.contains('{') {
        return None;
    }
    facts(api, operation, trade)
}

/// Returns the login at a path, if the document describes what it takes and returns. The fields
/// that it requires besides may be unknown.
pub fn at(api: &Api, path: &str) -> Option<LoginFacts> {
    let mut logins = api.operations.iter();
    let operation = logins.find(|it| it.method == "post" && it.path == path)?;
    let trade = trade_of(api, operation)?;
    let known = facts(api, operation, trade.clone());
    known.or_else(|| Some(plain(operation, trade)))
}

/// The places of what a login takes and returns, as dotted paths.
#[derive(Clone)]
struct Trade {
    user: String,
    password: String,
    token: String,
}

/// Returns what an operation with the path of a login trades.
fn trade(api: &Api, operation: &Operation) -> Option<Trade> {
    let last = segments(&operation.path).pop().unwrap_or_default();
    PATHS
        .contains(&flat(last).as_str())
        .then(|| trade_of(api, operation))?
}

/// Returns what an operation trades, if it takes a user and a password and returns a token.
fn trade_of(api: &Api, operation: &Operation) -> Option<Trade> {
    if operation.method != "post" {
        return None;
    }
    let asked = Node::of_schema(api, operation.request_body?);
    let given = Node::of_response(api, operation.response.as_ref()?);
    Some(Trade {
        user: place(&asked, &USERS)?,
        password: place(&asked, &["password"])?,
        token: place(&given, &TOKENS)?,
    })
}

/// Returns the dotted path of the first scalar with one of the names, one level deep at most. The
/// earlier of the names wins.
fn place(node: &Node<'_>, names: &[&str]) -> Option<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let rank = |name: &str| names.iter().position(|known| *known == flat(name));
    for (name, node) in node.properties() {
        let inner = node.properties();
        if inner.is_empty() {
            found.extend(rank(&name).map(|rank| (rank, name.clone())));
        }
        found.extend(inner.into_iter().filter_map(|(key, node)| {
            let scalar = node.properties().is_empty();
            let rank = rank(&key).filter(|_| scalar)?;
            Some((rank + names.len(), format!("{name}.{key}")))
        }));
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().next().map(|(_, place)| place)
}

/// Returns a login with the other values that its body takes; `None`: it requires a value that the
/// document does not say.
fn facts(api: &Api, operation: &Operation, trade: Trade) -> Option<LoginFacts> {
    let body = Node::of_schema(api, operation.request_body?);
    let required = body.required();
    let top = |place: &str| place.split('.').next().unwrap_or_default().to_owned();
    let (user, password) = (top(&trade.user), top(&trade.password));
    let mut login = plain(operation, trade);
    for (name, node) in body.properties() {
        if name == user || name == password {
            continue;
        }
        match chosen(&node) {
            Some(value) => login.fixed.push((name, value)),
            None if required.contains(&name.as_str()) => return None,
            None => {}
        }
    }
    Some(login)
}

fn plain(operation: &Operation, trade: Trade) -> LoginFacts {
    LoginFacts {
        path: operation.path.clone(),
        user: trade.user,
        password: trade.password,
        fixed: Vec::new(),
        token: trade.token,
        header: None,
    }
}

/// Returns the value of a field that the document chooses: its only value, its default, or the
/// example among its values.
fn chosen(node: &Node<'_>) -> Option<Value> {
    if let [only] = node.values().as_slice() {
        return Some((*only).into());
    }
    let listed = |value: &&Value| {
        let text = value.as_str().unwrap_or_default();
        node.values().contains(&text)
    };
    let scalar = |value: &&Value| !value.is_object() && !value.is_array() && !value.is_null();
    let default = node.default().filter(scalar);
    default
        .or_else(|| node.own_examples().iter().find(listed))
        .cloned()
}
