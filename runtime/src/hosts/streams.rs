//! The resources of a source, as hosts list them.

use crate::error::Result;
use crate::run;
use crate::schema::{
    ColumnRole, ColumnType, Deletes, Dialect, Disposition, Layout, Shape, TableSchema,
};
use crate::source::Source;

/// A resource that a host can select.
#[derive(Clone)]
pub(super) struct Stream {
    pub name: String,
    /// The keys of each part of its key.
    pub key: Vec<Vec<String>>,
    /// Whether the key is the id of its row, which is then part of each record.
    pub by_id: bool,
    /// The key of the field of its cursor, if only new and changed records are read.
    pub cursor: Option<Vec<String>>,
    /// Whether a run reads only new and changed records, by its own cursor or that of its parents.
    #[cfg(feature = "airbyte")]
    pub is_incremental: bool,
    /// Why a run that does not name it leaves it out.
    pub off: Option<String>,
    shape: Shape,
}

/// The resources that a host can select, and why it cannot select the others.
pub(super) struct Streams {
    pub all: Vec<Stream>,
    /// (name, reason)
    pub unfit: Vec<(String, String)>,
}

/// The key of the id of a row.
pub(super) fn id_key() -> &'static str {
    Layout::Etl.column(ColumnRole::RowId)
}

impl Streams {
    /// Returns the resources of a source. A host cannot tell which records are gone: a resource that
    /// deletes records is left out.
    pub fn of(source: &Source) -> Result<Self> {
        let tables = run::discover(source)?;
        let mut streams = Streams {
            all: Vec::new(),
            unfit: Vec::new(),
        };
        for resource in source.resources() {
            let spec = resource.spec();
            if spec.deletes != Deletes::Keep {
                let reason = "it deletes records (`.deletes(…)`), which this host cannot express";
                streams.unfit.push((spec.name.clone(), reason.to_owned()));
                continue;
            }
            let own: Vec<&TableSchema> = tables
                .iter()
                .filter(|table| table.resource == spec.name)
                .collect();
            let merges = spec.disposition() == Disposition::Merge;
            let by_id = !merges
                || spec.within_parent
                || spec.primary_key.iter().any(|part| part.len() != 1);
            let shape = Shape::of(&own)?;
            let shape = match by_id {
                true => shape.with(id_key(), ColumnType::Text),
                false => shape,
            };
            let cursor = spec
                .cursor
                .as_ref()
                .filter(|cursor| cursor.is_incremental());
            streams.all.push(Stream {
                name: spec.name.clone(),
                key: match by_id {
                    true => vec![vec![id_key().to_owned()]],
                    false => spec.primary_key.clone(),
                },
                by_id,
                cursor: cursor.map(|cursor| cursor.keys.clone()),
                #[cfg(feature = "airbyte")]
                is_incremental: source.shows_changes_only(spec),
                off: spec.off.clone(),
                shape,
            });
        }
        Ok(streams)
    }

    /// Returns the resource with that name.
    pub fn find(&self, name: &str) -> Option<&Stream> {
        self.all.iter().find(|stream| stream.name == name)
    }
}

impl Stream {
    /// Returns the shape of its records, as they are declared, without these fields.
    #[cfg(feature = "singer")]
    pub fn shape(&self, without: &[Vec<String>]) -> Shape {
        let mut shape = self.shape.clone();
        without.iter().for_each(|path| shape.remove(path));
        shape
    }

    /// Returns the JSON Schema of its records, as they are declared.
    pub fn schema(&self, dialect: &Dialect) -> serde_json::Value {
        self.shape.record_schema(dialect)
    }

    /// Returns whether a field cannot be deselected: it is part of the key, or the cursor.
    #[cfg(feature = "singer")]
    pub fn needs(&self, path: &[String]) -> bool {
        let mut needed = self.key.iter().chain(&self.cursor);
        needed.any(|needed| needed.starts_with(path) || path.starts_with(needed))
    }
}
