//! Tests of `--layout dlt`: a dataset with dlt's names and tables, in both destinations.

use std::path::Path;
use std::sync::Arc;

use crate::support::{Answer, serve};
use etlgen_runtime::load::destination;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, sync};
use etlgen_runtime::schema::Layout;
use rusqlite::Connection;

#[derive(Record)]
struct Order {
    id: Option<String>,
    note: Option<String>,
    lines: Option<Vec<Line>>,
}

#[derive(Record)]
struct Line {
    n: Option<i64>,
}

const ORDERS: &str =
    r#"[{"id":"or_1","note":"x","lines":[{"n":1},{"n":2,"new":true}]},{"id":"or_2"}]"#;

fn api(_: &str, _: &std::collections::BTreeMap<String, String>) -> Answer {
    (200, Vec::new(), ORDERS.to_owned())
}

fn load(base: &str, into: &str, layout: Layout) -> etlgen_runtime::Result<()> {
    let orders = Order::list("orders", "/orders").primary_key([Order::ID]);
    let source = Source::new("shop", base).resource(orders);
    let options = RunOptions::default().layout(layout);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(sync(&source, destination(into)?, &options, Arc::new(())))?;
    assert!(report.is_complete(), "{report:#?}");
    Ok(())
}

fn texts(file: &Path, sql: &str) -> Vec<String> {
    let db = Connection::open(file).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let texts = statement.query_map([], |row| row.get(0)).unwrap();
    texts.map(Result::unwrap).collect()
}

#[test]
fn a_file_has_the_tables_and_ids_of_dlt() {
    let (base, _) = serve(api);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shop.db");
    let into = format!("sqlite:{}", file.display());
    load(&base, &into, Layout::Dlt).unwrap();
    load(&base, &into, Layout::Dlt).unwrap();
    let columns = |table: &str| {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        texts(&file, &sql)
    };
    assert_eq!(columns("orders"), ["_dlt_id", "id", "note", "_dlt_load_id"]);
    assert_eq!(
        columns("orders__lines"),
        [
            "_dlt_id",
            "n",
            "_dlt_parent_id",
            "_dlt_root_id",
            "_dlt_list_idx",
            "new"
        ]
    );
    // These are the ids of dlt's `upsert` and of dlt's child rows.
    let ids = texts(&file, "SELECT _dlt_id FROM orders ORDER BY id");
    assert_eq!(ids[0], "zxK1WONWAm9Ueg");
    let lines = texts(&file, "SELECT _dlt_id FROM orders__lines ORDER BY n");
    assert_eq!(lines, ["Pn5uOUpwi1ssDQ", "Kvj79kibmT3NzQ"]);
    assert_eq!(
        columns("_dlt_loads"),
        [
            "load_id",
            "schema_name",
            "status",
            "inserted_at",
            "schema_version_hash"
        ]
    );
    assert_eq!(
        columns("_dlt_version"),
        [
            "version",
            "engine_version",
            "inserted_at",
            "schema_name",
            "version_hash",
            "schema"
        ]
    );
    // Every row belongs to a complete load, and each load to a schema.
    let orphans = "SELECT o.id FROM orders o LEFT JOIN _dlt_loads l ON l.load_id = o._dlt_load_id AND l.status = 0
         LEFT JOIN _dlt_version v ON v.version_hash = l.schema_version_hash WHERE v.schema IS NULL";
    assert!(texts(&file, orphans).is_empty());
    assert_eq!(texts(&file, "SELECT load_id FROM _dlt_loads").len(), 2);
    assert_eq!(texts(&file, "SELECT schema FROM _dlt_version").len(), 1);
    let rows = "SELECT CAST(rows AS TEXT) FROM _etl_loads";
    assert_eq!(texts(&file, rows), ["2", "2"]);
}

fn refused(into: &str, there: Layout, other: Layout) {
    let (base, _) = serve(api);
    load(&base, into, there).unwrap();
    let error = load(&base, into, other).unwrap_err();
    let said = format!("{error:#?} {error}");
    assert!(
        said.contains(&format!("--layout {}", there.name())),
        "{said}"
    );
    load(&base, into, there).unwrap();
}

#[test]
fn a_dataset_keeps_its_layout() {
    for (there, other) in [(Layout::Etl, Layout::Dlt), (Layout::Dlt, Layout::Etl)] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shop.db");
        refused(&format!("sqlite:{}", file.display()), there, other);
        assert_eq!(texts(&file, "SELECT load_id FROM _etl_loads").len(), 2);
        let folder = dir.path().join("shop");
        refused(&format!("parquet:{}", folder.display()), there, other);
    }
}

#[test]
fn a_folder_has_the_tables_of_dlt() {
    let (base, _) = serve(api);
    let dir = tempfile::tempdir().unwrap();
    let into = format!("parquet:{}", dir.path().display());
    load(&base, &into, Layout::Dlt).unwrap();
    load(&base, &into, Layout::Dlt).unwrap();
    for table in ["orders", "orders__lines", "_dlt_loads", "_dlt_version"] {
        let files = std::fs::read_dir(dir.path().join(table)).unwrap();
        assert!(files.count() > 0, "{table}");
    }
    let manifest = std::fs::read(dir.path().join("_etl/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let source = &manifest["sources"]["shop"];
    let rows = |name: &str| {
        let tables = source["tables"].as_array().unwrap().iter();
        let files = tables.filter(|table| table["name"] == name);
        let files = files.flat_map(|table| table["files"].as_array().unwrap());
        files
            .map(|file| file["rows"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((rows("orders"), rows("orders__lines")), (2, 2));
    assert_eq!((rows("_dlt_loads"), rows("_dlt_version")), (2, 1));
    assert_eq!(source["loads"][1]["rows"], 2);
}
