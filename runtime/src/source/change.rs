//! What the records of a feed say of another resource's records.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::child::ParamValue;
use super::resource::{Resource, ResourceSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::record::json;
use crate::record::{Json, Record};

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

impl<T: Record> Resource<T> {
    /// The records of this resource are a feed: each may say how a record of `target` is now, or that it is gone. Of all
    /// that is said of one record, what has the highest cursor value counts; what the target's own list brings in the same
    /// run is newer. What is gone becomes what [`Resource::deletes`] of the target says.
    ///
    /// The feed is read before the target's list, from its beginning if a run was killed, and its cursor moves when the
    /// changes are committed.
    pub fn changes(
        mut self,
        target: &str,
        of: impl Fn(&T) -> Option<Change> + Send + Sync + 'static,
    ) -> Self {
        self.spec.changes.push(ChangesOf {
            target: target.to_owned(),
            of: Arc::new(move |record| of(record.downcast_ref::<T>()?)),
        });
        self
    }

    /// The records of this resource name records of `target` that are gone, by their keys.
    pub fn tombstones_of<K: ParamValue>(
        self,
        target: &str,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> Self {
        self.changes(target, move |record| Change::delete(key(record)))
    }

    /// The feed has only what is not older than that: if it was read longer ago, the resources that it changes are read in
    /// full.
    pub fn reaches_back(mut self, time: Duration) -> Self {
        self.spec.reach = Some(time);
        self
    }
}

impl ChangesOf {
    /// What can be wrong with a feed and its target.
    pub fn validate(&self, feed: &ResourceSpec, target: Option<&ResourceSpec>) -> Result<()> {
        let name = &self.target;
        let wrong = match target {
            None => format!("it changes `{name}`, which is not there"),
            Some(_) if feed.parent.is_some() => "a child resource cannot be a feed".to_owned(),
            Some(_) if feed.primary_key.is_empty() => {
                "a feed needs a key, since it may be read again".to_owned()
            }
            Some(target) if target.parent.is_some() => {
                format!("it changes `{name}`, which is a child: its rows would lose their parent")
            }
            Some(target) if !target.changes.is_empty() => {
                format!("it changes `{name}`, which is a feed itself")
            }
            Some(target) if target.primary_key.len() != 1 => {
                format!("it changes `{name}`, which needs a key of one field")
            }
            Some(_) => return Ok(()),
        };
        Err(Error::new(ErrorKind::Usage, wrong).at(format!("resource {}", feed.name)))
    }
}
