//! Tests of contracts and drift from the page to the destination (SQLite and Parquet).

use std::path::Path;
use std::sync::Arc;

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::load::destination;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, sync};

#[derive(Record)]
struct Team {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Record)]
struct Member {
    id: Option<i64>,
    team: Option<i64>,
}

fn answer(body: serde_json::Value) -> Answer {
    (200, Vec::new(), body.to_string())
}

/// Serves three pages of two teams; the fifth has an unknown key, the sixth a name that is not
/// text. Each has members, and those of team 4 have more keys than the struct declares.
fn api(path: &str, query: &std::collections::BTreeMap<String, String>) -> Answer {
    let number = |name: &str| {
        query
            .get(name)
            .map_or(0, |text| text.parse::<i64>().unwrap())
    };
    if path == "/members" {
        let team = number("team");
        let mut member = serde_json::json!({"id": team * 10, "team": team});
        if team == 4 {
            member["rank"] = 1.into();
        }
        return answer(serde_json::json!([member]));
    }
    let after = number("after");
    let teams: Vec<_> = (after + 1..=after + 2)
        .map(|n| match n {
            5 => serde_json::json!({"id": n, "name": "five", "motto": "secret words", "tags": ["a", "b"]}),
            6 => serde_json::json!({"id": n, "name": 6}),
            n => serde_json::json!({"id": n, "name": format!("t{n}")}),
        })
        .collect();
    answer(serde_json::json!({"data": teams, "more": after < 4}))
}

fn teams() -> Resource<Team> {
    Team::list("teams", "/teams")
        .records("data")
        .primary_key([Team::ID])
        .paginate(Paginator::last_id("after").more("more"))
}

fn members() -> Resource<Member> {
    Member::list("members", "/members")
        .child_of("teams", |team: &Team, request| {
            request.query("team", team.id)
        })
        .primary_key([Member::ID])
}

fn run(
    source: &Source,
    into: Box<dyn etlgen_runtime::load::Destination>,
    options: &RunOptions,
) -> RunReport {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(sync(source, into, options, Arc::new(())))
        .unwrap()
}

fn rules(words: &[&str]) -> RunOptions {
    RunOptions::default().contracts(words.iter().map(|word| word.parse().unwrap()))
}

/// Returns the tables of a destination and their numbers of rows, without system tables.
fn counts(url: &str, source: &str) -> Vec<(String, u64)> {
    let mut into = destination(url).unwrap();
    let load = etlgen_runtime::load::LoadInfo::new("0", source, None);
    into.open(&load).unwrap();
    into.row_counts().unwrap()
}

fn both(test: impl Fn(&str, &Path)) {
    for kind in ["sqlite", "parquet"] {
        let dir = tempfile::tempdir().unwrap();
        test(
            &format!("{kind}:{}", dir.path().join("data").display()),
            dir.path(),
        );
    }
}

/// Returns the lines of `_etl_drift`, without load and source.
fn drift(url: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match url.split_once(':').unwrap() {
        ("sqlite", file) => {
            let db = rusqlite::Connection::open(file).unwrap();
            let sql = "SELECT resource || ' ' || table_name || ' ' || keys || ' ' || type || ': ' || done || ' ' || count FROM _etl_drift";
            let mut select = db.prepare(sql).unwrap();
            let rows = select.query_map([], |row| row.get(0)).unwrap();
            lines.extend(rows.map(Result::unwrap));
        }
        (_, folder) => {
            for file in std::fs::read_dir(Path::new(folder).join("_etl_drift")).unwrap() {
                let file = std::fs::File::open(file.unwrap().path()).unwrap();
                let reader =
                    parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
                for row in parquet::file::reader::FileReader::get_row_iter(&reader, None).unwrap() {
                    let cells: Vec<String> = row
                        .unwrap()
                        .get_column_iter()
                        .skip(2)
                        .map(|(_, cell)| cell.to_string().trim_matches('"').to_owned())
                        .collect();
                    let [resource, table, keys, ty, done, count] = &cells[..] else {
                        panic!("{cells:?}")
                    };
                    lines.push(format!("{resource} {table} {keys} {ty}: {done} {count}"));
                }
            }
        }
    }
    lines.sort();
    lines
}

fn named(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts
        .iter()
        .map(|(name, rows)| ((*name).to_owned(), *rows))
        .collect()
}

