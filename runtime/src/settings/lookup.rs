//! The places where settings are looked up.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Secret, Setting, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::text::alternatives;

/// The places where settings are looked up, in order.
#[derive(Clone, Debug, Default)]
pub struct Places {
    prefix: String,
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    dotenv: File,
    toml: File,
    /// The secrets that were read from files, by the paths: a pipe can be read only once.
    read: Arc<Mutex<BTreeMap<String, Secret>>>,
}

/// What follows the name of a variable that names a file with the value.
const FROM_FILE: &str = "_FILE";
/// The key of the destination, beside the settings of the source.
const DESTINATION: &str = "destination";
/// The longest secret in a file, in bytes.
const LONGEST: u64 = 1 << 20;

/// A file of settings; `values` is `None` if it does not exist.
#[derive(Clone, Debug, Default)]
struct File {
    name: String,
    values: Option<BTreeMap<String, String>>,
}

impl File {
    /// Refuses a key that is no setting: a misspelled one would be ignored.
    fn check(&self, settings: &[Setting]) -> Result<()> {
        let names = settings.iter().map(|setting| setting.name);
        let names: Vec<&str> = names.chain([DESTINATION]).collect();
        let mut keys = self.values.iter().flat_map(BTreeMap::keys);
        match keys.find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let message = format!("`{key}` is not a setting");
                Err(Error::new(ErrorKind::Usage, message)
                    .at(self.name.clone())
                    .hint(alternatives(key, &names)))
            }
        }
    }
}

impl Places {
    /// Returns the places of the process: its environment, and the files of the current folder.
    pub fn here(prefix: &str) -> Result<Self> {
        Places::new(
            prefix,
            std::env::vars_os().filter_map(text_pair),
            Path::new("."),
        )
    }

    /// Returns the places of the given environment and the files of the given folder.
    pub fn new(
        prefix: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        folder: &Path,
    ) -> Result<Self> {
        let toml = format!("{}.toml", prefix.to_lowercase());
        Ok(Places {
            prefix: prefix.to_owned(),
            flags: BTreeMap::new(),
            environment: environment.into_iter().collect(),
            dotenv: File {
                values: read_dotenv(folder.join(".env"))?,
                name: ".env".to_owned(),
            },
            toml: File {
                values: read_toml(folder.join(&toml))?,
                name: toml,
            },
            read: Arc::default(),
        })
    }

    /// Adds the value of a setting from the command line.
    pub fn flag(&mut self, name: &str, value: &str) {
        self.flags.insert(name.to_owned(), value.to_owned());
    }

    /// Returns the values of the settings; one error names all that are missing.
    pub(crate) fn values(&self, settings: &[Setting]) -> Result<Vec<Option<String>>> {
        let mut missing = Vec::new();
        let mut values = Vec::new();
        for setting in settings {
            let found = self.find_setting(setting, settings)?;
            let found = found.or(setting.default.map(str::to_owned));
            if found.is_none() && !setting.optional {
                missing.push(setting.name);
            }
            values.push(found);
        }
        self.toml.check(settings)?;
        match missing.as_slice() {
            [] => Ok(values),
            names => Err(self.missing(names)),
        }
    }

    /// Returns the values of the secret settings that have one.
    pub(crate) fn secrets(&self, settings: &[Setting]) -> Vec<Secret> {
        let secret = settings.iter().filter(|setting| setting.secret);
        secret
            .filter_map(|setting| self.find_setting(setting, settings).ok().flatten())
            .map(Secret::new)
            .collect()
    }

    /// Returns the URL of the destination outside the command line: `SHOP_DESTINATION`, the file
    /// that `SHOP_DESTINATION_FILE` names, or `destination` in `shop.toml`. A setting of the source
    /// with that name is another thing.
    pub(crate) fn destination(&self, settings: &[Setting]) -> Result<Option<String>> {
        match settings.iter().any(|setting| setting.name == DESTINATION) {
            true => Ok(None),
            false => self.find(DESTINATION, true),
        }
    }

    /// Returns the variable of the destination; `None`: it is that of a setting.
    pub(crate) fn destination_variable(&self, settings: &[Setting]) -> Option<String> {
        let taken = settings.iter().any(|setting| setting.name == DESTINATION);
        (!taken).then(|| self.variable(DESTINATION))
    }

    /// Returns the value of a setting. A secret may come from a file, unless the variable that
    /// would name the file is that of another setting.
    fn find_setting(&self, setting: &Setting, all: &[Setting]) -> Result<Option<String>> {
        self.find(setting.name, takes_file(setting, all))
    }

