//! The severity of a change.

use serde::{Deserialize, Serialize};

/// The severity of a change, in the words of semantic versioning.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Existing code and models are not affected.
    Patch,
    /// Something was added; existing code and models work as before.
    Minor,
    /// Existing code or models must change.
    Breaking,
}

impl Level {
    /// Returns the level in one word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Breaking => "breaking",
        }
    }
}
