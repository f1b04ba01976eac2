//! Feeds: resources whose records report changes of another resource.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Change, ChangesOf};
use super::child::ParamValue;
use super::resource::{Resource, ResourceSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;

impl<T: Record> Resource<T> {
    /// Declares that the records of this resource are a feed: each may report the new value of a
    /// record of `target`, or its deletion. Of all changes to one record, the one with the highest
    /// cursor value counts; a record in the target's own list of the same run is newer.
    /// [`Resource::deletes`] of the target says what happens to deleted records.
    ///
    /// The feed is read before the target's list, from its start if a run was killed, and its
    /// cursor moves when the changes are committed.
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

    /// Declares that the records of this resource name deleted records of `target`, by their keys.
    pub fn tombstones_of<K: ParamValue>(
        self,
        target: &str,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> Self {
        self.changes(target, move |record| Change::delete(key(record)))
    }

    /// Declares that the feed goes back only this far: if it was last read before that, the
    /// resources that it changes are read in full.
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
            None => format!("it changes `{name}`, which does not exist"),
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
