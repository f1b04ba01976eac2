//! What registries show of the crates: their READMEs.

use etlgen_tests::rendered::headings;
use etlgen_tests::workspace::root;

#[test]
fn the_readmes_of_the_crates_render_outside_of_the_repository() {
    let crates = ["generator", "templates", "runtime", "runtime/derive"].map(str::to_owned);
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
