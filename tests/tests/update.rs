//! Tests `etlgen update` and `etlgen check`: the files that are regenerated, stay or conflict; no
//! update is half-done.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use etlgen_tests::owned::Owned;
use etlgen_tests::workspace::{binary, root, stderr};

const SPEC: &str = "\
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: https://shop.example}]
paths:
  /orders:
    get:
      summary: The orders
      parameters:
        - {name: page, in: query, schema: {type: integer}}
      responses:
        '200':
          description: The orders.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Order'}}
  /users:
    get:
      responses:
        '200':
          description: The users.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/User'}}
components:
  schemas:
    Order:
      type: object
      properties:
        id: {type: integer}
        note: {type: string}
        total: {type: integer}
    User:
      type: object
      properties:
        id: {type: integer}
        email: {type: string}
";

const ORDERS: &str = "src/resources/orders.rs";
const TOTAL: &str = "        total: {type: integer}\n";

fn shop() -> Owned {
    Owned::new(SPEC, &[])
}

/// Returns the document with another line after the total.
fn with_tax() -> String {
    SPEC.replace(TOTAL, &format!("{TOTAL}        tax: {{type: integer}}\n"))
}

/// Returns the document with a text as the total.
fn retyped() -> String {
    SPEC.replace(TOTAL, "        total: {type: string}\n")
}

/// Creates a crate in which both sides change the total.
fn in_conflict() -> Owned {
    let shop = shop();
    shop.edit(ORDERS, "pub total: Option<i64>", "pub total: Option<f64>");
    shop.respecify(&retyped());
    shop
}

#[test]
fn nothing_new_changes_nothing() {
    let shop = shop();
    let before = shop.tree();
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");
    assert_eq!(shop.tree(), before);
    shop.ends(0, &["check"]);
}

#[test]
fn the_examples_are_up_to_date() {
    for name in ["billing", "forge", "tracker"] {
        let mut command = Command::new(binary("etlgen"));
        command
            .arg("check")
            .arg(root().join(format!("generated-examples/{name}-connector")));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {}", stderr(&output));
    }
}

#[test]
fn files_that_nobody_touched_are_those_of_a_new_crate() {
    let shop = shop();
    let more = with_tax()
        .replace("  /users:\n", "  /pets:\n")
        .replace("title: Shop", "title: Store");
    shop.respecify(&more);
    shop.ends(1, &["check"]);
    shop.ends(0, &["update"]);
    let fresh = Owned::new(&more, &["--name", "shop"]);
    let (mut updated, mut fresh) = (shop.tree(), fresh.tree());
    // A new crate has no changes to report.
    assert!(updated.remove("CHANGELOG.md").is_some());
    let version = |tree: &mut BTreeMap<String, Vec<u8>>| {
        let manifest = String::from_utf8(tree.remove("Cargo.toml").unwrap()).unwrap();
        let lines = manifest.lines().map(str::to_owned);
        let (version, others): (Vec<String>, Vec<String>) =
            lines.partition(|line| line.starts_with("version = "));
        (version.concat(), others)
    };
    let (old, new) = (version(&mut fresh), version(&mut updated));
    assert_eq!(old.0, "version = \"0.1.0\"");
    assert_eq!(new.0, "version = \"0.2.0\"");
    assert_eq!(old.1, new.1);
    // One crate has the name from its ledger, the other from an option.
    for file in [
        "etlgen.toml",
        ".etlgen/lock.json",
        ".etlgen/base/etlgen.toml.base",
    ] {
        updated.remove(file);
        fresh.remove(file);
    }
    assert_eq!(updated, fresh);
    shop.ends(0, &["check"]);
}

/// Returns the version in `Cargo.toml`.
fn version(shop: &Owned) -> String {
    let manifest = shop.read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("version"));
    line.unwrap().to_owned()
}

