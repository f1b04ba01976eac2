//! Checks that text of a document is data: it never becomes code, a path, SQL or markup, and it
//! arrives unchanged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use etlgen_tests::compile::cargo_in;
use etlgen_tests::hostile::{Api, KEY, PATHS, RECORDS, SETTING, decode, record, spec, texts};
use etlgen_tests::workspace::{binary, built, root, stderr, stdout};
use rusqlite::Connection;
use serde_json::{Value, json};

/// Runs `etlgen new` in a folder.
fn generate(folder: &Path, spec: &Value, more: &[&str]) -> Output {
    std::fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
    Command::new(binary("etlgen"))
        .args(["new", "--spec", "spec.json"])
        .args(more)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_title_names_one_folder_and_nothing_outside_of_it() {
    let failures: Vec<String> = texts()
        .iter()
        .filter_map(|title| Some(format!("{title:?}: {}", title_trouble(title)?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Returns the fault caused by a title that is also the path of a list and the name of a resource
/// and a field.
fn title_trouble(title: &str) -> Option<String> {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("a/b/inner");
    std::fs::create_dir_all(&inner).unwrap();
    let schema = json!({"type": "array", "items": {"type": "object", "title": title, "properties": {
        "id": {"type": "integer"},
        title: {"type": "object", "properties": {title: {"type": "string"}}},
    }}});
    let answer = json!({"description": title, "content": {"application/json": {"schema": schema}}});
    let get = json!({"operationId": title, "tags": [title], "responses": {"200": answer}});
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": title, "version": title},
        "servers": [{"url": "https://hostile.example"}],
        "paths": {"/1st": {"get": get}, format!("/{title}"): {"get": get}},
    });
    let output = generate(&inner, &document, &[]);
    if !output.status.success() {
        return Some(stderr(&output));
    }
    let made = entries(&inner);
    if made.len() != 2 || !made.contains(&inner.join("spec.json")) {
        return Some(format!("wrote {made:?}"));
    }
    let above = ["a/b", "a", ""].map(|folder| entries(&outer.path().join(folder)).len());
    (above != [1, 1, 1]).then(|| "wrote outside of the folder".to_owned())
}

#[test]
fn hostile_text_stays_text_on_its_way_into_the_tables() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner");
    std::fs::create_dir(&folder).unwrap();
    let runtime = root().join("runtime");
    let runtime = ["--runtime", runtime.to_str().unwrap(), "--name", "hostile"];
    let more = [&runtime[..], &["--out", "crate"]].concat();
    let output = generate(&folder, &spec("*/ \"# ../../x"), &more);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(entries(outer.path()), std::slice::from_ref(&folder));
    let folder = folder.join("crate");
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = cargo_in(&folder).args(["fmt", "--check"]).output().unwrap();
    assert!(output.status.success(), "{}", stdout(&output));
    let output = cargo_in(&folder).arg("test").output().unwrap();
    let tested = stdout(&output) + &stderr(&output);
    assert!(output.status.success(), "{tested}");
    let mut programs = built(cargo_in(&folder).arg("build"));
    let program = programs.remove("hostile-connector").unwrap();
    let api = Api::start();
    let mut sync = Command::new(&program);
    sync.current_dir(&folder)
        .args(["sync", "--destination", "sqlite:hostile.db"])
        .args(["--base-url", &api.url]);
    for setting in settings(&program) {
        sync.env(setting, SETTING);
    }
    let output = sync.output().unwrap();
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains(SETTING), "{said}");
    let requests = api.requests();
    let carries_key = |request: &String| {
        let (_, query) = request.split_once('?').unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .any(|(name, value)| decode(name) == KEY && decode(&value.replace('+', " ")) == SETTING)
    };
    let without = requests.iter().find(|request| !carries_key(request));
    assert_eq!(None, without, "a request has no key");
    check_tables(&folder.join("hostile.db"));
    let warns = tested.lines().find(|line| {
        line.starts_with("warning: `hostile-connector`") && line.contains("generated")
    });
    assert_eq!(None, warns, "{tested}");
}

/// Returns the variables of the settings without a default.
fn settings(program: &Path) -> Vec<String> {
    let help = Command::new(program)
        .args(["sync", "--help"])
        // No line is wrapped.
        .env("COLUMNS", "10000")
        .output()
        .unwrap();
    let help = stdout(&help);
    let variables = help
        .split("[env: ")
        .skip(1)
        .filter_map(|rest| rest.split([']', ',']).next());
    let places = ["BASE_URL", "DESTINATION"];
    let variables = variables.filter(|name| !places.iter().any(|place| name.ends_with(place)));
    variables.map(str::to_owned).collect()
}

/// Checks that each list has a table with all its values, and a child table for the list in its
/// records.
fn check_tables(database: &Path) {
    let db = Connection::open(database).unwrap();
    let mut select = db
        .prepare("SELECT DISTINCT table_name, parent FROM _etl_columns")
        .unwrap();
    let tables: Vec<(String, Option<String>)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let (children, lists): (Vec<_>, Vec<_>) =
        tables.iter().partition(|(_, parent)| parent.is_some());
    assert_eq!(lists.len(), PATHS.len(), "{lists:?}");
    assert_eq!(children.len(), PATHS.len(), "{children:?}");

    let mut expected = BTreeSet::new();
    let mut expected_children = BTreeSet::new();
    for list in 0..PATHS.len() {
        let records = (0..RECORDS).map(|number| record(list, number));
        expected.insert(records.clone().map(|record| leaves(&record)).collect());
        let inner = records.flat_map(|record| record["list */ \"#"].as_array().unwrap().clone());
        expected_children.insert(inner.map(|record| leaves(&record)).collect());
    }
    let rows = |tables: &[&(String, Option<String>)]| -> BTreeSet<BTreeSet<Vec<String>>> {
        let rows = tables.iter().map(|(name, _)| rows(&db, name));
        rows.collect()
    };
    assert!(
        rows(&children) == expected_children,
        "values of the child tables"
    );
    assert_eq!(rows(&lists), expected, "values of the tables");
}

/// Returns the values of a record and of the objects in it, in order, without those of its lists.
fn leaves(value: &Value) -> Vec<String> {
    let mut values = Vec::new();
    for field in value.as_object().unwrap().values() {
        match field {
            Value::Object(_) => values.extend(leaves(field)),
            Value::Array(_) => {}
            Value::String(text) => values.push(text.clone()),
            other => values.push(other.to_string()),
        }
    }
    values.sort();
    values
}

/// Returns the values of each row, in order, without those that the loader adds.
fn rows(db: &Connection, table: &str) -> BTreeSet<Vec<String>> {
    let mut columns = db
        .prepare("SELECT column_name FROM _etl_columns WHERE table_name = ?1 AND role = 'data'")
        .unwrap();
    let columns: Vec<String> = columns
        .query_map([table], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let quote = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
    let names: Vec<String> = columns.iter().map(quote).collect();
    let select = format!(
        "SELECT {} FROM {}",
        names.join(", "),
        quote(&table.to_owned())
    );
    let mut select = db.prepare(&select).unwrap();
    let rows = select
        .query_map([], |row| {
            let mut values = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                let value: rusqlite::types::Value = row.get(at)?;
                match value {
                    rusqlite::types::Value::Text(text) => values.push(text),
                    rusqlite::types::Value::Integer(number) => values.push(number.to_string()),
                    other => panic!("{column}: {other:?}"),
                }
            }
            values.sort();
            Ok(values)
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}
