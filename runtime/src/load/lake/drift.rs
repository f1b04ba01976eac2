//! The table `_etl_drift`: the data of each load that the structs do not declare. A load has at most one file there,
//! which is rewritten, with the counts so far, at each commit that adds to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::batch::Retired;
use super::files::{Context, OpenBatch, Schemas};
use super::manifest::{self, FileEntry};
use super::names::{self, DRIFT as TABLE};
use crate::error::{Error, ErrorKind, Result};
use crate::load::LoadInfo;
use crate::schema::{Column, ColumnRole, ColumnType, Drifted, TableSchema};

/// The drift of this load.
#[derive(Default)]
pub struct DriftLog {
    counts: BTreeMap<(String, Drifted), u64>,
    /// Whether counts were added since the last commit.
    changed: bool,
    /// The file of the last commit.
    file: Option<FileEntry>,
}

impl DriftLog {
    pub fn add(&mut self, resource: &str, counts: &[(Drifted, u64)]) {
        for (line, count) in counts {
            let key = (resource.to_owned(), line.clone());
            *self.counts.entry(key).or_default() += count;
            self.changed = true;
        }
    }

    /// Puts the file of this commit into place, and into `files`, which are those of the source. Returns the file that
    /// it replaces.
    pub fn commit(
        &mut self,
        at: &mut Context<'_>,
        load: &LoadInfo,
        files: &mut Vec<FileEntry>,
    ) -> Result<Option<Retired>> {
        if !self.changed {
            return Ok(None);
        }
        let schemas = Schemas::from([(TABLE.to_owned(), Arc::new(schema()))]);
        let mut at = Context {
            store: at.store,
            schemas: &schemas,
            prefix: at.prefix,
            next: at.next,
        };
        let mut batch = OpenBatch::new(&mut at);
        batch.write(&at, TABLE, &self.rows(load)?, |_| true)?;
        let Some(batch) = batch.finish()? else {
            return Ok(None);
        };
        at.store.place(TABLE, &batch.name)?;
        let mut retired = None;
        if let Some(before) = self.file.take() {
            files.retain(|file| file.name != before.name);
            if let Some((name, _)) = names::parse(&before.name) {
                retired = Some(Retired {
                    table: TABLE.to_owned(),
                    name: name.to_owned(),
                    placed: true,
                });
            }
        }
        self.file = manifest::entries(TABLE, std::iter::once(&batch)).pop();
        files.extend(self.file.clone());
        self.changed = false;
        Ok(retired)
    }

    fn rows(&self, load: &LoadInfo) -> Result<RecordBatch> {
        let texts = |text: &dyn Fn(&(String, Drifted)) -> String| -> ArrayRef {
            let values = self.counts.keys().map(|key| Some(text(key)));
            Arc::new(values.collect::<StringArray>())
        };
        let columns = vec![
            texts(&|_| load.id.clone()),
            texts(&|_| load.source.clone()),
            texts(&|(resource, _)| resource.clone()),
            texts(&|(_, line)| line.table.clone()),
            texts(&|(_, line)| line.keys.clone()),
            texts(&|(_, line)| line.came.to_owned()),
            texts(&|(_, line)| line.done.to_string()),
            Arc::new(Int64Array::from_iter_values(
                self.counts.values().map(|count| *count as i64),
            )),
        ];
        let fields: Vec<_> = schema().columns.iter().map(Column::arrow_field).collect();
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        RecordBatch::try_new(schema, columns).map_err(|error| {
            Error::new(
                ErrorKind::Destination,
                format!("the rows of `{TABLE}` do not fit together; this is a bug of etlgen"),
            )
            .caused_by(error)
        })
    }
}

fn schema() -> TableSchema {
    let text = [
        "load_id",
        "source",
        "resource",
        "table_name",
        "keys",
        "type",
        "done",
    ];
    let column = |name: &str, ty| Column {
        name: name.to_owned(),
        ty,
        role: ColumnRole::Data,
        path: String::new(),
    };
    let mut columns: Vec<Column> = text.map(|name| column(name, ColumnType::Text)).to_vec();
    columns.push(column("count", ColumnType::Int64));
    TableSchema {
        name: TABLE.to_owned(),
        resource: String::new(),
        parent: None,
        path: String::new(),
        columns,
    }
}
