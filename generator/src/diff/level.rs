//! How serious a change is.

use serde::{Deserialize, Serialize};

/// How serious a change is, in the words of semantic versioning.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that was built on it has to care.
    Patch,
    /// There is more than before; what was there is as it was.
    Minor,
    /// What was built on it has to be looked at.
    Breaking,
}

impl Level {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Breaking => "breaking",
        }
    }
}
