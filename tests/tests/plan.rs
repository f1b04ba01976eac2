//! Tests the decisions of a run before its first request, with plans of the three example
//! connectors, and of other sources for states that these do not have. Nothing is sent, and no
//! destination exists.

use std::time::{Duration, SystemTime};

use etlgen_runtime::load::{Capabilities, Memory};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{self, RunOptions, RunPlan};
use etlgen_runtime::state::{StateChange, StateRow};

const SECRET: &str = "sk_live_51H8secret";

fn billing() -> Source {
    billing_connector::source(&billing_connector::Config {
        api_key: Secret::new(SECRET),
        base_url: "https://api.billing.example".into(),
    })
}

fn forge_config() -> forge_connector::Config {
    forge_connector::Config {
        token: Secret::new(SECRET),
        base_url: "https://api.forge.example".into(),
        org: "acme".into(),
    }
}

fn forge() -> Source {
    forge_connector::source(&forge_config())
}

fn tracker() -> Source {
    tracker_connector::source(&tracker_connector::Config {
        api_key: Secret::new(SECRET),
        base_url: "https://api.tracker.example".into(),
    })
}

/// The current time: 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000;
/// A load one day earlier.
const EARLIER: &str = "1699913600.000000";

/// Makes the plan of a run twice, parses it from its JSON, and searches it for the secret.
fn plan(source: &Source, memory: &Memory, options: &RunOptions) -> RunPlan {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let made = || run::plan(source, memory, options, now).unwrap();
    let (plan, again) = (made(), made());
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(json, serde_json::to_string(&again).unwrap());
    let read: RunPlan = serde_json::from_str(&json).unwrap();
    assert_eq!(read, plan);
    assert!(!json.contains(SECRET), "{json}");
    let text = plan.to_string();
    assert!(!text.contains(SECRET), "{text}");
    let broken = |line: &&str| line.chars().count() > 80 && line.trim().contains(' ');
    let long: Vec<&str> = text.lines().filter(broken).collect();
    assert!(long.is_empty(), "{long:?}");
    plan
}

/// Returns the plan as text, and its changes of the state with the first rows of each resource,
/// without declarations.
fn shown(plan: &RunPlan) -> String {
    let mut text = format!("{plan}\n");
    for resource in &plan.resources {
        let begins = match &resource.slices {
            run::Slices::Children(slices) => slices.begins.as_slice(),
            _ => &[],
        };
        for change in resource.write.first.iter().chain(begins) {
            let (of, slice) = change.key();
            let line = match change {
                _ if slice == "declared" => continue,
                StateChange::Put(row) => format!("put {of} {slice:?} {}", row.value),
                _ => format!("forget {of} {slice:?}"),
            };
            text.push_str(&format!("state of {}: {line}\n", resource.name));
        }
    }
    text
}

/// Returns the memory of a destination with a loaded source and these rows of the state.
fn loaded(source: &Source, rows: &[(&str, &str, &str)]) -> Memory {
    let first = plan(source, &Memory::default(), &RunOptions::default());
    let mut memory = Memory::default();
    for resource in first.resources {
        memory.tables.extend(resource.write.coming);
        memory.apply(&resource.write.first);
    }
    for (resource, slice, value) in rows {
        memory.state.push(StateRow::new(*resource, *slice, *value));
    }
    memory
}

