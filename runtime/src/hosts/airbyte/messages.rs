//! The messages of a run: records, the status of the streams, and their states.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Map, Value};

use super::catalog::Wanted;
use super::out::Out;
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::bookmarks::{self, Bookmark};
use crate::hosts::connector;
use crate::hosts::streams::id_key;
use crate::load::emit::Emit;
use crate::load::{Capabilities, Commit, LoadInfo, Memory, Operation};
use crate::record::json::write_string;
use crate::schema::{ColumnRole, NestedRecords};

/// The key of our state in that of a stream.
pub(super) const OWN: &str = "etlgen";
/// The key of the states of resources that are read for their children alone.
pub(super) const OTHERS: &str = "etlgen_parents";
/// The key in the state of a stream that was read in full.
pub(super) const IN_FULL: &str = "__ab_full_refresh_sync_complete";

/// Writes the messages of a run.
pub(super) struct Messages {
    streams: BTreeMap<String, Told>,
    memory: Memory,
    out: Out,
}

/// A stream, and what was said of it.
struct Told {
    wanted: Wanted,
    /// Whether a record was written.
    runs: bool,
    /// Its last state.
    state: Option<Map<String, Value>>,
}

impl Messages {
    pub fn new(wanted: Vec<Wanted>, memory: Memory, out: Out) -> Self {
        let streams = wanted.into_iter().map(|wanted| {
            let told = Told {
                wanted,
                runs: false,
                state: None,
            };
            (told.wanted.stream.name.clone(), told)
        });
        Messages {
            streams: streams.collect(),
            memory,
            out,
        }
    }

    /// Returns the state of a stream.
    fn state(
        &self,
        told: &Told,
        bookmarks: &BTreeMap<String, Bookmark>,
    ) -> serde_json::Result<Map<String, Value>> {
        let stream = &told.wanted.stream;
        let mut state = Map::new();
        if let Some(own) = bookmarks.get(&stream.name) {
            if let (Some([key]), Some(reached)) =
                (stream.cursor.as_deref(), own.cursor(&stream.name))
            {
                state.insert(key.clone(), reached.into());
            }
            state.insert(OWN.to_owned(), serde_json::to_value(own)?);
        }
        let others = bookmarks.iter();
        let others = others.filter(|(name, _)| !self.streams.contains_key(*name));
        let others: BTreeMap<_, _> = others.collect();
        if !others.is_empty() {
            state.insert(OTHERS.to_owned(), serde_json::to_value(others)?);
        }
        Ok(state)
    }
}

impl Emit for Messages {
    fn describe(&self) -> String {
        "airbyte:".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        connector::capabilities()
    }

    fn prints(&self) -> bool {
        true
    }

    fn begin(&mut self, _: &LoadInfo) -> Result<Memory> {
        Ok(self.memory.clone())
    }

    fn look(&self, _: &LoadInfo) -> Result<Memory> {
        Ok(self.memory.clone())
    }

    fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        let tables = match operation {
            Operation::Append(tables)
            | Operation::Merge(tables)
            | Operation::Stage { tables, .. } => tables,
            // The stream is complete at the end of the run; a destination that overwrites then drops
            // what is older.
            Operation::Publish => return Ok(()),
            Operation::Delete(_) | Operation::DeleteNotSeen(_) => {
                let message = "an Airbyte destination cannot be told which records are gone";
                return Err(Error::new(ErrorKind::Destination, message));
            }
        };
        let told = self.streams.get_mut(resource).ok_or_else(|| {
            let message = format!("`{resource}` is no configured stream; this is a bug");
            Error::new(ErrorKind::System, message)
        })?;
        let mut records = NestedRecords::new(tables)?;
        if records.is_empty() {
            return Ok(());
        }
        if told.wanted.stream.by_id {
            records = records.with(ColumnRole::RowId, id_key());
        }
        let mut begin = String::from(r#"{"type":"RECORD","record":{"stream":"#);
        write_string(&mut begin, resource);
        begin.push_str(r#","data":"#);
        let end = format!(",\"emitted_at\":{}}}}}\n", self.out.millis());
        let mut line = String::new();
        for row in 0..records.len() {
            line.clear();
            line.push_str(&begin);
            records.write_json(&mut line, row);
            line.push_str(&end);
            self.out.lock().write_all(line.as_bytes())?;
            if !std::mem::replace(&mut told.runs, true) {
                self.out.status(resource, "RUNNING")?;
            }
        }
        self.out.count(resource, records.len());
        Ok(())
    }

    /// Writes the states that have changed. A part of a full refresh is no state: it waits for the end
    /// of its stream.
    fn commit(&mut self, memory: &Memory, _: &Commit<'_>) -> Result<()> {
        let bookmarks = bookmarks::split(memory);
        let mut new = Vec::new();
        let keeping = self.streams.iter();
        for (name, told) in keeping.filter(|(_, told)| told.wanted.keeps_state()) {
            let state = self.state(told, &bookmarks).map_err(|error| {
                let message = "the state cannot be written as JSON";
                Error::new(ErrorKind::System, message).caused_by(error)
            })?;
            if !told.wanted.is_incremental {
                self.out.keep(name, state);
            } else if told.state.as_ref() != Some(&state) || self.out.count(name, 0) > 0 {
                new.push((name.clone(), state));
            }
        }
        for (name, state) in new {
            self.out.state(&name, &Value::Object(state.clone()))?;
            if let Some(told) = self.streams.get_mut(&name) {
                told.state = Some(state);
            }
        }
        Ok(())
    }
}
