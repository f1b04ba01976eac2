//! Tests of the fields that a run selects, from the page to the file.

use std::sync::Arc;

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::load::{LoadInfo, destination};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use etlgen_runtime::schema::ColumnRole;

#[derive(Record)]
struct Team {
    id: Option<i64>,
    name: Option<String>,
    city: Option<String>,
    created: Option<UnixTime>,
    tags: Option<Vec<String>>,
}

#[derive(Record)]
struct Member {
    number: Option<i64>,
    name: Option<String>,
}

fn api(path: &str, _: &std::collections::BTreeMap<String, String>) -> Answer {
    let body = match path {
        "/teams" => serde_json::json!([
            {"id": 1, "name": "one", "city": "Bern", "created": 5, "tags": ["a"], "secret": {"key": 1, "kind": "k"}},
            {"id": 2, "name": "two", "city": "Basel", "created": 6, "tags": ["b", "c"]},
        ]),
        _ => serde_json::json!([{"number": 7, "name": "M", "x": 1}]),
    };
    (200, Vec::new(), body.to_string())
}

fn teams() -> Resource<Team> {
    Team::list("teams", "/teams")
        .primary_key([Team::ID])
        .incremental(Cursor::created(Team::CREATED))
}

fn members() -> Resource<Member> {
    Member::list("members", "/teams/{team}/members")
        .child_of("teams", |team: &Team, request| {
            request.path("team", &team.name)
        })
        .primary_key([Member::NUMBER])
        .within_parent()
}

fn options(rules: &[&str]) -> RunOptions {
    RunOptions::default().select(rules.iter().map(|rule| rule.parse().unwrap()))
}

fn run(
    source: &Source,
    into: Box<dyn etlgen_runtime::load::Destination>,
    rules: &[&str],
) -> etlgen_runtime::Result<RunReport> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(sync(source, into, &options(rules), Arc::new(())))
}

#[test]
fn only_what_is_selected_has_columns_and_tables() {
    for kind in ["sqlite", "parquet"] {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("{kind}:{}", dir.path().join("data").display());
        let (base, _) = serve(api);
        let source = Source::new("club", &base)
            .resource(teams())
            .resource(members());
        let rules = ["teams.c*", "!*.city", "members.number"];
        let report = run(&source, destination(&url).unwrap(), &rules).unwrap();
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(report.resources[0].drift, []);

        let mut into = destination(&url).unwrap();
        let load = LoadInfo::new("0", "club", None);
        let memory = into.open(&load).unwrap();
        let columns: Vec<(&str, Vec<&str>)> = memory
            .tables
            .iter()
            .map(|table| {
                let data = table.columns.iter().filter(|c| c.role == ColumnRole::Data);
                (table.name.as_str(), data.map(|c| c.name.as_str()).collect())
            })
            .collect();
        assert_eq!(
            columns,
            [
                ("members", vec!["number", "team"]),
                ("teams", vec!["id", "created"]),
            ]
        );
        assert_eq!(
            into.row_counts().unwrap(),
            [("members".to_owned(), 2), ("teams".to_owned(), 2)]
        );
    }
}

#[test]
fn closures_see_fields_that_are_not_loaded() {
    let (base, _) = serve(api);
    let closures = teams().map(|mut team| {
        team.tags = team.city.clone().map(|city| vec![city]);
        team
    });
    let source = Source::new("club", &base).resource(closures);
    let into = InMemory::new(10);
    run(&source, Box::new(into.clone()), &["teams.tags"]).unwrap();
    let tags: Vec<String> = into
        .table("teams__tags")
        .values()
        .map(|row| row["value"].clone())
        .collect();
    let mut tags = tags;
    tags.sort();
    assert_eq!(tags, ["Basel", "Bern"]);
    assert!(
        into.table("teams")
            .values()
            .all(|row| !row.contains_key("city"))
    );
}

#[test]
fn a_resource_that_is_not_there_is_an_error() {
    let source = Source::new("club", "http://127.0.0.1:9").resource(teams());
    for rule in ["team.id", "!x*.id"] {
        let error = run(&source, Box::new(InMemory::new(1)), &[rule]).unwrap_err();
        assert!(error.report().contains(rule), "{error}");
        assert_eq!(error.kind(), etlgen_runtime::ErrorKind::Usage);
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_refused_before_anything_changes() {
    let (base, asked) = serve(api);
    let source = Source::new("club", &base)
        .resource(teams())
        .resource(members());
    for (rule, hint) in [
        ("teams.nmae", "did you mean `name`?"),
        ("!teams.cty", "did you mean `city`?"),
        ("member?.numbr", "did you mean `number`?"),
        ("teams.id.x", "there are none"),
        ("team.id", "did you mean `teams`?"),
    ] {
        let into = InMemory::new(10);
        let error = run(&source, Box::new(into.clone()), &["teams.c*", rule]).unwrap_err();
        assert_eq!(error.kind(), etlgen_runtime::ErrorKind::Usage, "{error}");
        let report = error.report();
        assert!(report.contains(rule) && report.contains(hint), "{report}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn a_selection_says_which_existing_columns_it_empties() {
    let (base, _) = serve(api);
    let source =
        Source::new("club", &base).resource(Team::list("teams", "/teams").primary_key([Team::ID]));
    let into = InMemory::new(10);
    let report = run(&source, Box::new(into.clone()), &[]).unwrap();
    assert_eq!(report.resources[0].notes, [""; 0]);
    // The struct does not declare `secret`, but an earlier load has made a column of it.
    let rules = ["teams.secret.kind", "teams.c*"];
    let report = run(&source, Box::new(into.clone()), &rules).unwrap();
    let notes = report.resources[0].notes.join("\n");
    assert_eq!(
        notes,
        "`--select` sets 2 existing columns to null (`name`, `secret__key`) and removes rows from 1 child table (`teams__tags`) for each record that it loads"
    );
    let options = options(&["teams.name"]);
    let memory = etlgen_runtime::load::Memory::default();
    let plan = etlgen_runtime::run::plan(&source, &memory, &options, std::time::SystemTime::now());
    assert_eq!(plan.unwrap().resources[0].notes, [""; 0]);
}