    fn find(&self, name: &str, takes_file: bool) -> Result<Option<String>> {
        let variable = self.variable(name);
        let of = |file: &File, key: &str| file.values.as_ref()?.get(key).cloned();
        let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(value) = filled(self.flags.get(name).cloned()) {
            return Ok(Some(value));
        }
        let environment = |variable: &str| self.environment.get(variable).cloned();
        let dotenv = |variable: &str| of(&self.dotenv, variable);
        for place in [&environment as &dyn Fn(&str) -> Option<String>, &dotenv] {
            if let Some(value) = filled(place(&variable)) {
                return Ok(Some(value));
            }
            let by_file = format!("{variable}{FROM_FILE}");
            if let Some(path) = filled(place(&by_file)).filter(|_| takes_file)
                && let Some(value) = filled(Some(self.of_file(&by_file, &path)?))
            {
                return Ok(Some(value));
            }
        }
        Ok(filled(of(&self.toml, name)))
    }

    /// Reads a secret from the file that a variable names. Errors never show the text.
    fn of_file(&self, variable: &str, path: &str) -> Result<String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(path) {
            return Ok(known.expose().to_owned());
        }
        let wrong = |what: String| {
            let message = format!("cannot read the file of {variable}: {what}");
            Error::new(ErrorKind::Usage, message).at(path.to_owned())
        };
        let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        let mut bytes = Vec::new();
        let taken = file.take(LONGEST.saturating_add(1)).read_to_end(&mut bytes);
        taken.map_err(|error| wrong(error.to_string()))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
            return Err(wrong(format!("it has more than {LONGEST} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        read.insert(path.to_owned(), Secret::new(text.clone()));
        Ok(text)
    }

    fn variable(&self, name: &str) -> String {
        format!("{}_{}", self.prefix, name.to_uppercase())
    }

    fn missing(&self, names: &[&str]) -> Error {
        let each = |text: &dyn Fn(&str) -> String| {
            let texts: Vec<String> = names.iter().map(|name| text(name)).collect();
            texts.join(", ")
        };
        let file = |file: &File| match file.values {
            Some(_) => format!("`{}`", file.name),
            None => format!("`{}` (which does not exist here)", file.name),
        };
        Error::new(
            ErrorKind::Usage,
            format!(
                "no value for the setting{} {}",
                if names.len() == 1 { "" } else { "s" },
                each(&|name| format!("`{name}`"))
            ),
        )
        .hint(format!(
            "set {}; variables may stand in {}, and settings under their names in {}",
            each(&|name| format!("--{} or {}", flag(name), self.variable(name))),
            file(&self.dotenv),
            file(&self.toml),
        ))
    }
}

/// Returns whether a variable with `_FILE` behind the name of a setting names a file with its
/// value.
pub(crate) fn takes_file(setting: &Setting, all: &[Setting]) -> bool {
    let named = format!("{}{}", setting.name, FROM_FILE.to_lowercase());
    setting.secret && all.iter().all(|other| other.name != named)
}

fn text_pair((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

fn read_dotenv(path: PathBuf) -> Result<Option<BTreeMap<String, String>>> {
    if !path.exists() {
        return Ok(None);
    }
    // Errors name the place, never the text, which may be a secret.
    let unreadable = |error: dotenvy::Error| match error {
        dotenvy::Error::LineParse(line, at) => {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let line = line.lines().next().unwrap_or_default().trim();
            let number = text.lines().position(|other| other.contains(line));
            let number = number.map_or(String::new(), |number| format!(":{}", number + 1));
            let what = format!("the line cannot be parsed (at character {at})");
            Error::new(ErrorKind::Usage, what)
                .at(format!("{}{number}", path.display()))
                .hint("a line is NAME=value; quote a value with spaces: NAME='a value'")
        }
        error => Error::new(ErrorKind::Usage, error.to_string()).at(path.display().to_string()),
    };
    let pairs = dotenvy::from_path_iter(&path).map_err(unreadable)?;
    pairs
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(unreadable)
}

fn read_toml(path: PathBuf) -> Result<Option<BTreeMap<String, String>>> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |what: String| Error::new(ErrorKind::Usage, what).at(path.display().to_string());
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        Error::new(ErrorKind::Usage, error.message()).at(format!("{}:{line}", path.display()))
    })?;
    // Tables and lists are not settings; another program may use them.
    let value = |(key, value): (String, toml::Value)| {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(yes) => yes.to_string(),
            _ => return None,
        };
        Some((key, text))
    };
    Ok(Some(table.into_iter().filter_map(value).collect()))
}
