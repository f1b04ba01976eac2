//! Tests `etlgen diff` on the command line: documents and crates, exit codes; no change of a
//! document is missed.

#[path = "merge_trials/chance.rs"]
mod chance;
#[path = "merge_trials/changes.rs"]
mod changes;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chance::Chance;
use etlgen_tests::owned::Owned;
use etlgen_tests::workspace::{binary, root, stderr, stdout};
use serde_json::Value;

const BILLING: &str = "generated-examples/specs/billing.yaml";

fn etlgen(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("etlgen"));
    command.arg("diff").args(arguments).current_dir(folder);
    command.output().unwrap()
}

fn document(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    yaml_serde::from_str(&text).unwrap()
}

/// Returns the changes from the crate's document to another one.
fn found(made: &Owned, new: &Value) -> Vec<Value> {
    std::fs::write(made.folder.path().join("new.json"), new.to_string()).unwrap();
    let output = etlgen(
        made.folder.path(),
        &["api.yaml", "new.json", "--format", "json"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    found["changes"].as_array().unwrap().clone()
}

/// Returns whether the changes include one of these kinds for a field.
fn says(changes: &[Value], kinds: &[&str], name: &str) -> bool {
    changes.iter().any(|change| {
        let text = |key: &str| change[key].as_str().unwrap_or_default();
        let subject = text("subject")
            .rsplit(['.', ' '])
            .next()
            .unwrap_or_default();
        let named = [subject, text("before"), text("after")];
        kinds.contains(&text("kind")) && named.iter().any(|it| *it == name || it.ends_with(name))
    })
}

#[test]
fn no_change_of_a_document_is_missed_and_none_is_made_up() {
    let mut checked = 0;
    for path in [
        BILLING,
        "generated-examples/specs/forge.yaml",
        "generated-examples/specs/tracker.yaml",
    ] {
        let old = document(path);
        let made = Owned::new(&old.to_string(), &[]);
        let lock: Value = serde_json::from_str(&made.read(".etlgen/lock.json")).unwrap();
        let names = lock["names"].as_object().unwrap();
        let has_struct =
            |schema: &str| names.contains_key(&format!("struct /components/schemas/{schema}"));
        let has_list = |path: &str| {
            let path = path.replace('~', "~0").replace('/', "~1");
            names.contains_key(&format!("resource /paths/{path}/get"))
        };
        for seed in 0..50 {
            let mut new = old.clone();
            let Some(what) = changes::change(&mut new, &[], &mut Chance::new(seed)) else {
                continue;
            };
            let changes = found(&made, &new);
            let context = format!("{path}, seed {seed}: {what}\n{changes:#?}");
            let words: Vec<&str> = what.split(' ').collect();
            let told = match words.as_slice() {
                ["describes", ..] => changes.is_empty(),
                [_, _, "of", schema] if !has_struct(schema) => continue,
                ["adds", field, "of", _] => {
                    changes.len() == 1 && says(&changes, &["field_added"], field)
                }
                ["removes", field, "of", _] | ["renames", field, "of", _] => {
                    says(&changes, &["field_removed", "field_renamed"], field)
                }
                ["retypes", field, "of", _] => says(&changes, &["field_retyped"], field),
                ["renames", schema, "to", new] if has_struct(schema) => {
                    // Nested structs without a name of their own are named after the struct.
                    let all = |change: &Value| change["kind"] == "struct_renamed";
                    changes.iter().all(all) && says(&changes, &["struct_renamed"], new)
                }
                ["removes", path] if has_list(path) => says(&changes, &["resource_removed"], path),
                ["adds", path] => says(&changes, &["resource_added"], path),
                ["pages", "by", ..] => !changes.is_empty(),
                _ => continue,
            };
            assert!(told, "{context}");
            checked += 1;
        }
    }
    assert!(checked > 80, "only {checked} changes were looked at");
}

#[test]
fn a_crate_is_what_it_was_when_it_was_generated() {
    let mut new = document(BILLING);
    let made = Owned::new(&new.to_string(), &["--resources", "customers"]);
    new["components"]["schemas"]["Customer"]["properties"]["vat"] = "x".into();
    new["components"]["schemas"]["Customer"]["properties"]["vat"] =
        serde_json::json!({"type": "integer"});
    // The document changes in place; the crate has the earlier state.
    made.respecify(&new.to_string());
    let said = |arguments: &[&str]| {
        let output = etlgen(made.folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = said(&["made", "api.yaml"]);
    assert!(text.starts_with("1 change, minor\n"), "{text}");
    assert!(text.contains("Customer.vat: i64 is new"), "{text}");
    assert!(
        text.contains("the next version of 0.1.0 is 0.1.1"),
        "{text}"
    );
    let back = said(&["api.yaml", "made"]);
    assert!(back.contains("Customer.vat was removed"), "{back}");
    made.ends(0, &["update"]);
    assert_eq!(said(&["made", "api.yaml"]), "nothing has changed\n");
    assert_eq!(said(&["made", "made"]), "nothing has changed\n");
}

#[test]
fn a_pipeline_can_fail_on_it() {
    let old = document(BILLING);
    let made = Owned::new(&old.to_string(), &[]);
    let mut new = old.clone();
    new["components"]["schemas"]["Customer"]["properties"]["vat"] =
        serde_json::json!({"type": "integer"});
    let folder = made.folder.path();
    std::fs::write(folder.join("new.json"), new.to_string()).unwrap();
    for (limit, old, new, code) in [
        ("breaking", "api.yaml", "new.json", 0),
        ("minor", "api.yaml", "new.json", 3),
        ("breaking", "new.json", "api.yaml", 3),
        ("patch", "api.yaml", "api.yaml", 0),
    ] {
        let output = etlgen(folder, &[old, new, "--fail-on", limit]);
        assert_eq!(output.status.code(), Some(code), "{limit} {old} {new}");
    }
    let output = etlgen(folder, &["-", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("both documents"));
    let output = etlgen(folder, &["api.yaml", "none.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("none.yaml"));
}

#[test]
fn a_document_may_come_from_standard_input() {
    let old = document(BILLING).to_string();
    let made = Owned::new(&old, &[]);
    let mut command = Command::new(binary("etlgen"));
    command
        .args(["diff", "api.yaml", "-"])
        .current_dir(made.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), old.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), "nothing has changed\n");
}
