//! The tables in which dlt records its loads, `_dlt_loads` and `_dlt_version`, for datasets in its
//! layout. They are written as the rows of two resources of those names, so that a destination
//! needs no code for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::Schema;
use serde_json::{Map, Value, json};
use sha3::{Digest, Sha3_256};

use crate::error::{Error, ErrorKind, Result};
use crate::load::{Chunk, LoadInfo, Operation};
use crate::schema::{
    ArrowType, Column, ColumnRole, ColumnType, DLT_LOADS as LOADS, DLT_VERSION as VERSION,
    Disposition, Layout, TableBatch, TableSchema, is_meta,
};
use crate::source::Source;
use crate::text::base64;

/// The format of the schema, which is that of dlt 1.31.
const ENGINE_VERSION: i64 = 11;

/// A column of these tables: name, type, whether it may be null.
type Declared = (&'static str, &'static str, bool);

/// The columns of both tables.
const OWN: [(&str, &[Declared]); 2] = [
    (
        VERSION,
        &[
            ("version", "bigint", false),
            ("engine_version", "bigint", false),
            ("inserted_at", "timestamp", false),
            ("schema_name", "text", false),
            ("version_hash", "text", false),
            ("schema", "text", false),
        ],
    ),
    (
        LOADS,
        &[
            ("load_id", "text", false),
            ("schema_name", "text", true),
            ("status", "bigint", false),
            ("inserted_at", "timestamp", false),
            ("schema_version_hash", "text", true),
        ],
    ),
];

/// What a run writes for readers that use dlt.
pub(crate) struct Meta {
    load: LoadInfo,
    /// How each resource is loaded, and the paths of the parts of its key.
    resources: HashMap<String, (Disposition, Vec<String>)>,
    /// The existing tables.
    tables: BTreeMap<String, TableSchema>,
    /// The hash of the schema that was written last.
    written: Option<String>,
}

impl Meta {
    /// Creates the rows of a run; `None` unless it uses dlt's layout.
    pub fn new(source: &Source, load: &LoadInfo) -> Option<Self> {
        let resources = source.resources().iter().map(|resource| {
            let spec = resource.spec();
            let key = spec.primary_key.iter().map(|keys| pointer(keys));
            let how = (spec.disposition(), key.collect());
            (spec.name.clone(), how)
        });
        (load.layout == Some(Layout::Dlt)).then(|| Meta {
            load: load.clone(),
            resources: resources.collect(),
            tables: BTreeMap::new(),
            written: None,
        })
    }

    /// Sets the load that it reports.
    pub fn belongs_to(&mut self, load: LoadInfo) {
        self.load = load;
    }

    /// Adds a table, or its new columns.
    pub fn learn(&mut self, table: &TableSchema) {
        let known = self.tables.get(&table.name);
        let grown = known.is_none_or(|known| known.columns.len() < table.columns.len());
        if grown && !is_meta(&table.resource) {
            self.tables.insert(table.name.clone(), table.clone());
        }
    }

    /// Returns the rows of the next commit: the load, and the schema if it is not the one that was
    /// written last.
    pub fn chunks(&mut self) -> Result<Vec<Chunk>> {
        let now = self.load.now();
        let mut schema = self.schema();
        let hash = version_hash(&schema);
        let source = self.load.source.as_str();
        let mut chunks = Vec::new();
        if self.written.as_ref() != Some(&hash) {
            // Columns are only ever added, so their number grows with each change.
            let columns = self.tables.values().map(|table| table.columns.len());
            let version = columns.sum::<usize>() as i64;
            let content = schema.as_object_mut();
            content.into_iter().for_each(|content| {
                content.insert("version".into(), version.into());
                content.insert("version_hash".into(), hash.as_str().into());
                content.insert("previous_hashes".into(), json!([]));
            });
            chunks.push(chunk(
                VERSION,
                Operation::Append,
                vec![
                    ("version", Cell::Int(version)),
                    ("engine_version", Cell::Int(ENGINE_VERSION)),
                    ("inserted_at", Cell::Time(now)),
                    ("schema_name", Cell::Text(source)),
                    ("version_hash", Cell::Id(&hash)),
                    ("schema", Cell::Text(&schema.to_string())),
                ],
            )?);
        }
        chunks.push(chunk(
            LOADS,
            Operation::Merge,
            vec![
                ("load_id", Cell::Id(&self.load.id)),
                ("schema_name", Cell::Text(source)),
                ("status", Cell::Int(0)),
                ("inserted_at", Cell::Time(now)),
                ("schema_version_hash", Cell::Text(&hash)),
            ],
        )?);
        self.written = Some(hash);
        Ok(chunks)
    }

