//! One request, before credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use etlgen_model::StatusRule;
use reqwest::Url;

use super::auth::Auth;
use super::seal::{self, Marked};
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};

/// GET for lists; POST for lists whose parameters are in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// One request, before credentials: `url` holds the path and every query parameter.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Option<serde_json::Value>,
    /// The credentials that replace the client's.
    pub auth: Option<Auth>,
    /// Rules for certain statuses.
    pub rules: Arc<BTreeMap<u16, StatusRule>>,
    /// Whether the request only asks if something exists, so that a refusal, a server error or an
    /// error in a 2xx response is an answer and not a failure.
    pub asks_whether: bool,
}

impl Request {
    /// Builds a request. `path` is a template (`/repos/{owner}/{repo}`); each `{name}` is filled
    /// from `parameters`, percent-encoded so that a value can never add a segment.
    pub fn build(
        method: Method,
        base: &Url,
        path: &str,
        parameters: &[(String, String)],
    ) -> Result<Self> {
        let mut url = base.clone();
        let bad = |message: String| {
            Error::new(ErrorKind::Usage, message).at(format!("{} {path}", method.name()))
        };
        let mut whole = url.path().trim_end_matches('/').to_owned();
        for template in path.strip_prefix('/').unwrap_or(path).split('/') {
            let segment = fill(template, parameters).map_err(bad)?;
            // `.` and `..` would be resolved and lead to another resource.
            if is_dots(&segment) {
                return Err(bad(format!("`{segment}` is not a valid segment of a path")));
            }
            whole.push('/');
            whole.push_str(&segment);
        }
        url.set_path(&whole);
        Ok(Request {
            method,
            url,
            headers: Vec::new(),
            body: None,
            auth: None,
            rules: Arc::default(),
            asks_whether: false,
        })
    }

    /// Returns whether one of these values cannot be part of this path, whatever its encoding: it is
    /// empty, or makes a segment `.` or `..`.
    pub fn refuses(path: &str, values: &BTreeMap<String, String>) -> bool {
        let parameters: Vec<_> = values.clone().into_iter().collect();
        let mut segments = path.split('/');
        segments.any(|template| {
            let of_values = values
                .keys()
                .any(|name| template.contains(&format!("{{{name}}}")));
            let empty = |name: &str, value: &str| {
                value.is_empty() && template.contains(&format!("{{{name}}}"))
            };
            of_values
                && (values.iter().any(|(name, value)| empty(name, value))
                    || fill(template, &parameters).is_ok_and(|segment| is_dots(&segment)))
        })
    }

    /// Sets a query parameter, replacing others of the same name.
    pub fn set_query(&mut self, name: &str, value: &str) {
        let kept: Vec<(String, String)> = self
            .url
            .query_pairs()
            .filter(|(n, _)| n != name)
            .map(|(n, v)| (n.into_owned(), v.into_owned()))
            .collect();
        let mut pairs = self.url.query_pairs_mut();
        pairs.clear();
        pairs.extend_pairs(kept);
        pairs.append_pair(name, value);
    }

    /// Sets a value at a dotted path of the JSON object that a query parameter carries.
    pub fn set_json(&mut self, name: &str, path: &str, value: serde_json::Value) {
        let mut pairs = self.url.query_pairs();
        let known = pairs.find(|(known, _)| known == name);
        let text = with_field(known.as_ref().map(|(_, text)| text.as_ref()), path, value);
        self.set_query(name, &text);
    }

    /// Sets a value among the names and values that a query parameter joins by commas
    /// (`limit,20,offset,40`).
    pub fn set_pair(&mut self, name: &str, field: &str, value: &str) {
        let known = self.url.query_pairs().find(|(known, _)| known == name);
        let known = known.map(|(_, text)| text.into_owned());
        let text = with_pair(known.as_deref(), field, value);
        self.set_query(name, &text);
        // The commas separate, and so they are not encoded.
        let query = self.url.query().unwrap_or_default();
        let (before, own) = query.rsplit_once('&').unwrap_or(("", query));
        let own = own.replace("%2C", ",");
        let query = match before {
            "" => own,
            before => format!("{before}&{own}"),
        };
        self.url.set_query(Some(&query));
    }

    /// Sets a value of the JSON body at a dotted path.
    pub fn set_body(&mut self, path: &str, value: serde_json::Value) {
        put(self.body.get_or_insert_default(), path, value);
    }

    /// Returns whether the request contains the secret, in its URL, its headers or its body.
    pub fn carries(&self, secret: &Secret) -> bool {
        let redactor = Redactor::new(vec![secret.clone()]);
        let holds = |text: &str| redactor.redact(text) != text;
        let mut headers = self.headers.iter();
        holds(self.url.as_str())
            || headers.any(|(_, value)| holds(value))
            || self
                .body
                .as_ref()
                .is_some_and(|body| holds(&body.to_string()))
    }

    /// Replaces placeholders by their secrets.
    pub fn open(&mut self, marked: &[Marked]) {
        seal::open_url(&mut self.url, marked);
        if let Some(body) = &mut self.body {
            let mut text = body.to_string();
            seal::open_json(&mut text, marked);
            if let Ok(opened) = serde_json::from_str(&text) {
                *body = opened;
            }
        }
    }

    /// Returns the name of the request in errors and cassettes (`GET /v1/customers?limit=100`).
    pub fn describe(&self) -> String {
        let query = self
            .url
            .query()
            .map(|q| format!("?{q}"))
            .unwrap_or_default();
        format!("{} {}{query}", self.method.name(), self.url.path())
    }
}

