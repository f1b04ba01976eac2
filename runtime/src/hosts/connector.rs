//! The connector with the settings of a host.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Map, Value};

use super::Crate;
use crate::error::{Error, ErrorKind, Result};
use crate::load::Capabilities;
use crate::settings::{Places, Redactor, Settings};
use crate::source::Source;

/// The source with its settings, and what keeps its secrets out of messages.
pub(super) struct Configured {
    pub source: Source,
    pub redactor: Redactor,
}

/// Returns what a program does that reads the messages of a host: it stores records, and has no deletions but that of all
/// records of an older version.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(255)
        .checkpoints(10_000, Duration::from_secs(10))
        .deletes(false)
}

/// Parses the arguments of a host; `name` is that of its link. The error is the code with which the program ends: help and
/// what is wrong are printed.
pub(super) fn parsed(
    command: Command,
    name: &str,
    args: &[OsString],
) -> std::result::Result<ArgMatches, ExitCode> {
    let args = std::iter::once(OsString::from(name)).chain(args.iter().cloned());
    command.try_get_matches_from(args).map_err(|error| {
        // A closed terminal is not an error of this program.
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Returns an argument that names a file.
pub(super) fn file(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id)
        .long(id)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

/// Reads a JSON object from a file.
pub(super) fn object(file: &Path) -> Result<Map<String, Value>> {
    match json(file)? {
        Value::Object(object) => Ok(object),
        _ => {
            let error = Error::new(ErrorKind::Usage, "the file holds no JSON object");
            Err(error.at(file.display().to_string()))
        }
    }
}

/// Reads JSON from a file. An error does not show the text, which may be a secret.
pub(super) fn json(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::file(ErrorKind::Usage, "read", file, error))?;
    serde_json::from_str(&text).map_err(|error| {
        let place = format!("{}:{}", file.display(), error.line());
        Error::new(ErrorKind::Usage, "the file is not JSON").at(place)
    })
}

impl<C: Settings> Crate<'_, C> {
    /// Returns the source with these settings, by name; others are looked up in the environment and
    /// the files of the current folder. `asks` says whether requests are sent: otherwise, settings
    /// may be missing.
    pub(super) fn configured(&self, config: &Map<String, Value>, asks: bool) -> Result<Configured> {
        let mut places = Places::here(C::PREFIX)?;
        for setting in C::SETTINGS {
            // Hosts write null for a setting without a value.
            let value = match config.get(setting.name) {
                Some(Value::String(text)) => text.clone(),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
                _ => continue,
            };
            places.flag(setting.name, &value);
        }
        let settings = match C::load_from(&places) {
            Err(_) if !asks => C::placeholder(),
            settings => settings?,
        };
        let secrets = places.secrets(C::SETTINGS);
        let source = (self.source)(&settings).hide(secrets.iter().cloned());
        Ok(Configured {
            source,
            redactor: Redactor::new(secrets),
        })
    }

    /// Returns the JSON Schema of a setting's value.
    pub(super) fn setting_schemas(secret: &str) -> Vec<(&'static str, bool, Map<String, Value>)> {
        let each = C::SETTINGS.iter().map(|setting| {
            let mut schema = Map::new();
            schema.insert("type".to_owned(), "string".into());
            schema.insert("title".to_owned(), title(setting.name).into());
            if !setting.help.is_empty() {
                schema.insert("description".to_owned(), setting.help.into());
            }
            if let Some(default) = setting.default {
                schema.insert("default".to_owned(), default.into());
            }
            if setting.secret {
                schema.insert(secret.to_owned(), true.into());
            }
            let required = !setting.optional && setting.default.is_none();
            (setting.name, required, schema)
        });
        each.collect()
    }
}

/// Returns a name for people: `api_key` as `Api key`.
fn title(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
