//! Tests of keys that are not unique: records that replace others are reported, and the resource is
//! never called proved.

use std::sync::Arc;
use std::time::SystemTime;

use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{ResourceReport, RunOptions, sync};
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
        let page = query.find_map(|(name, value)| (name == "token").then(|| value.parse().ok())?);
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
fn a_key_that_comes_in_two_slices_is_told_with_the_line_that_settles_it() {
    let of = |team| json!([{"id": 7, "team": team}, {"id": 10 + team}]);
    let (report, rows) = members(false, of);
    assert_eq!(
        (report.proof.grade(), report.records, report.different, rows),
        ("unproved", 4, 3, 3),
        "{report:?}"
    );
    let said = report.notes.join("\n");
    assert!(said.contains("`members`: 1 record"), "{said}");
    assert!(said.contains("`.within_parent()`"), "{said}");
    let (report, rows) = members(true, of);
    assert_ne!(report.proof.grade(), "unproved", "{report:?}");
    assert_eq!((report.different, rows), (4, 4), "{report:?}");
    assert_eq!(report.notes, [""; 0]);
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
            0 => json!({"data": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "next": 1}),
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
