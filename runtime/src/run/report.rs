//! What a run did.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::page::Proof;

/// What a run did.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The load's id (`_etl_load_id`).
    pub load_id: String,
    /// The source's name.
    pub source: String,
    /// The destination, as a person names it.
    pub destination: String,
    /// One per resource, in the source's order.
    pub resources: Vec<ResourceReport>,
    /// From start to end.
    pub elapsed: Duration,
}

impl RunReport {
    /// Whether every resource was read to its end.
    pub fn is_complete(&self) -> bool {
        self.resources
            .iter()
            .all(|resource| !matches!(resource.outcome, Outcome::Failed(..)))
    }
}

/// What a run did for one resource.
#[derive(Clone, Debug)]
pub struct ResourceReport {
    /// The resource.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Records received (before the owner's filters).
    pub records: u64,
    /// Pages received.
    pub pages: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were tried again.
    pub retries: u64,
    /// Bytes of the bodies received, decompressed.
    pub bytes: u64,
    /// Slices read (1 for a resource without a parent).
    pub slices: u64,
    /// Lists that were left out as [`crate::source::Resource::on_status`] says: (status, how many).
    pub skipped: Vec<(u16, u64)>,
    /// How long its requests waited for the rate limit, added up.
    pub waited: Duration,
    /// The cursor before and after, as text, if the resource has one.
    pub cursor: Option<(Option<String>, Option<String>)>,
    /// How the end was proved.
    pub proof: Proof,
    /// Rows written per table, root first.
    pub tables: Vec<(String, u64)>,
    /// Drift: (table, key or column, what was done with it, how many values).
    pub drift: Vec<(String, String, String, u64)>,
    /// Sentences the reader should know (a filter the server refused, a resource read in full).
    pub notes: Vec<String>,
}

/// How a resource ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Read to its end.
    Complete,
    /// Stopped by `--limit` or by a signal; the next run goes on.
    Stopped,
    /// Failed; the message is whole and holds no secret.
    Failed(ErrorKind, String),
}
