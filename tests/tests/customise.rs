//! Executes `docs/customise.md`: applies each chapter's blocks to a new crate, updates it to a later document, compiles
//! it, tests it, and runs it against the mock API; the output must be the one shown.
//!
//! A `diff` block changes the file named between its `@@`; a block whose first line names a file is that file, or its
//! end; a `console` block has commands, each followed by its output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use etlgen_tests::compile::{Tree, cargo_in, target, workspace};
use etlgen_tests::mock::{BILLING_KEY, MockApi, Scenario};
use etlgen_tests::owned::files;
use etlgen_tests::workspace::{binary, cargo, root, stderr, stdout};
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

struct Chapter {
    name: String,
    blocks: Vec<Block>,
}

struct Block {
    language: String,
    text: String,
}

impl Block {
    /// Returns the file that it removes before the crate is compiled.
    fn removes(&self) -> Option<&str> {
        self.text.strip_prefix("$ rm ").map(str::trim_end)
    }
}

/// Reads the chapters of the guide that have blocks.
fn chapters() -> Vec<Chapter> {
    let guide = std::fs::read_to_string(root().join("docs/customise.md")).unwrap();
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut block: Option<Block> = None;
    for line in guide.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (Some(_), Some("")) => {
                let chapter = chapters.last_mut().expect("blocks stand in chapters");
                chapter.blocks.extend(block.take());
            }
            (Some(block), _) => block.text += &format!("{line}\n"),
            (None, Some(language)) => {
                block = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, None) => {
                if let Some(name) = line.strip_prefix("## ") {
                    chapters.push(Chapter {
                        name: name.to_lowercase().replace(' ', "-"),
                        blocks: Vec::new(),
                    });
                }
            }
        }
    }
    assert!(block.is_none(), "a block has no end");
    chapters.retain(|chapter| !chapter.blocks.is_empty());
    chapters
}

/// Applies a block to a crate; returns the added lines, by file.
fn apply(block: &Block, folder: &Path) -> Vec<(String, String)> {
    let mut added = Vec::new();
    if let Some(path) = block.removes() {
        std::fs::remove_file(folder.join(path)).unwrap();
        return added;
    }
    if block.language == "diff" {
        let mut hunks: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in block.text.lines() {
            match line
                .strip_prefix("@@ ")
                .and_then(|it| it.strip_suffix(" @@"))
            {
                Some(path) => hunks.push((path, Vec::new())),
                None => hunks.last_mut().expect("`@@ FILE @@`").1.push(line),
            }
        }
        for (path, lines) in hunks {
            let side = |other: char| {
                let lines = lines.iter().filter(|line| !line.starts_with(other));
                let lines = lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default()));
                format!("\n{}", lines.collect::<String>())
            };
            let file = folder.join(path);
            let text = format!("\n{}", std::fs::read_to_string(&file).unwrap());
            let (old, new) = (side('+'), side('-'));
            assert_eq!(
                text.matches(&old).count(),
                1,
                "{path} should have this once:{old}\n{text}"
            );
            std::fs::write(file, &text.replacen(&old, &new, 1)[1..]).unwrap();
            let plus = lines.iter().filter_map(|line| line.strip_prefix('+'));
            added.extend(plus.map(|line| (path.to_owned(), line.to_owned())));
        }
        return added;
    }
    let (first, text) = block.text.split_once('\n').unwrap();
    let first = first.trim_start_matches(['/', '#', ' ']);
    let (path, how) = first
        .split_once(" (")
        .expect("the first line names the file");
    let file = folder.join(path);
    match how {
        "new)" => assert!(!file.exists(), "{path} is there already"),
        "at the end)" => assert!(file.exists(), "{path} is not there"),
        _ => panic!("{path}: {how}"),
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let separator = if before.is_empty() { "" } else { "\n" };
    std::fs::write(&file, format!("{before}{separator}{text}")).unwrap();
    added.extend(text.lines().map(|line| (path.to_owned(), line.to_owned())));
    added
}

fn document() -> String {
    let document = root().join("generated-examples/specs/billing.yaml");
    std::fs::read_to_string(document).unwrap()
}

/// Returns a later document: every record has one more field, near the top.
fn later(document: &str) -> String {
    let mut document: Value = yaml_serde::from_str(document).unwrap();
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    for (name, schema) in schemas {
        let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        let mut more = Map::new();
        for (at, (key, field)) in std::mem::take(fields).into_iter().enumerate() {
            more.insert(key, field);
            if at == 0 {
                let new = format!("new_in_{}", name.to_lowercase());
                more.insert(new, json!({"type": "string"}));
            }
        }
        *fields = more;
    }
    document.to_string()
}