#[test]
fn the_changelog_tells_and_the_version_follows() {
    let shop = shop();
    assert!(!shop.has("CHANGELOG.md"));
    shop.respecify(&with_tax());
    let shown = shop.ends(0, &["update", "--dry-run", "--diff"]);
    assert!(shown.contains("+- `Order.tax: i64` is new"), "{shown}");
    assert!(shown.contains("+version = \"0.1.1\""), "{shown}");
    shop.ends(0, &["update"]);
    assert_eq!(version(&shop), "version = \"0.1.1\"");
    let first = shop.read("CHANGELOG.md");
    assert!(
        first.contains("## [0.1.1]\n\n### Added\n\n- `Order.tax: i64` is new\n"),
        "{first}"
    );

    // The owner's text stays, and the newest entry is at the top.
    shop.edit(
        "CHANGELOG.md",
        "## [0.1.1]\n",
        "## [0.1.1] - 2026-01-31\n\nMine.\n",
    );
    shop.edit(
        "Cargo.toml",
        "version = \"0.1.1\"",
        "version = \"0.1.1\" # mine",
    );
    shop.respecify(&retyped());
    shop.ends(0, &["update"]);
    let second = shop.read("CHANGELOG.md");
    let (new, old) = second
        .split_once("## [0.1.1] - 2026-01-31\n\nMine.\n")
        .unwrap();
    assert!(
        new.contains("## [0.2.0]\n\n### Removed\n\n- **Breaking:** `Order.tax` was removed"),
        "{new}"
    );
    assert!(
        new.contains("`Order.total` was `i64`, is `String`"),
        "{new}"
    );
    assert!(old.ends_with("- `Order.tax: i64` is new\n"), "{old}");
    assert_eq!(version(&shop), "version = \"0.2.0\" # mine");

    let before = shop.tree();
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");
    assert_eq!(shop.tree(), before);
    shop.ends(0, &["check"]);
}

#[test]
fn a_version_that_etlgen_wrote_is_no_edit_of_the_owner() {
    let shop = shop();
    shop.respecify(&with_tax());
    shop.ends(0, &["update"]);
    shop.edit(
        "etlgen.toml",
        "spec =",
        "repository = \"https://git.example/shop\"\nspec =",
    );
    let said = shop.ends(0, &["update"]);
    assert!(!said.contains("merged with your edits"), "{said}");
    assert!(said.contains("had not edited: Cargo.toml"), "{said}");
    let manifest = shop.read("Cargo.toml");
    assert!(manifest.contains("repository"), "{manifest}");
    assert!(
        !manifest.contains("version = \"0.1.0\"\nedition"),
        "{manifest}"
    );
}

#[test]
fn an_owners_later_version_wins_if_it_is_late_enough() {
    for (own, document, wanted) in [
        ("0.5.0", retyped(), "0.5.0"),
        ("0.1.7", with_tax(), "0.1.7"),
        ("0.1.7", retyped(), "0.2.0"),
        ("1.0.0-rc.1", retyped(), "1.0.0-rc.1"),
    ] {
        let shop = shop();
        shop.edit("Cargo.toml", "0.1.0", own);
        shop.respecify(&document);
        shop.ends(0, &["update"]);
        assert_eq!(version(&shop), format!("version = \"{wanted}\""), "{own}");
        assert!(
            shop.read("CHANGELOG.md")
                .contains(&format!("## [{wanted}]"))
        );
    }
}

#[test]
fn what_has_no_version_yet_counts_for_the_next_one() {
    let shop = shop();
    shop.respecify(&retyped());
    shop.ends(0, &["update", "--no-bump"]);
    assert_eq!(version(&shop), "version = \"0.1.0\"");
    let told = shop.read("CHANGELOG.md");
    assert!(
        told.contains("## [Unreleased]\n\n### Changed\n\n- **Breaking:** `Order.total`"),
        "{told}"
    );
    shop.respecify(&retyped().replace("note: {", "remark: {type: string}\n        note: {"));
    shop.ends(0, &["update"]);
    assert_eq!(version(&shop), "version = \"0.2.0\"");
    let told = shop.read("CHANGELOG.md");
    assert!(told.find("[Unreleased]") < told.find("[0.2.0]"), "{told}");
}

#[test]
fn neither_is_written_where_the_owner_wants_neither() {
    let shop = shop();
    let wishes = shop.read("etlgen.toml");
    shop.write(
        "etlgen.toml",
        &format!("changelog = false\nbump = false\n{wishes}"),
    );
    shop.respecify(&retyped());
    shop.ends(0, &["update"]);
    assert!(!shop.has("CHANGELOG.md"));
    assert_eq!(version(&shop), "version = \"0.1.0\"");
    shop.respecify(&with_tax());
    shop.ends(0, &["update", "--no-changelog"]);
    assert!(!shop.has("CHANGELOG.md"));
}

