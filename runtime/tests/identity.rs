//! Tests of keys that are not unique: records that replace others are reported, and the resource is
//! never called proved.

use std::sync::Arc;
use std::time::SystemTime;

use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, ResourceReport, RunOptions, sync};
use etlgen_runtime::world::{
    BoxFuture, Transport, VirtualClock, WireError, WireRequest, WireResponse, World,
};
use serde_json::{Value, json};

#[derive(Record)]
struct Team {
    id: Option<i64>,
}

#[derive(Record)]
struct Member {
    id: Option<i64>,
}

/// An API that answers by path and requested page.
struct Api<F>(F);

impl<F: Fn(&str, usize) -> Value + Send + Sync> Transport for Api<F> {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        let url = request.url();
        let mut query = url.query_pairs();
        let page = query.find_map(|(name, value)| {
            (name == "token").then(|| value.trim_start_matches('t').parse().ok())?
        });
        let body = (self.0)(url.path(), page.unwrap_or(0));
        Box::pin(async move { Ok(WireResponse::new(200).body(body.to_string())) })
    }
}

/// Returns the report of the last resource, and the number of rows of its table.
fn load(
    resources: impl FnOnce(Source) -> Source,
    answer: impl Fn(&str, usize) -> Value + Send + Sync + 'static,
) -> (ResourceReport, usize) {
    let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
    let memory = InMemory::new(1000);
    let source = Source::new("club", "https://api.example").world(World::simulated(
        Api(answer),
        clock.clone(),
        1,
    ));
    let source = resources(source);
    let options = RunOptions::default();
    let run = sync(&source, Box::new(memory.clone()), &options, Arc::new(()));
    let mut report = clock.runtime().unwrap().block_on(run).unwrap();
    let report = report.resources.pop().unwrap();
    let rows = memory.table(&report.name).len();
    (report, rows)
}

