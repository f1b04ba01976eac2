//! The options of a run as a plain value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::page::Required;
use crate::run::options::RunOptions;
use crate::schema::Layout;

/// The options of a run that its parts share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    resources: Vec<String>,
    full_refresh: bool,
    since: Option<String>,
    until: Option<String>,
    window: Option<Duration>,
    select: Vec<String>,
    contracts: Vec<String>,
    layout: Layout,
    required: String,
}

impl Asked {
    /// Returns the options of a run.
    ///
    /// # Errors
    /// If they bound the run as a whole, which parts of it cannot keep.
    pub fn of(options: &RunOptions) -> Result<Self> {
        let bound = match (options.limit, options.max_time) {
            (Some(_), _) => Some("--limit"),
            (_, Some(_)) => Some("--max-time"),
            _ => None,
        };
        if let Some(option) = bound {
            let message = format!("`{option}` bounds a run as a whole, and slices are read apart");
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("use `sync`, or bound the slices with `--since` and `--until`"));
        }
        Ok(Asked {
            resources: options.resources.clone(),
            full_refresh: options.full_refresh,
            since: options.since.clone(),
            until: options.until.clone(),
            window: options.window,
            select: options.select.iter().map(ToString::to_string).collect(),
            contracts: options.contracts.iter().map(ToString::to_string).collect(),
            layout: options.layout,
            required: options.required.name().to_owned(),
        })
    }

    /// Returns the options.
    pub fn options(&self) -> Result<RunOptions> {
        let select: Result<Vec<_>> = self.select.iter().map(|rule| rule.parse()).collect();
        let contracts: Result<Vec<_>> = self.contracts.iter().map(|rule| rule.parse()).collect();
        let mut grades = Required::ALL.into_iter();
        let required = grades.find(|grade| grade.name() == self.required);
        Ok(RunOptions {
            resources: self.resources.clone(),
            full_refresh: self.full_refresh,
            since: self.since.clone(),
            until: self.until.clone(),
            window: self.window,
            select: select?,
            contracts: contracts?,
            layout: self.layout,
            required: required.unwrap_or_default(),
            ..RunOptions::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_from_their_json() {
        let options = RunOptions::default()
            .resources(["a"])
            .since("2024-01-01")
            .window(Duration::from_secs(60))
            .select(["a.b".parse().unwrap()])
            .contracts([
                "a:columns=discard_row".parse().unwrap(),
                "freeze".parse().unwrap(),
            ]);
        let json = serde_json::to_string(&Asked::of(&options).unwrap()).unwrap();
        let asked: Asked = serde_json::from_str(&json).unwrap();
        let again = asked.options().unwrap();
        assert_eq!(again.contracts, options.contracts);
        assert_eq!(Asked::of(&again).unwrap(), asked);
        assert!(Asked::of(&options.limit(5)).is_err());
    }
}
