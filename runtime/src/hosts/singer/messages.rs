//! The messages of a run: SCHEMA, RECORD, ACTIVATE_VERSION and STATE.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use serde_json::{Map, Value, json};

use super::DIALECT;
use super::catalog::{cursor, key};
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::streams::{Stream, id_key};
use crate::hosts::{bookmarks, connector};
use crate::load::emit::Emit;
use crate::load::{Capabilities, Commit, LoadInfo, Memory, Operation};
use crate::record::json::write_string;
use crate::record::sortable;
use crate::schema::{ColumnRole, ColumnType, NestedRecords, Shape, TableBatch};
use crate::state::{SliceState, load_time};

/// The key of our state in a bookmark.
pub(super) const OWN: &str = "etlgen";

/// Writes the messages of a run.
pub(super) struct Messages {
    streams: HashMap<String, Described>,
    memory: Memory,
    load: Option<LoadInfo>,
    out: Box<dyn Write + Send>,
}

/// A stream, and what was said of it.
struct Described {
    stream: Stream,
    shape: Shape,
    /// Whether the last SCHEMA has this shape.
    is_told: bool,
    /// The version of the records that replace all others.
    version: Option<i64>,
}

impl Messages {
    /// Writes the messages of these streams, each without some of its fields, to `out`.
    pub fn new(
        streams: Vec<(Stream, Vec<Vec<String>>)>,
        memory: Memory,
        out: Box<dyn Write + Send>,
    ) -> Self {
        let described = streams.into_iter().map(|(stream, without)| {
            let described = Described {
                shape: stream.shape(&without),
                version: version(&memory, &stream.name),
                is_told: false,
                stream,
            };
            (described.stream.name.clone(), described)
        });
        Messages {
            streams: described.collect(),
            memory,
            load: None,
            out,
        }
    }

    fn write(&mut self, message: &Value) -> Result<()> {
        Ok(writeln!(self.out, "{message}")?)
    }

    /// Writes the SCHEMA of a stream unless it was written.
    fn describe(&mut self, resource: &str) -> Result<()> {
        let Some(described) = self.streams.get_mut(resource) else {
            return Err(unknown(resource));
        };
        if std::mem::replace(&mut described.is_told, true) {
            return Ok(());
        }
        let stream = &described.stream;
        let message = json!({
            "type": "SCHEMA",
            "stream": resource,
            "schema": described.shape.record_schema(&DIALECT),
            "key_properties": key(stream),
            "bookmark_properties": cursor(stream).into_iter().collect::<Vec<_>>(),
        });
        self.write(&message)
    }

    fn records(&mut self, resource: &str, tables: &[TableBatch], staged: bool) -> Result<()> {
        let described = self
            .streams
            .get_mut(resource)
            .ok_or_else(|| unknown(resource))?;
        let mut records = NestedRecords::new(tables)?;
        if records.is_empty() {
            return Ok(());
        }
        let schemas: Vec<_> = tables.iter().map(|table| &*table.schema).collect();
        let mut shape = Shape::of(&schemas)?;
        if described.stream.by_id {
            records = records.with(ColumnRole::RowId, id_key());
            shape = shape.with(id_key(), ColumnType::Text);
        }
        described.is_told &= !described.shape.merge(&shape);
        let version = described.version.filter(|_| staged);
        self.describe(resource)?;
        let mut begin = String::from(r#"{"type":"RECORD","stream":"#);
        write_string(&mut begin, resource);
        begin.push_str(r#","record":"#);
        let now = self.load.as_ref().map_or(0, LoadInfo::now);
        let mut end = format!(r#","time_extracted":"{}""#, sortable(now).as_str());
        if let Some(version) = version {
            end.push_str(&format!(r#","version":{version}"#));
        }
        end.push_str("}\n");
        let mut line = String::new();
        for row in 0..records.len() {
            line.clear();
            line.push_str(&begin);
            records.write_json(&mut line, row);
            line.push_str(&end);
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn publish(&mut self, resource: &str) -> Result<()> {
        self.describe(resource)?;
        let version = self.streams.get(resource).and_then(|it| it.version);
        self.write(&json!({
            "type": "ACTIVATE_VERSION", "stream": resource, "version": version,
        }))
    }
}

fn unknown(resource: &str) -> Error {
    let message = format!("`{resource}` is no selected stream; this is a bug");
    Error::new(ErrorKind::System, message)
}

/// Returns the version of the records of a pass that goes on.
fn version(memory: &Memory, resource: &str) -> Option<i64> {
    let mut rows = memory.state.iter().filter(|row| row.resource == resource);
    rows.find_map(|row| {
        let state = SliceState::parse(resource, &row.slice, &row.value).ok()?;
        millis(&state.pass.filter(|pass| pass.staged)?.id)
    })
}

/// Returns the time of a load in milliseconds since 1970.
fn millis(load: &str) -> Option<i64> {
    load_time(load).map(|micros| micros / 1_000)
}

impl Emit for Messages {
    fn describe(&self) -> String {
        "singer:".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        connector::capabilities()
    }

    fn prints(&self) -> bool {
        true
    }

    fn begin(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.load = Some(load.after(&self.memory));
        let mut names: Vec<String> = self.streams.keys().cloned().collect();
        names.sort();
        for name in names {
            Messages::describe(self, &name)?;
        }
        Ok(self.memory.clone())
    }

    fn look(&self, _: &LoadInfo) -> Result<Memory> {
        Ok(self.memory.clone())
    }

    fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        match operation {
            Operation::Append(tables) | Operation::Merge(tables) => {
                self.records(resource, tables, false)
            }
            Operation::Stage { tables, first } => {
                let version = self.load.as_ref().and_then(|load| millis(&load.id));
                if let Some(described) = self.streams.get_mut(resource)
                    && (*first || described.version.is_none())
                {
                    described.version = version;
                }
                self.records(resource, tables, true)
            }
            Operation::Publish => self.publish(resource),
            Operation::Delete(_) | Operation::DeleteNotSeen(_) => {
                let message = "a Singer target cannot be told which records are gone";
                Err(Error::new(ErrorKind::Destination, message))
            }
        }
    }

    fn commit(&mut self, memory: &Memory, _: &Commit<'_>) -> Result<()> {
        let mut all = Map::new();
        let kept: BTreeMap<_, _> = bookmarks::split(memory);
        for (resource, bookmark) in kept {
            let mut value = Map::new();
            let stream = self.streams.get(&resource);
            let key = stream.and_then(|described| cursor(&described.stream));
            if let Some((key, reached)) = key.zip(bookmark.cursor(&resource)) {
                value.insert("replication_key".to_owned(), key.into());
                value.insert("replication_key_value".to_owned(), reached.into());
            }
            let own = serde_json::to_value(&bookmark).map_err(|error| {
                let message = "the state cannot be written as JSON";
                Error::new(ErrorKind::System, message).caused_by(error)
            })?;
            value.insert(OWN.to_owned(), own);
            all.insert(resource, Value::Object(value));
        }
        // A target may only see it after the records.
        self.write(&json!({"type": "STATE", "value": {"bookmarks": all}}))?;
        Ok(self.out.flush()?)
    }
}
