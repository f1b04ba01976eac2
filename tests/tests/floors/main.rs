//! Checks the layers of the code: within a crate, a module uses only modules of lower layers, and
//! no two folders use each other.

mod graph;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use graph::{Arrow, Crate};

/// A crate: its layers from the bottom up, and the folders whose files still use each other in
/// circles.
struct House {
    /// The folder of its sources, below the workspace.
    src: &'static str,
    /// Modules of one layer may use each other, but not in a circle.
    floors: &'static [&'static [&'static str]],
    /// Folders below `src` with known circles. A folder without a circle must leave this list.
    rooms_with_circles: &'static [&'static str],
}

const RUNTIME: House = House {
    src: "runtime/src",
    floors: &[
        &["text", "error"],
        &["record", "settings", "world"],
        &["http", "cursor", "schema"],
        &["page", "normalize"],
        &["source"],
        &["state"],
        &["load"],
        &["run"],
        &["hosts"],
        &["cli", "testing", "prelude"],
    ],
    rooms_with_circles: &["page"],
};

#[test]
fn the_arrows_of_the_runtime_point_down() {
    check(&RUNTIME);
}

const GENERATOR: House = House {
    src: "generator/src",
    floors: &[
        &["diagnostics", "shape"],
        &["near"],
        &["spec"],
        &["infer"],
        &["overrides"],
        &["plan"],
        &["draft", "emit", "diff"],
        &["inspect", "explain"],
        &["project"],
        &["learn", "options"],
        &["update"],
        &["cli"],
    ],
    rooms_with_circles: &[],
};

#[test]
fn the_arrows_of_the_generator_point_down() {
    check(&GENERATOR);
}

const MODEL: House = House {
    src: "runtime/model/src",
    floors: &[
        &["count", "near", "response_path", "length"],
        &[
            "column",
            "contract",
            "cursor",
            "embedded",
            "paginator",
            "parent",
            "rows",
            "windows",
        ],
    ],
    rooms_with_circles: &[],
};

#[test]
fn the_arrows_of_the_model_point_down() {
    check(&MODEL);
}

/// Fails with every arrow that points up, and every circle.
fn check(house: &House) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crate_ = Crate::read(&root.join(house.src), house.src);
    let mut faults = upward(&crate_.top_arrows(), house.floors);
    let mut rooms = BTreeSet::new();
    for circle in crate_.circles() {
        rooms.insert(circle.room.clone());
        if !house.rooms_with_circles.contains(&circle.room.as_str()) {
            faults.push(format!("a circle: {}", circle.members.join(", ")));
            faults.extend(circle.arrows.iter().map(|arrow| format!("  {arrow}")));
        }
    }
    for room in house.rooms_with_circles {
        if !rooms.contains(*room) {
            let message = "has no circle any more: take it off `rooms_with_circles`";
            faults.push(format!("`{room}` {message}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns the upward arrows between the crate's top modules, and the modules without a layer.
fn upward(arrows: &[Arrow], floors: &[&[&str]]) -> Vec<String> {
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let names = |module: &str| match floor(module) {
        Some(at) => format!("`{module}` (layer {at}: {})", floors[at].join(", ")),
        None => format!("`{module}` (no layer: give it one in tests/tests/floors)"),
    };
    let wrong = arrows.iter().filter(|arrow| {
        let (from, to) = (floor(&arrow.from), floor(&arrow.to));
        from.is_none() || to.is_none() || from < to
    });
    let told = wrong.map(|arrow| {
        let (from, to) = (names(&arrow.from), names(&arrow.to));
        format!("{}: {from} uses {to}: `{}`", arrow.place(), arrow.path)
    });
    told.collect()
}

/// Writes a crate of these files and reads it.
fn crate_of(files: &[(&str, &str)]) -> (tempfile::TempDir, Crate) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let crate_ = Crate::read(dir.path(), "src");
    (dir, crate_)
}

#[test]
fn an_arrow_that_points_up_is_told_with_its_line_and_both_floors() {
    let (_dir, crate_) = crate_of(&[
        ("lib.rs", "mod low; mod high;\npub use low::Low;"),
        (
            "low.rs",
            "//! crate::high::Comment\nuse std::fmt;\nuse crate::{\n    high::High,\n};\nfn f() { crate::high::f::<crate::Low>() }\n",
        ),
        ("high/mod.rs", "mod below;\nuse crate::low::Low;"),
        (
            "high/below.rs",
            "fn f() { let _ = \"crate::high\"; super::super::low::f() }",
        ),
    ]);
    let told = upward(&crate_.top_arrows(), &[&["low"], &["high"]]);
    assert_eq!(
        told,
        [
            "src/low.rs:4: `low` (layer 0: low) uses `high` (layer 1: high): `crate::high::High`",
            "src/low.rs:6: `low` (layer 0: low) uses `high` (layer 1: high): `crate::high::f`",
        ]
    );
    assert_eq!(
        upward(&crate_.top_arrows(), &[&["high"], &["low"]]).len(),
        2
    );
    let told = upward(&crate_.top_arrows(), &[&["low"]]);
    assert!(told[0].contains("`high` (no layer"), "{told:?}");
}

#[test]
fn circles_are_found_between_folders_and_within_them() {
    let (_dir, crate_) = crate_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"),
        (
            "c/mod.rs",
            "mod one; mod two; mod three;\npub use two::Two as Renamed;\n",
        ),
        ("c/one.rs", "use super::{Renamed, three};"),
        ("c/two.rs", "use super::one;\n"),
        ("c/three.rs", "fn f(one: u8) -> u8 { one }"),
    ]);
    let circles = crate_.circles();
    let members: Vec<_> = circles.iter().map(|circle| &circle.members).collect();
    assert_eq!(members, [&vec!["a", "b"], &vec!["c/one", "c/two"]]);
    let arrows: Vec<_> = circles[1].arrows.iter().map(ToString::to_string).collect();
    assert_eq!(
        arrows,
        [
            "src/c/one.rs:1: c/one uses c/two: `crate::c::Renamed`",
            "src/c/two.rs:1: c/two uses c/one: `crate::c::one`",
        ]
    );
}