/// Loads two teams, and the members of each.
fn members(
    within: bool,
    of: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> (ResourceReport, usize) {
    let members = Member::list("members", "/teams/{team}/members")
        .primary_key([Member::ID])
        .child_of("teams", |team: &Team, request| {
            request.path("team", team.id)
        });
    let members = if within {
        members.within_parent()
    } else {
        members
    };
    load(
        |source| {
            let teams = Team::list("teams", "/teams").primary_key([Team::ID]);
            source.resource(teams).resource(members)
        },
        move |path, _| match path {
            "/teams" => json!([{"id": 1}, {"id": 2}]),
            "/teams/1/members" => of(1),
            _ => of(2),
        },
    )
}

#[test]
fn a_key_that_two_parents_records_have_fails_with_the_line_that_settles_it() {
    let of = |team| json!([{"id": 7, "team": team}, {"id": 10 + team}]);
    let (report, rows) = members(false, of);
    let Outcome::Failed(_, said) = &report.outcome else {
        panic!("{report:?}")
    };
    assert!(said.contains("1 record had a key"), "{said}");
    assert!(
        said.contains("`within_parent = true` of `members`"),
        "{said}"
    );
    // The members of one team are there, and no row was replaced.
    assert_eq!(rows, 2);
    let (report, rows) = members(true, of);
    assert_ne!(report.proof.grade(), "unproved", "{report:?}");
    assert_eq!((report.different, rows), (4, 4), "{report:?}");
    assert_eq!(report.notes, [""; 0]);
    // A record that is the same below several parents loses all but one of them.
    let (report, _) = members(false, |_| json!([{"id": 7}]));
    assert!(matches!(report.outcome, Outcome::Failed(..)), "{report:?}");
}

#[derive(Record)]
struct Player {
    id: Option<i64>,
    team: Option<i64>,
    updated: Option<UnixTime>,
}

/// Two teams with a list of players each, which a function returns for a run, a team and whether it
/// changed during the run; each run takes place an hour after the one before.
fn players(
    runs: usize,
    options: &RunOptions,
    of: impl Fn(usize, usize, u64) -> Value + Send + Sync + 'static,
) -> (Vec<ResourceReport>, InMemory) {
    use crate::support::{an_hour_later, asked, dated, page, run_by, simulated};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    let began = 1_700_000_000;
    let run = Arc::new(AtomicUsize::new(0));
    let count = run.clone();
    let (world, clock) = simulated(began, move |request| {
        let run = count.load(Relaxed);
        let now = began + 3600 * (run as u64 + 1);
        let since: u64 = asked(request, "since").parse().unwrap_or(0);
        let answer = match request.url().path() {
            "/teams" => json!([{"id": 1}, {"id": 2}]),
            "/teams/1/players" => of(run, 1, now),
            _ => of(run, 2, now),
        };
        // The filter of the API shows only what has changed.
        let rows = answer.as_array().unwrap().iter();
        let new = |row: &&Value| {
            row["updated"]
                .as_u64()
                .is_none_or(|updated| updated > since)
        };
        let answer: Value = rows.filter(new).cloned().collect();
        Ok(dated(page(answer), now))
    });
    let players = Player::list("players", "/teams/{team}/players")
        .primary_key([Player::ID])
        .incremental(Cursor::updated(Player::UPDATED).param("since"))
        .child_of("teams", |team: &Team, request| {
            request.path("team", team.id)
        });
    let source = Source::new("club", "https://api.example")
        .world(world)
        .resource(Team::list("teams", "/teams").primary_key([Team::ID]))
        .resource(players);
    let into = InMemory::new(1000);
    let mut reports = Vec::new();
    for number in 0..runs {
        run.store(number, Relaxed);
        an_hour_later(&clock);
        let mut report = run_by(&clock, &source, &into, options).unwrap();
        reports.push(report.resources.pop().unwrap());
    }
    (reports, into)
}

#[test]
fn a_record_that_moves_to_another_parent_during_the_run_is_kept_in_its_last_state() {
    let (reports, into) = players(
        1,
        &RunOptions::default(),
        |_, team, now| json!([{"id": 7, "team": team, "updated": if team == 1 { now - 9 } else { now + 9 }}]),
    );
    let report = &reports[0];
    assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
    assert_eq!(report.proof.grade(), "unproved", "{report:?}");
    assert_eq!(into.table("players").len(), 1);
}

#[test]
fn a_record_that_names_its_parent_and_is_the_same_in_two_lists_replaces_nothing() {
    let (reports, into) = players(
        1,
        &RunOptions::default(),
        |_, _, now| json!([{"id": 7, "team": 1, "updated": now - 9}]),
    );
    let report = &reports[0];
    assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
    assert_eq!(report.proof.grade(), "unproved", "{report:?}");
    assert_eq!(into.table("players").len(), 1);
}

#[test]
fn a_wrong_key_fails_each_time_and_replaces_no_table() {
    // Full refreshes replace all rows at their end.
    for options in [
        RunOptions::default(),
        RunOptions::default().full_refresh(true),
    ] {
        // The record of the second run does not change afterwards.
        let (reports, into) = players(3, &options, |run, team, now| {
            let (id, now) = match run {
                0 => (10 + team, now),
                run => (7, now - 3600 * (run as u64 - 1)),
            };
            json!([{"id": id, "team": team, "updated": now - 9}])
        });
        assert!(matches!(reports[0].outcome, Outcome::Complete));
        for report in &reports[1..] {
            assert!(matches!(report.outcome, Outcome::Failed(..)), "{report:?}");
        }
        // Without a refresh the row of one team comes to those that were there.
        let rows = into.table("players").len();
        assert!(rows == 3 || options.full_refresh && rows == 2, "{rows}");
    }
}

#[test]
fn two_records_of_one_response_with_one_key_fail_and_are_not_loaded() {
    let list = || Member::list("members", "/members").primary_key([Member::ID]);
    let (report, rows) = load(
        |source| source.resource(list()),
        |_, _| json!([{"id": 1, "version": 1}, {"id": 1, "version": 2}]),
    );
    let Outcome::Failed(_, said) = &report.outcome else {
        panic!("{report:?}")
    };
    assert!(said.contains("`primary_key = […]` of `members`"), "{said}");
    assert_eq!(rows, 0);
    // A record that a response repeats replaces nothing.
    let (report, rows) = load(
        |source| source.resource(list()),
        |_, _| json!([{"id": 1, "version": 1}, {"id": 1, "version": 1}]),
    );
    assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
    assert_eq!(rows, 1);
}

/// Loads a list of two pages.
fn pages(key: bool, second: fn() -> Value) -> (ResourceReport, usize) {
    let list = Member::list("members", "/members")
        .records("data")
        .paginate(Paginator::token("token", "next"));
    let list = if key {
        list.primary_key([Member::ID])
    } else {
        list
    };
    load(
        |source| source.resource(list),
        move |_, page| match page {
            0 => json!({"data": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "next": "t7"}),
            _ => json!({"data": second(), "next": null}),
        },
    )
}

#[test]
fn a_key_that_comes_again_with_other_contents_is_told_and_the_numbers_agree() {
    let other = || json!([{"id": 2, "name": "c"}, {"id": 3, "name": "d"}]);
    let (report, rows) = pages(true, other);
    assert_eq!(
        (report.proof.grade(), report.records, report.different, rows),
        ("unproved", 4, 3, 3),
        "{report:?}"
    );
    let said = report.notes.join("\n");
    assert!(said.contains("`members`: 1 record"), "{said}");
    assert!(said.contains("`primary_key = []`"), "{said}");
    // A repeated record with the same contents does not replace another one.
    let same = || json!([{"id": 2, "name": "b"}, {"id": 3, "name": "d"}]);
    let (report, rows) = pages(true, same);
    assert_eq!(
        (report.proof.grade(), report.records, report.different, rows),
        ("proved", 4, 3, 3),
        "{report:?}"
    );
    // Without a key, each record is a row.
    let (report, rows) = pages(false, other);
    assert_eq!((report.different, rows), (4, 4), "{report:?}");
    assert_eq!(report.notes, [""; 0]);
}

#[test]
fn ids_that_differ_only_in_invalid_bytes_are_two_rows() {
    use crate::support::{run_by, simulated};

    #[derive(Record)]
    struct Named {
        id: Option<String>,
    }

    let (world, clock) = simulated(0, |_| {
        let body = b"[{\"id\": \"a\xff\"}, {\"id\": \"a\xfe\"}]";
        Ok(WireResponse::new(200).body(body.to_vec()))
    });
    let list = Named::list("names", "/names").primary_key([Named::ID]);
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(list);
    let into = InMemory::new(10);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let rows = into.table("names");
    let mut ids: Vec<&str> = rows.values().map(|row| row["id"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a\u{fffd}fe", "a\u{fffd}ff"]);
    let notes = report.resources[0].notes.join("\n");
    assert!(notes.contains("not UTF-8"), "{notes}");
}

#[test]
fn a_key_that_recurs_in_a_list_with_a_cursor_is_wrong_if_its_record_rested() {
    use crate::support::{dated, page, run_by, simulated};
    use etlgen_runtime::run::Proof;

    #[derive(Record)]
    struct Item {
        id: Option<i64>,
        updated: Option<UnixTime>,
    }

    let began = 1_700_000_000;
    // Another record with the same key, and the same record, which changed during the pass.
    for (second, wrong) in [(began - 50, 1), (began + 1, 0)] {
        let (world, clock) = simulated(began, move |request| {
            let row = |updated: u64| json!({"id": 7, "updated": updated});
            let answer = match request.url().query() {
                None => page(json!({"data": [row(began - 100)], "next": "2"})),
                _ => page(json!({"data": [row(second)]})),
            };
            Ok(dated(answer, began))
        });
        let list = Item::list("items", "/items")
            .records("data")
            .primary_key([Item::ID])
            .paginate(Paginator::token("after", "next"))
            .incremental(Cursor::updated(Item::UPDATED).param("since"));
        let source = Source::new("s", "https://api.example")
            .world(world)
            .resource(list);
        let into = InMemory::new(10);
        let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        let items = &report.resources[0];
        let unproved = matches!(items.proof, Proof::Unproved(_));
        assert_eq!(unproved, wrong == 1, "{items:?}");
    }
}