#[test]
fn edits_stay_and_changes_follow() {
    let shop = shop();
    shop.edit(ORDERS, "pub id:", "/// Mine.\n    pub id:");
    shop.edit(
        ORDERS,
        "pub total: Option<i64>,\n",
        "pub total: Option<i64>,\n    pub due: Option<Date>,\n",
    );
    shop.respecify(&with_tax());
    shop.ends(0, &["update"]);
    let text = shop.read(ORDERS);
    for line in [
        "/// Mine.",
        "pub due: Option<Date>,",
        "pub tax: Option<i64>,",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let after = shop.tree();
    shop.ends(0, &["update"]);
    assert_eq!(shop.tree(), after);
    shop.ends(0, &["check"]);
}

#[test]
fn a_conflict_is_named_marked_and_settled() {
    let shop = in_conflict();
    let said = shop.ends(2, &["update"]);
    let text = shop.read(ORDERS);
    let line = text
        .lines()
        .position(|line| line == "<<<<<<< mine")
        .unwrap()
        + 1;
    assert!(said.contains(&format!("{ORDERS}:{line}: ")), "{said}");
    let marked = "<<<<<<< mine
    pub total: Option<f64>,
||||||| as generated before
    pub total: Option<i64>,
=======
    pub total: Option<String>,
>>>>>>> theirs (as generated now)
";
    assert!(text.contains(marked), "{text}");
    let marked = shop.tree();
    assert!(
        shop.ends(2, &["check"])
            .contains(&format!("{ORDERS}:{line}: "))
    );
    shop.ends(2, &["update"]);
    assert_eq!(shop.tree(), marked, "markers are not merged again");
    shop.ends(0, &["update", "--accept", "theirs", ORDERS]);
    assert!(shop.read(ORDERS).contains("pub total: Option<String>,"));
    shop.ends(0, &["check"]);
}

#[test]
fn a_side_is_taken_at_once() {
    for (side, line) in [("mine", "Option<f64>"), ("theirs", "Option<String>")] {
        let shop = in_conflict();
        shop.ends(0, &["update", "--accept", side, ORDERS]);
        assert!(shop.read(ORDERS).contains(&format!("pub total: {line},")));
        shop.ends(0, &["check"]);
    }
    let said = shop().ends(2, &["update", "--accept", "hers", ORDERS]);
    assert!(said.contains("`mine`"), "{said}");
}

#[test]
fn a_dry_run_writes_nothing_and_shows_what_would_be() {
    let shop = in_conflict();
    let before = shop.tree();
    let said = shop.ends(2, &["update", "--dry-run", "--diff"]);
    assert_eq!(shop.tree(), before);
    assert!(said.contains("+    pub total: Option<String>,"), "{said}");
}

#[test]
fn what_the_owner_deleted_stays_deleted() {
    let shop = shop();
    shop.remove(ORDERS);
    shop.respecify(&with_tax());
    let said = shop.ends(0, &["update"]);
    assert!(said.contains(ORDERS) && !shop.has(ORDERS), "{said}");
    shop.ends(0, &["check"]);
    shop.respecify(SPEC);
    shop.ends(0, &["update", "--accept", "theirs", ORDERS]);
    assert!(shop.has(ORDERS));
}

#[test]
fn what_vanishes_goes_unless_it_was_changed() {
    let (start, end) = (
        SPEC.find("  /users:").unwrap(),
        SPEC.find("components:").unwrap(),
    );
    let without = format!("{}{}", &SPEC[..start], &SPEC[end..]);
    let shop = shop();
    shop.respecify(&without);
    shop.ends(0, &["update"]);
    assert!(!shop.has("src/resources/users.rs"));
    let shop = Owned::new(SPEC, &[]);
    shop.edit("src/resources/users.rs", "pub id:", "// Mine.\n    pub id:");
    shop.respecify(&without);
    let said = shop.ends(0, &["update"]);
    assert!(
        said.contains("warning") || said.contains("src/resources/users.rs"),
        "{said}"
    );
    assert!(shop.read("src/resources/users.rs").contains("// Mine."));
}

#[test]
fn a_file_of_the_owners_own_is_never_overwritten() {
    let shop = shop();
    shop.write("src/resources/pets.rs", "pub fn my_pets() {}\n");
    shop.respecify(&format!("{SPEC}\n").replace("  /users:\n", "  /pets:\n"));
    let said = shop.ends(2, &["update"]);
    assert!(said.contains("src/resources/pets.rs:1: "), "{said}");
    let text = shop.read("src/resources/pets.rs");
    assert!(
        text.contains("pub fn my_pets() {}") && text.contains("pub fn pets()"),
        "{text}"
    );
}

#[test]
fn formatting_is_no_edit() {
    let shop = shop();
    let flat = shop
        .read(ORDERS)
        .replace("    pub ", "  pub   ")
        .replace("\n\n", "\n\n\n");
    shop.write(ORDERS, &flat);
    shop.respecify(&retyped());
    shop.ends(0, &["update"]);
    assert!(shop.read(ORDERS).contains("pub total: Option<String>,"));
    assert!(!shop.read(ORDERS).contains("Option<i64>,\n}"));
}

#[test]
fn lines_end_as_the_owners_do() {
    let shop = shop();
    for file in [ORDERS, "README.md", ".etlgen/base/README.md.base"] {
        let text = shop.read(file).replace('\n', "\r\n");
        shop.write(file, &text);
    }
    shop.respecify(&with_tax());
    shop.ends(0, &["update"]);
    let text = shop.read(ORDERS);
    assert!(text.contains("pub tax: Option<i64>,\r\n"), "{text:?}");
    assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
}

#[test]
fn a_crate_whose_lines_git_converted_is_up_to_date() {
    let shop = shop();
    let convert = || {
        for (path, bytes) in shop.tree() {
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
            shop.write(&path, &text);
        }
    };
    convert();
    shop.respecify(&SPEC.replace('\n', "\r\n"));
    shop.ends(0, &["check"]);
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");
    shop.respecify(&with_tax());
    let said = shop.ends(0, &["update"]);
    assert!(!said.contains("warning"), "{said}");
    shop.ends(0, &["check"]);
    convert();
    shop.ends(0, &["check"]);
    let attributes = shop.read(".gitattributes");
    assert!(attributes.contains("/.etlgen/** -text"), "{attributes}");
}

#[test]
fn a_use_of_what_is_gone_is_named() {
    let shop = shop();
    shop.write("src/mine.rs", "use crate::resources::Order;\n\npub fn due(order: &Order) -> bool {\n    order.total > Some(0)\n}\n");
    shop.respecify(&retyped());
    let said = shop.ends(2, &["update"]);
    assert!(
        said.contains("src/mine.rs:4: ") && said.contains("Order.total"),
        "{said}"
    );
    assert!(!said.contains("between the markers"), "{said}");
    assert!(said.contains("lines to change by hand: 1"), "{said}");
    shop.ends(0, &["update"]);
}

#[test]
fn a_field_that_both_added_is_there_once() {
    for (mine, code) in [("Option<i64>", 0), ("Option<f64>", 2)] {
        let shop = shop();
        shop.edit(ORDERS, "pub id:", &format!("pub tax: {mine},\n    pub id:"));
        shop.respecify(&with_tax());
        shop.ends(code, &["update"]);
        let text = shop.read(ORDERS);
        assert_eq!(
            text.matches("pub tax").count(),
            code as usize / 2 + 1,
            "{text}"
        );
        assert!(text.contains(&format!("pub tax: {mine},\n")), "{text}");
    }
}

#[test]
fn a_merge_that_is_no_rust_is_a_conflict() {
    let shop = shop();
    // A string literal of the owner starts in one hunk, ends in another, and ends early in a third.
    shop.edit(
        ORDERS,
        "/// The orders",
        "const OLD: &str = r#\"\n/// The orders",
    );
    shop.edit(
        ORDERS,
        "    pub total: Option<i64>,\n",
        "    pub total: Option<i64>,\n\"#;\n",
    );
    shop.respecify(&SPEC.replace(
        "note: {type: string}",
        "note: {type: string, description: It says \"# to you}",
    ));
    let said = shop.ends(2, &["update"]);
    assert!(said.contains(ORDERS), "{said}");
    assert!(shop.read(ORDERS).contains("<<<<<<< mine"));
}

#[test]
fn the_manifest_is_merged_by_its_structure() {
    let shop = shop();
    shop.edit(
        "Cargo.toml",
        "[dev-dependencies]",
        "regex = \"1\"\n\n[dev-dependencies]",
    );
    shop.edit("Cargo.toml", "description = ", "# Mine.\ndescription = ");
    shop.respecify(&SPEC.replace("title: Shop", "title: Shops of all"));
    shop.ends(0, &["update"]);
    let text = shop.read("Cargo.toml");
    assert!(
        text.contains("regex = \"1\"")
            && text.contains("# Mine.\ndescription = \"Loads data of the Shops"),
        "{text}"
    );
    assert!(
        text.contains("name = \"shop-connector\""),
        "a name stays: {text}"
    );
}

#[test]
fn a_dirty_tree_is_refused_unless_told() {
    let shop = shop();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
        git.args(arguments)
            .current_dir(shop.made())
            .stdout(Stdio::null());
        assert!(git.status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "-A"]);
    git(&["commit", "--quiet", "-m", "a"]);
    shop.edit(ORDERS, "pub id:", "// Mine.\n    pub id:");
    shop.respecify(&with_tax());
    let before = shop.tree();
    let said = shop.ends(1, &["update"]);
    assert!(
        said.contains("orders.rs") && said.contains("--allow-dirty"),
        "{said}"
    );
    assert_eq!(shop.tree(), before);
    shop.ends(0, &["update", "--allow-dirty"]);
    git(&["add", "-A"]);
    git(&["commit", "--quiet", "-m", "b"]);
    shop.respecify(SPEC);
    shop.ends(0, &["update"]);
    git(&["add", "-A"]);
    shop.edit(ORDERS, "pub total: Option<i64>", "pub total: Option<f64>");
    git(&["commit", "--quiet", "-a", "-m", "c"]);
    shop.respecify(&retyped());
    shop.ends(2, &["update"]);
    // The update itself left the tree uncommitted.
    shop.ends(0, &["update", "--accept", "mine", ORDERS]);
}

