//! The planned changes to the files of a crate.

use std::collections::BTreeMap;

use super::tree::Tree;

/// New texts of files, by their path in the crate; `None`: removed.
pub type Changes = BTreeMap<String, Option<String>>;

/// What happens to one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It gets the new generated text: its owner had not edited it.
    Follows,
    /// It is generated for the first time.
    New,
    /// It is no longer generated, and its owner had not edited it.
    Removed,
    /// The edits of the owner and the changes of etlgen are merged.
    Merged,
    /// It is merged at the path to which the owner moved it; this was its path.
    MergedAway(String),
    /// `--accept` settles its conflicts.
    Settled,
    /// The owner deleted it, and it stays deleted although it is generated differently now.
    StaysDeleted,
    /// It is no longer generated, but its owner has edited it.
    NowYours,
    /// It announces the changes: the changelog, the version.
    Announced,
    /// It is not text, and stays unchanged.
    NotText,
}

/// A place that the owner must decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The file, by its path in the crate.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The reason.
    pub why: String,
    /// Whether the file has conflict markers there. Without them, the line merged, but uses what no
    /// longer exists.
    pub is_marked: bool,
}

/// The planned changes to the files of a crate.
#[derive(Debug, Default)]
pub struct Planned {
    /// The files that change.
    pub changes: Changes,
    /// What happens to each file, by its path in the crate.
    pub outcomes: Vec<(String, Outcome)>,
    /// The places that the owner must decide.
    pub conflicts: Vec<Conflict>,
}

impl Planned {
    /// Records what happens to a file.
    pub(super) fn note(&mut self, path: &str, outcome: Outcome) {
        self.outcomes.push((path.to_owned(), outcome));
    }

    /// Gives a file a new text.
    pub(super) fn write(&mut self, path: &str, text: String, outcome: Outcome) {
        self.changes.insert(path.to_owned(), Some(text));
        self.note(path, outcome);
    }

    /// Returns the changed files with the line endings that they have on disk.
    pub fn ended(&self, tree: &Tree) -> Changes {
        let files = self.changes.iter().map(|(path, text)| {
            let text = text.as_ref().map(|text| tree.ended(path, text));
            (path.clone(), text)
        });
        files.collect()
    }
}
