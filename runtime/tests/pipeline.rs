//! Tests of the pipeline against a small API and a destination in memory: slices, checkpoints,
//! failures, filters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};

#[derive(Record)]
struct Team {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Record)]
struct Member {
    id: Option<i64>,
    team_id: Option<i64>,
    joined: Option<UnixTime>,
    tags: Option<Vec<String>>,
}

const TEAMS: i64 = 7;
const MEMBERS: i64 = 23;
const PAGE: usize = 5;

fn json(body: serde_json::Value) -> Answer {
    (200, Vec::new(), body.to_string())
}

fn page(rows: Vec<serde_json::Value>, query: &BTreeMap<String, String>) -> Answer {
    let after: i64 = query.get("after").map_or(0, |after| after.parse().unwrap());
    let rest: Vec<_> = rows
        .into_iter()
        .filter(|row| row["id"].as_i64() > Some(after))
        .collect();
    let more = rest.len() > PAGE;
    json(serde_json::json!({"data": rest[..rest.len().min(PAGE)], "more": more}))
}

fn members(team: i64) -> Vec<serde_json::Value> {
    (1..=MEMBERS)
        .map(|n| serde_json::json!({"id": n, "team_id": team, "joined": 1_700_000_000 + n, "tags": ["a", "b"]}))
        .collect()
}

fn api(path: &str, query: &BTreeMap<String, String>) -> Answer {
    match path {
        "/teams" => page(
            (1..=TEAMS)
                .map(|n| serde_json::json!({"id": n, "name": format!("t{n}")}))
                .collect(),
            query,
        ),
        "/members" => page(members(query["team"].parse().unwrap()), query),
        _ => (404, Vec::new(), "{}".into()),
    }
}

fn paginator() -> Paginator {
    Paginator::last_id("after")
        .more("more")
        .page_size("limit", PAGE as u64)
        .into()
}

fn teams() -> Resource<Team> {
    Team::list("teams", "/teams")
        .records("data")
        .primary_key([Team::ID])
        .paginate(paginator())
}

fn team_members() -> Resource<Member> {
    Member::list("members", "/members")
        .child_of("teams", |team: &Team, request| {
            request.query("team", team.id).copy("team_name", &team.name)
        })
        .records("data")
        .primary_key([Member::TEAM_ID, Member::ID])
        .paginate(paginator())
}

fn source(base: &str) -> Source {
    Source::new("club", base)
        .resource(teams())
        .resource(team_members())
}

fn run(source: &Source, into: InMemory, options: &RunOptions) -> etlgen_runtime::Result<RunReport> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(sync(source, Box::new(into), options, Arc::new(())))
}

