//! Tests of what the subcommands of `state` write.

use serde_json::json;

use crate::cli::args;
use crate::cli::commands::run;
use crate::load::{Commit, Destinations, LoadInfo, LoadStatus, destination};
use crate::source::Source;
use crate::state::{StateChange, StateRow};

#[test]
fn an_exported_state_holds_no_secret_and_is_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let into = format!("sqlite:{}", folder.path().join("x.db").display());
    // This is the form in which an earlier version stored it.
    let url = "https://api.example/items?page=2&key=s3cret%2Fkey";
    let state = json!({"pass": {"id": "1.000000", "position": {
        "next": {"url": url}, "rows": 1, "pages": 1,
    }}});
    let mut open = destination(&into).unwrap();
    let load = LoadInfo::new("1.000000", "shop", crate::schema::Layout::Etl);
    open.open(&load).unwrap();
    let row = StateRow::new("items", "", state.to_string());
    open.commit(&Commit::new(
        1,
        &[StateChange::Put(row)],
        &LoadStatus::Partial,
    ))
    .unwrap();
    drop(open);

    let file = folder.path().join("state.json");
    std::fs::write(&file, "of another").unwrap();
    let source = Source::new("shop", "https://api.example").hide(["s3cret/key".into()]);
    let words = [
        "c",
        "state",
        "export",
        file.to_str().unwrap(),
        "--destination",
        &into,
    ];
    let matches = args::command("c", "1", "c", Destinations::default()).get_matches_from(words);
    assert_eq!(run(&matches, &source).unwrap(), 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("etlgen-state") && !text.contains("s3cret"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
