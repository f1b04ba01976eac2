//! The places where settings are looked up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{DESTINATION, File};
use super::outside;
use super::{Secret, Setting, flag};
use crate::error::{Error, ErrorKind, Result};

/// The places where settings are looked up, in order.
#[derive(Clone, Debug, Default)]
pub struct Places {
    prefix: String,
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    dotenv: File,
    toml: File,
    /// The secrets that came from files and commands, by these: a pipe can be read only once.
    read: Arc<Mutex<BTreeMap<String, Secret>>>,
}

/// What follows the name of a variable that names a file with the value.
const FROM_FILE: &str = "_FILE";
/// What follows the name of a variable that holds a command which prints the value.
const FROM_COMMAND: &str = "_CMD";
/// The variable that chooses a profile.
const PROFILE: &str = "profile";
/// The names by which the only credential of a source is known.
const CREDENTIALS: [&str; 3] = ["token", "api_key", "api_token"];

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
            dotenv: File::dotenv(folder)?,
            toml: File::toml(folder, toml)?,
            read: Arc::default(),
        })
    }

    /// Uses a profile of the settings file, `[profiles.NAME]`: that of the command line, or else
    /// that of the variable `SHOP_PROFILE`, unless a setting has this name.
    pub(crate) fn use_profile(&mut self, given: Option<&str>, settings: &[Setting]) -> Result<()> {
        let taken = settings.iter().any(|setting| setting.name == PROFILE);
        let by_variable = || {
            let variable = self.variable(PROFILE);
            let environment = self.environment.get(&variable).cloned();
            environment
                .or_else(|| self.dotenv.get(&variable))
                .filter(|name| !name.is_empty())
        };
        let named = given.map(str::to_owned);
        match named.or_else(|| by_variable().filter(|_| !taken)) {
            Some(name) => self.toml.use_profile(&name),
            None => Ok(()),
        }
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
        let others = settings.iter().flat_map(|it| aliases(it, settings));
        self.toml.check(settings, &others.collect::<Vec<_>>())?;
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
            false => self.find(DESTINATION, Some((true, true))),
        }
    }

    /// Returns the variable of the destination; `None`: it is that of a setting.
    pub(crate) fn destination_variable(&self, settings: &[Setting]) -> Option<String> {
        let taken = settings.iter().any(|setting| setting.name == DESTINATION);
        (!taken).then(|| self.variable(DESTINATION))
    }

    /// Returns the value of a setting. A secret may come from a file or a command, unless the
    /// variable that would name these is that of another setting. The only credential of a source
    /// is found under its usual names.
    fn find_setting(&self, setting: &Setting, all: &[Setting]) -> Result<Option<String>> {
        let outside = setting.secret.then(|| {
            let free = |end| is_free(setting, end, all);
            (free(FROM_FILE), free(FROM_COMMAND))
        });
        if let Some(value) = self.find(setting.name, outside)? {
            return Ok(Some(value));
        }
        for alias in aliases(setting, all) {
            if let Some(value) = self.find(alias, outside)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Returns the value of a name; `outside`: whether it may come from a file, and from a command.
    fn find(&self, name: &str, outside: Option<(bool, bool)>) -> Result<Option<String>> {
        let (takes_file, takes_command) = outside.unwrap_or_default();
        let variable = self.variable(name);
        let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(value) = filled(self.flags.get(name).cloned()) {
            return Ok(Some(value));
        }
        let environment = |variable: &str| self.environment.get(variable).cloned();
        let dotenv = |variable: &str| self.dotenv.get(variable);
        for place in [&environment as &dyn Fn(&str) -> Option<String>, &dotenv] {
            if let Some(value) = filled(place(&variable)) {
                return Ok(Some(value));
            }
            let by_file = format!("{variable}{FROM_FILE}");
            if let Some(path) = filled(place(&by_file)).filter(|_| takes_file)
                && let Some(value) = filled(Some(self.once(&by_file, &path, outside::of_file)?))
            {
                return Ok(Some(value));
            }
        }
        // A file of the folder never runs a command.
        let by_command = format!("{variable}{FROM_COMMAND}");
        if let Some(command) = filled(environment(&by_command)).filter(|_| takes_command) {
            let value = self.once(&by_command, &command, outside::of_command)?;
            return Ok(filled(Some(value)));
        }
        Ok(filled(self.toml.get(name)))
    }

    /// Reads a secret from outside, once for each place.
    fn once(
        &self,
        variable: &str,
        place: &str,
        read: fn(&str, &str) -> Result<String>,
    ) -> Result<String> {
        let key = format!("{variable} {place}");
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&key) {
            return Ok(known.expose().to_owned());
        }
        let text = read(variable, place)?;
        known.insert(key, Secret::new(text.clone()));
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
        let file = |file: &File| match file.exists() {
            true => format!("`{}`", file.name),
            false => format!("`{}` (which does not exist here)", file.name),
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

/// Returns whether the value of a setting may come from a file, and from a command.
pub(crate) fn takes_outside(setting: &Setting, all: &[Setting]) -> bool {
    setting.secret && is_free(setting, FROM_FILE, all)
}

/// Returns whether the name of a setting with this end is not that of another setting.
fn is_free(setting: &Setting, end: &str, all: &[Setting]) -> bool {
    let named = format!("{}{}", setting.name, end.to_lowercase());
    all.iter().all(|other| other.name != named)
}

/// Returns the other names of a setting: a secret that is the only one with a usual name of a
/// credential has them all, as some write `SHOP_TOKEN` and others `SHOP_API_KEY`.
fn aliases(setting: &Setting, all: &[Setting]) -> Vec<&'static str> {
    let is_usual = |setting: &Setting| CREDENTIALS.contains(&setting.name);
    let only = all.iter().filter(|other| is_usual(other)).count() == 1;
    match only && setting.secret && is_usual(setting) {
        true => {
            let names = CREDENTIALS.into_iter();
            names.filter(|name| *name != setting.name).collect()
        }
        false => Vec::new(),
    }
}

fn text_pair((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}