#[test]
fn children_of_every_parent_are_loaded_and_proved() {
    let (base, _) = serve(api);
    let into = InMemory::new(1000);
    let report = run(&source(&base), into.clone(), &RunOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert!(
        report
            .resources
            .iter()
            .all(|resource| matches!(resource.proof, Proof::Proved(_))),
        "{report:#?}"
    );
    assert_eq!(into.table("teams").len(), TEAMS as usize);
    assert_eq!(into.table("members").len(), (TEAMS * MEMBERS) as usize);
    assert_eq!(
        into.table("members__tags").len(),
        (TEAMS * MEMBERS * 2) as usize
    );
    assert!(
        into.table("members")
            .values()
            .all(|row| row["team_name"].starts_with('t'))
    );
}

#[test]
fn a_run_that_fails_at_any_commit_is_gone_on_with_and_ends_the_same() {
    for disposition in [
        Disposition::Merge,
        Disposition::Append,
        Disposition::Replace,
    ] {
        let (base, _) = serve(api);
        let source = Source::new("club", &base)
            .resource(teams().write(disposition))
            .resource(team_members().write(disposition));
        let undisturbed = InMemory::new(1000);
        run(&source, undisturbed.clone(), &RunOptions::default()).unwrap();
        let mut commits = 0;
        loop {
            let into = InMemory::new(11);
            let first = run(&source, into.failing_at(commits), &RunOptions::default());
            run(&source, into.clone(), &RunOptions::default()).unwrap();
            assert_eq!(
                into.tables(),
                undisturbed.tables(),
                "{disposition:?} after a failure at commit {commits}"
            );
            if first.is_ok() {
                break;
            }
            commits += 1;
        }
        assert!(commits > 3, "{disposition:?}: {commits} commits");
    }
}

#[test]
fn children_found_before_their_own_first_commit_are_not_lost() {
    for full_refresh in [false, true] {
        let (base, _) = serve(api);
        let source = source(&base);
        let options = RunOptions::default().full_refresh(full_refresh);
        for commits in 0..6 {
            // Each delivery is a commit: that of the parent's first page precedes all of the
            // child's.
            let into = InMemory::new(1);
            let first = run(&source, into.failing_at(commits), &options);
            assert!(first.is_err(), "commit {commits}");
            run(&source, into.clone(), &RunOptions::default()).unwrap();
            assert_eq!(
                into.table("members").len(),
                (TEAMS * MEMBERS) as usize,
                "full refresh: {full_refresh}, commit {commits}"
            );
        }
    }
}

#[test]
fn a_second_run_changes_nothing() {
    for disposition in [
        Disposition::Merge,
        Disposition::Append,
        Disposition::Replace,
    ] {
        let (base, _) = serve(api);
        let source = Source::new("club", &base)
            .resource(teams().write(disposition))
            .resource(team_members().write(disposition));
        let into = InMemory::new(50);
        run(&source, into.clone(), &RunOptions::default()).unwrap();
        let before = into.tables();
        run(&source, into.clone(), &RunOptions::default()).unwrap();
        assert_eq!(into.tables(), before, "{disposition:?}");
        let full = RunOptions::default().full_refresh(true);
        run(&source, into.clone(), &full).unwrap();
        assert_eq!(into.table("members").len(), before["members"].len());
    }
}

#[test]
fn one_failing_resource_fails_alone_and_its_children_wait() {
    let broken = Arc::new(AtomicUsize::new(1));
    let switch = broken.clone();
    let (base, _) = serve(
        move |path, query| match query.get("team").map(String::as_str) {
            Some("3") if switch.load(Ordering::Relaxed) == 1 => {
                (418, Vec::new(), r#"{"message":"teapot"}"#.into())
            }
            Some("4") => (404, Vec::new(), "{}".into()),
            _ => api(path, query),
        },
    );
    let into = InMemory::new(10);
    let report = run(&source(&base), into.clone(), &RunOptions::default()).unwrap();
    assert!(matches!(report.resources[0].outcome, Outcome::Complete));
    let Outcome::Failed(_, message) = &report.resources[1].outcome else {
        panic!("{report:#?}")
    };
    assert!(
        message.contains("teapot") && message.contains("/members"),
        "{message}"
    );
    assert_eq!(
        into.table("members").len(),
        ((TEAMS - 2) * MEMBERS) as usize
    );

    assert!(
        report.resources[1]
            .notes
            .iter()
            .any(|note| note.contains("404")),
        "{report:#?}"
    );

    broken.store(0, Ordering::Relaxed);
    let report = run(&source(&base), into.clone(), &RunOptions::default()).unwrap();
    assert!(report.is_complete());
    assert_eq!(
        into.table("members").len(),
        ((TEAMS - 1) * MEMBERS) as usize
    );
}

fn joined(new_rows_only: bool) -> Resource<Member> {
    let cursor = Cursor::created(Member::JOINED).param("since");
    Member::list("members", "/members")
        .query("team", "1")
        .records("data")
        .primary_key([Member::ID])
        .paginate(paginator())
        .incremental(if new_rows_only {
            cursor.new_rows_only()
        } else {
            cursor
        })
}

fn filtered(path: &str, query: &BTreeMap<String, String>) -> Answer {
    let since: i64 = query.get("since").map_or(0, |since| since.parse().unwrap());
    assert_eq!(path, "/members");
    page(
        members(1)
            .into_iter()
            .filter(|row| row["joined"].as_i64() >= Some(since))
            .collect(),
        query,
    )
}

#[test]
fn a_creation_cursor_filters_only_when_rows_never_change() {
    // The last row comes again, and that of the second before: the API may exclude the bound.
    for (new_rows_only, second) in [(false, MEMBERS as u64), (true, 2)] {
        let (base, _) = serve(filtered);
        let source = Source::new("club", &base).resource(joined(new_rows_only));
        let into = InMemory::new(1000);
        run(&source, into.clone(), &RunOptions::default()).unwrap();
        let report = run(&source, into.clone(), &RunOptions::default()).unwrap();
        assert_eq!(
            report.resources[0].records, second,
            "new rows only: {new_rows_only}"
        );
        assert_eq!(into.table("members").len(), MEMBERS as usize);
    }
}

#[test]
fn a_filter_may_be_an_expression_and_a_strict_one_is_asked_from_a_moment_before() {
    let (base, log) = serve(|path, query| {
        let filter = query.get("filter").map_or("joined>0", String::as_str);
        let after: i64 = filter.strip_prefix("joined>").unwrap().parse().unwrap();
        let mut query = query.clone();
        query.insert("since".into(), (after + 1).to_string());
        filtered(path, &query)
    });
    let cursor = Cursor::updated(Member::JOINED)
        .param("filter")
        .template("joined>{}")
        .lookback(std::time::Duration::from_secs(1));
    let resource = Member::list("members", "/members")
        .query("team", "1")
        .records("data")
        .primary_key([Member::ID])
        .paginate(paginator())
        .incremental(cursor);
    let source = Source::new("club", &base).resource(resource);
    let into = InMemory::new(1000);
    run(&source, into.clone(), &RunOptions::default()).unwrap();
    let report = run(&source, into.clone(), &RunOptions::default()).unwrap();
    // The last row is requested again, so that another one in the same second cannot be missed, and
    // that of the second before: the expression does not say that it includes the bound.
    assert_eq!(report.resources[0].records, 2);
    assert_eq!(into.table("members").len(), MEMBERS as usize);
    let last = 1_700_000_000 + MEMBERS - 2;
    let sent = log.lock().unwrap().last().cloned().unwrap();
    assert!(sent.contains(&format!("filter=joined%3E{last}")), "{sent}");
}

#[test]
fn a_filter_that_the_server_refuses_is_said_and_nothing_is_lost() {
    let (base, log) = serve(|path, query| match query.contains_key("since") {
        true => (
            400,
            Vec::new(),
            r#"{"error":"unknown parameter: since"}"#.into(),
        ),
        false => api(path, query),
    });
    let source = Source::new("club", &base).resource(joined(true));
    let into = InMemory::new(1000);
    run(&source, into.clone(), &RunOptions::default()).unwrap();
    let report = run(&source, into.clone(), &RunOptions::default()).unwrap();
    assert!(
        report.resources[0]
            .notes
            .iter()
            .any(|note| note.contains("`since`")),
        "{report:#?}"
    );
    assert_eq!(report.resources[0].records, MEMBERS as u64);
    assert_eq!(into.table("members").len(), MEMBERS as usize);
    assert!(
        log.lock()
            .unwrap()
            .iter()
            .any(|request| request.contains("since="))
    );
}

#[test]
fn a_window_takes_what_is_inside_and_leaves_the_cursor() {
    let (base, _) = serve(filtered);
    let source = Source::new("club", &base).resource(joined(true));
    let into = InMemory::new(1000);
    let window = RunOptions::default()
        .since("2023-11-14T22:13:25Z")
        .until("2023-11-14T22:13:30Z");
    run(&source, into.clone(), &window).unwrap();
    assert_eq!(into.table("members").len(), 5);
    run(&source, into.clone(), &RunOptions::default()).unwrap();
    assert_eq!(into.table("members").len(), MEMBERS as usize);
}

#[test]
fn a_limit_stops_and_the_next_run_goes_on() {
    for disposition in [
        Disposition::Merge,
        Disposition::Append,
        Disposition::Replace,
    ] {
        let (base, _) = serve(api);
        let source = Source::new("club", &base).resource(teams().write(disposition));
        let into = InMemory::new(1000);
        let limited = RunOptions::default().limit(3);
        run(&source, into.clone(), &limited).unwrap();
        assert_eq!(into.table("teams").len(), 3, "{disposition:?}");
        run(&source, into.clone(), &RunOptions::default()).unwrap();
        assert_eq!(into.table("teams").len(), TEAMS as usize, "{disposition:?}");
    }
}

#[test]
fn a_limit_never_publishes_a_part_in_place_of_the_whole() {
    let refresh = || RunOptions::default().full_refresh(true);
    for disposition in [
        Disposition::Merge,
        Disposition::Append,
        Disposition::Replace,
    ] {
        let (base, _) = serve(api);
        let source = Source::new("club", &base).resource(teams().write(disposition));
        let into = InMemory::new(1000);
        let rows = |options: &RunOptions| {
            let report = run(&source, into.clone(), options).unwrap();
            let rows = into.table("teams").len();
            (rows, report.resources[0].notes.join("\n"))
        };
        assert_eq!(rows(&RunOptions::default()).0, TEAMS as usize);
        // The second run restarts the pass, the third continues it.
        for options in [refresh().limit(3), refresh().limit(2)] {
            let (rows, notes) = rows(&options);
            assert_eq!(rows, TEAMS as usize, "{disposition:?}");
            assert!(notes.contains("at the end of its list"), "{notes}");
        }
        let limited = RunOptions::default().limit(1);
        assert_eq!(rows(&limited).0, TEAMS as usize, "{disposition:?}");
        assert_eq!(rows(&RunOptions::default()).0, TEAMS as usize);

        // Nothing was loaded before: the part is better than nothing.
        let into = InMemory::new(1000);
        run(&source, into.clone(), &refresh().limit(3)).unwrap();
        assert_eq!(into.table("teams").len(), 3, "{disposition:?}");
    }
}

#[test]
fn a_pass_of_an_earlier_run_is_as_of_its_start() {
    let (base, _) = serve(api);
    let source = Source::new("club", &base).resource(teams().write(Disposition::Merge));
    let into = InMemory::new(1000);
    let all = RunOptions::default();
    let noted = |options: &RunOptions| {
        let report = run(&source, into.clone(), options).unwrap();
        let notes = report.resources[0].notes.join("\n");
        notes.contains("complete as of 20")
    };
    assert!(!noted(&RunOptions::default().limit(6)));
    assert!(noted(&all), "the pass goes on");
    assert!(!noted(&all), "another pass");
}

#[test]
fn a_stopped_list_with_numbered_pages_starts_again_and_says_so() {
    let numbered = |_: &str, query: &BTreeMap<String, String>| {
        let page: i64 = query.get("page").map_or(1, |page| page.parse().unwrap());
        let rows = (page * 2 - 1)..=(page * 2).min(TEAMS);
        let rows: Vec<_> = rows.map(|id| serde_json::json!({"id": id})).collect();
        json(serde_json::json!({"data": rows, "total": TEAMS}))
    };
    let pages = |total: &str| Paginator::from(Paginator::page_number("page").total_items(total));
    let limited = RunOptions::default().limit(3);
    let (base, _) = serve(numbered);
    let source = Source::new("club", &base).resource(teams().paginate(pages("total")));
    let report = run(&source, InMemory::new(1000), &limited).unwrap();
    assert!(matches!(report.resources[0].outcome, Outcome::Stopped));
    assert!(report.resources[0].restarts, "{report:#?}");
    let plan = |options: &RunOptions| {
        let now = std::time::SystemTime::now();
        let plan = etlgen_runtime::run::plan(&source, &Default::default(), options, now).unwrap();
        plan.resources[0].notes.join("; ")
    };
    let timed = RunOptions::default().max_time(std::time::Duration::from_secs(1));
    assert!(plan(&timed).contains("reads this list from its start again"));
    assert_eq!(plan(&RunOptions::default()), "");

    let (base, _) = serve(api);
    let source = Source::new("club", &base).resource(teams());
    let report = run(&source, InMemory::new(1000), &limited.limit(7)).unwrap();
    assert!(!report.resources[0].restarts, "{report:#?}");
}

#[test]
fn closures_change_and_filter_and_dropped_parents_have_no_children() {
    let (base, _) = serve(api);
    let teams = teams().filter(|team| team.id != Some(2)).map(|mut team| {
        team.name = team.name.map(|name| name.to_uppercase());
        team
    });
    let source = Source::new("club", &base)
        .resource(teams)
        .resource(team_members());
    let into = InMemory::new(1000);
    run(&source, into.clone(), &RunOptions::default()).unwrap();
    assert_eq!(into.table("teams").len(), TEAMS as usize - 1);
    assert!(
        into.table("members")
            .values()
            .all(|row| row["team_name"].starts_with('T'))
    );
    assert_eq!(
        into.table("members").len(),
        ((TEAMS - 1) * MEMBERS) as usize
    );
}

#[test]
fn undecided_paging_never_ends_green() {
    let (base, _) = serve(api);
    let source = Source::new("club", &base).resource(teams().paginate(Paginator::undecided()));
    let report = run(&source, InMemory::new(1000), &RunOptions::default()).unwrap();
    let Outcome::Failed(_, message) = &report.resources[0].outcome else {
        panic!("{report:#?}")
    };
    assert!(
        message.contains("etlgen could not tell how it is paged"),
        "{message}"
    );
}

fn teams_by_change() -> Resource<Member> {
    Member::list("members", "/members")
        .query("team", "1")
        .records("data")
        .primary_key([Member::ID])
        .paginate(paginator())
        .incremental(Cursor::updated(Member::JOINED).param("since"))
}

fn badges() -> Resource<Team> {
    Team::list("badges", "/members/{member}/badges")
        .child_of("members", |member: &Member, request| {
            request.path("member", member.id)
        })
        .records("data")
        .primary_key([Team::ID])
        .within_parent()
        .paginate(paginator())
}

fn with_badges(path: &str, query: &BTreeMap<String, String>) -> Answer {
    match path {
        "/members" => filtered(path, query),
        _ => page(vec![serde_json::json!({"id": 1, "name": path})], query),
    }
}

#[test]
fn children_that_a_run_left_out_are_found_by_the_next() {
    let only = |name: &str| RunOptions::default().resources([name]);
    let limited = only("members").limit(7);
    // The children were never read before; read before and then left out; left out by an
    // interrupted run.
    let runs: [&[RunOptions]; 4] = [
        &[only("members")],
        &[limited],
        &[only("badges"), only("members")],
        &[only("badges"), only("members").limit(7)],
    ];
    for runs in runs {
        let (base, _) = serve(with_badges);
        let source = Source::new("club", &base)
            .resource(teams_by_change())
            .resource(badges());
        let into = InMemory::new(1);
        for options in runs {
            run(&source, into.clone(), options).unwrap();
        }
        run(&source, into.clone(), &RunOptions::default()).unwrap();
        assert_eq!(into.table("badges").len(), MEMBERS as usize, "{runs:?}");
        let report = run(&source, into.clone(), &RunOptions::default()).unwrap();
        assert_eq!(report.resources[0].records, 2, "the cursor holds again");
    }
}

#[test]
fn a_row_of_the_future_does_not_hide_those_that_come_before_it() {
    let late = Arc::new(AtomicUsize::new(0));
    let switch = late.clone();
    let (base, _) = serve(move |_, query| {
        let mut rows = members(1);
        rows.push(serde_json::json!({"id": 900, "team_id": 1, "joined": 4_000_000_000i64}));
        if switch.load(Ordering::Relaxed) == 1 {
            rows.push(serde_json::json!({"id": 901, "team_id": 1, "joined": 3_000_000_000i64}));
        }
        let since: i64 = query.get("since").map_or(0, |since| since.parse().unwrap());
        rows.retain(|row| row["joined"].as_i64() >= Some(since));
        page(rows, query)
    });
    let source = Source::new("club", &base).resource(teams_by_change());
    let into = InMemory::new(1000);
    run(&source, into.clone(), &RunOptions::default()).unwrap();
    late.store(1, Ordering::Relaxed);
    let report = run(&source, into.clone(), &RunOptions::default()).unwrap();
    assert_eq!(report.resources[0].records, 2);
    assert_eq!(into.table("members").len(), MEMBERS as usize + 2);
}
