//! Rules for the statuses of answers.

/// What to do when an API answers with a certain status: [`crate::source::Resource::on_status`].
///
/// ```
/// use etlgen_runtime::http::StatusRule;
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Log {
///     id: Option<i64>,
/// }
///
/// // Repositories without logs answer 404.
/// let logs = Log::list("logs", "/logs").on_status(404, StatusRule::Skip);
/// # let _ = logs;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// The resource fails at once.
    Fail,
    /// The request is sent again, as after a 503.
    Retry,
    /// The list is left out, and the report counts it. For a child resource that is the list of one parent; otherwise it is the
    /// resource, whose tables stay as they are. Only the status of the first page counts: a later page fails the resource.
    Skip,
}
