//! Tests `etlgen learn` with samples of a resource that the document does not describe.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use etlgen_tests::workspace::{binary, stderr, stdout};
use tempfile::TempDir;

const SPEC: &str = "\
openapi: 3.0.3
info: {title: Silent, version: '1'}
servers: [{url: https://silent.example}]
paths:
  /things:
    get:
      parameters: [{name: cursor, in: query, schema: {type: string}}]
      responses: {'200': {description: OK}}
  /told:
    get:
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}
";

const RESOURCE: &str = "c/src/resources/things.rs";

struct Place(TempDir);

impl Place {
    /// Creates a folder with a document, and the crate `c`.
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.0.path().join("api.yaml"), SPEC).unwrap();
        let output = place.run(&["new", "--spec", "api.yaml", "--out", "c"], "");
        assert!(output.status.success(), "{}", stderr(&output));
        place
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(binary("etlgen"));
        command.args(arguments).current_dir(self.0.path());
        let pipes = [Stdio::piped(), Stdio::piped(), Stdio::piped()];
        let [stdin, stdout, stderr] = pipes;
        let mut running = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        // A refused command does not read its samples.
        let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
        running.wait_with_output().unwrap()
    }

    fn learn(&self, samples: &str) -> String {
        let output = self.run(&["learn", "things", "--out", "c"], samples);
        assert!(output.status.success(), "{}", stderr(&output));
        self.read(RESOURCE)
    }

    fn refused(&self, arguments: &[&str], samples: &str) -> String {
        let output = self.run(arguments, samples);
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{}",
            stdout(&output)
        );
        stderr(&output)
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn pages_are_samples() {
    let place = Place::new();
    holds(&place.read(RESOURCE), &["Resource<Json>", "undecided"]);
    let page = r#"{"rows": [{"id": "a", "at": "2026-01-02T03:04:05Z", "price": "1.50", "type": 1,
        "parts": [{"n": 1}, {"n": 1.5}], "by_id": {"1": {"x": 1}, "2": {"x": 2}, "3": {"x": null}}}], "next_cursor": "sk_secret"}"#;
    let text = place.learn(page);
    holds(
        &text,
        &[
            "Resource<Thing>",
            ".records(\"rows\")",
            "Paginator::token(\"cursor\", \"next_cursor\")",
            "pub at: Option<Timestamp>",
            "pub price: Option<Decimal>",
            "pub r#type: Option<i64>",
            "pub parts: Option<Vec<ThingPart>>",
            "pub n: Option<f64>",
            "pub by_id: Option<Json>",
        ],
    );
    let learned = place.read("c/learned/things.json");
    assert!(!learned.contains("sk_secret") && !learned.contains("1.50"));
    // The base changes too, and everything else stays.
    assert_eq!(
        place.read("c/.etlgen/base/src/resources/things.rs.base"),
        text
    );
    assert_eq!(place.read("api.yaml"), SPEC);
}

#[test]
fn records_are_samples_one_a_line_or_in_an_array() {
    let place = Place::new();
    let lines = place.learn("{\"id\": 1, \"a\": null}\n{\"id\": 2, \"b\": \"x\"}\n");
    holds(
        &lines,
        &[
            "Resource<Thing>",
            "pub id: Option<i64>",
            "pub b: Option<String>",
        ],
    );
    assert!(!lines.contains(".records("), "{lines}");
    // Samples may be learned again.
    let array = place.learn("[{\"id\": 1, \"c\": true}]");
    holds(&array, &["pub c: Option<bool>"]);
    assert!(!array.contains("pub b:"), "{array}");
}

#[test]
fn what_was_learnt_is_applied_again() {
    let place = Place::new();
    let text = place.learn("[{\"id\": 1}]");
    let output = place.run(&["new", "--config", "c/etlgen.toml", "--out", "d"], "");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.read("d/src/resources/things.rs"), text);
    assert_eq!(
        place.read("d/learned/things.json"),
        place.read("c/learned/things.json")
    );
    let lock = |crate_: &str| {
        let lock = place.read(&format!("{crate_}/.etlgen/lock.json"));
        let mut lines: Vec<String> = lock.lines().map(str::to_owned).collect();
        let own = ["Cargo.toml", "etlgen.toml", "\"version\""];
        lines.retain(|line| own.iter().all(|own| !line.contains(own)));
        lines
    };
    assert_eq!(lock("c"), lock("d"));
    // The changelog has the change, and nothing more is reported.
    let told = place.read("c/CHANGELOG.md");
    assert!(
        told.contains("`things`: record was `Json`, is `Thing`"),
        "{told}"
    );
    assert!(place.read("c/Cargo.toml").contains("version = \"0.2.0\""));
    let output = place.run(&["update", "c"], "");
    assert!(
        stdout(&output).contains("nothing has changed"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn an_owners_file_is_left_alone() {
    let place = Place::new();
    let mine = place.read(RESOURCE) + "// mine\n";
    std::fs::write(place.path(RESOURCE), &mine).unwrap();
    let said = place.refused(&["learn", "things", "--out", "c"], "[{\"id\": 1}]");
    holds(&said, &["src/resources/things.rs", "--print"]);
    assert_eq!(place.read(RESOURCE), mine);
    assert!(!place.path("c/learned").exists());
    // The error names `--print` as the alternative.
    let output = place.run(
        &["learn", "things", "--out", "c", "--print"],
        "[{\"id\": 1}]",
    );
    holds(&stdout(&output), &["pub struct Thing {"]);
    assert_eq!(place.read(RESOURCE), mine);
}

#[test]
fn a_resource_goes_by_the_name_its_owner_gave_it() {
    let place = Place::new();
    let wishes = "spec = \"api.yaml\"\n[resources.things]\nname = \"stuff\"\nrecords = \"rows\"\npaginate = \"single\"\n";
    std::fs::write(place.path("etlgen.toml"), wishes).unwrap();
    let output = place.run(&["new", "--config", "etlgen.toml", "--out", "d"], "");
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::write(place.path("d/etlgen.toml"), wishes.replace("api", "../api")).unwrap();
    let output = place.run(&["learn", "stuff", "--out", "d"], "{\"id\": 1}\n");
    assert!(output.status.success(), "{}", stderr(&output));
    holds(
        &place.read("d/src/resources/stuff.rs"),
        &[
            "Resource<Stuff>",
            ".records(\"rows\")",
            "pub struct Stuff {",
        ],
    );
    assert!(place.path("d/learned/stuff.json").exists());
}

#[test]
fn what_cannot_be_learnt_is_said() {
    let place = Place::new();
    let learn =
        |resource: &str, samples: &str| place.refused(&["learn", resource, "--out", "c"], samples);
    holds(&learn("thing", "[{}]"), &["no resource `thing`"]);
    holds(&learn("told", "[{}]"), &["has a schema"]);
    holds(&learn("things", ""), &["no sample"]);
    holds(&learn("things", "{\"a\": 1}\n{oops"), &["<stdin>:2:"]);
    holds(&learn("things", "[1, 2]"), &["objects"]);
    holds(&learn("things", "[{}]"), &["do not describe"]);
    let elsewhere = place.refused(&["learn", "things", "--out", "nowhere"], "[{}]");
    holds(&elsewhere, &["nowhere", "--out"]);
    assert!(!Path::new(&place.path("c/learned")).exists());
}
