//! The variables of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::settings::Secret;

/// Parts of names of variables whose values are secrets.
const SECRET: [&str; 5] = ["SECRET", "TOKEN", "KEY", "SAS", "PASSWORD"];

/// Variables of the environment.
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes those that are text.
    pub fn new(all: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let set = all.filter_map(text).filter(|(_, value)| !value.is_empty());
        Variables(set.collect())
    }

    #[cfg(test)]
    pub fn of(all: &[(&str, &str)]) -> Self {
        let all = all
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Variables::new(all)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns those whose names begin so, in lower case, as the services' settings are named.
    pub fn settings(&self, start: &str) -> impl Iterator<Item = (String, &str)> {
        self.0
            .iter()
            .filter(move |(name, _)| name.starts_with(start))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
    }

    /// Returns the values that must not be shown.
    pub fn secrets(&self) -> Vec<Secret> {
        let of = |name: &str| {
            ["AWS_", "GOOGLE_", "AZURE_"]
                .iter()
                .any(|start| name.starts_with(start))
                && SECRET.iter().any(|word| name.contains(word))
                && !name.ends_with("_FILE")
                && !name.ends_with("_ID")
        };
        let secrets = self.0.iter().filter(|(name, _)| of(name));
        secrets.map(|(_, value)| Secret::new(value)).collect()
    }
}
