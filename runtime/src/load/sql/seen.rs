//! Unchanged records: finds them, and keeps the ids of those that a pass has seen until its end. Their rows do not say
//! which pass has brought them last.

use std::collections::HashSet;

use super::{Session, Store, Value, unfit};
use crate::error::Result;
use crate::load::contents::Contents;
use crate::load::{Chunk, PassMark};
use crate::schema::{ColumnRole, TableBatch, TableSchema};

impl<S: Session> Store<S> {
    /// Returns the records that have the content of their rows.
    pub(super) fn unchanged(&mut self, root: &TableBatch) -> Result<HashSet<String>> {
        // A table that this load has created has no rows of earlier ones.
        let contents = Contents::of(root).filter(|_| !self.created.contains(&root.schema.name));
        let Some(contents) = contents else {
            return Ok(HashSet::new());
        };
        let dialect = self.session.dialect();
        let [id, hash] = [contents.id, contents.hash].map(|column| dialect.column(&column.name));
        let keys = contents.table(&root.schema.resource).map_err(unfit)?;
        let arrival = dialect.quoted(&self.session.arrive(&keys)?);
        let table = dialect.quoted(&root.schema.name);
        let sql = format!(
            "SELECT o.{id} FROM {arrival} AS o JOIN {table} AS t ON t.{id} = o.{id} WHERE t.{hash} = o.{hash}"
        );
        let found = self.session.query(&sql, &[])?;
        Ok(found.iter().map(|row| row[0].text()).collect())
    }

    /// Counts unchanged records of a chunk, and keeps their ids if the pass asks for them.
    pub(super) fn see(&mut self, chunk: &Chunk, ids: &HashSet<String>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let count = self
            .unchanged
            .entry(chunk.resource.to_string())
            .or_default();
        *count += ids.len() as u64;
        self.rows -= ids.len() as u64;
        let Some(PassMark { id, scope, .. }) = chunk.remembers() else {
            return Ok(());
        };
        let [source, resource] = [&*self.load.source, &*chunk.resource].map(Value::from);
        let [scope, pass] = [scope, id].map(Value::from);
        let older = "DELETE FROM _etl_seen WHERE source = $1 AND resource = $2 AND scope = $3 AND pass <> $4";
        let of = [source, resource, scope, pass];
        self.session.execute(older, &of)?;
        let mut values = Vec::from(of);
        values.push((&self.load.id).into());
        values.push(Value::Texts(ids.iter().cloned().collect()));
        let keep = "INSERT INTO _etl_seen VALUES ($1, $2, $3, $4, $5, $6)";
        self.session.execute(keep, &values).map(drop)
    }

    /// Forgets what a pass has seen if the chunk is its last one.
    pub(super) fn end_pass(&mut self, chunk: &Chunk) -> Result<()> {
        let Some(pass) = chunk.pass.as_ref().filter(|pass| pass.ends) else {
            return Ok(());
        };
        let sql = "DELETE FROM _etl_seen WHERE source = $1 AND resource = $2 AND scope = $3";
        let [source, resource] = [&*self.load.source, &*chunk.resource].map(Value::from);
        let scope = Value::from(&pass.scope);
        self.session
            .execute(sql, &[source, resource, scope])
            .map(drop)
    }

    /// Writes what unfinished passes have seen of a resource into its rows, because the rows will not have these ids.
    pub(super) fn settle_seen(&mut self, root: &TableSchema) -> Result<()> {
        let of = [&self.load.source, &root.resource].map(Value::from);
        let any = "SELECT count(*) FROM _etl_seen WHERE source = $1 AND resource = $2";
        if super::first_int(&self.session.query(any, &of)?) == 0 {
            return Ok(());
        }
        let (id, load) = (root.role(ColumnRole::RowId), root.role(ColumnRole::LoadId));
        if let Some((id, load)) = id.zip(load) {
            let dialect = self.session.dialect();
            let (table, id, load) = (
                dialect.quoted(&root.name),
                dialect.column(&id.name),
                dialect.column(&load.name),
            );
            let sql = format!(
                "UPDATE {table} AS t SET {load} = s.pass
                 FROM (SELECT id, max(pass) AS pass FROM
                          (SELECT unnest(ids) AS id, pass FROM _etl_seen WHERE source = $1 AND resource = $2) AS u
                       GROUP BY id) AS s
                 WHERE t.{id} = s.id AND t.{load} COLLATE \"C\" < s.pass"
            );
            if self.session.execute(&sql, &of)? > 0 {
                self.touch(&root.name);
            }
        }
        let forget = "DELETE FROM _etl_seen WHERE source = $1 AND resource = $2";
        self.session.execute(forget, &of).map(drop)
    }
}

/// Returns the query of the ids that a pass of a resource has seen. The values are parts of the text, since a cursor has
/// none.
pub(super) fn seen(source: &str, resource: &str, pass: &str) -> String {
    let [source, resource, pass] = [source, resource, pass].map(|text| text.replace('\'', "''"));
    format!(
        "SELECT unnest(ids) FROM _etl_seen WHERE source = '{source}' AND resource = '{resource}' AND pass = '{pass}'"
    )
}
