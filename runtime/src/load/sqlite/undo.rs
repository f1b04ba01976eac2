//! The changes of the last loads, and their rollback.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::Open;
use super::names::quoted;
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
    db: &Connection,
    load: &LoadInfo,
    changes: &mut BTreeMap<String, Change>,
) -> rusqlite::Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO _etl_changes VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
         SET records = records + excluded.records, replaced = max(replaced, excluded.replaced)",
    )?;
    // A load that changed no resource can be rolled back too.
    add.execute(params![load.source, load.id, "", 0, false])?;
    for (resource, change) in std::mem::take(changes) {
        let Change { records, replaced } = change;
        add.execute(params![load.source, load.id, resource, records, replaced])?;
    }
    let oldest = "SELECT load_id FROM _etl_changes WHERE source = ?1 AND resource = ''
                  ORDER BY load_id DESC LIMIT 1 OFFSET ?2";
    for table in ["_etl_undo", "_etl_changes"] {
        let sql = format!("DELETE FROM {table} WHERE source = ?1 AND load_id <= ({oldest})");
        db.prepare_cached(&sql)?
            .execute(params![load.source, UNDOABLE_LOADS as i64])?;
    }
    Ok(())
}

impl Open {
    pub fn loads(&self) -> rusqlite::Result<Vec<LoadRow>> {
        let mut select = self.db.prepare(
            "SELECT load_id, status, rows, EXISTS (SELECT 1 FROM _etl_changes AS c
                 WHERE c.source = l.source AND c.load_id = l.load_id)
             FROM _etl_loads AS l WHERE source = ?1 ORDER BY load_id",
        )?;
        let loads = select.query_map([&self.load.source], |row| {
            Ok(LoadRow {
                id: row.get(0)?,
                status: LoadStatus::parse(&row.get::<_, String>(1)?),
                rows: row.get::<_, i64>(2)? as u64,
                undoable: row.get(3)?,
            })
        })?;
        loads.collect()
    }

    pub fn rollback(&mut self, loads: &[String]) -> rusqlite::Result<Vec<RolledBack>> {
        self.begin()?;
        let source = self.load.source.clone();
        let mut changes: BTreeMap<String, Change> = BTreeMap::new();
        for load in loads {
            let mut select = self.db.prepare(
                "SELECT resource, records, replaced FROM _etl_changes
                 WHERE source = ?1 AND load_id = ?2 AND resource <> ''",
            )?;
            let mut found = select.query([&source, load])?;
            while let Some(row) = found.next()? {
                let change = changes.entry(row.get(0)?).or_default();
                change.records += row.get::<_, i64>(1)?;
                change.replaced |= row.get::<_, bool>(2)?;
            }
        }
        let mut done = Vec::new();
        let mut left = BTreeSet::new();
        for (resource, change) in changes {
            let root = self.tables_of(&resource).find(|t| t.parent.is_none());
            let load_column = root.and_then(|root| root.role(ColumnRole::LoadId));
            let Some(column) = load_column.filter(|_| !change.replaced) else {
                left.insert(resource.clone());
                done.push(RolledBack {
                    resource,
                    removed: None,
                    lost: 0,
                });
                continue;
            };
            let wanted = format!("{} = ?1", quoted(&column.name));
            let mut removed = 0;
            for load in loads {
                removed += self.remove(&resource, &wanted, params![load])?;
            }
            let lost = (removed as i64 - change.records).max(0) as u64;
            done.push(RolledBack {
                resource,
                removed: Some(removed as u64),
                lost,
            });
        }
        // The newest first, so that the oldest values win.
        let mut newest: Vec<&String> = loads.iter().collect();
        newest.sort_by(|a, b| b.cmp(a));
        for load in newest {
            self.restore(&source, load, &left)?;
        }
        self.db.execute_batch("COMMIT")?;
        self.in_transaction = false;
        Ok(done)
    }

    /// Restores the state from before the load, except for resources that stay unchanged.
    fn restore(&self, source: &str, load: &str, left: &BTreeSet<String>) -> rusqlite::Result<()> {
        let mut select = self.db.prepare(
            "SELECT resource, slice, value FROM _etl_undo WHERE source = ?1 AND load_id = ?2",
        )?;
        let mut found = select.query([source, load])?;
        while let Some(row) = found.next()? {
            let (resource, slice): (String, String) = (row.get(0)?, row.get(1)?);
            let value: Option<String> = row.get(2)?;
            if left.contains(&resource) {
                continue;
            }
            match value {
                Some(value) => self.db.execute(
                    "INSERT OR REPLACE INTO _etl_state VALUES (?1, ?2, ?3, ?4)",
                    params![source, resource, slice, without_pass(&value)],
                )?,
                None => self.db.execute(
                    "DELETE FROM _etl_state WHERE source = ?1 AND resource = ?2 AND slice = ?3",
                    params![source, resource, slice],
                )?,
            };
        }
        for sql in [
            "DELETE FROM _etl_undo WHERE source = ?1 AND load_id = ?2",
            "DELETE FROM _etl_changes WHERE source = ?1 AND load_id = ?2",
            "DELETE FROM _etl_seen WHERE source = ?1 AND load_id = ?2",
        ] {
            self.db.execute(sql, params![source, load])?;
        }
        let sql = "UPDATE _etl_loads SET status = ?3 WHERE source = ?1 AND load_id = ?2";
        let status = LoadStatus::RolledBack;
        self.db.execute(sql, params![source, load, status.name()])?;
        Ok(())
    }
}