#[test]
fn a_frozen_resource_fails_loads_nothing_of_the_batch_and_goes_on_when_it_may() {
    both(|url, _| {
        let (base, _) = serve(api);
        let source = Source::new("club", &base).resource(teams().contract(Contract::freeze()));
        let report = run(&source, destination(url).unwrap(), &RunOptions::default());
        let Outcome::Failed(kind, message) = &report.resources[0].outcome else {
            panic!("{report:#?}")
        };
        assert_eq!(*kind, etlgen_runtime::ErrorKind::Contract);
        for word in ["`teams`", "`motto`", "text", "--contract columns=evolve"] {
            assert!(message.contains(word), "{message}");
        }
        assert!(!message.contains("secret words"), "{message}");
        assert!(report.resources[0].drift.is_empty(), "{report:#?}");
        assert_eq!(counts(url, "club"), []);

        let report = run(
            &source,
            destination(url).unwrap(),
            &rules(&["teams:evolve", "freeze"]),
        );
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(
            counts(url, "club"),
            named(&[("teams", 6), ("teams__tags", 2)])
        );
        // Existing tables and columns no longer violate the contract.
        let report = run(&source, destination(url).unwrap(), &RunOptions::default());
        assert!(report.is_complete(), "{report:#?}");
    });
}

#[test]
fn the_contract_of_the_source_holds_for_resources_without_their_own() {
    both(|url, _| {
        let (base, _) = serve(api);
        let source = Source::new("club", &base)
            .contract(Contract::discard_row())
            .resource(teams())
            .resource(members().contract(Contract::evolve()));
        let report = run(&source, destination(url).unwrap(), &RunOptions::default());
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(counts(url, "club"), named(&[("members", 6), ("teams", 4)]));
        let told = |at: usize| -> Vec<(&str, &str, u64)> {
            let lines = report.resources[at].drift.iter();
            lines
                .map(|(_, keys, what, count)| (keys.as_str(), what.as_str(), *count))
                .collect()
        };
        assert_eq!(
            told(0),
            [
                ("motto", "not loaded: row discarded", 1),
                ("name", "not loaded: row discarded", 1),
            ]
        );
        assert_eq!(told(1), [("rank", "loaded into the column `rank`", 1)]);
        assert_eq!(
            drift(url),
            [
                "members members rank bigint: column rank 1",
                "teams teams motto text: discarded row 1",
                "teams teams name bigint: discarded row 1",
            ]
        );
    });
}

#[test]
fn one_slice_that_breaks_the_contract_stops_the_child_resource_and_loses_nothing() {
    let (base, _) = serve(api);
    let source = Source::new("club", &base)
        .resource(teams())
        .resource(members().contract(Contract::freeze()));
    let into = InMemory::new(1);
    let report = run(&source, Box::new(into.clone()), &RunOptions::default());
    let Outcome::Failed(_, message) = &report.resources[1].outcome else {
        panic!("{report:#?}")
    };
    assert!(message.contains("`rank`"), "{message}");
    let report = run(
        &source,
        Box::new(into.clone()),
        &rules(&["members:columns=discard_value"]),
    );
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(into.table("members").len(), 6);
    assert!(
        into.table("members")
            .values()
            .all(|row| !row.contains_key("rank"))
    );
}

#[test]
fn a_contract_for_a_resource_that_is_not_there_is_an_error() {
    let source = Source::new("club", "http://127.0.0.1:9").resource(teams());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(InMemory::new(1));
    let options = rules(&["team:freeze"]);
    let run = sync(&source, into, &options, Arc::new(()));
    let error = runtime.block_on(run).unwrap_err();
    assert!(error.report().contains("no resource `team`"), "{error}");
}

#[test]
fn a_run_that_fails_at_any_commit_leaves_out_the_same_rows() {
    let (base, _) = serve(api);
    let source = Source::new("club", &base)
        .contract(Contract::discard_row().tables(Mode::Evolve))
        .resource(teams())
        .resource(members());
    let undisturbed = InMemory::new(1000);
    run(
        &source,
        Box::new(undisturbed.clone()),
        &RunOptions::default(),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = RunOptions::default();
    let mut commits = 0;
    loop {
        let into = InMemory::new(1);
        let failing = Box::new(into.failing_at(commits));
        let first = runtime.block_on(sync(&source, failing, &options, Arc::new(())));
        let before = into.drift();
        let second = run(&source, Box::new(into.clone()), &options);
        assert_eq!(into.tables(), undisturbed.tables(), "commit {commits}");
        // The second run reports what it added: each row is counted in the load that committed it.
        for (line, count) in into.drift() {
            let resource = second.resources.iter().find(|found| found.name == line.0);
            let told = resource
                .unwrap()
                .drift
                .iter()
                .find(|told| told.1 == line.1.keys);
            let before = before.get(&line).copied().unwrap_or(0);
            assert_eq!(
                count,
                before + told.map_or(0, |told| told.3),
                "commit {commits}: {line:?}"
            );
            assert!(
                before <= undisturbed.drift()[&line],
                "commit {commits}: {line:?}"
            );
        }
        assert_eq!(into.drift().len(), undisturbed.drift().len());
        if first.is_ok() {
            break;
        }
        commits += 1;
    }
    assert!(commits > 3, "{commits} commits");
}
