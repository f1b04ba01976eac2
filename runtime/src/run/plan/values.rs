//! The parts of a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scope::{SliceStates, StateScope};
use crate::cursor::Interval;
use crate::error::Result;
use crate::normalize::NormalizeOptions;
use crate::record::{SelectRule, Selection};
use crate::schema::{Contract, Deletes, Disposition, Layout, TableSchema};
use crate::source::ResourceSpec;
use crate::state::{OpenWindow, SliceState, StateChange};

/// What a run will do: see [`plan`](super::plan).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunPlan {
    /// The version of its JSON, 1.
    pub version: u32,
    /// The name of the source.
    pub source: String,
    /// The root of the API, without secrets.
    #[serde(default)]
    pub base_url: String,
    /// The destination, if the plan is made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The id of the load (`_etl_load_id`): seconds since 1970 with six decimals.
    pub load_id: String,
    /// The layout of the tables.
    pub layout: Layout,
    /// The longest table or column name of the destination, in bytes.
    pub identifier_length: usize,
    /// The resources that are read, parents before their children.
    pub resources: Vec<ResourcePlan>,
    /// The resources that are off, and those that cannot be read without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<OffResource>,
    /// Notes that belong to no resource of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A resource that a plain run leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OffResource {
    /// Its name.
    pub name: String,
    /// Why it is off.
    pub reason: String,
    /// What switches it on.
    pub settle: String,
}

/// A reason why a resource cannot be read, or cannot be read to a proved end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// The line or the setting that settles it.
    pub settle: String,
}

/// How one resource is read and loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourcePlan {
    /// Its name.
    pub name: String,
    /// The resource that it is a child of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whether its rows are loaded; otherwise it is read only for its children.
    pub loads: bool,
    /// What its requests have in common.
    pub request: RequestPlan,
    /// The pass that is read.
    pub pass: PassPlan,
    /// Its slices, as far as they are known.
    pub slices: Slices,
    /// How its rows are loaded.
    pub write: WritePlan,
    /// The resources of this run that its records change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// The reasons why it cannot be read, or cannot be read to a proved end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Notes for the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What the requests of a resource have in common. Secrets are replaced by `***`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestPlan {
    /// `GET` or `POST`.
    pub method: String,
    /// The path; a `{name}` without a value in `path_values` is filled from a record of the parent.
    pub path: String,
    /// Values of parameters of the path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path_values: BTreeMap<String, String>,
    /// Query parameters of the first page; the bounds of a resource that is read as one list are
    /// among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// The pass of a resource that a run reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PassPlan {
    /// The id of the load in which the pass began; a new pass has the id of this run's load.
    pub id: String,
    /// When it began by this machine's clock, in microseconds since 1970, if its id states another
    /// time because that clock was set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<i64>,
    /// Whether it began in an earlier run and resumes.
    pub resumes: bool,
    /// Whether its rows are staged and replace the rows of the table at its end.
    pub staged: bool,
    /// Whether it does not show every record. A record that it lacks may then still exist.
    pub partial: bool,
    /// Whether everything is requested, whatever the cursor says.
    pub in_full: bool,
    /// Whether a list whose end is not proved is read twice.
    pub thorough: bool,
    /// The bounds of `--since` and `--until`; a run with bounds does not move the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Interval>,
    /// The length of windows, instead of the declared length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// The most records that are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Whether its rows are published even if the limit cuts it short, since nothing was loaded
    /// before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publishes_cut: bool,
    /// The prefix of slice ids in the state rows of this pass.
    #[serde(default, skip_serializing_if = "StateScope::is_usual")]
    pub(crate) scope: StateScope,
}

/// The slices of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Slices {
    /// A resource without a parent is one slice.
    One(SlicePlan),
    /// A child resource has one slice for each record that its parent shows.
    Children(ChildSlices),
}

/// How one slice is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlicePlan {
    /// The stored state of the slice, with the pass that is read now.
    pub state: SliceState,
    /// The windows of the pass that remain; empty if the slice is read as one list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<OpenWindow>,
}

