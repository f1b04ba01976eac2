//! Checks that a large crate has Cargo features, and compiles with all of them, with any one, and
//! with none.

use std::fmt::Write as _;
use std::path::Path;

use etlgen_tests::compile::cargo_in;
use etlgen_tests::workspace::{binary, root, stderr, stdout};

/// Returns a document with 160 lists of three tags that share a struct; one list is a child of
/// another.
fn document() -> String {
    let mut text = "openapi: 3.0.3
info: {title: Large, version: '1'}
servers: [{url: https://large.example}]
components:
  schemas:
    Owner: {type: object, properties: {id: {type: integer}, name: {type: string}}}
    Team: {type: object, properties: {id: {type: integer}, owner: {$ref: '#/components/schemas/Owner'}}}
paths:
"
    .to_owned();
    let mut list = |path: &str, tag: &str, schema: &str| {
        let parameter = match path.contains("{team}") {
            true => "[{name: team, in: path, required: true, schema: {type: integer}}]",
            false => "[]",
        };
        let _ = writeln!(
            text,
            "  {path}:
    get:
      tags: ['{tag}']
      parameters: {parameter}
      responses: {{'200': {{description: OK, content: {{application/json: {{schema: {{type: array, items: {schema}}}}}}}}}}}"
        );
    };
    list(
        "/teams",
        "Team Things",
        "{$ref: '#/components/schemas/Team'}",
    );
    list(
        "/teams/{team}/members",
        "people",
        "{$ref: '#/components/schemas/Owner'}",
    );
    for at in 0..158 {
        let tag = ["people", "3D", "default"][at % 3];
        let own = "{type: object, properties: {id: {type: integer}, owner: {$ref: '#/components/schemas/Owner'}}}";
        list(&format!("/kind{at}s"), tag, own);
    }
    text
}

fn generate(folder: &Path, document: &str, name: &str) -> String {
    std::fs::write(folder.join("api.yaml"), document).unwrap();
    let output = std::process::Command::new(binary("etlgen"))
        .args(["new", "--spec", "api.yaml", "--out", name])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::read_to_string(folder.join(name).join("Cargo.toml")).unwrap()
}

#[test]
fn a_large_crate_compiles_with_any_of_its_features() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = generate(folder.path(), &document(), "c");
    for line in [
        "people = [\"team-things\"]",
        "3-d = []",
        "default-resources = []",
        "team-things = []",
    ] {
        assert!(manifest.contains(line), "no {line}: {manifest}");
    }
    let folder = folder.path().join("c");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(
        readme.contains("--no-default-features --features 3-d"),
        "{readme}"
    );
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let run = |arguments: &[&str]| {
        let output = cargo_in(&folder).args(arguments).output().unwrap();
        let said = stdout(&output) + &stderr(&output);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains("warning: "), "{arguments:?}: {said}");
        said
    };
    run(&["fmt", "--check"]);
    run(&["check", "--all-targets", "--no-default-features"]);
    for feature in ["people", "3-d", "default-resources", "team-things"] {
        run(&[
            "check",
            "--all-targets",
            "--no-default-features",
            "--features",
            feature,
        ]);
    }
    let tested = run(&["test"]);
    assert!(
        tested.contains("test a_recorded_exchange_pages_to_its_end ... ok"),
        "{tested}"
    );
    // The feature of a child needs only that of its parent.
    let resources = run(&[
        "run",
        "--quiet",
        "--no-default-features",
        "--features",
        "people",
        "--",
        "resources",
    ]);
    assert!(resources.contains("teams") && resources.contains("kind0s"));
    assert!(!resources.contains("kind1s"), "{resources}");
}

#[test]
fn a_small_crate_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let small: Vec<String> = document().lines().take(40).map(str::to_owned).collect();
    let manifest = generate(folder.path(), &(small.join("\n") + "\n"), "c");
    assert!(!manifest.contains("[features]"), "{manifest}");
}
