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
    /// Sentences that are about no resource of the run.
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

/// Why a resource cannot be read, or not to a proved end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// The line or the setting that settles it.
    pub settle: String,
}

/// How one resource is read, and what is made of its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourcePlan {
    /// Its name.
    pub name: String,
    /// The resource that it is a child of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its rows are loaded; otherwise it is read only for its children.
    pub loads: bool,
    /// What is asked.
    pub request: RequestPlan,
    /// Which reading of it this is.
    pub pass: PassPlan,
    /// What its slices are, as far as they are known.
    pub slices: Slices,
    /// What is made of its rows.
    pub write: WritePlan,
    /// The resources of this run that its records change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// Why it cannot be read, or not to a proved end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Sentences for the report.
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
    /// Query parameters of the first page; the bounds of a resource that is read as one list are among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Which reading of a resource a run is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PassPlan {
    /// The load in which it began: this run's, if it is new.
    pub id: String,
    /// It began in an earlier run, and goes on.
    pub resumes: bool,
    /// Its rows are staged, and replace the rows of the table at its end.
    pub staged: bool,
    /// It does not show every record: that it lacks a record does not prove that the record is gone.
    pub partial: bool,
    /// Everything is asked for, wherever the cursor stands.
    pub in_full: bool,
    /// A list whose end is not proved is read twice.
    pub thorough: bool,
    /// The bounds of `--since` and `--until`; such a run leaves the cursor as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Interval>,
    /// How long windows are, in place of what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// At most that many records are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// If the limit cuts it short, it is published as it is, since nothing was loaded before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publishes_cut: bool,
    /// What stands before the slice in the rows of the state that are its own.
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
    /// A child resource has one for each record that its parent shows.
    Children(ChildSlices),
}

/// How one slice is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlicePlan {
    /// What is remembered of it, with the pass that is read now.
    pub state: SliceState,
    /// The windows that are left of the pass; none: it is read as one list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<OpenWindow>,
}

/// What is known of the slices of a child resource before its parent is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildSlices {
    /// The state of the child as a whole while the pass goes on.
    pub begun: SliceState,
    /// Slices that earlier runs have found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: SliceStates,
    /// All of them are read, since the parent does not show all its records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revisit: bool,
    /// Only the records that the parent shows in this run have slices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed_only: bool,
    /// The last load that read the parent without this child: the parent has to show all its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    /// Changes of the state that begin the pass: no slice may be remembered without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begins: Vec<StateChange>,
}

/// What is made of the rows of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WritePlan {
    /// How new rows meet those that are there.
    pub disposition: Disposition,
    /// The fields of the primary key, as dotted paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// What becomes of records that a whole pass does not bring.
    pub deletes: Deletes,
    /// What may be made for values that the struct does not say.
    pub contract: Contract,
    /// Nothing was loaded to its end before.
    pub first_load: bool,
    /// The fields that are loaded; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
    /// Fields that are not loaded are read all the same: closures and the links of children look at them.
    pub reads_all_fields: bool,
    /// Tables that are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub there: Vec<TableSchema>,
    /// Tables that will be made, and tables with the columns that will be added, before any row is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coming: Vec<TableSchema>,
    /// Changes of the state that go with its first rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<StateChange>,
    /// The change of the state that goes with its last rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<StateChange>,
}

/// The fields of a resource that are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Selected {
    /// The rules of `--select` that are about it.
    pub rules: Vec<String>,
    /// The keys of the fields that stay, whatever the rules say.
    pub always: Vec<Vec<String>>,
}

impl ChildSlices {
    /// Gives the slices away, which may be millions; the state of the child as a whole stays.
    pub(crate) fn hand_over(&mut self) -> ChildSlices {
        ChildSlices {
            known: std::mem::take(&mut self.known),
            begins: std::mem::take(&mut self.begins),
            ..self.clone()
        }
    }
}

impl WritePlan {
    /// How its rows are laid out, but for what the run knows: the load, the layout and the length of names.
    pub(crate) fn normalize(&self, spec: &ResourceSpec) -> Result<NormalizeOptions> {
        // Rows that replace all others are named like those that will be appended to them.
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
            ..NormalizeOptions::new(&spec.name, &spec.primary_key, disposition)
        })
    }

    /// The fields that are loaded; `None`: all.
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
    /// Whether it is a child of that resource.
    pub(super) fn is_below(&self, parent: &ResourcePlan) -> bool {
        self.parent.as_ref() == Some(&parent.name)
    }

    /// Every slice ever found is read: for a parent that is read incrementally, and so does not show all its records.
    pub(super) fn revisit(&mut self) {
        if let Slices::Children(slices) = &mut self.slices {
            slices.revisit = !slices.changed_only;
        }
    }

    /// The state of a child resource as a whole.
    pub(crate) fn children(&self) -> Option<&ChildSlices> {
        match &self.slices {
            Slices::Children(slices) => Some(slices),
            Slices::One(_) => None,
        }
    }
}
