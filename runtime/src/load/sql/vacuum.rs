//! Removes what no pass needs.

use std::collections::BTreeSet;

use super::{Session, Store};
use crate::error::Result;
use crate::load::Vacuum;

impl<S: Session> Store<S> {
    /// Drops the staging tables of resources without a pass in progress that stages rows.
    pub fn drop_abandoned(&mut self, vacuum: &Vacuum) -> Result<()> {
        let tables: Vec<(String, String)> = (self.tables.values())
            .filter(|table| !vacuum.staged.contains(&table.resource))
            .map(|table| (table.resource.clone(), table.name.clone()))
            .collect();
        let mut abandoned = BTreeSet::new();
        for (resource, table) in tables {
            if !self.staged_columns(&table)?.is_empty() {
                abandoned.insert(resource);
            }
        }
        if abandoned.is_empty() {
            return Ok(());
        }
        self.whole(|store| {
            abandoned
                .iter()
                .try_for_each(|resource| store.drop_staged(resource))
        })
    }

    /// Returns the tables of the source, quoted.
    pub fn quoted_tables(&self) -> Vec<String> {
        let dialect = self.session.dialect();
        self.tables
            .keys()
            .map(|name| dialect.quoted(name))
            .collect()
    }
}
