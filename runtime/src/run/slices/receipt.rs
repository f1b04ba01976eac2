//! What one attempt has extracted of a slice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::read::reads::Facts;
use crate::schema::{ColumnType, Done, Drifted, TableSchema};
use crate::state::StateChange;

/// What one attempt has extracted of a slice. A slice has at most one receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The version of its JSON, 1.
    pub version: u32,
    /// The run: the id of its load.
    pub run: String,
    /// The id of the slice.
    pub slice: String,
    /// The attempt, whose files these are.
    pub attempt: String,
    /// Rows in all tables.
    pub rows: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// How well it is known that the rows are complete: `proved`, `consistent`, `assumed`, `unproved`.
    pub proof: String,
    /// The parts of the cursor that have been read, by resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closed>,
    /// The slices that were found of each child.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, u64>,
    /// What is committed.
    pub(super) resources: Vec<Extracted>,
    /// The files with the slices of each child.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) found: BTreeMap<String, String>,
}

impl Receipt {
    /// Returns what people and orchestrators want to know of it, as one line of JSON: `slice`,
    /// `attempt`, `rows`, `bytes`, `requests`, `proof`, `closed` and `children`.
    pub fn summary(&self) -> String {
        let summary = serde_json::json!({
            "run": self.run,
            "slice": self.slice,
            "attempt": self.attempt,
            "rows": self.rows,
            "bytes": self.bytes,
            "requests": self.requests,
            "proof": self.proof,
            "closed": self.closed,
            "children": self.children,
        });
        summary.to_string()
    }
}

/// The part of a resource's cursor that a slice has closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Closed {
    /// The resource.
    pub resource: String,
    /// The lowest value that was asked for; `None`: all.
    pub from: Option<String>,
    /// The highest value, or the end of the window.
    pub until: Option<String>,
}

/// What was extracted of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Extracted {
    pub resource: String,
    pub facts: Facts,
    pub files: Vec<ExtractedFile>,
    /// What is written, in this order.
    pub batches: Vec<ExtractedBatch>,
    /// The changes of the state that it ends with.
    pub state: Vec<StateChange>,
    /// The file with the keys that are compared with those of other slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
}

impl Extracted {
    /// Returns what was extracted of a resource that has shown nothing.
    pub fn of(resource: &str) -> Self {
        Extracted {
            resource: resource.to_owned(),
            facts: Facts::default(),
            files: Vec::new(),
            batches: Vec::new(),
            state: Vec::new(),
            keys: None,
        }
    }
}

/// A file with rows of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ExtractedFile {
    /// Its name; empty if it would have no rows.
    pub name: String,
    pub table: TableSchema,
    pub rows: u64,
    pub bytes: u64,
    /// The XXH3 hash of its bytes, 128 bits in hexadecimal digits.
    pub hash: String,
}

impl Default for ExtractedFile {
    fn default() -> Self {
        ExtractedFile {
            name: String::new(),
            table: TableSchema::new("", "", Vec::new()),
            rows: 0,
            bytes: 0,
            hash: String::new(),
        }
    }
}

/// Rows that are written together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ExtractedBatch {
    /// The index of the file of each table, and the number of its next rows.
    pub tables: Vec<(usize, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<ExtractedDrift>,
    /// The ids of records that the API has reported as deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

/// A line of the drift of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ExtractedDrift {
    table: String,
    keys: String,
    came: String,
    done: Done,
    count: u64,
}

impl ExtractedDrift {
    pub fn of(line: &Drifted, count: u64) -> Self {
        ExtractedDrift {
            table: line.table.clone(),
            keys: line.keys.clone(),
            came: line.came.to_owned(),
            done: line.done.clone(),
            count,
        }
    }

    pub fn line(&self) -> (Drifted, u64) {
        let came = match self.came.as_str() {
            "object" => "object",
            "list" => "list",
            "null" => "null",
            name => ColumnType::parse(name).unwrap_or(ColumnType::Json).name(),
        };
        let line = Drifted {
            table: self.table.clone(),
            keys: self.keys.clone(),
            came,
            done: self.done.clone(),
        };
        (line, self.count)
    }
}
