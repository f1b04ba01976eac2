//! What a reader reads: its resource; a part of it, which another process puts together with the
//! others; or what such processes have read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cursor::Interval;
use crate::error::Result;
use crate::run::read::keys::{Among, KeyLog};
use crate::run::read::output::{Boxed, ReadBatch};
use crate::run::report::counted::Counted;
use crate::source::SliceRequest;
use crate::state::{SliceState, StateChange};

/// What a reader reads.
#[derive(Clone)]
pub(crate) enum Reads {
    /// The whole resource.
    Whole,
    /// Some of its slices, or windows of its one slice: how the pass ends is not decided.
    Part(Arc<Part>),
    /// What other processes have read of it.
    Taken(Arc<dyn Taken>),
}

/// How a part of a resource is read.
pub(crate) struct Part {
    /// Takes the keys that are compared with those of other parts.
    pub keys: Arc<dyn KeyLog>,
    /// The resource whose one slice is read in part: other windows of it are read elsewhere.
    pub windows_of: Option<String>,
}

/// What other processes have read.
pub(crate) trait Taken: Send + Sync {
    /// Returns whether the windows of a resource's one slice are read apart.
    fn is_split(&self, resource: &str) -> bool;

    /// Returns what was read of a slice, or of a window of it.
    fn of(&self, wanted: Wanted<'_>) -> Boxed<'_, Result<Known>>;
}

/// A slice, or a window of one, that is to be read.
pub(crate) struct Wanted<'a> {
    pub resource: &'a str,
    /// The id of the slice.
    pub slice: &'a str,
    /// Its state, with the pass that is read.
    pub state: &'a SliceState,
    /// Whether this pass has seen its parent.
    pub listed: bool,
    /// The window; `None`: the whole slice.
    pub window: Option<&'a Interval>,
}

/// What is known of a slice.
pub(crate) enum Known {
    /// Nobody has read it yet.
    Nothing,
    /// It was read together with another slice, with which it has been taken.
    Before,
    /// It was read.
    Read(Box<dyn TakenPart>),
}

/// What was read of a part of a resource.
pub(crate) trait TakenPart: Send {
    /// Returns what it has shown besides its rows.
    fn facts(&self) -> &Facts;

    /// Returns the changes of the state that it ends with.
    fn state(&self) -> &[StateChange];

    /// Passes the keys that are compared with those of other parts.
    fn keys(&mut self, each: &mut EachKeys<'_>) -> Result<()>;

    /// Returns the next rows; `None` after the last ones.
    fn batch(&mut self) -> Boxed<'_, Result<Option<ReadBatch>>>;

    /// Returns the next slices that its records make, with the name of the child; `None` after the
    /// last ones.
    fn found(&mut self) -> Result<Option<(String, Vec<SliceRequest>)>>;
}

/// Takes the keys of one page.
pub(crate) type EachKeys<'a> = dyn FnMut(Among, &LoggedKeys) -> Result<()> + Send + 'a;

/// The keys of a page of a list, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoggedKeys {
    /// What the keys are compared within.
    pub scope: String,
    /// What tells the list from others.
    pub list: String,
    /// The columns that each of its rows gets.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub columns: std::collections::BTreeMap<String, Option<String>>,
    pub ids: Vec<u64>,
    pub contents: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moving: Vec<bool>,
}

/// What a part of a resource has shown besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Its counters, its proof and its notes.
    pub counted: Counted,
    /// Whether it did not show every existing record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether a list was empty, and nothing proves that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// Whether a response says that it is an error, or incomplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub faulty: bool,
    /// Whether the resource was left out by the rule for a status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// For a child: the records of each list of a parent, as one number, and their count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<(u64, u64)>,
}
