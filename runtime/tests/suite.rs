//! The integration tests of the runtime as one program: linking one takes less time and space than
//! linking many.

mod account;
mod answers;
mod append_only;
mod below;
mod bounds;
mod cassette;
mod check;
mod clock;
mod contracts;
mod counting;
mod deletes;
#[cfg(feature = "duckdb")]
mod duckdb;
mod earlier;
mod embedded;
mod encoded;
mod feeds;
mod first_page;
mod fits;
mod formats;
mod heard;
mod hostile;
mod hostile_wire;
#[cfg(feature = "sqlite")]
mod hosts;
mod identity;
mod joined;
mod layout;
mod left_out;
mod manners;
mod oauth;
mod odd_rows;
mod off;
mod pages;
mod parents;
mod patience;
mod pipeline;
mod places;
#[cfg(feature = "postgres")]
mod postgres;
mod refusals;
mod requests;
mod secrets;
mod select;
mod speed;
mod spelled;
mod support;
mod unchanged;
mod windows;
mod world;

/// Checks that every file is a module here: another file would not be tested.
#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_module = include_str!("suite.rs").contains(&format!("mod {name};\n"));
        assert!(
            is_module || matches!(name.as_str(), "suite" | "snapshots"),
            "add `mod {name};` to runtime/tests/suite.rs"
        );
    }
}
