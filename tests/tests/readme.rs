//! Checks the READMEs as registries render them, and the statements of the documentation about this
//! repository.

use std::process::Command;

use etlgen_testkit::switches;
use etlgen_tests::rendered::headings;
use etlgen_tests::workspace::{binary, root, stdout};

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_readmes_of_the_crates_render_outside_of_the_repository() {
    let crates = [
        "generator",
        "templates",
        "runtime",
        "runtime/derive",
        "runtime/model",
    ];
    let crates = crates.map(str::to_owned);
    let examples = ["billing", "forge", "tracker"];
    let examples = examples.map(|name| format!("generated-examples/{name}-connector"));
    for folder in crates.iter().chain(&examples) {
        let readme = std::fs::read_to_string(root().join(folder).join("README.md")).unwrap();
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let headings = headings(&readme).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert!(
            manifest.contains(&format!("name = \"{}\"\n", headings[0])),
            "{folder}: {headings:?}"
        );
    }
}

#[test]
fn what_no_registry_shows_is_found() {
    for bad in [
        "[a](docs/a.md)",
        "![a](a.svg)",
        "<b>a</b>",
        "[a](#b)",
        "[a]\n\n[a]: b",
    ] {
        assert!(headings(bad).is_err(), "{bad}");
    }
    let good = "# A `b`\n\n| [x] |\n|---|\n| \\<b\\> |\n\n## C\n";
    assert_eq!(headings(good).unwrap(), ["A b", "C"]);
}

/// Checks that the code in the README is that of an example, without some lines.
#[test]
fn the_readme_shows_what_is_generated() {
    let readme = text("README.md");
    let (_, code) = readme.split_once("```rust\n/// The bills").unwrap();
    let (code, _) = code.split_once("\n```").unwrap();
    let generated = text("generated-examples/billing-connector/src/resources/invoices.rs");
    let (_, mut rest) = generated.split_once("/// The bills").unwrap();
    for line in code.lines().filter(|line| line.trim() != "// …") {
        let found = rest.split_once(line);
        (_, rest) = found.unwrap_or_else(|| panic!("`{line}` is not generated, or not there"));
    }
}

#[test]
fn every_switch_is_documented() {
    let guide = text("CONTRIBUTING.md");
    assert!(guide.contains(&switches::table()), "{}", switches::table());
    // Only one module reads the switches.
    let mut folders = ["generator", "runtime", "tests", "templates"]
        .map(|name| root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let is_code = path.extension().is_some_and(|ending| ending == "rs");
            if path.is_dir() {
                folders.push(path);
            } else if is_code && !path.ends_with("kit/src/switches.rs") {
                let code = std::fs::read_to_string(&path).unwrap();
                let read = code.contains(concat!("var(\"ETLGEN", "_"))
                    || code.contains(concat!("var_os(\"ETLGEN", "_"));
                assert!(!read, "{} reads a switch by its name", path.display());
            }
        }
    }
}

/// Checks the paths of the repository in the guides for contributors.
#[test]
fn the_guides_name_what_is_there() {
    let tops = [
        "generator",
        "templates",
        "runtime",
        "tests",
        "docs",
        "generated-examples",
    ];
    for guide in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = text(guide);
        for quoted in text.split('`').skip(1).step_by(2) {
            let top = quoted.split('/').next().unwrap_or_default();
            if quoted.contains('/') && tops.contains(&top) && !quoted.contains([' ', '*']) {
                assert!(
                    root().join(quoted).exists(),
                    "{guide}: {quoted} does not exist"
                );
            }
        }
    }
}

/// Returns the commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let (_, list) = help.split_once("Commands:\n").expect("there are commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

/// Returns the long options of a help text.
fn options(help: &str) -> Vec<String> {
    let (_, list) = help.split_once("Options:\n").expect("there are options");
    let lines = list
        .lines()
        .map(str::trim)
        .take_while(|line| *line != "Settings:");
    let found = lines.filter_map(|line| line.split(' ').find(|word| word.starts_with("--")));
    let found = found.filter(|option| !matches!(*option, "--help" | "--destination" | "--version"));
    found.map(str::to_owned).collect()
}

#[test]
fn every_command_and_option_of_sync_is_documented() {
    let page = text("docs/cli.md");
    let help = |program: &str, arguments: &[&str]| {
        let output = Command::new(binary(program))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        stdout(&output)
    };
    for program in ["etlgen", "billing-connector"] {
        let names = commands(&help(program, &["--help"]));
        assert!(names.len() > 5, "{names:?}");
        for name in names {
            let is_there = [format!("| `{name}`"), format!("| `{name} ")];
            assert!(
                is_there.iter().any(|row| page.contains(row)),
                "{program} {name}"
            );
        }
    }
    let options = options(&help("billing-connector", &["sync", "--help"]));
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        assert!(
            page.contains(&format!("`{option}")) || page.contains(&format!(" {option} ")),
            "sync {option}"
        );
    }
}
