//! Unchanged records: finds them, and keeps the ids of those that a pass has seen until its end. Their rows do not say
//! which pass has brought them last.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::Open;
use super::names::quoted;
use crate::load::contents::Contents;
use crate::load::{Chunk, PassMark};
use crate::schema::{ColumnRole, TableBatch, TableSchema};

/// The ids that a pass has seen; the parameters 1 to 3 are the pass, the source and the resource.
pub const SEEN: &str =
    "SELECT value FROM _etl_seen, json_each(ids) WHERE pass = ?1 AND source = ?2 AND resource = ?3";

impl Open {
    /// Returns the records that have the content of their rows.
    pub fn unchanged<'a>(&self, root: &'a TableBatch) -> rusqlite::Result<HashSet<&'a str>> {
        let mut unchanged = HashSet::new();
        // A table that this load has created has no rows of earlier ones.
        let contents = Contents::of(root).filter(|_| !self.created.contains(&root.schema.name));
        let Some(contents) = contents else {
            return Ok(unchanged);
        };
        let (table, hash) = (quoted(&root.schema.name), quoted(&contents.hash.name));
        let sql = format!(
            "SELECT {hash} FROM {table} WHERE {} = ?1",
            quoted(&contents.id.name)
        );
        let mut find = self.db.prepare_cached(&sql)?;
        for (id, hash) in contents.iter() {
            let found: Option<Option<i64>> = find.query_row([id], |row| row.get(0)).optional()?;
            if found.flatten() == Some(hash) {
                unchanged.insert(id);
            }
        }
        Ok(unchanged)
    }

    /// Counts unchanged records of a chunk, and keeps their ids if the pass asks for them.
    pub fn see(&mut self, chunk: &Chunk, ids: &HashSet<&str>) -> rusqlite::Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let count = self
            .unchanged
            .entry(chunk.resource.to_string())
            .or_default();
        *count += ids.len() as u64;
        self.rows -= ids.len() as u64;
        let Some(pass) = chunk.remembers() else {
            return Ok(());
        };
        let (source, load) = (&self.load.source, &self.load.id);
        let PassMark { id, scope, .. } = pass;
        let older = "DELETE FROM _etl_seen WHERE source = ?1 AND resource = ?2 AND scope = ?3 AND pass <> ?4";
        let mut forget = self.db.prepare_cached(older)?;
        forget.execute(params![source, &*chunk.resource, scope, id])?;
        let ids: Vec<&str> = ids.iter().copied().collect();
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        let mut keep = self
            .db
            .prepare_cached("INSERT INTO _etl_seen VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        keep.execute(params![source, &*chunk.resource, scope, id, load, ids])?;
        Ok(())
    }

    /// Forgets what a pass has seen if the chunk is its last one.
    pub fn end_pass(&self, chunk: &Chunk) -> rusqlite::Result<()> {
        let Some(pass) = chunk.pass.as_ref().filter(|pass| pass.ends) else {
            return Ok(());
        };
        let sql = "DELETE FROM _etl_seen WHERE source = ?1 AND resource = ?2 AND scope = ?3";
        let mut forget = self.db.prepare_cached(sql)?;
        forget.execute(params![self.load.source, &*chunk.resource, pass.scope])?;
        Ok(())
    }

    /// Writes what unfinished passes have seen of a resource into its rows, because the rows will not have these ids.
    pub fn settle_seen(&self, root: &TableSchema) -> rusqlite::Result<()> {
        let of = params![self.load.source, root.resource];
        let (id, load) = (root.role(ColumnRole::RowId), root.role(ColumnRole::LoadId));
        if let Some((id, load)) = id.zip(load) {
            let (table, id, load) = (quoted(&root.name), quoted(&id.name), quoted(&load.name));
            let sql = format!(
                "UPDATE {table} SET {load} = seen.pass
                 FROM (SELECT value AS id, max(pass) AS pass FROM _etl_seen, json_each(ids)
                       WHERE source = ?1 AND resource = ?2 GROUP BY value) AS seen
                 WHERE {table}.{id} = seen.id AND {load} < seen.pass"
            );
            self.db.execute(&sql, of)?;
        }
        let forget = "DELETE FROM _etl_seen WHERE source = ?1 AND resource = ?2";
        self.db.execute(forget, of)?;
        Ok(())
    }
}