fn done(load: &str) -> String {
    format!(r#"{{"done":"{load}"}}"#)
}

fn options() -> RunOptions {
    RunOptions::default()
}

/// The slice of the repository `r` in the state, and its state after that pass.
const REPO: &str = r#"{"path":{"owner":"acme","repo":"r"}}"#;

fn of_repo(cursor: Option<&str>, done: &str) -> String {
    let cursor = cursor.map_or(String::new(), |cursor| format!(r#""cursor":"{cursor}","#));
    format!(r#"{{{cursor}"done":"{done}","request":{REPO}}}"#)
}

#[test]
fn nothing_is_there_yet() {
    for (name, source) in [
        ("billing", billing()),
        ("forge", forge()),
        ("tracker", tracker()),
    ] {
        let plan = plan(&source, &Memory::default(), &options());
        etlgen_testkit::assert_snapshot!(format!("fresh_{name}"), shown(&plan));
    }
}

#[test]
fn a_plan_is_json() {
    let plan = plan(&tracker(), &Memory::default(), &options());
    etlgen_testkit::assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap());
}

#[test]
fn a_pass_goes_on_inside_a_list() {
    let source = billing();
    let position = r#"{"next":{"value":"cus_200"},"rows":200,"pages":2}"#;
    let customers =
        format!(r#"{{"pass":{{"id":"{EARLIER}","position":{position},"high":"1699900000"}}}}"#);
    let events = format!(r#"{{"cursor":"1699800000","done":"{EARLIER}"}}"#);
    let rows = [
        ("customers", "", customers.as_str()),
        ("events", "", &events),
    ];
    etlgen_testkit::assert_snapshot!(shown(&plan(&source, &loaded(&source, &rows), &options())));
}

#[test]
fn children_that_are_known_are_counted() {
    let source = forge();
    let root = done("1699900000.000000");
    let open = format!(
        r#"{{"pass":{{"id":"{EARLIER}","position":{{"next":"first","rows":0,"pages":0}}}}}}"#
    );
    let slice = format!(
        r#"{{"pass":{{"id":"{EARLIER}","position":{{"next":"first","rows":0,"pages":0}}}},"request":{REPO}}}"#
    );
    let other = r#"{"path":{"owner":"acme","repo":"s"}}"#;
    let read = of_repo(Some("2023-11-01T00:00:00Z"), EARLIER).replace(REPO, other);
    let rows = [
        ("repos", "", root.as_str()),
        ("issues", "", &open),
        ("issues", REPO, &slice),
        ("issues", other, &read),
    ];
    etlgen_testkit::assert_snapshot!(shown(&plan(&source, &loaded(&source, &rows), &options())));
}

#[test]
fn a_backfill_has_bounds_and_a_state_of_its_own() {
    let source = billing();
    let events = format!(r#"{{"cursor":"1699800000","done":"{EARLIER}"}}"#);
    let bounds = options()
        .since("2023-01-01")
        .until("2023-02-01")
        .resources(["events"]);
    let memory = loaded(&source, &[("events", "", &events)]);
    etlgen_testkit::assert_snapshot!("backfill", shown(&plan(&source, &memory, &bounds)));
    let windows = bounds.window(Duration::from_secs(7 * 86_400));
    etlgen_testkit::assert_snapshot!(
        "backfill_in_windows",
        shown(&plan(&source, &memory, &windows))
    );
}

#[test]
fn a_child_that_was_left_out_is_caught_up() {
    let source = forge();
    let repos = done("1699900000.000000");
    let issues = format!(r#"{{"done":"{EARLIER}"}}"#);
    let slice = of_repo(Some("2023-11-01T00:00:00Z"), EARLIER);
    let rows = [
        ("repos", "", repos.as_str()),
        ("issues", "", &issues),
        ("issues", REPO, &slice),
    ];
    let memory = loaded(&source, &rows);
    let without = options().resources(["repos"]);
    etlgen_testkit::assert_snapshot!(
        "child_is_left_out",
        shown(&plan(&source, &memory, &without))
    );

    // The parent returns only changes, except for the child that missed some.
    let source = Source::new("forge", "https://api.forge.example")
        .resource(
            forge_connector::resources::repos(&forge_config()).incremental(
                Cursor::updated(forge_connector::resources::Repo::CREATED_AT).param("since"),
            ),
        )
        .resource(forge_connector::resources::issues());
    let repos = format!(r#"{{"cursor":"2023-11-02T00:00:00Z","done":"{EARLIER}"}}"#);
    let missed = r#"{"done":"1699900000.000000","missed":"1699913600.000000"}"#;
    let missed = [
        ("repos", "", repos.as_str()),
        ("issues", "", missed),
        ("issues", REPO, &slice),
    ];
    let plan_of = |rows: &[_]| shown(&plan(&source, &loaded(&source, rows), &options()));
    etlgen_testkit::assert_snapshot!("child_was_left_out", plan_of(&missed));
    let all = [
        ("repos", "", repos.as_str()),
        ("issues", "", &issues),
        ("issues", REPO, &slice),
    ];
    etlgen_testkit::assert_snapshot!("changed_parents_and_known_children", plan_of(&all));
}

#[test]
fn a_changed_key_gives_new_ids_or_is_refused() {
    let customers = || billing_connector::resources::customers();
    let source =
        |customers| Source::new("billing", "https://api.billing.example").resource(customers);
    let before = source(customers().primary_key([billing_connector::resources::Customer::EMAIL]));
    let memory = loaded(&before, &[("customers", "", &done(EARLIER))]);
    let plan_of = |source: &Source, options: &RunOptions| shown(&plan(source, &memory, options));
    etlgen_testkit::assert_snapshot!("changed_key", plan_of(&source(customers()), &options()));

    let without = source(
        billing_connector::resources::Customer::list("customers", "/v1/customers")
            .records("data")
            .write(Disposition::Append),
    );
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let error = run::plan(&without, &memory, &options(), now).unwrap_err();
    etlgen_testkit::assert_snapshot!("changed_key_is_refused", error.report());
    let consented = options().full_refresh(true);
    etlgen_testkit::assert_snapshot!(
        "changed_key_with_full_refresh",
        plan_of(&without, &consented)
    );
}

#[derive(Record)]
struct Account {
    id: Option<i64>,
    name: Option<String>,
    updated: Option<Timestamp>,
}

#[derive(Record)]
struct Event {
    id: Option<String>,
    account: Option<i64>,
    at: Option<Timestamp>,
}

fn accounts() -> Resource<Account> {
    Account::list("accounts", "/accounts").primary_key([Account::ID])
}

fn crm(accounts: Resource<Account>) -> Source {
    let events = Event::list("events", "/events")
        .primary_key([Event::ID])
        .incremental(Cursor::created(Event::AT).param("since").new_rows_only())
        .tombstones_of("accounts", |event: &Event| event.account)
        .reaches_back(days(30));
    Source::new("crm", "https://api.crm.example")
        .resource(accounts)
        .resource(events)
}

#[test]
fn a_feed_changes_other_resources() {
    let accounts = accounts()
        .deletes(Deletes::Soft)
        .incremental(Cursor::updated(Account::UPDATED).param("updated_since"));
    let source = crm(accounts);
    etlgen_testkit::assert_snapshot!(
        "feed_that_was_never_read",
        shown(&plan(&source, &Memory::default(), &options()))
    );
    let accounts = format!(r#"{{"cursor":"2023-11-13T00:00:00Z","done":"{EARLIER}"}}"#);
    let rows = |feed| {
        loaded(
            &source,
            &[("accounts", "", accounts.as_str()), ("events", "", feed)],
        )
    };
    let recent = rows(r#"{"cursor":"2023-11-13T00:00:00Z","done":"1699913600.000000"}"#);
    etlgen_testkit::assert_snapshot!("feed", shown(&plan(&source, &recent, &options())));
    let old = rows(r#"{"cursor":"2023-01-01T00:00:00Z","done":"1672531200.000000"}"#);
    etlgen_testkit::assert_snapshot!(
        "feed_that_was_read_long_ago",
        shown(&plan(&source, &old, &options()))
    );
    let alone = options().resources(["events"]);
    etlgen_testkit::assert_snapshot!(
        "feed_without_its_target",
        shown(&plan(&source, &recent, &alone))
    );
}

#[test]
fn what_is_gone_is_marked_where_all_is_read() {
    let repos = || forge_connector::resources::repos(&forge_config()).deletes(Deletes::Soft);
    let issues = || forge_connector::resources::issues().deletes(Deletes::Soft);
    let source = Source::new("forge", "https://api.forge.example")
        .resource(repos())
        .resource(issues());
    etlgen_testkit::assert_snapshot!(shown(&plan(&source, &Memory::default(), &options())));
}

#[test]
fn windows_that_are_declared_are_listed() {
    let accounts = accounts().incremental(
        Cursor::created(Account::UPDATED)
            .param("from")
            .until("to")
            .windows("2023-09-01", days(30)),
    );
    let source = Source::new("crm", "https://api.crm.example").resource(accounts);
    let memory = Memory::default();
    etlgen_testkit::assert_snapshot!("windows", shown(&plan(&source, &memory, &options())));
    let closed = r#"[{"until":"2023-10-01T00:00:00Z"}]"#;
    let position = r#"{"next":"first","rows":0,"pages":0}"#;
    let open = r#"[{"window":{"from":"2023-10-01T00:00:00Z","until":"2023-10-31T00:00:00Z"},"position":{"next":{"url":"/accounts?page=2"},"rows":50,"pages":1}}]"#;
    let state = format!(
        r#"{{"pass":{{"id":"{EARLIER}","position":{position},"closed":{closed},"open":{open}}}}}"#
    );
    let memory = loaded(&source, &[("accounts", "", &state)]);
    let plan = plan(&source, &memory, &options());
    etlgen_testkit::assert_snapshot!("windows_that_are_left", shown(&plan));
    let run::Slices::One(slice) = &plan.resources[0].slices else {
        panic!("{plan}")
    };
    let windows = serde_json::to_string_pretty(&slice.windows).unwrap();
    etlgen_testkit::assert_snapshot!("windows_that_are_left_as_json", windows);
}

#[test]
fn a_full_refresh_forgets_and_replaces() {
    let source = forge();
    let (repos, slice) = (done(EARLIER), of_repo(None, EARLIER));
    let rows = [
        ("repos", "", repos.as_str()),
        ("commits", "", &repos),
        ("commits", REPO, &slice),
    ];
    let refresh = options().full_refresh(true);
    etlgen_testkit::assert_snapshot!(shown(&plan(&source, &loaded(&source, &rows), &refresh)));
}

#[test]
fn a_limit_is_part_of_the_plan() {
    let limited = options().limit(10);
    etlgen_testkit::assert_snapshot!(
        "limit",
        shown(&plan(&tracker(), &Memory::default(), &limited))
    );
    let refresh = limited.full_refresh(true);
    etlgen_testkit::assert_snapshot!(
        "limit_with_full_refresh",
        shown(&plan(&tracker(), &Memory::default(), &refresh))
    );
}

#[test]
fn a_resource_that_cannot_be_asked_says_what_settles_it() {
    let source = crm(accounts()
        .query("tenant", None::<String>)
        .paginate(Paginator::undecided()));
    etlgen_testkit::assert_snapshot!(shown(&plan(&source, &Memory::default(), &options())));
}

#[test]
fn a_resource_that_is_off_is_named_with_its_reason() {
    let source = |projects: Resource<tracker_connector::resources::Project>| {
        Source::new("tracker", "https://api.tracker.example")
            .resource(projects.off("it may start an export: `start` stands in its path"))
            .resource(tracker_connector::resources::tasks())
            .resource(accounts())
    };
    let source = source(tracker_connector::resources::projects());
    let memory = Memory::default();
    etlgen_testkit::assert_snapshot!("off", shown(&plan(&source, &memory, &options())));
    let named = options().resources(["tasks"]);
    etlgen_testkit::assert_snapshot!(
        "off_and_needed_by_a_child_that_is_named",
        shown(&plan(&source, &memory, &named))
    );
}

#[test]
fn each_resource_has_its_contract() {
    let rules = ["discard_value", "events:columns=freeze"];
    let contracts = options()
        .contracts(rules.iter().map(|rule| rule.parse().unwrap()))
        .select(vec![
            "customers.name".parse().unwrap(),
            "!invoices.lines".parse().unwrap(),
        ]);
    etlgen_testkit::assert_snapshot!(shown(&plan(&billing(), &Memory::default(), &contracts)));
}

#[test]
fn secrets_in_parameters_are_hidden() {
    let accounts = accounts().query("key", SECRET).path("id", SECRET);
    let source = Source::new("crm", "https://api.crm.example")
        .hide([Secret::new(SECRET)])
        .resource(accounts);
    let plan = plan(&source, &Memory::default(), &options());
    assert_eq!(
        plan.resources[0].request.query,
        [("key".to_owned(), "***".to_owned())]
    );
}

#[test]
fn a_run_that_needs_more_than_its_destination_can_do_is_refused() {
    let mut memory = Memory::default();
    memory.capabilities = Capabilities::new(63)
        .merges(false)
        .replaces(false)
        .deletes(false);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let error = run::plan(&billing(), &memory, &RunOptions::default(), now).unwrap_err();
    let report = error.report();
    assert!(
        report.contains("`customers` changes rows by their key"),
        "{report}"
    );
    assert!(report.contains(".write(Disposition::Append)"), "{report}");
    // Resources that are only added to are loaded.
    let items = || Account::list("items", "/items").primary_key([Account::ID]);
    let of = |items: Resource<Account>| {
        let source = Source::new("shop", "https://api.example").resource(items);
        run::plan(&source, &memory, &RunOptions::default(), now)
    };
    of(items().write(Disposition::Append)).unwrap();
    for (items, what) in [
        (items(), "changes rows"),
        (items().write(Disposition::Replace), "replaces all rows"),
        (
            items().write(Disposition::Append).deletes(Deletes::Soft),
            "deletes rows",
        ),
    ] {
        let error = of(items).unwrap_err();
        assert!(error.message().contains(what), "{error}");
    }
}