    /// Returns the schema as dlt stores it, without its version and hashes.
    fn schema(&self) -> Value {
        let mut tables = Map::new();
        for (name, columns) in OWN {
            let columns = columns.iter().map(|(column, ty, nullable)| {
                let hints = json!({"name": column, "data_type": ty, "nullable": nullable});
                ((*column).to_owned(), hints)
            });
            let columns = columns.collect::<Map<_, _>>();
            let hints = json!({"name": name, "columns": columns, "write_disposition": "skip", "resource": name});
            tables.insert(name.to_owned(), hints);
        }
        let mut propagation = Map::new();
        for table in self.tables.values() {
            tables.insert(table.name.clone(), self.table(table));
            let merged = self.resources.get(&table.resource);
            if merged.is_some_and(|(how, _)| *how == Disposition::Merge) && table.parent.is_none() {
                propagation.insert(table.name.clone(), json!({"_dlt_id": "_dlt_root_id"}));
            }
        }
        let own = [
            "_dlt_id",
            "_dlt_root_id",
            "_dlt_parent_id",
            "_dlt_list_idx",
            "_dlt_load_id",
        ];
        json!({
            "engine_version": ENGINE_VERSION,
            "name": self.load.source,
            "tables": tables,
            "settings": {
                "detections": ["iso_timestamp"],
                "default_hints": {
                    "not_null": own,
                    "parent_key": ["_dlt_parent_id"],
                    "root_key": ["_dlt_root_id"],
                    "unique": ["_dlt_id"],
                    "row_key": ["_dlt_id"],
                },
            },
            "normalizers": {
                "names": "snake_case",
                "json": {
                    "module": "dlt.common.normalizers.json.relational",
                    "config": {"propagation": {"tables": propagation}},
                },
            },
        })
    }

    fn table(&self, table: &TableSchema) -> Value {
        let none = (Disposition::Append, Vec::new());
        let (how, key) = self.resources.get(&table.resource).unwrap_or(&none);
        let mut columns = Map::new();
        for column in &table.columns {
            let is_key = table.parent.is_none() && key.contains(&column.path);
            columns.insert(column.name.clone(), hints(column, is_key));
        }
        let mut out = json!({"name": table.name, "columns": columns});
        match &table.parent {
            Some(parent) => out["parent"] = parent.as_str().into(),
            None => {
                out["resource"] = table.resource.as_str().into();
                out["write_disposition"] = match how {
                    Disposition::Append => "append",
                    Disposition::Replace => "replace",
                    Disposition::Merge => "merge",
                }
                .into();
                if *how == Disposition::Merge {
                    out["x-merge-strategy"] = "upsert".into();
                }
            }
        }
        out["x-normalizer"] = json!({"seen-data": true});
        out
    }
}

