//! Reads back the rows of a real destination.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use etlgen_runtime::Result;
use etlgen_runtime::load::{Destination, LoadInfo};

use super::Loaded;

/// Returns the committed rows of a resource's table.
pub fn rows(destination: &mut dyn Destination, table: &str) -> Result<Vec<Loaded>> {
    if !destination.exists() {
        return Ok(Vec::new());
    }
    let memory = destination.open(&LoadInfo::new("judge", "simulated", None))?;
    let found = |name: &str| memory.tables.iter().find(|schema| schema.name == name);
    let Some(root) = found(table) else {
        return Ok(Vec::new());
    };
    let mut tags: BTreeMap<String, usize> = BTreeMap::new();
    let lists = super::LISTS.iter();
    for list in lists.filter_map(|list| found(&format!("{table}{list}"))) {
        destination.scan(list, &["_etl_root_id"], &mut |batch| {
            for row in 0..batch.num_rows() {
                *tags
                    .entry(text(batch, 0, row).unwrap_or_default())
                    .or_default() += 1;
            }
            Ok(())
        })?;
    }
    let has = |name: &str| root.columns.iter().any(|column| column.name == name);
    let mut columns = vec!["_etl_id", "v", "_etl_load_id"];
    columns.extend(["item"].iter().filter(|name| has(name)));
    columns.extend(["_etl_deleted_at"].iter().filter(|name| has(name)));
    let at = |name: &str| columns.iter().position(|column| *column == name);
    let (item, deleted) = (at("item"), at("_etl_deleted_at"));
    let mut rows = Vec::new();
    destination.scan(root, &columns, &mut |batch| {
        for row in 0..batch.num_rows() {
            let id = text(batch, 0, row).unwrap_or_default();
            let version = batch.column(1).as_primitive_opt::<Int64Type>();
            rows.push(Loaded {
                version: version.map_or(0, |column| column.value(row) as u32),
                item: item.and_then(|column| text(batch, column, row)),
                deleted: deleted.is_some_and(|column| batch.column(column).is_valid(row)),
                tags: tags.get(&id).copied().unwrap_or_default(),
                load: text(batch, 2, row).unwrap_or_default(),
            });
        }
        Ok(())
    })?;
    Ok(rows)
}

fn text(batch: &RecordBatch, column: usize, row: usize) -> Option<String> {
    let column = batch.column(column).as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}
