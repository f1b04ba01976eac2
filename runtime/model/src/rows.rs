//! The treatment of rows, and of requests that fail.

use serde::{Deserialize, Serialize};

/// How new rows are combined with existing ones.
///
/// ```
/// use etlgen_model::Disposition;
///
/// let disposition: Disposition = serde_json::from_str(r#""merge""#)?;
/// assert_eq!(disposition, Disposition::Merge);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Every record is a new row. A record that was loaded before with exactly the same content is
    /// not loaded again.
    Append,
    /// The rows of this run replace all rows, at once, when the resource has been read to its end.
    Replace,
    /// A record replaces the record with the same key, including its child rows.
    Merge,
}

/// The treatment of records that a complete pass over a resource no longer returns.
///
/// ```
/// use etlgen_model::Deletes;
///
/// let deletes: Deletes = serde_json::from_str(r#""soft""#)?;
/// assert_eq!(deletes, Deletes::Soft);
/// assert_eq!(Deletes::default(), Deletes::Keep);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// They stay unchanged.
    #[default]
    Keep,
    /// They stay, and `_etl_deleted_at` holds the time when a run found this. It is null again when
    /// they return.
    Soft,
    /// They are removed, with their child rows.
    Hard,
}

/// The reaction to a certain status of a response.
///
/// ```
/// use etlgen_model::StatusRule;
///
/// let rule: StatusRule = serde_json::from_str(r#""skip""#)?;
/// assert_eq!(rule, StatusRule::Skip);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusRule {
    /// The resource fails at once.
    Fail,
    /// The request is sent again, as after a 503.
    Retry,
    /// The list is left out, and the report counts it. For a child resource that is the list of one
    /// parent; otherwise it is the resource, whose tables stay unchanged. Only the status of the
    /// first page counts: a later page with this status fails the resource. It does not show that
    /// the list has no records: existing rows stay, and the resource is not proved complete.
    Skip,
    /// The response is an empty page: the list has no records, or none after the page before. As
    /// the API does not say so, the list is at most *assumed* complete.
    Empty,
}