/// Returns dlt's hints for a column.
fn hints(column: &Column, is_key: bool) -> Value {
    let ty = match column.ty {
        ColumnType::Uuid => ColumnType::Text,
        ty => ty,
    };
    let data = column.role == ColumnRole::Data;
    let nullable = column.role == ColumnRole::ContentHash || data && !is_key;
    let mut out = json!({"name": column.name, "data_type": ty.name(), "nullable": nullable});
    let mut hint = |name: &str| out[name] = true.into();
    match column.role {
        ColumnRole::Data if is_key => hint("primary_key"),
        ColumnRole::Data if column.name.contains("__v_") => hint("variant"),
        ColumnRole::RowId => {
            hint("unique");
            hint("row_key");
        }
        ColumnRole::ParentId => hint("parent_key"),
        ColumnRole::RootId => hint("root_key"),
        ColumnRole::Data
        | ColumnRole::ListIndex
        | ColumnRole::LoadId
        | ColumnRole::DeletedAt
        | ColumnRole::ContentHash => {}
    }
    out
}

/// Returns the path of a part of a key, as columns have it.
fn pointer(keys: &[String]) -> String {
    let keys = keys
        .iter()
        .map(|key| key.replace('~', "~0").replace('/', "~1"));
    keys.map(|key| format!("/{key}")).collect()
}

/// Returns dlt's hash of a schema: SHA3-256 of its JSON with sorted keys, and of the names of its
/// tables and columns in order.
fn version_hash(schema: &Value) -> String {
    let mut text = String::new();
    write_sorted(&mut text, schema);
    let mut hasher = Sha3_256::new_with_prefix(text);
    for (name, table) in sorted(&schema["tables"]) {
        hasher.update(name);
        let columns = table["columns"].as_object();
        columns
            .into_iter()
            .flat_map(Map::keys)
            .for_each(|column| hasher.update(column));
    }
    base64(&hasher.finalize())
}

/// Returns the members of an object, sorted by their keys.
fn sorted(value: &Value) -> BTreeMap<&String, &Value> {
    value.as_object().into_iter().flatten().collect()
}

fn write_sorted(out: &mut String, value: &Value) {
    if !value.is_object() {
        return out.push_str(&value.to_string());
    }
    out.push('{');
    for (index, (key, value)) in sorted(value).into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        write_sorted(out, value);
    }
    out.push('}');
}

/// A value of one of the two tables.
enum Cell<'a> {
    /// The value that identifies the row.
    Id(&'a str),
    Text(&'a str),
    Int(i64),
    Time(i64),
}

/// Returns a chunk of one row.
fn chunk(
    table: &str,
    add: fn(Vec<TableBatch>) -> Operation,
    cells: Vec<(&str, Cell<'_>)>,
) -> Result<Chunk> {
    let (mut columns, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (name, cell) in cells {
        let role = match cell {
            Cell::Id(_) => ColumnRole::RowId,
            _ => ColumnRole::Data,
        };
        let ty = match cell {
            Cell::Id(_) | Cell::Text(_) => ColumnType::Text,
            Cell::Int(_) => ColumnType::Int64,
            Cell::Time(_) => ColumnType::Timestamp,
        };
        columns.push(Column {
            name: name.to_owned(),
            ty,
            role,
            path: match role {
                ColumnRole::Data => format!("/{name}"),
                _ => String::new(),
            },
        });
        arrays.push(match cell {
            Cell::Id(text) | Cell::Text(text) => Arc::new(StringArray::from(vec![text])),
            Cell::Int(value) => Arc::new(Int64Array::from(vec![value])),
            Cell::Time(micros) => {
                Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_data_type(ty.arrow()))
            }
        });
    }
    let fields: Vec<_> = columns.iter().map(Column::arrow_field).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| {
        Error::new(
            ErrorKind::System,
            format!("a row of `{table}` cannot be made"),
        )
        .caused_by(error)
    })?;
    let schema = TableSchema {
        name: table.to_owned(),
        resource: table.to_owned(),
        parent: None,
        path: String::new(),
        columns,
    };
    let tables = vec![TableBatch {
        schema: Arc::new(schema),
        rows,
    }];
    Ok(Chunk::new(table, [add(tables)]))
}
