//! Executes the guides in `docs`: their commands run in the order of the page against the mock API, their keys of
//! `etlgen.toml` are accepted, their other files are well-formed, and their links lead somewhere. (`tests/src/lib.rs`
//! compiles their Rust, `customise.rs` executes `docs/customise.md`.)
#![cfg(unix)]

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use etlgen_testkit::{Kind, skip};
use etlgen_tests::mock::{BILLING_KEY, MockApi, Scenario};
use etlgen_tests::workspace::{binary, root, stderr, stdout};

/// The pages whose commands are executed.
const GUIDES: [&str; 9] = [
    "tutorial",
    "rust",
    "incremental",
    "schema-changes",
    "secrets",
    "deploy",
    "troubleshooting",
    "performance",
    "comparison",
];

/// `cargo run -- ARGUMENTS` runs the connector of the repository, which is what etlgen writes.
const CARGO: &str =
    "#!/bin/sh\n[ \"$1 $2\" = 'run --' ] || exit 99\nshift 2\nexec billing-connector \"$@\"\n";

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("docs/{name}.md"))).unwrap()
}

/// Returns the blocks of a page with their languages.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut indent = None;
    for line in page.lines() {
        let (words, blanks) = (line.trim_start(), line.len() - line.trim_start().len());
        match (indent, words.strip_prefix("```")) {
            (Some(_), Some(_)) => indent = None,
            (None, Some(language)) => {
                indent = Some(blanks);
                blocks.push((language.to_owned(), String::new()));
            }
            (Some(indent), None) => {
                let block = blocks.last_mut().unwrap();
                block.1 += &format!("{}\n", line.get(indent..).unwrap_or_default());
            }
            (None, None) => {}
        }
    }
    blocks
}

fn of_language(name: &str, language: &str) -> Vec<String> {
    let blocks = blocks(&page(name)).into_iter();
    blocks
        .filter(|(it, _)| it == language)
        .map(|(_, text)| text)
        .collect()
}

#[test]
fn the_commands_of_the_guides_run() {
    let programs = tempfile::tempdir().unwrap();
    for name in ["billing-connector", "etlgen"] {
        symlink(binary(name), programs.path().join(name)).unwrap();
    }
    let cargo = programs.path().join("cargo");
    std::fs::write(&cargo, CARGO).unwrap();
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        programs.path().display(),
        std::env::var("PATH").unwrap()
    );
    let mut run = 0;
    for name in GUIDES {
        let script = of_language(name, "sh").concat();
        if script.is_empty() {
            continue;
        }
        run += 1;
        let (folder, mock) = (
            tempfile::tempdir().unwrap(),
            MockApi::start(Scenario::default()),
        );
        let document = root().join("generated-examples/specs/billing.yaml");
        std::fs::copy(document, folder.path().join("billing.yaml")).unwrap();
        let done = Command::new("sh")
            .args(["-euxc", &script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("BILLING_API_KEY", BILLING_KEY)
            .env("BILLING_BASE_URL", mock.url())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{name}: {}\n{}",
            stdout(&done),
            stderr(&done)
        );
    }
    assert!(run >= 8, "{run}");
}

#[test]
fn the_keys_of_the_guides_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let document = root().join("generated-examples/specs/billing.yaml");
    let mut found = 0;
    for name in GUIDES {
        for keys in of_language(name, "toml") {
            found += 1;
            let (file, out) = (
                folder.path().join(format!("{found}.toml")),
                folder.path().join(format!("crate{found}")),
            );
            std::fs::write(&file, &keys).unwrap();
            let done = Command::new(binary("etlgen"))
                .args(["new", "--spec"])
                .arg(&document)
                .arg("--config")
                .arg(&file)
                .arg("--out")
                .arg(&out)
                .output()
                .unwrap();
            assert!(done.status.success(), "{name}: {keys}\n{}", stderr(&done));
        }
    }
    assert!(found >= 3, "{found}");
}

#[test]
fn the_files_of_the_guides_are_well_formed() {
    let mut found = 0;
    for name in GUIDES {
        for text in of_language(name, "yaml") {
            found += 1;
            let value: Result<serde_json::Value, _> = yaml_serde::from_str(&text);
            assert!(value.is_ok_and(|value| value.is_object()), "{name}: {text}");
        }
        for text in of_language(name, "python") {
            let parse = "import ast, sys; ast.parse(sys.argv[1])";
            match Command::new("python3").args(["-c", parse, &text]).output() {
                Ok(done) => assert!(done.status.success(), "{name}: {}", stderr(&done)),
                Err(_) => skip(Kind::Python, "there is no python3"),
            }
        }
    }
    assert!(found >= 2, "{found}");
}

/// Returns the anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !code) {
            found.insert(anchor(heading.trim_start_matches('#').trim()));
        }
    }
    found
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let folder = root().join("docs");
    let mut pages: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(root().join("README.md"));
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut links = 0;
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            name == "README.md" || readme.contains(&format!("(docs/{name})")),
            "README.md does not name {name}"
        );
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            links += 1;
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(file.exists(), "{name}: {target}");
            assert!(
                place.is_empty() || anchors(&file).contains(place),
                "{name}: {target}"
            );
        }
    }
    assert!(links > 50, "{links}");
}
