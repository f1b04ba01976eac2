//! Compares two surfaces: what changed, how severe that is for the Rust API and for the tables, and what users must do.
//! `docs/changes.md` defines the levels.

mod columns;
mod fields;
mod json;
mod level;
mod markdown;
mod records;
mod resources;
mod settings;
mod shown;
mod surface;
#[cfg(test)]
mod tests;
mod text;
mod version;
mod words;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

pub use json::json;
pub use level::Level;
pub use markdown::markdown;
pub use surface::Surface;
pub use text::{summary, text};
pub use version::next;

/// The changes from one surface to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The changes, grouped by what they belong to; the most severe come first.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub group: Group,
    pub kind: Kind,
    /// The changed thing, by its Rust name or a word: `Invoice.total`, `Config.api_key`,
    /// `paginator`.
    pub subject: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub rust: Level,
    pub tables: Level,
    /// The first place in the tables where it is visible: `invoices.total`, or a table.
    pub place: Option<String>,
    /// The number of other resources in whose tables it is visible.
    pub elsewhere: usize,
    /// The actions that users of the crate or its tables must take, or the effects that they can
    /// expect.
    pub migration: Option<String>,
}

/// The part of a crate that a change belongs to. The order is that of a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The crate as a whole: its credentials, its settings.
    Source,
    Resource(String),
    /// A struct that several resources use.
    Struct(String),
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    SourceRenamed,
    AuthChanged,
    BaseUrlChanged,
    SettingAdded,
    SettingRemoved,
    SettingChanged,
    FeatureAdded,
    FeatureRemoved,
    FeatureChanged,
    ContractChanged,
    ResourceAdded,
    ResourceRemoved,
    ResourceRenamed,
    EndpointChanged,
    FormatChanged,
    FunctionChanged,
    RecordChanged,
    RecordsPathChanged,
    KeyChanged,
    PaginatorChanged,
    EmbeddedChanged,
    CursorChanged,
    ParentChanged,
    ParameterAdded,
    ParameterRemoved,
    ParameterChanged,
    DeletesChanged,
    OffChanged,
    StructRenamed,
    StructMoved,
    FieldAdded,
    FieldRemoved,
    FieldRenamed,
    FieldRetyped,
}

impl Change {
    /// Returns the more severe of the two levels.
    pub fn level(&self) -> Level {
        self.rust.max(self.tables)
    }
}

impl Diff {
    /// Returns the level of the most severe change; `None`: nothing changed.
    pub fn level(&self) -> Option<Level> {
        self.changes.iter().map(Change::level).max()
    }

    /// Returns the number of changes of that level.
    pub fn count(&self, level: Level) -> usize {
        let changes = self.changes.iter();
        changes.filter(|change| change.level() == level).count()
    }
}

/// Compares two surfaces.
pub fn diff(old: &Surface, new: &Surface) -> Diff {
    let mut changes = settings::compare(old, new);
    let pairs = resources::pairs(old, new);
    changes.extend(resources::compare(old, new, &pairs));
    changes.extend(records::compare(old, new, &pairs));
    let mut worst: BTreeMap<Group, Level> = BTreeMap::new();
    for change in &changes {
        let level = worst.entry(change.group.clone()).or_insert(change.level());
        *level = change.level().max(*level);
    }
    changes.sort_by_cached_key(|change| {
        let group = &change.group;
        (
            Reverse(worst.get(group).copied()),
            group.clone(),
            Reverse(change.level()),
            change.kind,
            change.subject.clone(),
        )
    });
    Diff { changes }
}
