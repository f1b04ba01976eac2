//! The reference of `etlgen.toml`, made from its keys: `docs/etlgen-toml.md`.

use std::fmt::Write as _;

use super::about::{About, Part};
use super::{ResourceKeys, TopKeys, parse};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/etlgen-toml.md");

const HEAD: &str = "\
# `etlgen.toml`

What you want to be different from what etlgen infers. `new`, `update`, `inspect`, `explain` and `check` read the file; only `new` writes it,
with the options that it was given. What the file does not say is inferred; `etlgen inspect` prints the lines that settle what is unsure.

A key that does not exist, or that does not fit the document, is an error with its line; nothing is left out in silence. A dotted path
(`account.id`) names a place in a record or an answer; `['a.b']` is a key that holds a dot itself.

<!-- Written by `ETLGEN_REFERENCE=write cargo test -p etlgen reference`; the texts stand in `generator/src/overrides`. -->
";

/// Returns the whole reference.
fn reference() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## At the top\n\n");
    overview(&mut text, TopKeys::KEYS);
    text.push_str(
        "\n## Below `[resources.NAME]`\n\nNAME is a name that `etlgen inspect` prints.\n\n",
    );
    overview(&mut text, ResourceKeys::KEYS);
    for key in TopKeys::KEYS.iter().chain(ResourceKeys::KEYS) {
        let told = text.contains(&format!("\n## `{}`\n", key.name));
        if key.name == "paginate" {
            section(&mut text, key);
            paginators(&mut text);
        } else if !key.parts.is_empty() && !told {
            section(&mut text, key);
            parts(&mut text, key.parts);
        }
    }
    text
}

/// Writes a table with a row for each key.
fn overview(text: &mut String, keys: &[About]) {
    text.push_str("| key | takes | |\n|---|---|---|\n");
    for key in keys {
        let has_section = !key.parts.is_empty() || key.name == "paginate";
        let name = match has_section {
            true => format!("[`{0}`](#{0})", key.name),
            false => format!("`{}`", key.name),
        };
        let examples: Vec<String> = key
            .examples
            .iter()
            .map(|line| format!("`{line}`"))
            .collect();
        let examples = match has_section {
            true => examples[..1].join(""),
            false => examples.join(", "),
        };
        let does = format!("{} {examples}", key.does);
        let _ = writeln!(text, "| {name} | {} | {} |", cell(key.takes), cell(&does));
    }
}

fn section(text: &mut String, key: &About) {
    let _ = write!(text, "\n## `{}`\n\n{}\n\n```toml\n", key.name, key.does);
    for example in key.examples {
        let _ = writeln!(text, "{example}");
    }
    text.push_str("```\n\n");
}

fn parts(text: &mut String, parts: &[Part]) {
    text.push_str("| key | takes | |\n|---|---|---|\n");
    for part in parts {
        let Part { name, takes, does } = part;
        let _ = writeln!(text, "| `{name}` | {} | {} |", cell(takes), cell(does));
    }
}

/// Writes the kinds of paginators and their keys, as `etlgen_model` declares them.
fn paginators(text: &mut String) {
    let names = |names: &[&str]| -> String {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    text.push_str("| kind | needs | may have | |\n|---|---|---|---|\n");
    for kind in etlgen_model::Kind::ALL {
        let (needs, may) = (names(kind.needs), names(kind.may));
        let about = cell(kind.about);
        let _ = writeln!(text, "| `{}` | {needs} | {may} | {about} |", kind.name);
    }
    text.push_str("\n| key | |\n|---|---|\n");
    for key in etlgen_model::Key::ALL {
        let _ = writeln!(text, "| `{}` | {} |", key.name, cell(key.about));
    }
}

/// Escapes a text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_reference_is_the_one_that_is_committed() {
    let reference = reference();
    if etlgen_testkit::switches::REFERENCE.text().as_deref() == Some("write") {
        std::fs::write(FILE, &reference).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap();
    assert!(
        committed == reference,
        "docs/etlgen-toml.md differs: `ETLGEN_REFERENCE=write cargo test -p etlgen reference` writes it"
    );
}

#[test]
fn every_example_of_the_reference_is_read() {
    for (head, keys) in [
        ("", TopKeys::KEYS),
        ("[resources.orders]\n", ResourceKeys::KEYS),
    ] {
        for key in keys {
            assert!(!key.examples.is_empty(), "{} has no example", key.name);
            for example in key.examples {
                let text = format!("{head}{example}\n");
                let read =
                    parse("etlgen.toml", &text).unwrap_or_else(|error| panic!("{text}{error}"));
                let has = match head {
                    "" => read.top.has(key.name),
                    _ => read.resources["orders"].has(key.name),
                };
                assert!(has, "{text}");
            }
        }
    }
}

#[test]
fn every_key_and_part_is_told_in_a_sentence() {
    for key in TopKeys::KEYS.iter().chain(ResourceKeys::KEYS) {
        assert!(key.does.ends_with('.'), "{}", key.name);
        assert!(
            key.parts.iter().all(|part| part.does.ends_with('.')),
            "{}",
            key.name
        );
    }
}
