//! Tests that `etlgen inspect --config` shows the effect of the owner's overrides.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Writes a folder with a document, an overlay, a learned overlay and overrides; returns the path of the overrides.
fn owner(test: &str, wishes: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "api.yaml",
        "openapi: 3.0.3
info: {title: Owned, version: '1'}
servers: [{url: 'https://api.owned.test'}]
paths:
  /things:
    get:
      parameters: [{name: limit, in: query, schema: {type: integer}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}, code: {type: string}}}}}}}}
  /roads:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
  /places:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
",
    );
    write(
        "cut.yaml",
        "overlay: 1.0.0\ninfo: {title: Cut, version: '1'}\nactions:\n  - {target: \"$.paths['/places']\", remove: true}\n",
    );
    write(
        "learned/roads.json",
        r#"{"overlay": "1.0.0", "info": {"title": "Learnt", "version": "1"}, "actions": [{"target": "$.paths['/roads']", "remove": true}]}"#,
    );
    write("etlgen.toml", wishes);
    folder.join("etlgen.toml")
}

fn inspect(arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_etlgen"))
        .args(["inspect", "--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[test]
fn wishes_and_overlays_are_seen() {
    let config = owner(
        "seen",
        "spec = \"api.yaml\"\noverlay = [\"cut.yaml\"]\nauth = \"bearer\"\nbase_url = \"https://own.test\"\n[resources.things]\nprimary_key = [\"code\"]\npaginate = \"single\"\n",
    );
    let config = config.display().to_string();
    let seen = inspect(&["--config", &config]).unwrap();
    assert_eq!(seen["api"]["base_url"], "https://own.test");
    assert_eq!(seen["api"]["auth"]["kind"], "bearer");
    let resources = seen["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 1, "the overlays cut the others");
    assert_eq!(resources[0]["primary_key"], serde_json::json!(["code"]));
    assert_eq!(resources[0]["paginator"]["kind"], "single");
    assert_eq!(resources[0]["doubts"], serde_json::json!([]));
}

#[test]
fn only_the_resources_that_are_wanted_are_seen() {
    let config = owner("wanted", "spec = \"api.yaml\"\nexclude = [\"pl*\"]\n");
    let seen = inspect(&["--config", &config.display().to_string()]).unwrap();
    let names: Vec<&Value> = seen["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| &resource["name"])
        .collect();
    assert_eq!(names, ["things"]);
}

#[test]
fn a_wish_for_what_is_not_there_is_refused() {
    let config = owner(
        "refused",
        "spec = \"api.yaml\"\n[resources.nothing]\nprimary_key = [\"id\"]\n",
    );
    let said = inspect(&["--config", &config.display().to_string()]).unwrap_err();
    assert!(said.contains("no resource `nothing`"), "{said}");
    let said = inspect(&["--config", "no/etlgen.toml"]).unwrap_err();
    assert!(said.contains("no/etlgen.toml"), "{said}");
}

#[test]
fn what_is_off_says_why() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/documents/bodies.yaml")
        .display()
        .to_string();
    let seen = inspect(&["--spec", &document]).unwrap();
    let resources = seen["resources"].as_array().unwrap();
    let named = |name: &str| resources.iter().find(|it| it["name"] == name).unwrap();
    let runs = named("runs");
    assert_eq!(
        runs["off"],
        "its request needs `experiment_ids` in the body"
    );
    assert_eq!(runs["doubts"][0]["settle"], "body = { experiment_ids = … }");
    let metrics = named("project_metrics");
    assert_eq!(metrics.get("off"), None);
    let region = serde_json::json!({"param": "region", "in": "body", "default": null});
    assert!(metrics["settings"].as_array().unwrap().contains(&region));
}