/// What is known of the slices of a child resource before its parent is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildSlices {
    /// The state of the child as a whole during the pass.
    pub begun: SliceState,
    /// Slices that earlier runs have found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: SliceStates,
    /// Whether all known slices are read, since the parent does not show all its records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revisit: bool,
    /// Whether only the records that the parent shows in this run have slices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed_only: bool,
    /// The last load that read the parent without this child: the parent must show all its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    /// Changes of the state that begin the pass; no slice may be stored without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begins: Vec<StateChange>,
}

/// How the rows of a resource are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WritePlan {
    /// The write disposition.
    pub disposition: Disposition,
    /// The fields of the primary key, as dotted paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// What happens to records that are missing from a whole pass.
    pub deletes: Deletes,
    /// How tables may change for values that the struct does not declare.
    pub contract: Contract,
    /// Whether no earlier load of the resource was completed.
    pub first_load: bool,
    /// The fields that are loaded; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
    /// Whether fields that are not loaded are read too, since closures and the links of children
    /// use them.
    pub reads_all_fields: bool,
    /// The existing tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub there: Vec<TableSchema>,
    /// Tables that will be created, and tables with the columns that will be added, before any row
    /// is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coming: Vec<TableSchema>,
    /// Changes of the state that are committed with its first rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<StateChange>,
    /// The change of the state that is committed with its last rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<StateChange>,
}

/// The fields of a resource that are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Selected {
    /// The rules of `--select` that apply to it.
    pub rules: Vec<String>,
    /// The keys of the fields that are loaded whatever the rules say.
    pub always: Vec<Vec<String>>,
}

impl ChildSlices {
    /// Moves the slices out, which may be millions; the state of the child as a whole stays.
    pub(crate) fn hand_over(&mut self) -> ChildSlices {
        ChildSlices {
            known: std::mem::take(&mut self.known),
            begins: std::mem::take(&mut self.begins),
            ..self.clone()
        }
    }
}

impl WritePlan {
    /// Returns the normalizer's options, except those that the run sets: the load, the layout and
    /// the length of names. `skips_unchanged`: what the destination can do.
    pub(crate) fn normalize(
        &self,
        spec: &ResourceSpec,
        skips_unchanged: bool,
    ) -> Result<NormalizeOptions> {
        // Rows that replace all others get ids like the rows that are appended to them later.
        let disposition = match spec.disposition() {
            Disposition::Append => Disposition::Append,
            _ => self.disposition,
        };
        Ok(NormalizeOptions {
            within_slice: spec.within_parent,
            named_by_content: spec.cursor.is_some(),
            contract: self.contract,
            first_load: self.first_load,
            selection: self.selection(&spec.name)?,
            marks_deleted: spec.deletes == Deletes::Soft,
            hashes_content: skips_unchanged
                && spec.disposition() == Disposition::Merge
                && self.disposition != Disposition::Append,
            ..NormalizeOptions::new(&spec.name, &spec.primary_key, disposition)
        })
    }

    /// Returns the fields that are loaded; `None` means all.
    pub(crate) fn selection(&self, resource: &str) -> Result<Option<Selection>> {
        let Some(selected) = &self.selected else {
            return Ok(None);
        };
        let rules = selected.rules.iter().map(|rule| rule.parse());
        let rules = rules.collect::<Result<Vec<SelectRule>>>()?;
        Ok(Selection::new(&rules, resource, selected.always.clone()))
    }
}

impl ResourcePlan {
    /// Returns whether it is a child of `parent`.
    pub(super) fn is_below(&self, parent: &ResourcePlan) -> bool {
        self.parent.as_ref() == Some(&parent.name)
    }

    /// Sets that every known slice is read. This is for a parent that is read incrementally, and so
    /// does not show all its records.
    pub(super) fn revisit(&mut self) {
        if let Slices::Children(slices) = &mut self.slices {
            slices.revisit = !slices.changed_only;
        }
    }

    /// Returns the slices of a child resource; `None` for any other resource.
    pub(crate) fn children(&self) -> Option<&ChildSlices> {
        match &self.slices {
            Slices::Children(slices) => Some(slices),
            Slices::One(_) => None,
        }
    }
}