/// Returns a JSON object as text, with a value at a dotted path. `known` holds its other fields.
pub fn with_field(known: Option<&str>, path: &str, value: serde_json::Value) -> String {
    let known = known.and_then(|text| serde_json::from_str(text).ok());
    let mut object: serde_json::Value = known.unwrap_or_default();
    put(&mut object, path, value);
    object.to_string()
}

/// Returns names and values that are joined by commas, with one value set.
pub fn with_pair(known: Option<&str>, field: &str, value: &str) -> String {
    let mut parts: Vec<&str> = known.into_iter().flat_map(|text| text.split(',')).collect();
    let names = parts.iter().step_by(2).position(|name| *name == field);
    match names.and_then(|at| parts.get_mut(at.saturating_mul(2).saturating_add(1))) {
        Some(there) => *there = value,
        None => parts.extend([field, value]),
    }
    parts.join(",")
}

/// Puts a value at a dotted path. What is no object on the way becomes one.
fn put(place: &mut serde_json::Value, path: &str, value: serde_json::Value) {
    let mut place = place;
    for key in path.split('.') {
        if !place.is_object() {
            *place = serde_json::Value::Object(Default::default());
        }
        let serde_json::Value::Object(object) = place else {
            return;
        };
        place = object.entry(key).or_insert(serde_json::Value::Null);
    }
    *place = value;
}

/// Returns whether a segment leads to another place in its path.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    matches!(plain.as_str(), "." | "..")
}

/// Fills the `{name}`s of one path segment.
fn fill(template: &str, parameters: &[(String, String)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            break;
        };
        let value = parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str());
        encode(&mut filled, before, true);
        match value {
            Some("") => return Err(format!("the path parameter `{name}` is empty")),
            Some(value) => encode(&mut filled, value, false),
            None => return Err(format!("nothing supplies the path parameter `{name}`")),
        }
        rest = after;
    }
    encode(&mut filled, rest, true);
    Ok(filled)
}

/// Percent-encodes characters that a path segment may not contain (RFC 3986, `pchar`). `keep`
/// leaves existing escapes unchanged.
fn encode(out: &mut String, text: &str, keep: bool) {
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
        let digits = after.get(..2);
        let digits = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let encoded = keep && byte == b'%' && digits;
        match plain || encoded {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(path: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let base = Url::parse("https://api.example/base").unwrap();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        Request::build(Method::Get, &base, path, &parameters).map(|request| request.url.to_string())
    }

    #[test]
    fn path_parameters_are_encoded_and_cannot_climb() {
        assert_eq!(
            build("/a/{x}/b", &[("x", "p/q?r#s")]).unwrap(),
            "https://api.example/base/a/p%2Fq%3Fr%23s/b"
        );
        assert_eq!(
            build("/a/{x}.{y}", &[("x", "1"), ("y", "json")]).unwrap(),
            "https://api.example/base/a/1.json"
        );
        assert_eq!(
            build("/a%41/b\rc/ü/{x}", &[("x", "%41")]).unwrap(),
            "https://api.example/base/a%41/b%0Dc/%C3%BC/%2541"
        );
        assert_eq!(build("//a/", &[]).unwrap(), "https://api.example/base//a/");
        assert!(build("/a/%2E%2e/b", &[]).is_err());
        assert!(build("/a/{x}", &[("x", "..")]).is_err());
        assert!(build("/a/{x}", &[("x", "")]).is_err());
        assert!(build("/a/{x}", &[]).is_err());
    }

    #[test]
    fn a_field_of_a_json_parameter_keeps_the_others() {
        let base = Url::parse("https://api.example").unwrap();
        let mut request = Request::build(Method::Get, &base, "/a", &[]).unwrap();
        request.set_query("q", r#"{"order":"id"}"#);
        request.set_json("q", "page", 0.into());
        request.set_json("q", "size", 100.into());
        request.set_json("q", "page", 1.into());
        let value = request.url.query_pairs().next().unwrap().1.into_owned();
        assert_eq!(value, r#"{"order":"id","page":1,"size":100}"#);
    }

    #[test]
    fn a_pair_of_a_parameter_is_set_once_and_keeps_the_others() {
        let base = Url::parse("https://api.example").unwrap();
        let mut request = Request::build(Method::Get, &base, "/a", &[]).unwrap();
        request.set_query("page", "sort,id");
        request.set_query("b", "1,2");
        request.set_pair("page", "limit", "20");
        request.set_pair("page", "offset", "20");
        request.set_pair("page", "offset", "4 0");
        let asked = "GET /a?b=1%2C2&page=sort,id,limit,20,offset,4+0";
        assert_eq!(request.describe(), asked);
        let mut alone = Request::build(Method::Get, &base, "/a", &[]).unwrap();
        alone.set_pair("page", "offset", "40");
        assert_eq!(alone.describe(), "GET /a?page=offset,40");
    }

    #[test]
    fn a_query_parameter_is_set_once() {
        let base = Url::parse("https://api.example").unwrap();
        let mut request = Request::build(Method::Get, &base, "/a", &[]).unwrap();
        request.set_query("created[gte]", "1");
        request.set_query("limit", "2");
        request.set_query("created[gte]", "3&4");
        assert_eq!(request.describe(), "GET /a?limit=2&created%5Bgte%5D=3%264");
    }
}
