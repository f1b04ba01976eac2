//! Feeds: resources whose records say what changed in another resource.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Change, ChangesOf};
use super::child::ParamValue;
use super::resource::{Resource, ResourceSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;

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

impl ResourceSpec {
    /// Checks a feed and the target of its changes.
    pub fn validate_changes(&self, changes: &ChangesOf, target: Option<&Self>) -> Result<()> {
        let name = &changes.target;
        let wrong = match target {
            None => format!("it changes `{name}`, which is not there"),
            Some(_) if self.parent.is_some() => "a child resource cannot be a feed".to_owned(),
            Some(_) if self.primary_key.is_empty() => {
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
        Err(Error::new(ErrorKind::Usage, wrong).at(format!("resource {}", self.name)))
    }
}
