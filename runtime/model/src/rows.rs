//! What becomes of rows, and of requests that fail.

use serde::{Deserialize, Serialize};

/// How new rows meet the rows that are there.
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
    /// Every record is a new row; one that was loaded before, to the letter, is not loaded again.
    Append,
    /// The rows of this run take the place of all rows, at once, when the resource has been read to its end.
    Replace,
    /// A record takes the place of the record with the same key, its child rows included.
    Merge,
}

/// What becomes of records that a whole reading of a resource does not bring any more.
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
    /// They stay as they are.
    #[default]
    Keep,
    /// They stay, and `_etl_deleted_at` says when that was found; null again when they come back.
    Soft,
    /// They are removed, with their child rows.
    Hard,
}

/// What to do when an API answers with a certain status.
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
    /// The list is left out, and the report counts it. For a child resource that is the list of one parent; otherwise it is the
    /// resource, whose tables stay as they are. Only the status of the first page counts: a later page fails the resource.
    Skip,
}
