//! Tests `etlgen new`: the arguments that it refuses or accepts; it writes a crate completely or
//! not at all.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use etlgen_tests::workspace::{binary, stderr, stdout};
use tempfile::TempDir;

const SPEC: &str = "\
openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: https://pets.example}]
paths:
  /pets:
    get:
      responses:
        '200':
          description: The pets.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
  /owners:
    get:
      responses:
        '200':
          description: The owners.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
components:
  schemas:
    Pet:
      type: object
      properties:
        id: {type: integer}
        name: {type: string}
";

/// A folder with a document.
struct Place {
    etlgen: PathBuf,
    folder: TempDir,
}

impl Place {
    fn new(spec: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pets.yaml"), spec).unwrap();
        Place {
            etlgen: binary("etlgen"),
            folder,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.etlgen);
        command.arg("new").args(arguments);
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }

    /// Runs a command that must be refused; returns its output.
    fn refuse(&self, arguments: &[&str]) -> String {
        let before = self.entries();
        let output = self.run(arguments);
        let code = output.status.code();
        assert!(matches!(code, Some(1 | 2)), "{code:?}: {}", stderr(&output));
        assert_eq!(self.entries(), before, "something was written");
        stderr(&output)
    }

    /// Returns the entries of the folder and its subfolders.
    fn entries(&self) -> Vec<PathBuf> {
        files(self.folder.path()).into_keys().collect()
    }

