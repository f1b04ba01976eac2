//! The result of the overrides: the facts after the owner's changes, and what no document can
//! state.

use std::collections::BTreeMap;

use etlgen_model::{Contract, Deletes, Embedded, Length, Order, StatusRule, TimeFormat, Windows};

use crate::infer::facts::Facts;

/// An API after the owner's changes. `plan` reads it.
#[derive(Clone, Debug)]
pub struct Overridden {
    pub facts: Facts,
    /// One for each resource of the facts.
    pub choices: Vec<Choices>,
    /// The resources that are wanted, as indexes, with the parents that they need.
    pub chosen: Vec<usize>,
    /// The source's name.
    pub name: Option<String>,
    /// The contract of the resources that have none of their own.
    pub contract: Option<Contract>,
}

/// The owner's decisions about a resource that do not concern the meaning of the document.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub name: Option<String>,
    pub off: Option<Off>,
    pub contract: Option<Contract>,
    pub deletes: Option<Deletes>,
    /// The dotted path of the field that marks a record as deleted.
    pub tombstone: Option<String>,
    /// Empty if the owner says that there are none.
    pub embedded: Option<Vec<Embedded>>,
    pub on_status: BTreeMap<u16, StatusRule>,
    /// Whether a response without the list stands for an empty one.
    pub list_may_be_absent: bool,
    /// The dotted paths of lists within the records that are whole, whatever their objects say.
    pub whole_lists: Vec<String>,
    /// Whether records never change after they are created.
    pub new_rows_only: bool,
    pub incremental: Option<Incremental>,
}

/// Whether a run reads a resource that `--resources` does not name.
#[derive(Clone, Debug, PartialEq)]
pub enum Off {
    /// It is on, even if the generator would leave it off.
    On,
    /// It is off for this reason.
    Off(String),
}

/// The owner's settings for reading a resource incrementally, besides the cursor of the facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incremental {
    /// The format in which the parameters take a time; `None`: the format of the field.
    pub format: Option<TimeFormat>,
    /// Whether the parameter leaves out records of the bound itself; `None`: its name decides.
    pub exclusive: Option<bool>,
    /// The length before the cursor that each run requests again.
    pub lookback: Option<Length>,
    pub order: Option<Order>,
    pub windows: Option<Windows>,
    /// The most rows of one list that the API returns.
    pub most_rows: Option<u64>,
}