#[test]
fn another_document_is_read_for_once() {
    let shop = shop();
    std::fs::write(shop.folder.path().join("new.yaml"), with_tax()).unwrap();
    let said = shop.ends(0, &["update", "--spec", "../new.yaml"]);
    assert!(said.contains("spec = \"../new.yaml\""), "{said}");
    assert!(shop.read(ORDERS).contains("pub tax"));
    let said = shop.ends(1, &["check"]);
    assert!(
        said.contains("to keep the crate, write `spec = \"../new.yaml\"` into etlgen.toml"),
        "{said}"
    );
    assert!(!said.contains("orders.rs"), "{said}");
    shop.edit("etlgen.toml", "../api.yaml", "../new.yaml");
    shop.ends(0, &["update"]);
    shop.ends(0, &["check"]);
}

#[test]
fn check_tells_what_is_new_removed_or_changed() {
    let shop = shop();
    shop.respecify(&with_tax().replace("  /users:", "  /people:"));
    shop.edit("etlgen.toml", "spec =", "changelog = false\nspec =");
    let said = shop.ends(1, &["check"]);
    for line in [
        "etlgen.toml: it changed since",
        "src/resources/orders.rs: changed",
        "src/resources/people.rs: new",
        "src/resources/users.rs: removed",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(said.matches("hint").count(), 1, "{said}");
}

#[test]
fn a_crate_without_its_document_fails_unless_that_is_wanted() {
    let shop = shop();
    std::fs::remove_file(shop.folder.path().join("api.yaml")).unwrap();
    let said = shop.ends(1, &["check"]);
    assert!(
        said.contains("api.yaml") && said.contains("--offline"),
        "{said}"
    );
    shop.ends(0, &["check", "--offline"]);
}

#[test]
fn a_folder_without_a_lock_is_no_crate() {
    let shop = shop();
    for command in ["check", "update"] {
        let said = shop.ends(1, &[command, ".."]);
        assert!(said.contains("..: this is not a crate of etlgen"), "{said}");
    }
}

#[test]
fn an_edited_lock_and_a_lost_base_are_found() {
    let shop = shop();
    let lock = shop.read(".etlgen/lock.json");
    shop.edit(".etlgen/lock.json", "\"Order\"", "\"Bestellung\"");
    assert!(shop.ends(1, &["check"]).contains(ORDERS));
    shop.write(
        ".etlgen/lock.json",
        &lock
            .replace("Shop", "Other")
            .replace("\"format\": 2", "\"format\": 7"),
    );
    assert!(shop.ends(1, &["check"]).contains("lock.json"));
    shop.write(".etlgen/lock.json", &lock);
    shop.edit(&format!(".etlgen/base/{ORDERS}.base"), "note", "memo");
    assert!(shop.ends(1, &["check"]).contains("orders.rs.base"));
    shop.ends(0, &["update"]);
    shop.ends(0, &["check"]);
    shop.write(".etlgen/lock.json", "<<<<<<< a\n");
    assert!(shop.ends(1, &["check"]).contains("lock.json"));
    shop.write(
        ".etlgen/lock.json",
        &lock.replace("README.md", "../README.md"),
    );
    assert!(shop.ends(1, &["update"]).contains("../README.md"));
}

#[test]
fn changes_go_with_a_struct_that_moves() {
    // Both lists use the same struct in its own file, until one of the lists is removed.
    let both = SPEC
        .replace(
            "total: {type: integer}",
            "address: {$ref: '#/components/schemas/Address'}",
        )
        .replace(
            "email: {type: string}",
            "address: {$ref: '#/components/schemas/Address'}",
        )
        + "    Address: {type: object, properties: {street: {type: string}, city: {type: string}}}\n";
    let without = both.replace("  /users:\n    get:", "  /users:\n    put:");
    for (line, code) in [
        ("street: {type: string}", 0),
        ("street: {type: integer}", 2),
    ] {
        let shop = Owned::new(&both, &[]);
        let address = "src/types/address.rs";
        shop.edit(
            address,
            "pub street: Option<String>,",
            "pub street: Option<Json>,\n    pub mine: Option<Date>,",
        );
        shop.respecify(&without.replace("street: {type: string}", line));
        shop.ends(code, &["update"]);
        let text = shop.read(ORDERS);
        assert!(text.contains("pub struct Address"), "{text}");
        assert_eq!(
            text.contains("pub mine: Option<Date>,"),
            code == 0,
            "{text}"
        );
        assert_eq!(shop.has(address), code == 2);
    }
}

#[test]
fn a_killed_update_is_all_or_nothing() {
    let (before, after) = {
        let shop = shop();
        let before = shop.tree();
        shop.respecify(&with_tax());
        shop.ends(0, &["update"]);
        (before, shop.tree())
    };
    for moment in 0..25 {
        let shop = shop();
        shop.respecify(&with_tax());
        let mut running = shop
            .command(&["update"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment * 6));
        // The process may have ended by then.
        let _ = running.kill();
        running.wait().unwrap();
        let killed = shop.tree();
        let pending = killed
            .keys()
            .any(|path| path.starts_with(".etlgen/journal"));
        assert!(
            pending || killed == before || killed == after,
            "half-done after {moment}"
        );
        if pending {
            assert!(shop.ends(1, &["learn", "orders"]).contains("interrupted"));
        }
        shop.ends(0, &["update"]);
        assert_eq!(shop.tree(), after, "killed after {moment}");
    }
}

#[test]
fn what_the_crate_is_published_with_is_kept_until_its_owner_wishes_otherwise() {
    let asked = ["--license", "MIT", "--ci", "github", "--docker"];
    let shop = Owned::new(SPEC, &[&asked[..], &["--resources", "orders"]].concat());
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");
    shop.edit("Dockerfile", "ENTRYPOINT", "ENV TZ=UTC\nENTRYPOINT");
    shop.edit(
        "etlgen.toml",
        "license = \"MIT\"",
        "license = \"Apache-2.0\"",
    );
    shop.edit("etlgen.toml", "ci = \"github\"\n", "");
    shop.edit("etlgen.toml", "include = [\"orders\"]\n", "");
    shop.ends(0, &["update"]);
    assert!(
        shop.read("Cargo.toml")
            .contains("license = \"Apache-2.0\"\n")
    );
    let has =
        ["LICENSE-MIT", "LICENSE-APACHE", ".github/workflows/ci.yml"].map(|file| shop.has(file));
    assert_eq!(has, [false, true, false]);
    assert!(shop.read("Dockerfile").contains("ENV TZ=UTC"));
    assert!(shop.has("src/resources/users.rs"));
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");
}

/// Returns the API with a single object besides its lists.
fn with_account() -> String {
    let account = "  /account:
    get:
      responses:
        '200':
          description: The account.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/User'}
components:
";
    SPEC.replace("components:\n", account)
}

#[test]
fn what_shapes_the_crate_is_a_key_that_updates_keep() {
    let options = ["--singles", "--destinations", "sqlite", "--host", "singer"];
    let shop = Owned::new(&with_account(), &options);
    let keys = shop.read("etlgen.toml");
    for line in [
        "singles = true\n",
        "destinations = [\"sqlite\"]\n",
        "hosts = [\"singer\"]\n",
        "runtime = \"",
    ] {
        assert!(keys.contains(line), "{keys}");
    }
    assert!(shop.has("src/resources/account.rs"));
    let chosen = "default-features = false, features = [\"cli\", \"tls\", \"sqlite\", \"singer\"]";
    assert!(shop.read("Cargo.toml").contains(chosen));
    assert!(!shop.read("README.md").contains("parquet"));
    let said = shop.ends(0, &["update"]);
    assert!(said.contains("nothing has changed"), "{said}");

    let keys = keys.replace("[\"sqlite\"]", "[\"parquet\"]");
    let keys = keys.replace("singles = true\n", "");
    shop.write(
        "etlgen.toml",
        &format!("{keys}\n[resources.users]\noff = \"by hand\"\n"),
    );
    shop.ends(0, &["update"]);
    assert!(!shop.has("src/resources/account.rs"));
    assert!(
        shop.read("src/resources/users.rs")
            .contains(".off(\"by hand\")")
    );
    let chosen = "features = [\"cli\", \"tls\", \"parquet\", \"singer\"]";
    assert!(shop.read("Cargo.toml").contains(chosen));
    assert!(
        shop.read("README.md")
            .contains("sync --destination parquet:data")
    );
    let said = shop.ends(0, &["check"]);
    assert!(said.contains("no problems found"), "{said}");
}

#[test]
fn wrong_keys_are_told_with_their_places_and_nothing_is_written() {
    let shop = shop();
    let keys = shop.read("etlgen.toml");
    let line = keys.lines().count();
    let wrong = "\n[resources.orders]\npaginate = { kind = \"token\", param = \"page\" }\nprimary_keys = [\"id\"]\n";
    shop.write("etlgen.toml", &format!("{keys}{wrong}"));
    let before = shop.tree();
    for command in [
        &["update"][..],
        &["check"],
        &["inspect", "--config", "etlgen.toml"],
    ] {
        let said = shop.ends(1, command);
        for place in [
            format!(
                "etlgen.toml:{}:21: `resources.orders.paginate`: `token` needs `next`",
                line + 3
            ),
            format!("etlgen.toml:{}:1: unknown key `primary_keys`", line + 4),
        ] {
            assert!(said.contains(&place), "{place}: {said}");
        }
        assert!(said.contains("did you mean `primary_key`"), "{said}");
    }
    shop.write(
        "etlgen.toml",
        &format!("{keys}\n[resources.order]\ndeletes = \"soft\"\n"),
    );
    let said = shop.ends(1, &["update"]);
    let place = format!(
        "etlgen.toml:{}:12: the document has no resource `order`",
        line + 2
    );
    assert!(said.contains(&place) && said.contains("`orders`"), "{said}");
    shop.write("etlgen.toml", &format!("{keys}{wrong}"));
    assert_eq!(shop.tree(), before);
}
