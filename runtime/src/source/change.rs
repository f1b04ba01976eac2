//! Changes to a resource's records that the records of a feed report.

use std::any::Any;
use std::sync::Arc;

use super::child::ParamValue;
use crate::record::Json;
use crate::record::json;

/// A change that a record of a feed (an event, an entry in a list of deleted ids) reports about a
/// record of another resource.
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
    /// The new record, as raw JSON.
    Put(Box<str>),
    /// The record with this key was deleted.
    Delete(String),
}

impl Change {
    /// Reports that the record is now `object`, in the form of the resource's own list.
    pub fn put(object: &Json) -> Self {
        Change(What::Put(object.as_str().into()))
    }

    /// Reports that the record with this key was deleted; `None` if the key is missing.
    pub fn delete(key: impl ParamValue) -> Option<Self> {
        Some(Change(What::Delete(key.text()?)))
    }

    /// Returns the key of the changed record.
    pub(crate) fn key(&self, keys: &[String]) -> Option<String> {
        match &self.0 {
            What::Put(raw) => {
                let found = json::find(raw, keys.iter().map(String::as_str))?;
                json::scalar_text(found)
            }
            What::Delete(key) => Some(key.clone()),
        }
    }

    /// Returns its approximate size in memory.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            What::Put(raw) => raw.len(),
            What::Delete(key) => key.len(),
        }
    }
}

/// The changes that a resource's records report about another.
pub(crate) struct ChangesOf {
    pub target: String,
    pub of: Arc<ChangeFn>,
}

pub(crate) type ChangeFn = dyn Fn(&dyn Any) -> Option<Change> + Send + Sync;
