//! What comes out of the overrides: the facts as the owner has them, and what no document can say.

use std::collections::BTreeMap;

use etlgen_model::{Contract, Deletes, Embedded, Length, Order, StatusRule, TimeFormat, Windows};

use crate::infer::facts::Facts;

/// An API as its owner has it: what `plan` reads.
#[derive(Clone, Debug)]
pub struct Overridden {
    pub facts: Facts,
    /// One for each resource of the facts.
    pub choices: Vec<Choices>,
    /// The resources that are wanted, as indexes, with the parents that they need.
    pub chosen: Vec<usize>,
    /// The source's name.
    pub name: Option<String>,
    /// Of the resources that have none of their own.
    pub contract: Option<Contract>,
}

/// What the owner of a resource decides besides what it means.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub name: Option<String>,
    pub off: Option<Off>,
    pub contract: Option<Contract>,
    pub deletes: Option<Deletes>,
    /// The dotted path of the field that says that a record is gone.
    pub tombstone: Option<String>,
    /// Empty: there are none.
    pub embedded: Option<Vec<Embedded>>,
    pub on_status: BTreeMap<u16, StatusRule>,
    /// Records never change once made.
    pub new_rows_only: bool,
    pub incremental: Option<Incremental>,
}

/// Whether a resource is part of what a run promises.
#[derive(Clone, Debug, PartialEq)]
pub enum Off {
    /// It is on, whatever the generator thinks of it.
    On,
    /// It is off for this reason.
    Off(String),
}

/// How an owner wants a resource to be read incrementally, besides the cursor of the facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incremental {
    /// How the parameters take a time; `None`: as the field holds it.
    pub format: Option<TimeFormat>,
    /// The parameter leaves out records of the bound itself; `None`: its name says so.
    pub exclusive: Option<bool>,
    /// How much is asked for again.
    pub lookback: Option<Length>,
    pub order: Option<Order>,
    pub windows: Option<Windows>,
    /// The API shows no more rows of one list than that.
    pub most_rows: Option<u64>,
}
