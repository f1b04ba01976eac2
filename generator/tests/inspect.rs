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

/// A list without credentials whose paging, key and filter are open questions, below two parents with long names.
const WIDE: &str = "openapi: 3.0.3
info: {title: An API with a title that is a good deal longer than the titles of most APIs are, version: '1'}
servers: [{url: 'https://api.a-company-with-a-long-name.example/rest/version-2'}]
paths:
  /organisations/{organisation_identifier}/repositories:
    get:
      parameters:
        - {name: organisation_identifier, in: path, required: true, schema: {type: string}}
        - {name: modified_since_timestamp, in: query, schema: {type: string, format: date-time}, description: Only those modified since then.}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  has_more: {type: boolean}
                  repositories_of_the_organisation:
                    type: array
                    items: {type: object, properties: {number: {type: integer}, modified_timestamp: {type: string, format: date-time}}}
";

#[test]
fn the_table_fits_the_terminal_and_explains_its_marks() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wide");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("api.yaml"), WIDE).unwrap();
    let table = |columns: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_etlgen"))
            .args(["inspect", "--spec", "api.yaml"])
            .current_dir(&folder)
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for columns in ["80", "120", ""] {
        let width = columns.parse().unwrap_or(80);
        let text = table(columns);
        let long = text.lines().filter(|line| line.chars().count() > width);
        // A line of `etlgen.toml` cannot be broken.
        let long: Vec<&str> = long.filter(|line| !line.contains(" = ")).collect();
        assert!(long.is_empty(), "{columns}: {long:?}\n{text}");
    }
    let text = table("80");
    assert!(text.contains("etlgen is not sure of it"), "{text}");
    assert!(
        text.contains("# how do requests carry credentials?"),
        "{text}"
    );
    assert!(text.contains("\nauth = \"none\"\n"), "{text}");
    assert!(table("300").contains("endpoint"), "{text}");
}

#[test]
fn help_fits_the_terminal() {
    for command in [&["--help"][..], &["new", "--help"], &["update", "--help"]] {
        let mut etlgen = Command::new(env!("CARGO_BIN_EXE_etlgen"));
        let output = etlgen.args(command).env("COLUMNS", "80").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let long: Vec<&str> = text.lines().filter(|line| line.len() > 80).collect();
        assert!(long.is_empty(), "{command:?}: {long:?}");
    }
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