/// Writes the crate, applies a chapter, and updates it to the later document.
fn changed(chapter: &Chapter) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    let etlgen = |place: &Path, arguments: &[&str]| {
        let mut command = Command::new(binary("etlgen"));
        let output = command.args(arguments).current_dir(place).output().unwrap();
        let said = stdout(&output) + &stderr(&output);
        assert!(output.status.success(), "{}: {said}", chapter.name);
    };
    let document = document();
    std::fs::write(folder.path().join("billing.yaml"), &document).unwrap();
    let runtime = root().join("runtime");
    let new = [
        "new",
        "--spec",
        "billing.yaml",
        "--out",
        "billing-connector",
    ];
    let from = ["--runtime", runtime.to_str().unwrap()];
    etlgen(folder.path(), &[&new[..], &from].concat());

    let made = folder.path().join("billing-connector");
    let blocks = chapter.blocks.iter();
    let edits = blocks.filter(|block| block.language != "console" || block.removes().is_some());
    let added: Vec<_> = edits.flat_map(|block| apply(block, &made)).collect();
    assert!(!added.is_empty(), "{}", chapter.name);
    std::fs::write(folder.path().join("billing.yaml"), later(&document)).unwrap();
    etlgen(&made, &["update"]);
    etlgen(&made, &["check"]);
    let formatted = cargo().current_dir(&made).args(["fmt", "--check"]).output();
    let said = stdout(&formatted.unwrap());
    assert!(said.is_empty(), "{} is not formatted: {said}", chapter.name);
    let mut tree = Tree::new();
    files(&made, "", &mut tree);
    let generated: Vec<String> = tree.keys().cloned().collect();
    assert!(
        String::from_utf8_lossy(&tree["src/resources/customers.rs"]).contains("new_in_customer")
    );
    for (path, line) in added {
        let text = String::from_utf8_lossy(
            tree.get(&path)
                .unwrap_or_else(|| panic!("{path} of {generated:?}")),
        );
        assert!(
            text.contains(&line),
            "the update lost {line:?} of {path}:\n{text}"
        );
    }
    // This test uses the runtime of the repository, not one in a registry.
    let manifest = String::from_utf8(tree["Cargo.toml"].clone()).unwrap();
    let here = format!("path = {:?}, features", runtime.to_str().unwrap());
    let manifest = manifest.replace("version = \"0.1.0\", features", &here);
    tree.insert("Cargo.toml".to_owned(), manifest.into_bytes());
    tree
}

/// A chapter's connector, and a shell for the commands.
struct Shell<'a> {
    folder: PathBuf,
    program: PathBuf,
    shims: PathBuf,
    mock: &'a MockApi,
}

impl Shell<'_> {
    fn new<'a>(workspace: &Path, name: &str, mock: &'a MockApi) -> Shell<'a> {
        let shell = Shell {
            folder: workspace.join(name),
            program: target().join("debug").join(name),
            shims: workspace.join(format!("{name}-programs")),
            mock,
        };
        std::fs::create_dir_all(&shell.shims).unwrap();
        let program = |name: &str, script: String| {
            let file = shell.shims.join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            let status = Command::new("chmod").arg("+x").arg(file).status();
            assert!(status.unwrap().success());
        };
        // The program is built already; `cargo run` would build it again in another folder.
        program("cargo", format!("shift 2\nexec {:?} \"$@\"", shell.program));
        program("etlgen", format!("exec {:?} \"$@\"", binary("etlgen")));
        shell
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", self.shims.display()))
            .env("BILLING_API_KEY", BILLING_KEY)
            .env("BILLING_BASE_URL", self.mock.url());
        command
    }

    /// Runs a command; returns its output.
    fn typed(&self, line: &str) -> String {
        if let Some(rest) = line.strip_prefix("sqlite3 ") {
            let (file, sql) = rest.split_once(' ').unwrap();
            return self.query(file, sql.trim_matches('"'));
        }
        let output = self.command("sh").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        stdout(&output)
    }

    /// Runs a query; returns output like that of the program `sqlite3`.
    fn query(&self, file: &str, sql: &str) -> String {
        let db = rusqlite::Connection::open(self.folder.join(file)).unwrap();
        let mut select = db
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let width = select.column_count();
        let mut rows = select.query([]).unwrap();
        let mut out = String::new();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..width).map(|at| match row.get_ref(at).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(value) => value.to_string(),
                ValueRef::Real(value) => format!("{value:?}"),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => format!("{bytes:?}"),
            });
            out += &format!("{}\n", cells.collect::<Vec<_>>().join("|"));
        }
        out
    }

    /// Runs the commands of a block and compares the output; a command without output only has to succeed.
    fn follows(&self, block: &Block) {
        let commands = block.text.split("$ ").filter(|command| !command.is_empty());
        for command in commands {
            let (line, shown) = command.split_once('\n').unwrap();
            let printed = self.typed(line);
            assert!(shown.is_empty() || shown == printed, "$ {line}\n{printed}");
        }
    }
}

