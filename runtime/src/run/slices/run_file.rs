//! What the processes of a run share: its plan, and under what it was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::asked::Asked;
use super::fingerprint::{Fingerprint, hash};
use crate::error::{Error, ErrorKind, Result};
use crate::load::Capabilities;
use crate::load::staging::Staging;
use crate::run::plan::{RunPlan, SliceStates, Slices};
use crate::source::Source;
use crate::state::StateRow;

const NAME: &str = "run.json";
const KNOWN: &str = "known.json";

/// The version of the files of a run.
const VERSION: u32 = 1;

/// A run, as `run.json` stores it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunFile {
    version: u32,
    /// The plan; the slices that earlier runs have found are in a file of their own.
    pub plan: RunPlan,
    pub connector: Fingerprint,
    pub asked: Asked,
    /// What the destination can do.
    pub capabilities: Capabilities,
    /// A hash of the state from which the plan was made.
    pub state: String,
    /// The most lists of a child that are one slice.
    pub group: usize,
}

/// The slices that earlier runs have found, by resource.
type Known = BTreeMap<String, SliceStates>;

impl RunFile {
    pub fn new(
        plan: RunPlan,
        connector: Fingerprint,
        asked: Asked,
        (capabilities, state): (Capabilities, String),
        group: usize,
    ) -> Self {
        RunFile {
            version: VERSION,
            plan,
            connector,
            asked,
            capabilities,
            state,
            group,
        }
    }

    /// Stores the run; refuses a place that has one.
    pub fn store(&self, place: &dyn Staging) -> Result<()> {
        let mut head = self.clone();
        let mut known = Known::new();
        for resource in &mut head.plan.resources {
            if let Slices::Children(slices) = &mut resource.slices
                && !slices.known.is_empty()
            {
                known.insert(resource.name.clone(), std::mem::take(&mut slices.known));
            }
        }
        let head = json_of(&head)?;
        let taken = || {
            let message = format!("{} has a run already", place.describe());
            Error::new(ErrorKind::Usage, message)
                .hint("name a new folder, or continue that run with `plan --run`")
        };
        if place.get(NAME)?.is_some() {
            return Err(taken());
        }
        if !known.is_empty() {
            place.create(KNOWN, &json_of(&known)?)?;
        }
        match place.create(NAME, &head)? {
            true => Ok(()),
            false => Err(taken()),
        }
    }

    /// Reads a run. The slices that earlier runs have found are read only `with_known`.
    pub fn read(place: &dyn Staging, with_known: bool) -> Result<Self> {
        let Some(content) = place.get(NAME)? else {
            let message = format!("there is no run in {}", place.describe());
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("`plan --out` begins one; its argument is that of `--run`"));
        };
        let mut run: RunFile = parse(NAME, &content, place)?;
        if run.version != VERSION {
            let message = format!(
                "the run in {} was planned by another version of etlgen-runtime",
                place.describe()
            );
            return Err(Error::new(ErrorKind::Usage, message).hint("plan again"));
        }
        if with_known && let Some(known) = place.get(KNOWN)? {
            let mut known: Known = parse(KNOWN, &known, place)?;
            for resource in &mut run.plan.resources {
                if let Slices::Children(slices) = &mut resource.slices {
                    slices.known = known.remove(&resource.name).unwrap_or_default();
                }
            }
        }
        Ok(run)
    }

    /// Refuses another connector than the one that has planned the run.
    pub fn check(&self, source: &Source) -> Result<()> {
        if self.plan.source != source.name() {
            let message = format!(
                "the run is one of `{}`, not of `{}`",
                self.plan.source,
                source.name()
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let names = self
            .plan
            .resources
            .iter()
            .map(|resource| resource.name.as_str());
        self.connector.check(&Fingerprint::of(source)?, names)
    }
}

/// Returns a hash of the state of the resources of a plan.
pub(super) fn state_hash<'a>(
    state: &[StateRow],
    resources: impl Iterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = resources.collect();
    let rows = state
        .iter()
        .filter(|row| names.contains(&row.resource.as_str()));
    let mut rows: Vec<(&str, &str, &str)> = rows
        .map(|row| (&*row.resource, &*row.slice, &*row.value))
        .collect();
    rows.sort_unstable();
    hash(&json!(rows).to_string())
}

/// Returns the JSON of a file of a run.
pub(super) fn json_of<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| {
        Error::new(
            ErrorKind::System,
            "a file of the run cannot be written as JSON",
        )
        .caused_by(error)
    })
}

/// Reads the JSON of a file of a run.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(
    name: &str,
    content: &[u8],
    place: &dyn Staging,
) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| {
        let message = format!("`{name}` in {} cannot be read", place.describe());
        Error::new(ErrorKind::System, message).caused_by(error)
    })
}