    fn read(&self, path: &str) -> String {
        let path = self.folder.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Returns files by their path, and folders as empty files.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            let inner = files(&path).into_iter();
            found.extend(inner.map(|(inner, text)| (name.join(inner), text)));
            found.insert(name, Vec::new());
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let place = Place::new(SPEC);
    std::fs::create_dir(place.folder.path().join("out")).unwrap();
    std::fs::write(place.folder.path().join("out/mine.txt"), "mine").unwrap();
    let said = place.refuse(&["--spec", "pets.yaml", "--out", "out"]);
    assert!(said.contains("out"), "{said}");
    assert_eq!(place.read("out/mine.txt"), "mine");
}

#[test]
fn a_file_in_the_way_is_left_alone() {
    let place = Place::new(SPEC);
    std::fs::write(place.folder.path().join("out"), "mine").unwrap();
    let said = place.refuse(&["--spec", "pets.yaml", "--out", "out"]);
    assert!(said.contains("it is a file, not a folder"), "{said}");
    assert_eq!(place.read("out"), "mine");
}

#[test]
fn an_empty_folder_is_filled() {
    let place = Place::new(SPEC);
    std::fs::create_dir(place.folder.path().join("out")).unwrap();
    place.succeed(&["--spec", "pets.yaml", "--out", "out"]);
    assert!(place.read("out/src/lib.rs").contains("pets"));
}

#[test]
fn the_folder_is_named_after_the_api() {
    let place = Place::new(SPEC);
    let said = place.succeed(&["--spec", "pets.yaml"]);
    assert!(said.contains("pets-connector"), "{said}");
    let manifest = place.read("pets-connector/Cargo.toml");
    assert!(manifest.contains("name = \"pets-connector\""), "{manifest}");
    let others = place.entries().into_iter();
    let mut others = others.filter(|path| !path.starts_with("pets-connector"));
    assert_eq!(others.next(), Some(PathBuf::from("pets.yaml")));
    assert_eq!(others.next(), None, "something is left beside the crate");
}

#[test]
fn an_unknown_resource_is_named() {
    let place = Place::new(SPEC);
    let said = place.refuse(&["--spec", "pets.yaml", "--resources", "pets,petz"]);
    assert!(said.contains("`petz`"), "{said}");
    assert!(!said.contains("`pets,petz`"), "{said}");
}

#[test]
fn an_error_in_yaml_has_a_place() {
    let broken = SPEC.replace("    get:\n", "    get: [\n");
    let place = Place::new(&broken);
    let said = place.refuse(&["--spec", "pets.yaml"]);
    let (_, at) = said
        .split_once("pets.yaml:")
        .unwrap_or_else(|| panic!("{said}"));
    let numbers: Vec<&str> = at.splitn(3, ':').collect();
    let line: usize = numbers[0].parse().unwrap();
    let column: usize = numbers[1].trim().parse().unwrap();
    assert!((6..10).contains(&line) && column > 0, "{said}");
}

#[test]
fn a_document_that_is_none_is_told() {
    for text in ["", "[1, 2]", "just: a map\n", "swagger: '2.0'\n", "\u{0}"] {
        let place = Place::new(text);
        let said = place.refuse(&["--spec", "pets.yaml"]);
        assert!(said.contains("pets.yaml"), "{text:?}: {said}");
    }
    let said = Place::new(SPEC).refuse(&["--spec", "absent.yaml"]);
    assert!(said.contains("absent.yaml"), "{said}");
}

#[test]
fn missing_files_of_a_document_are_told_once_before_anything_else() {
    let paths: String = (0..40)
        .map(|at| format!("  /p{at}:\n    $ref: 'paths/p{at}.yaml'\n"))
        .collect();
    let text = format!("openapi: 3.0.3\ninfo: {{title: Refs, version: '1'}}\npaths:\n{paths}");
    let said = Place::new(&text).refuse(&["--spec", "pets.yaml"]);
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(said.matches("cannot be followed").count(), 1, "{said}");
    assert!(
        said.contains("40, such as paths/p0.yaml (it does not exist)"),
        "{said}"
    );
    let binary: String = Place::new("\u{0}\u{1}PNG").refuse(&["--spec", "pets.yaml"]);
    assert!(binary.contains("binary file"), "{binary}");
    let cut = Place::new("[1,2").refuse(&["--spec", "pets.yaml"]);
    assert!(
        cut.contains("pets.yaml:1:4: ") && !cut.contains("at line"),
        "{cut}"
    );
}

#[test]
fn a_document_without_lists_is_told() {
    let text = "openapi: 3.0.3\ninfo: {title: Nothing, version: '1'}\npaths: {}\n";
    let said = Place::new(text).refuse(&["--spec", "pets.yaml"]);
    assert!(said.contains("error: pets.yaml:3:1: "), "{said}");
    // This document describes only single objects.
    let single = SPEC.replace(
        "{type: array, items: {$ref: '#/components/schemas/Pet'}}",
        "{$ref: '#/components/schemas/Pet'}",
    );
    let single = single
        .replace("/pets:", "/pet:")
        .replace("/owners:", "/owner:");
    let place = Place::new(&single);
    let wishes = place.folder.path().join("wishes.toml");
    std::fs::write(wishes, "singles = \"none\"\n").unwrap();
    let arguments = ["--spec", "pets.yaml", "--config", "wishes.toml"];
    let said = place.refuse(&arguments);
    assert!(said.contains("error: pets.yaml:4:1: "), "{said}");
    assert!(said.contains("only 2 single objects"), "{said}");
    // Without a wish, each is a table of one row.
    Place::new(&single).succeed(&["--spec", "pets.yaml"]);
}

#[test]
fn a_document_comes_from_standard_input() {
    let place = Place::new(SPEC);
    let mut command = place.command(&["--spec", "-", "--out", "out"]);
    let mut running = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(SPEC.as_bytes()).unwrap();
    drop(stdin);
    assert!(running.wait().unwrap().success());
    assert!(place.read("out/src/resources/mod.rs").contains("mod pets;"));
}

#[test]
fn resources_are_chosen_and_left_out() {
    let place = Place::new(SPEC);
    let modules = |out: &str| place.read(&format!("{out}/src/resources/mod.rs"));
    place.succeed(&["--spec", "pets.yaml", "--exclude", "own*", "--out", "a"]);
    assert!(modules("a").contains("mod pets;"));
    assert!(!modules("a").contains("owners"));
    place.succeed(&["--spec", "pets.yaml", "--resources", "owners", "--out", "b"]);
    assert!(modules("b").contains("mod owners;"));
    assert!(!modules("b").contains("pets"));
}

#[test]
fn every_run_writes_the_same() {
    let place = Place::new(SPEC);
    let written = |out: &str| {
        place.succeed(&["--spec", "pets.yaml", "--out", out]);
        files(&place.folder.path().join(out))
    };
    let (first, second) = (written("a"), written("b"));
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    for (name, text) in &first {
        assert!(second[name] == *text, "{} differs", name.display());
    }
}

#[test]
fn the_runtime_is_a_version_or_a_folder() {
    let place = Place::new(SPEC);
    let manifest = |runtime: &str, out: &str| {
        place.succeed(&["--spec", "pets.yaml", "--runtime", runtime, "--out", out]);
        place.read(&format!("{out}/Cargo.toml"))
    };
    let version = manifest("0.1.0", "a");
    assert!(version.contains("etlgen-runtime = \"0.1.0\""), "{version}");
    assert!(!version.contains("path"), "{version}");
    let runtime = place.folder.path().join("mine/runtime");
    std::fs::create_dir_all(&runtime).unwrap();
    let package = "[package]\nname = \"etlgen-runtime\"\n";
    std::fs::write(runtime.join("Cargo.toml"), package).unwrap();
    let folder = manifest("mine/runtime", "b");
    assert!(folder.contains("path = \"../mine/runtime\""), "{folder}");
    for (wrong, words) in [
        ("mine", "did you mean `mine/runtime`?"),
        ("/nope", "there is no such folder"),
        ("abc", "there is no such folder"),
        ("99.0", "does not include"),
    ] {
        let said = place.refuse(&["--spec", "pets.yaml", "--runtime", wrong, "--out", "c"]);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_wrong_argument_ends_with_2() {
    let place = Place::new(SPEC);
    for wrong in [
        ["--destinations", "oracle"],
        ["--name", "My API"],
        ["--name", "über"],
        ["--ci", "gitlab"],
        ["--resources", "petz"],
        ["--license", "MIT/X11"],
        ["--runtime", "/nope"],
    ] {
        let output = place.run(&[&["--spec", "pets.yaml"], &wrong[..]].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {said}");
        assert!(!said.contains("`ber`"), "{said}");
    }
    for wrong in [["--spec", "absent.yaml"], ["--config", "absent.toml"]] {
        assert_eq!(place.run(&wrong).status.code(), Some(1), "{wrong:?}");
    }
}

#[test]
fn what_is_off_is_told_with_its_reason() {
    let spec = SPEC.replace(
        "{type: array, items: {$ref: '#/components/schemas/Pet'}}",
        "{type: object, properties: {has_more: {type: boolean}, data: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}",
    );
    let said = Place::new(&spec).succeed(&["--spec", "pets.yaml"]);
    let line = "pets: etlgen could not tell how this list is paged";
    assert!(
        said.contains("Off: `sync` leaves these out") && said.contains(line),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_leaves_nothing() {
    let place = Place::new(SPEC);
    // `pets.yaml` is a file, so it cannot contain a folder.
    let said = place.refuse(&["--spec", "pets.yaml", "--out", "pets.yaml/inner/out"]);
    assert!(said.contains("pets.yaml"), "{said}");
}

/// Renames the lists in two steps.
const OVERLAYS: [(&str, &str); 2] = [
    (
        "more.yaml",
        "overlay: 1.0.0
info: {title: More, version: '1'}
actions:
  - target: $.paths
    update:
      /toys:
        get:
          responses:
            '200':
              content:
                application/json:
                  schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
",
    ),
    (
        "less.json",
        r#"{"overlay": "1.1.0", "actions": [{"target": "$.paths['/owners']", "remove": true}]}"#,
    ),
];

#[test]
fn overlays_repair_the_document_and_are_remembered() {
    let place = Place::new(SPEC);
    for (name, text) in OVERLAYS {
        std::fs::write(place.folder.path().join(name), text).unwrap();
    }
    place.succeed(&[
        "--spec",
        "pets.yaml",
        "--overlay",
        "more.yaml",
        "--overlay",
        "less.json",
        "--out",
        "a",
    ]);
    let modules = place.read("a/src/resources/mod.rs");
    assert!(
        modules.contains("mod toys;") && !modules.contains("owners"),
        "{modules}"
    );
    let wishes = place.read("a/etlgen.toml");
    let line = "overlay = [\"../more.yaml\", \"../less.json\"]";
    assert!(wishes.contains(line), "{wishes}");
    assert_eq!(place.read("pets.yaml"), SPEC);

    // The crate's own `etlgen.toml` is enough to generate it again; with other overlays the
    // document is a different one.
    place.succeed(&["--config", "a/etlgen.toml", "--out", "b"]);
    assert_eq!(place.read("b/src/resources/mod.rs"), modules);
    let hash = |out: &str| {
        let lock = place.read(&format!("{out}/.etlgen/lock.json"));
        let line = lock.lines().find(|line| line.contains("spec_hash"));
        line.unwrap().to_owned()
    };
    assert_eq!(hash("a"), hash("b"));
    place.succeed(&["--spec", "pets.yaml", "--out", "c"]);
    assert_ne!(hash("a"), hash("c"));
}

#[test]
fn a_broken_overlay_is_named_with_its_place() {
    let place = Place::new(SPEC);
    let overlay =
        "overlay: 1.0.0\nactions:\n  - target: $.paths\n    update: {}\n  - target: paths\n";
    std::fs::write(place.folder.path().join("bad.yaml"), overlay).unwrap();
    let said = place.refuse(&["--spec", "pets.yaml", "--overlay", "bad.yaml"]);
    assert!(said.contains("error: bad.yaml:5:5: "), "{said}");
    let said = place.refuse(&["--spec", "pets.yaml", "--overlay", "absent.yaml"]);
    assert!(said.contains("absent.yaml"), "{said}");
}

#[test]
fn nothing_to_read_is_wrong_usage() {
    let place = Place::new(SPEC);
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--spec"), "{}", stderr(&output));
}

#[test]
fn a_licence_is_one_that_registries_know_and_its_text_is_there() {
    let place = Place::new(SPEC);
    let new = |license: &str, out: &str| {
        let output = place.run(&["--spec", "pets.yaml", "--license", license, "--out", out]);
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    let said = new("MIT", "a");
    assert!(!said.contains("text of"), "{said}");
    assert!(
        place
            .read("a/LICENSE-MIT")
            .contains("the authors of pets-connector")
    );
    assert!(!place.folder.path().join("a/LICENSE-APACHE").exists());
    for file in ["a/Cargo.toml", "a/etlgen.toml"] {
        assert!(place.read(file).contains("license = \"MIT\"\n"), "{file}");
    }
    let said = new("MPL-2.0 OR Apache-2.0", "b");
    assert!(
        said.contains("add the text of MPL-2.0 as LICENSE"),
        "{said}"
    );
    assert!(place.read("b/LICENSE-APACHE").contains("Version 2.0"));
    let said = place.refuse(&["--spec", "pets.yaml", "--license", "MIT/X11"]);
    assert!(
        said.contains("`MIT/X11`") && said.contains("spdx.org"),
        "{said}"
    );
}

#[test]
fn a_workflow_and_an_image_are_written_where_they_are_asked_for() {
    let place = Place::new(SPEC);
    place.succeed(&["--spec", "pets.yaml", "--out", "without"]);
    let published = [".github", "Dockerfile", ".dockerignore"];
    let has = |out: &str| published.map(|file| place.folder.path().join(out).join(file).exists());
    assert_eq!(has("without"), [false; 3]);
    place.succeed(&[
        "--spec",
        "pets.yaml",
        "--out",
        "with",
        "--ci",
        "github",
        "--docker",
    ]);
    assert_eq!(has("with"), [true; 3]);

    let workflow: serde_json::Value =
        yaml_serde::from_str(&place.read("with/.github/workflows/ci.yml")).unwrap();
    assert_eq!(
        workflow["permissions"],
        serde_json::json!({"contents": "read"})
    );
    let steps = workflow["jobs"]["test"]["steps"].as_array().unwrap();
    for used in steps.iter().filter_map(|step| step["uses"].as_str()) {
        let (_, version) = used.split_once("@v").unwrap_or_else(|| panic!("{used}"));
        assert!(version.parse::<u32>().is_ok(), "{used}");
    }
    let image = place.read("with/Dockerfile");
    let stages: Vec<&str> = image
        .lines()
        .filter(|line| line.starts_with("FROM "))
        .collect();
    assert!(
        stages.len() == 2 && stages[1].ends_with(":nonroot"),
        "{image}"
    );
    // Only the listed files are sent to the builder.
    let ignored = place.read("with/.dockerignore");
    let mut rules = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"));
    assert!(rules.all(|rule| rule.starts_with('!')), "{ignored}");
}

#[test]
fn limits_and_rules_for_statuses_are_declared() {
    let stated = "version: '1', description: 'Rate limit: 100 requests per minute.'}";
    let place = Place::new(&SPEC.replace("version: '1'}", stated));
    let wishes = |limit: &str| {
        let text = format!(
            "spec = \"pets.yaml\"\n{limit}\n[resources.pets]\non_status = {{ 403 = \"skip\", 404 = \"empty\", 423 = \"retry\" }}\n"
        );
        std::fs::write(place.folder.path().join("etlgen.toml"), text).unwrap();
    };
    wishes("");
    place.succeed(&["--config", "etlgen.toml", "--out", "a"]);
    let library = place.read("a/src/lib.rs");
    assert!(
        library.contains(".rate_limit(100, ::std::time::Duration::from_secs(60))"),
        "{library}"
    );
    let pets = place.read("a/src/resources/pets.rs");
    for rule in [
        "(403, StatusRule::Skip)",
        "(404, StatusRule::Empty)",
        "(423, StatusRule::Retry)",
    ] {
        assert!(pets.contains(&format!(".on_status{rule}")), "{pets}");
    }
    wishes("rate_limit = { requests = 5, seconds = 1 }");
    place.succeed(&["--config", "etlgen.toml", "--out", "b"]);
    let library = place.read("b/src/lib.rs");
    assert!(
        library.contains(".rate_limit(5, ") && !library.contains("(100, "),
        "{library}"
    );
    wishes("rate_limit = false");
    place.succeed(&["--config", "etlgen.toml", "--out", "c"]);
    assert!(!place.read("c/src/lib.rs").contains("rate_limit"));
}
