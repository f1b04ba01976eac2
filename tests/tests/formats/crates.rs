//! Checks and updates a crate with its lock and its owner's edits.

use std::path::Path;

use etlgen_tests::compile;
use etlgen_tests::owned::{Owned, files};
use etlgen_tests::workspace::root;

use super::{copied, copy, sets};

const NAME: &str = "crate";
const ISSUES: &str = "src/resources/issues.rs";
const COMMITS: &str = "src/resources/commits.rs";

/// An edit of the owner: a file, the text before, the text after.
const EDITS: [(&str, &str, &str); 6] = [
    (
        "etlgen.toml",
        "",
        "\n[resources.repos]\ndeletes = \"soft\"\n\n[resources.issues]\nquery = { state = \"open\" }\n",
    ),
    (
        "src/lib.rs",
        "pub mod config;\n",
        "pub mod config;\npub mod numbered;\n",
    ),
    (
        ISSUES,
        ".param(\"since\"))\n",
        ".param(\"since\"))\n        .filter(crate::numbered::is_numbered)\n",
    ),
    (
        COMMITS,
        "pub fn commits()",
        "/// The house counts them by their author.\npub fn commits()",
    ),
    (
        COMMITS,
        "    pub sha: Option<String>,\n",
        "    /// The name of the commit.\n    pub sha: Option<String>,\n",
    ),
    ("README.md", "", "\n## Of the house\n\nAsk the data team.\n"),
];

/// A file that the owner added.
const ADDED: (&str, &str) = (
    "src/numbered.rs",
    "//! Issues with a number.\n\nuse crate::resources::Issue;\n\n/// Whether an issue has a number.\npub fn is_numbered(issue: &Issue) -> bool {\n    issue.number.is_some()\n}\n",
);

pub fn write(set: &Path) {
    let spec = root().join("generated-examples/specs/forge.yaml");
    let spec = std::fs::read_to_string(spec).unwrap();
    // The crate is copied next to the original, because it has a relative path to the runtime.
    let owned = Owned::without_runtime(tempfile::tempdir_in(set).unwrap(), &spec);
    owned.write(ADDED.0, ADDED.1);
    for (path, old, new) in EDITS {
        match old {
            "" => owned.write(path, &(owned.read(path) + new)),
            old => owned.edit(path, old, new),
        }
        // The overrides are generated before the owner changes the code.
        if path == "etlgen.toml" {
            owned.ends(0, &["update", "--allow-dirty"]);
        }
    }
    owned.ends(0, &["check"]);
    let folder = set.join(NAME);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    copy(owned.folder.path(), &folder);
}

/// Checks that the lines that the owner added still exist.
fn kept(owned: &Owned) {
    assert_eq!(owned.read(ADDED.0), ADDED.1);
    for (path, old, new) in EDITS {
        let text = owned.read(path);
        for line in new.lines().filter(|line| !old.contains(line)) {
            assert!(text.contains(line), "{path} has lost `{line}`:\n{text}");
        }
    }
}

#[test]
fn a_crate_with_edits_is_checked_and_updated() {
    for set in sets() {
        let owned = Owned::kept(copied(&set, NAME));
        kept(&owned);
        // Another etlgen may write some lines differently, which `check` reports with the code 1,
        // but it can still read the crate.
        let output = owned.run(&["check"]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        owned.ends(0, &["update"]);
        kept(&owned);
        owned.ends(0, &["check"]);
        // The paginator that all lists share moves to one place, even in a crate that declared it
        // for each list.
        assert!(
            owned
                .read("src/api.rs")
                .contains("pub fn pages() -> Paginator")
        );
        assert!(owned.read(COMMITS).contains(".paginate(api::pages())"));

        let spec = std::fs::read_to_string(owned.folder.path().join("api.yaml")).unwrap();
        let place = "        commit:\n          $ref: \"#/components/schemas/CommitInfo\"\n";
        let more = format!("{place}        verified:\n          type: boolean\n");
        let with = spec.replacen(place, &more, 1);
        assert_ne!(spec, with);
        owned.respecify(&with);
        owned.ends(0, &["update"]);
        kept(&owned);
        assert!(owned.read(COMMITS).contains("pub verified: Option<bool>"));
        owned.ends(0, &["check"]);

        let mut tree = Default::default();
        files(&owned.made(), "", &mut tree);
        let runtime = format!("etlgen-runtime = {{ path = {:?} }}", root().join("runtime"));
        let manifest = String::from_utf8(tree["Cargo.toml"].clone()).unwrap();
        let found = manifest
            .lines()
            .find(|line| line.starts_with("etlgen-runtime = "))
            .expect("the crate links the runtime");
        let manifest = manifest.replace(found, &runtime);
        tree.insert("Cargo.toml".to_owned(), manifest.into_bytes());
        compile::compile([("kept".to_owned(), tree)]);
    }
}
