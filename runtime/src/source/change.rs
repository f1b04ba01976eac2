//! What the records of a feed say of another resource's records.

use std::any::Any;
use std::sync::Arc;

use super::child::ParamValue;
use crate::record::Json;
use crate::record::json;

/// What a record of a feed (an event, a line of a list of what was deleted) says of a record of another resource.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Event {
///     kind: Option<String>,
///     object_id: Option<String>,
///     object: Option<Json>,
/// }
///
/// let events = Event::list("events", "/events").changes("customers", |event| match event.kind.as_deref()? {
///     "customer.deleted" => Change::delete(&event.object_id),
///     _ => Some(Change::put(event.object.as_ref()?)),
/// });
/// # let _ = events;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Change(pub(crate) What);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// It is like that: raw JSON.
    Put(Box<str>),
    /// The one of that key is gone.
    Delete(String),
}

impl Change {
    /// The record is like that now; `object` is as the resource's own list has it.
    pub fn put(object: &Json) -> Self {
        Change(What::Put(object.as_str().into()))
    }

    /// The record of that key is gone; `None`: there is no key.
    pub fn delete(key: impl ParamValue) -> Option<Self> {
        Some(Change(What::Delete(key.text()?)))
    }

    /// The key of the record that it is about.
    pub(crate) fn key(&self, keys: &[String]) -> Option<String> {
        match &self.0 {
            What::Put(raw) => {
                let found = json::find(raw, keys.iter().map(String::as_str))?;
                json::scalar_text(found)
            }
            What::Delete(key) => Some(key.clone()),
        }
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            What::Put(raw) => raw.len(),
            What::Delete(key) => key.len(),
        }
    }
}

/// The changes that a resource's records bring to another.
pub(crate) struct ChangesOf {
    pub target: String,
    pub of: Arc<ChangeFn>,
}

pub(crate) type ChangeFn = dyn Fn(&dyn Any) -> Option<Change> + Send + Sync;
