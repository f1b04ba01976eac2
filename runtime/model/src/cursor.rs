//! The parts of an incremental cursor.

use serde::{Deserialize, Serialize};

/// The meaning of the value of a cursor's field.
///
/// ```
/// use etlgen_model::Meaning;
///
/// let meaning: Meaning = serde_json::from_str(r#""updated""#)?;
/// assert_eq!(meaning, Meaning::Updated);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The time at which a record was created: later changes do not move it.
    Created,
    /// The time of the last change, or another value that grows with every change.
    Updated,
}

impl Meaning {
    /// Returns its name in `etlgen.toml` and in `inspect`.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Created => "created",
            Meaning::Updated => "updated",
        }
    }
}

/// The order in which an API sorts a list by its cursor.
///
/// ```
/// use etlgen_model::Order;
///
/// let order: Order = serde_json::from_str(r#""newest_first""#)?;
/// assert_eq!(order, Order::NewestFirst);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The newest record comes first.
    NewestFirst,
    /// The oldest record comes first.
    OldestFirst,
}

/// The format in which a parameter takes a time.
///
/// ```
/// use etlgen_model::TimeFormat;
///
/// let format: TimeFormat = serde_json::from_str(r#""unix_seconds""#)?;
/// assert_eq!(format, TimeFormat::UnixSeconds);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
    /// `2026-01-31T10:00:00Z`.
    Rfc3339,
    /// `2026-01-31`.
    Date,
    /// The value of the record's field, unchanged.
    AsIs,
}

impl TimeFormat {
    /// Returns its name in `etlgen.toml` and in `inspect`.
    pub fn name(self) -> &'static str {
        match self {
            TimeFormat::UnixSeconds => "unix_seconds",
            TimeFormat::UnixMillis => "unix_millis",
            TimeFormat::Rfc3339 => "rfc3339",
            TimeFormat::Date => "date",
            TimeFormat::AsIs => "as_is",
        }
    }
}
