//! The changes of the last loads, and their rollback.

use std::collections::{BTreeMap, BTreeSet};

use super::{Session, Store, Value};
use crate::error::Result;
use crate::load::{LoadInfo, LoadRow, LoadStatus, RolledBack, UNDOABLE_LOADS};
use crate::schema::ColumnRole;
use crate::state::without_pass;

/// The changes of a load to a resource.
#[derive(Default)]
pub struct Change {
    /// The number of added records minus removed ones.
    pub records: i64,
    /// Whether all rows were replaced at once.
    pub replaced: bool,
}

/// Adds to the stored changes of the load; only the last loads keep theirs.
pub fn put_changes(
    session: &mut impl Session,
    load: &LoadInfo,
    changes: &mut BTreeMap<String, Change>,
) -> Result<()> {
    let (source, id) = (Value::from(&load.source), Value::from(&load.id));
    // A load that changed no resource can be rolled back too.
    changes.entry(String::new()).or_default();
    for (resource, change) in std::mem::take(changes) {
        let values = [
            source.clone(),
            id.clone(),
            Value::Text(resource),
            Value::Int(change.records),
            Value::Bool(change.replaced),
        ];
        let changed = session.execute(
            "UPDATE _etl_changes SET records = records + $4, replaced = replaced OR $5
             WHERE source = $1 AND load_id = $2 AND resource = $3",
            &values,
        )?;
        if changed == 0 {
            let add = "INSERT INTO _etl_changes VALUES ($1, $2, $3, $4, $5)";
            session.execute(add, &values)?;
        }
    }
    let oldest = format!(
        "SELECT load_id FROM _etl_changes WHERE source = $1 AND resource = ''
         ORDER BY load_id COLLATE \"C\" DESC LIMIT 1 OFFSET {UNDOABLE_LOADS}"
    );
    for table in ["_etl_undo", "_etl_changes"] {
        let sql = format!(
            "DELETE FROM {table} WHERE source = $1 AND load_id COLLATE \"C\" <= ({oldest})"
        );
        session.execute(&sql, std::slice::from_ref(&source))?;
    }
    Ok(())
}

/// Returns the loads of a source, the oldest first.
pub fn loads(session: &mut impl Session, source: &str) -> Result<Vec<LoadRow>> {
    let found = session.query(
        "SELECT load_id, status, rows, EXISTS (SELECT 1 FROM _etl_changes AS c
             WHERE c.source = l.source AND c.load_id = l.load_id)
         FROM _etl_loads AS l WHERE source = $1 ORDER BY load_id COLLATE \"C\"",
        &[source.into()],
    )?;
    let row = |row: Vec<Value>| {
        let rows = row[2].int().unwrap_or_default().unsigned_abs();
        let status = LoadStatus::parse(&row[1].text());
        LoadRow::new(row[0].text(), status, rows, row[3].is_true())
    };
    Ok(found.into_iter().map(row).collect())
}

impl<S: Session> Store<S> {
    /// Removes the rows of loads and restores the state from before them, without a commit.
    pub(super) fn undo(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        let mut done = Vec::new();
        let mut left = BTreeSet::new();
        for (resource, change) in self.changes_in(loads)? {
            let tables = self.tables_of(&resource);
            let root = tables.first().filter(|root| root.parent.is_none());
            let column = root.and_then(|root| root.role(ColumnRole::LoadId));
            let Some(column) = column.filter(|_| !change.replaced) else {
                left.insert(resource.clone());
                done.push(RolledBack::new(resource, None, 0));
                continue;
            };
            let wanted = format!("{} = $1", self.session.dialect().column(&column.name));
            let mut removed = 0;
            for load in loads {
                removed += self.remove(&resource, &wanted, &load.into())?;
            }
            let lost = (removed - change.records).max(0).unsigned_abs();
            done.push(RolledBack::new(
                resource,
                Some(removed.unsigned_abs()),
                lost,
            ));
        }
        // The newest first, so that the oldest values win.
        let mut newest: Vec<&String> = loads.iter().collect();
        newest.sort_by(|a, b| b.cmp(a));
        for load in newest {
            self.restore(load, &left)?;
        }
        Ok(done)
    }

    /// Returns the changes of these loads, by resource.
    fn changes_in(&mut self, loads: &[String]) -> Result<BTreeMap<String, Change>> {
        let mut changes: BTreeMap<String, Change> = BTreeMap::new();
        let found = self.session.query(
            "SELECT resource, records, replaced FROM _etl_changes
             WHERE source = $1 AND load_id = ANY($2) AND resource <> ''",
            &[(&self.load.source).into(), Value::Texts(loads.to_vec())],
        )?;
        for row in found {
            let change = changes.entry(row[0].text()).or_default();
            change.records += row[1].int().unwrap_or_default();
            change.replaced |= row[2].is_true();
        }
        Ok(changes)
    }

    /// Restores the state from before the load, except for resources that stay unchanged.
    fn restore(&mut self, load: &str, left: &BTreeSet<String>) -> Result<()> {
        let values = [
            (&self.load.source).into(),
            load.into(),
            Value::Texts(left.iter().cloned().collect()),
        ];
        self.session.execute(
            "DELETE FROM _etl_state AS s USING _etl_undo AS u
             WHERE s.source = $1 AND u.source = $1 AND u.load_id = $2 AND s.resource = u.resource AND s.slice = u.slice
             AND NOT (u.resource = ANY($3))",
            &values,
        )?;
        let found = self.session.query(
            "SELECT resource, slice, value FROM _etl_undo
             WHERE source = $1 AND load_id = $2 AND value IS NOT NULL AND NOT (resource = ANY($3))",
            &values,
        )?;
        let texts = |at: usize| Value::Texts(found.iter().map(|row| row[at].text()).collect());
        let restored = found.iter().map(|row| without_pass(&row[2].text()));
        let restored = Value::Texts(restored.collect());
        self.session.execute(
            "INSERT INTO _etl_state SELECT $1, unnest($2), unnest($3), unnest($4)",
            &[values[0].clone(), texts(0), texts(1), restored],
        )?;
        for table in ["_etl_undo", "_etl_changes", "_etl_seen"] {
            let sql = format!("DELETE FROM {table} WHERE source = $1 AND load_id = $2");
            self.session.execute(&sql, &values[..2])?;
        }
        let status = LoadStatus::RolledBack.name().into();
        let [source, load, _] = values;
        let sql = "UPDATE _etl_loads SET status = $3 WHERE source = $1 AND load_id = $2";
        self.session.execute(sql, &[source, load, status])?;
        Ok(())
    }
}
