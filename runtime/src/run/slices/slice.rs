//! A slice that one process extracts, as the plan lists it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::cursor::Interval;
use crate::error::{Error, ErrorKind, Result};
use crate::run::plan::RunPlan;
use crate::state::SliceState;

/// A slice that one process extracts: what `plan` prints as one line of JSON, and `extract` takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedSlice {
    /// Its id, which the same run gives to the same slice: a hash of the resource, the parameters, the
    /// window and the connector.
    pub id: String,
    /// The run: the id of its load.
    pub run: String,
    /// The resource.
    pub resource: String,
    /// What is extracted.
    #[serde(flatten)]
    pub extracts: Extracts,
    /// The fewest requests that it needs, as an estimate of what it costs.
    pub cost: u64,
    /// The resources whose records had to be known before it could be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// A fingerprint of the connector.
    pub connector: String,
}

/// What is extracted at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Extracts {
    /// All of these resources, which are read together since one changes the records of another.
    Resources(Vec<String>),
    /// A window of the resource's cursor.
    Window(Interval),
    /// Lists of a child resource, one for each record of its parent.
    Lists(Vec<ChildList>),
}

/// A list of a child resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildList {
    /// The id of its slice in the state: its parameters.
    pub slice: String,
    /// Its state, with the parameters and the pass that begins.
    pub state: SliceState,
    /// Whether this run has seen its parent.
    pub listed: bool,
}

impl PlannedSlice {
    pub(super) fn new(plan: &RunPlan, resource: &str, extracts: Extracts, connector: &str) -> Self {
        let (what, cost) = match &extracts {
            Extracts::Resources(names) => (json!(names), names.len()),
            Extracts::Window(window) => (json!(window), 1),
            Extracts::Lists(lists) => {
                let ids: Vec<&str> = lists.iter().map(|list| list.slice.as_str()).collect();
                (json!(ids), lists.len())
            }
        };
        let hash = xxh3_64(
            json!([plan.load_id, connector, resource, what])
                .to_string()
                .as_bytes(),
        );
        let planned = plan
            .resources
            .iter()
            .find(|planned| planned.name == resource);
        let parent = planned.and_then(|planned| planned.parent.clone());
        PlannedSlice {
            id: format!("{resource}-{hash:016x}"),
            run: plan.load_id.clone(),
            resource: resource.to_owned(),
            after: match &extracts {
                Extracts::Lists(_) => parent.into_iter().collect(),
                Extracts::Resources(_) | Extracts::Window(_) => Vec::new(),
            },
            extracts,
            cost: cost as u64,
            connector: connector.to_owned(),
        }
    }

    /// Parses a line of the plan.
    ///
    /// # Errors
    /// If it is not a slice.
    pub fn parse(line: &str) -> Result<Self> {
        let slice: PlannedSlice = serde_json::from_str(line).map_err(|error| {
            Error::new(ErrorKind::Usage, "this is not a slice of a plan")
                .caused_by(error)
                .hint("give a line that `plan` has printed")
        })?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match slice.id.is_empty() || slice.id.starts_with('.') || !slice.id.chars().all(plain) {
            true => Err(Error::new(ErrorKind::Usage, "the slice has no id")),
            false => Ok(slice),
        }
    }

    /// Returns the line of the plan.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns a few words for people: `issues, 25 lists`.
    pub fn describe(&self) -> String {
        match &self.extracts {
            Extracts::Resources(names) if names.len() > 1 => names.join(" and "),
            Extracts::Resources(_) => self.resource.clone(),
            Extracts::Window(window) => {
                let end = |bound: &Option<String>| bound.clone().unwrap_or_else(|| "…".to_owned());
                format!(
                    "{} {}..{}",
                    self.resource,
                    end(&window.from),
                    end(&window.until)
                )
            }
            Extracts::Lists(lists) => match lists.as_slice() {
                [list] => format!("{} {}", self.resource, list.slice),
                lists => format!("{}, {} lists", self.resource, lists.len()),
            },
        }
    }
}
