//! A folder of recorded exchanges, one file per exchange: recorded during a run, without secrets,
//! and replayed later without a network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::replay::{Exchange, RecordedRequest, RecordedResponse, decoded_path};
use super::request::Request;
use super::wire::Answer;
use crate::error::{Error, ErrorKind, Result};
use crate::record::json::compact;
use crate::settings::{Redactor, Secret, private_file};

/// Writes exchanges into a folder: `000001-get-v1-customers.json`.
pub(super) struct Recorder {
    folder: PathBuf,
    written: AtomicU64,
}

/// Keys of bodies and query parameters whose values are always secret.
const SECRET_KEYS: [&str; 12] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "api_key",
    "apikey",
    "password",
    "private_key",
    "secret",
    "signature",
    "sig",
    "authorization",
];
/// Parts of the names of request headers whose values are secret.
const SECRET_HEADERS: [&str; 8] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "key",
    "session",
    "signature",
    "password",
];
/// Response headers that do not describe the recorded body, which is decompressed and complete.
const LEFT_OUT: [&str; 5] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];

impl Recorder {
    /// Creates a recorder for a folder that is new or empty.
    pub fn new(folder: &Path) -> Result<Self> {
        let place = |error: std::io::Error| Error::from(error).at(folder.display().to_string());
        std::fs::create_dir_all(folder).map_err(place)?;
        if std::fs::read_dir(folder).map_err(place)?.next().is_some() {
            let message = format!("the folder {} is not empty", folder.display());
            return Err(Error::new(ErrorKind::Usage, message).hint("record into a new folder"));
        }
        Ok(Recorder {
            folder: folder.to_owned(),
            written: AtomicU64::new(0),
        })
    }

    /// Writes one exchange; `headers` are the declared headers of the request, without credentials.
    pub fn write(
        &self,
        request: &Request,
        headers: &HeaderMap,
        answer: &Answer,
        mut secrets: Vec<Secret>,
    ) -> Result<()> {
        let text = String::from_utf8_lossy(&answer.body);
        let parsed = serde_json::from_str::<Value>(&text).ok();
        for json in [&parsed, &request.body].into_iter().flatten() {
            collect(json, false, &mut secrets);
        }
        for (name, value) in request.url.query_pairs() {
            if SECRET_KEYS.contains(&name.to_lowercase().as_str()) {
                secrets.push(Secret::new(value));
            }
        }
        // A body is stored as JSON if that loses nothing (digits of numbers, repeated keys).
        let (body, text) = match parsed {
            Some(json) if *compact(&text) == *json.to_string() => (json, None),
            _ if text.is_empty() => (Value::Null, Some(String::new())),
            _ => (Value::Null, Some(text.into_owned())),
        };
        let exchange = Exchange {
            request: RecordedRequest {
                method: request.method.name().to_owned(),
                path: decoded_path(&request.url),
                headers: sent_headers(headers, request),
                body: request.body.clone(),
            },
            response: RecordedResponse {
                status: answer.status,
                headers: received_headers(&answer.headers),
                body,
                text,
            },
        };
        let mut json = serde_json::to_value(&exchange)
            .map_err(|error| Error::new(ErrorKind::System, error.to_string()))?;
        redact(&mut json, &Redactor::new(secrets));
        let file = self.folder.join(self.file_name(&json));
        let written = private_file(&file, format!("{json:#}\n").as_bytes());
        written.map_err(|error| Error::from(error).at(file.display().to_string()))
    }

    /// Returns the name of the file for an exchange (`000001-get-v1-customers.json`).
    fn file_name(&self, exchange: &Value) -> String {
        let number = self.written.fetch_add(1, Relaxed).saturating_add(1);
        let of = |key: &str| exchange["request"][key].as_str().unwrap_or_default();
        let path = of("path").split('?').next().unwrap_or_default();
        let path: String = path
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        let (method, path) = (of("method").to_lowercase(), path.trim_end_matches('-'));
        format!("{number:06}-{method}{path}.json")
    }
}

fn sent_headers(declared: &HeaderMap, request: &Request) -> BTreeMap<String, String> {
    let declared = declared
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let own = request.headers.iter();
    let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
    let shown = |(name, value): (&str, &str)| {
        let name = name.to_lowercase();
        let secret = SECRET_HEADERS.iter().any(|part| name.contains(part));
        let value = if secret { "***" } else { value };
        (name, value.to_owned())
    };
    declared.chain(own).map(shown).collect()
}

fn received_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut received: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let (name, value) = (name.as_str(), String::from_utf8_lossy(value.as_bytes()));
        if LEFT_OUT.contains(&name) {
            continue;
        }
        let value = match name {
            "set-cookie" | "authorization" => "***".into(),
            _ => value,
        };
        // Several values of one name become one list.
        received
            .entry(name.to_owned())
            .and_modify(|list| *list = format!("{list}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    received
}

/// Reads the exchanges of a folder, in the order in which they were recorded.
pub(super) fn load(folder: &Path) -> Result<Vec<Exchange>> {
    let files = files(folder)?;
    if files.is_empty() {
        let message = format!("{} holds no recording", folder.display());
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("write one with `--record`; each of its files is one exchange"));
    }
    let read = |file: &PathBuf| -> Result<Exchange> {
        let place = |error: Error| error.at(file.display().to_string());
        let text = std::fs::read(file).map_err(|error| place(error.into()))?;
        serde_json::from_slice(&text).map_err(|error| {
            let message = format!("not a recorded exchange: {error}");
            place(Error::new(ErrorKind::Usage, message))
        })
    };
    files.iter().map(read).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let place = |error: std::io::Error| {
        Error::new(ErrorKind::Usage, error.to_string()).at(folder.display().to_string())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(place)? {
        let path = entry.map_err(place)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Collects the strings under secret keys.
fn collect(json: &Value, secret: bool, found: &mut Vec<Secret>) {
    match json {
        Value::String(text) if secret => found.push(Secret::new(text.as_str())),
        Value::Array(list) => list.iter().for_each(|json| collect(json, secret, found)),
        Value::Object(object) => {
            for (key, json) in object {
                let secret = SECRET_KEYS.contains(&key.to_lowercase().as_str());
                collect(json, secret, found);
            }
        }
        _ => {}
    }
}

fn redact(json: &mut Value, redactor: &Redactor) {
    match json {
        Value::String(text) => *text = redactor.redact(text),
        Value::Number(number) => {
            let text = number.to_string();
            let redacted = redactor.redact(&text);
            if redacted != text {
                *json = redacted.into();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|json| redact(json, redactor)),
        Value::Object(object) => {
            let entries = std::mem::take(object).into_iter();
            *object = entries
                .map(|(key, mut json)| {
                    redact(&mut json, redactor);
                    (redactor.redact(&key), json)
                })
                .collect();
        }
        _ => {}
    }
}
