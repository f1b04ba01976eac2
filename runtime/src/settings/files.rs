//! The files of settings: `.env` and `shop.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Setting;
use crate::error::{Error, ErrorKind, Result};
use crate::text::alternatives;

/// The key of the destination, beside the settings of the source.
pub(super) const DESTINATION: &str = "destination";
/// The table of profiles in the settings file.
const PROFILES: &str = "profiles";

/// Texts by their keys.
pub(super) type Values = BTreeMap<String, String>;

/// A file of settings.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub name: String,
    /// `None`: it does not exist.
    values: Option<Values>,
    /// The tables `[profiles.NAME]`.
    profiles: BTreeMap<String, Values>,
    /// The profile in use.
    profile: Option<String>,
}

impl File {
    /// Reads `.env` in a folder.
    pub fn dotenv(folder: &Path) -> Result<Self> {
        Ok(File {
            name: ".env".to_owned(),
            values: read_dotenv(&folder.join(".env"))?,
            ..File::default()
        })
    }

    /// Reads a TOML file in a folder.
    pub fn toml(folder: &Path, name: String) -> Result<Self> {
        let parts = read_toml(&folder.join(&name))?;
        let (values, profiles) = parts.map_or((None, BTreeMap::new()), |(values, profiles)| {
            (Some(values), profiles)
        });
        Ok(File {
            name,
            values,
            profiles,
            profile: None,
        })
    }

    pub fn exists(&self) -> bool {
        self.values.is_some()
    }

    /// Uses a profile: its values come before the others of the file.
    pub fn use_profile(&mut self, name: &str) -> Result<()> {
        if self.profiles.contains_key(name) {
            self.profile = Some(name.to_owned());
            return Ok(());
        }
        let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let error = Error::new(ErrorKind::Usage, format!("there is no profile `{name}`"));
        Err(error.at(self.name.clone()).hint(match known.as_slice() {
            [] => format!("write its settings below `[{PROFILES}.{name}]`"),
            known => alternatives(name, known),
        }))
    }

    /// Returns the value of a key, the profile's first.
    pub fn get(&self, key: &str) -> Option<String> {
        let profile = self
            .profile
            .as_ref()
            .and_then(|name| self.profiles.get(name));
        let mut parts = profile.into_iter().chain(&self.values);
        parts.find_map(|values| values.get(key).filter(|value| !value.is_empty()).cloned())
    }

    /// Refuses a key that is no setting: a misspelled one would be ignored. `others` are names that
    /// stand for a setting.
    pub fn check(&self, settings: &[Setting], others: &[&str]) -> Result<()> {
        let names = settings.iter().map(|setting| setting.name);
        let names: Vec<&str> = names.chain([DESTINATION]).collect();
        let known = |key: &str| names.contains(&key) || others.contains(&key);
        let own = self.values.iter().map(|values| (None, values));
        let profiles = self
            .profiles
            .iter()
            .map(|(name, values)| (Some(name), values));
        for (profile, values) in own.chain(profiles) {
            if let Some(key) = values.keys().find(|key| !known(key)) {
                let place = profile.map_or(String::new(), |name| format!(" [{PROFILES}.{name}]"));
                return Err(
                    Error::new(ErrorKind::Usage, format!("`{key}` is not a setting"))
                        .at(format!("{}{place}", self.name))
                        .hint(alternatives(key, &names)),
                );
            }
        }
        Ok(())
    }
}

/// Reads the variables in a `.env` file.
fn read_dotenv(path: &Path) -> Result<Option<Values>> {
    if !path.exists() {
        return Ok(None);
    }
    // Errors name the place, never the text, which may be a secret.
    let unreadable = |error: dotenvy::Error| match error {
        dotenvy::Error::LineParse(line, at) => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
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
    let pairs = dotenvy::from_path_iter(path).map_err(unreadable)?;
    pairs
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(unreadable)
}

/// The texts of a settings file, and those of its profiles.
type Parts = (Values, BTreeMap<String, Values>);

/// Reads the settings in a TOML file, and those of each table in `profiles`.
fn read_toml(path: &Path) -> Result<Option<Parts>> {
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |what: String| Error::new(ErrorKind::Usage, what).at(path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut table: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        Error::new(ErrorKind::Usage, error.message()).at(format!("{}:{line}", path.display()))
    })?;
    let profiles = match table.remove(PROFILES) {
        Some(toml::Value::Table(profiles)) => profiles,
        _ => toml::Table::new(),
    };
    let profiles = profiles
        .into_iter()
        .filter_map(|(name, profile)| match profile {
            toml::Value::Table(profile) => Some((name, values_of(profile))),
            _ => None,
        });
    let profiles = profiles.collect();
    Ok(Some((values_of(table), profiles)))
}

/// Returns the texts, numbers and booleans of a table. Tables and lists are not settings; another
/// program may use them.
fn values_of(table: toml::Table) -> Values {
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
    table.into_iter().filter_map(value).collect()
}
