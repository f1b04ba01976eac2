//! What is done about an answer's status, where that is not what we would do.

/// What is done when an API answers with a certain status: [`crate::source::Resource::on_status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// The resource fails, at once.
    Fail,
    /// It is asked again, as after a 503.
    Retry,
    /// The list is left out, and the report counts it: of a child resource, that of one parent; else, the resource,
    /// whose tables stay as they are. It is about the first page: a list that has begun to come fails as ever.
    Skip,
}
