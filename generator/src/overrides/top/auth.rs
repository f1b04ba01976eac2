//! `auth`: how requests carry credentials.

use serde_json::Value as Json;

use crate::infer::facts::{AuthFacts, LoginFacts};
use crate::infer::{login, of_scheme};
use crate::near::{listed, nearest};
use crate::overrides::about::{About, Part};
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::subject::{Whole, sure};
use crate::overrides::value::{Table, Value};
use crate::spec::api::{Api, SecurityScheme};

/// The credentials that the owner chooses.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    /// A kind, or the name of a scheme of the document.
    Named(String),
    /// A request that returns the token.
    Login(Login),
}

/// A login. What it leaves out is what the document says.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    path: String,
    user: Option<String>,
    password: Option<String>,
    body: Vec<(String, Json)>,
    token: Option<String>,
    header: Option<String>,
    prefix: Option<String>,
}

/// The kinds, besides the names of the document's schemes.
const KINDS: [&str; 5] = ["bearer", "basic", "oauth2", "api_key", "none"];
/// The most names in a hint.
const NAMES: usize = 12;

impl Key for Auth {
    const ABOUT: About = About {
        name: "auth",
        takes: "the name of a security scheme of the document, `\"bearer\"`, `\"basic\"`, `\"oauth2\"`, `\"api_key\"`, \
                `\"none\"`, or a table with `login`",
        does: "How requests carry credentials, for every resource. A table names a request of the API that takes a \
               user and a password and returns a token: the connector fetches the token and renews it. By default what \
               the document's operations accept. Where these accept a token and something from which tokens are \
               fetched, whoever runs the connector sets one of the two.",
        examples: &[
            "auth = \"bearer\"",
            "auth = \"OAuth2PasswordBearer\"",
            "auth = { login = \"/security/login\", body = { provider = \"db\" }, token = \"access_token\" }",
        ],
        parts: &[
            Part {
                name: "login",
                takes: "a path of the API",
                does: "The path of the login, which is a POST with a JSON body.",
            },
            Part {
                name: "user",
                takes: "a field of the body",
                does: "The field of the user. By default what the document declares, or `username`.",
            },
            Part {
                name: "password",
                takes: "a field of the body",
                does: "The field of the password. By default what the document declares, or `password`.",
            },
            Part {
                name: "body",
                takes: "a table of values",
                does: "The other fields of the body, which are no secrets.",
            },
            Part {
                name: "token",
                takes: "a field of the response",
                does: "The place of the token. By default what the document declares, or `access_token`.",
            },
            Part {
                name: "header",
                takes: "the name of a header",
                does: "The header that carries the token. By default `Authorization`, with `Bearer ` before the token.",
            },
            Part {
                name: "prefix",
                takes: "a text",
                does: "What stands before the token in `header`. By default nothing.",
            },
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        if !value.is_table() {
            return value.text(faults).map(Auth::Named);
        }
        let table = value.table(Self::ABOUT.takes, faults)?;
        table.refuse_other_parts(&Self::ABOUT, faults);
        login_of(value, &table, faults).map(Auth::Login)
    }
}

/// Reads the table of a login.
fn login_of(value: &Value<'_>, table: &Table<'_>, faults: &mut Faults) -> Option<Login> {
    let Some(path) = table.get("login") else {
        let message = "`auth` has no `login`, the path of the request that returns the token";
        faults.add(value.place, message);
        return None;
    };
    let path = path.text(faults)?;
    let mut text = |name: &str| table.get(name).and_then(|value| value.text(faults));
    let [user, password, token, header] = ["user", "password", "token", "header"].map(&mut text);
    let prefix = table.get("prefix").and_then(Value::as_text);
    let mut body = Vec::new();
    if let Some(fields) = table.get("body") {
        let fields = fields.table("a table such as { provider = \"db\" }", faults)?;
        for entry in fields.entries() {
            body.push((entry.name.clone(), entry.value.json(faults)?));
        }
    }
    Some(Login {
        path: format!("/{}", path.trim_start_matches('/')),
        user,
        password,
        body,
        token,
        header,
        prefix: prefix.map(str::to_owned),
    })
}

impl TopKey for Auth {
    fn apply(&self, place: Place, on: &mut Whole<'_>) {
        let value = match self {
            Auth::Named(name) => match named(on.api, name) {
                Some(value) => value,
                None => return unknown(on, place, name),
            },
            Auth::Login(login) => AuthFacts::Login(login.facts(on.api)),
        };
        on.facts.auth = sure(value);
        for resource in &mut on.facts.resources {
            resource.auth = None;
        }
    }
}

/// Returns the credentials of a scheme, or else of a kind. Bearer tokens and Basic need no scheme.
fn named(api: &Api, name: &str) -> Option<AuthFacts> {
    if let Some(scheme) = api.security_schemes.get(name) {
        return of_scheme(scheme);
    }
    let first = |wanted: fn(&SecurityScheme) -> bool| {
        let mut schemes = api.security_schemes.values();
        schemes.find(|scheme| wanted(scheme)).and_then(of_scheme)
    };
    match name {
        "none" => Some(AuthFacts::None),
        "bearer" => Some(AuthFacts::Bearer),
        "basic" => Some(AuthFacts::Basic),
        "oauth2" => first(|scheme| matches!(scheme, SecurityScheme::OAuth2 { .. })),
        "api_key" => first(|scheme| matches!(scheme, SecurityScheme::ApiKey { .. })),
        _ => None,
    }
}

/// Adds the mistake that neither the document nor etlgen has credentials of that name.
fn unknown(on: &mut Whole<'_>, place: Place, name: &str) {
    let schemes = &on.api.security_schemes;
    let usable = schemes
        .iter()
        .filter(|(_, scheme)| of_scheme(scheme).is_some());
    let mut names: Vec<&str> = usable.map(|(name, _)| name.as_str()).collect();
    let kinds = KINDS.iter().copied();
    names.extend(kinds.filter(|kind| named(on.api, kind).is_some()));
    let message = match schemes.contains_key(name) {
        true => format!("etlgen cannot send the credentials of the security scheme `{name}`"),
        false => format!("the document has no security scheme `{name}`"),
    };
    let there = format!("`auth` takes {}", listed(&names, NAMES));
    let hint = match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`? {there}"),
        None => there,
    };
    on.faults.add(place, message).hint(hint);
}

impl Login {
    /// Completes the login with what the document declares.
    fn facts(&self, api: &Api) -> LoginFacts {
        let known = login::at(api, &self.path);
        let or = |own: &Option<String>, said: Option<&String>, usual: &str| {
            let said = || said.cloned().unwrap_or_else(|| usual.to_owned());
            own.clone().unwrap_or_else(said)
        };
        let said = known.as_ref();
        let mut fixed = self.body.clone();
        let others = said.iter().flat_map(|login| &login.fixed);
        let others = others.filter(|(name, _)| self.body.iter().all(|(own, _)| own != name));
        fixed.extend(others.cloned());
        LoginFacts {
            path: self.path.clone(),
            user: or(&self.user, said.map(|login| &login.user), "username"),
            password: or(
                &self.password,
                said.map(|login| &login.password),
                "password",
            ),
            fixed,
            token: or(&self.token, said.map(|login| &login.token), "access_token"),
            header: self
                .header
                .clone()
                .map(|header| (header, self.prefix.clone().unwrap_or_default())),
        }
    }
}