#[test]
fn what_the_guide_shows_is_what_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let chapters = chapters();
    assert!(chapters.len() >= 5);
    let crates = chapters.iter().map(|it| (it.name.clone(), changed(it)));
    workspace(folder.path(), crates);
    std::fs::write(folder.path().join("billing.yaml"), later(&document())).unwrap();
    let tested = cargo_in(folder.path())
        .args(["test", "--offline", "--workspace", "--test", "*", "--quiet"])
        .output()
        .unwrap();
    assert!(
        tested.status.success(),
        "{}\n{}",
        stdout(&tested),
        stderr(&tested)
    );
    let mock = MockApi::start(Scenario {
        customers: 30,
        invoices: 12,
        events: 10,
        drift: false,
        ..Scenario::default()
    });
    for chapter in &chapters {
        let shell = Shell::new(folder.path(), &chapter.name, &mock);
        let blocks = chapter.blocks.iter();
        let typed = |block: &&Block| block.language == "console" && block.removes().is_none();
        for block in blocks.filter(typed) {
            shell.follows(block);
        }
    }
    survives_kills(&Shell::new(folder.path(), "destinations", &mock));
}

/// Checks that the guide's destination, killed at any moment, ends with the same rows as one that
/// was not killed.
fn survives_kills(shell: &Shell) {
    let sync = |into: &str| {
        let mut command = shell.command(&shell.program);
        command
            .args(["sync", "--checkpoint-rows", "3", "--destination", into])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let began = Instant::now();
    assert!(sync("jsonl:left-alone").status().unwrap().success());
    let span = began.elapsed();
    let mut killed = 0;
    for number in 0..40 {
        let mut run = sync("jsonl:besieged").spawn().unwrap();
        // Kills are spread over the run, in no particular order.
        std::thread::sleep(span * (number * 17 % 40) / 40);
        // A run that has ended cannot be killed.
        let _ = run.kill();
        killed += u32::from(!run.wait().unwrap().success());
        let whole = rows(&shell.folder.join("besieged"));
        for line in whole.get("invoices__lines__data").into_iter().flatten() {
            let line: Value = serde_json::from_str(line).unwrap();
            let root = line["_etl_root_id"].as_str().unwrap();
            assert!(
                whole["invoices"]
                    .iter()
                    .any(|invoice| invoice.contains(root)),
                "a line without its invoice"
            );
        }
    }
    assert!(killed > 5, "{killed} kills");
    assert!(sync("jsonl:besieged").status().unwrap().success());
    let (left_alone, besieged) = ("left-alone", "besieged");
    assert_eq!(
        rows(&shell.folder.join(left_alone)),
        rows(&shell.folder.join(besieged))
    );
}

/// Reads the rows like a user, without their loads.
fn rows(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let Ok(content) = std::fs::read_to_string(folder.join("_etl.json")) else {
        return BTreeMap::new();
    };
    let content: Value = serde_json::from_str(&content).unwrap();
    let mut found = Tree::new();
    files(&folder.join(content["number"].to_string()), "", &mut found);
    let tables = found
        .into_iter()
        .filter(|(name, _)| !name.starts_with("_etl"));
    tables
        .map(|(name, bytes)| {
            let text = String::from_utf8(bytes).unwrap();
            let rows = text.lines().map(|line| {
                let mut row: Map<String, Value> = serde_json::from_str(line).unwrap();
                row.remove("_etl_load_id");
                Value::from(row).to_string()
            });
            (name.replace(".jsonl", ""), rows.collect())
        })
        .collect()
}
