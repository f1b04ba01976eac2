//! What will be done to the files of a crate.

use std::collections::BTreeMap;

use super::tree::Tree;

/// Files as they will be, by their path in the crate; `None`: removed.
pub type Changes = BTreeMap<String, Option<String>>;

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It becomes what is generated now: its owner had not changed it.
    Follows,
    /// It is generated for the first time.
    New,
    /// It is not generated any more, and its owner had not changed it.
    Removed,
    /// The owner's changes and those of etlgen together.
    Merged,
    /// It stands where its owner moved what was generated there.
    MergedAway(String),
    /// Its markers are settled by `--accept`.
    Settled,
    /// The owner deleted it, and it stays deleted although it is generated differently now.
    StaysDeleted,
    /// It is not generated any more, but its owner has changed it.
    NowYours,
    /// It announces what has changed: the changelog, the version.
    Announced,
    /// It is not text, and stays unchanged.
    NotText,
}

/// A place that its owner has to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The file, by its path in the crate.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// What is in conflict.
    pub why: String,
}

/// What will be done to the files of a crate.
#[derive(Debug, Default)]
pub struct Planned {
    /// The files that change.
    pub changes: Changes,
    /// What becomes of each file, by its path in the crate.
    pub outcomes: Vec<(String, Outcome)>,
    /// The places that their owner has to decide.
    pub conflicts: Vec<Conflict>,
}

impl Planned {
    /// Notes what becomes of a file.
    pub(super) fn note(&mut self, path: &str, outcome: Outcome) {
        self.outcomes.push((path.to_owned(), outcome));
    }

    /// Gives a file a new text.
    pub(super) fn write(&mut self, path: &str, text: String, outcome: Outcome) {
        self.changes.insert(path.to_owned(), Some(text));
        self.note(path, outcome);
    }

    /// The changed files with the ends of lines that they have on disk.
    pub fn ended(&self, tree: &Tree) -> Changes {
        let files = self.changes.iter().map(|(path, text)| {
            let text = text.as_ref().map(|text| tree.ended(path, text));
            (path.clone(), text)
        });
        files.collect()
    }
}
