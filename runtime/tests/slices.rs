//! Tests of runs whose slices are read apart: what is committed is what `sync` would have loaded.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etlgen_runtime::prelude::*;
use etlgen_runtime::run::slices::{self, Committed, Extracts, PlannedSlice, Receipt};
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, StopSignal, sync};
use etlgen_runtime::world::{VirtualClock, WireRequest, WireResponse};
use etlgen_runtime::{ErrorKind, Result};
use serde_json::{Value, json};

use crate::support::{InMemory, an_hour_later, asked, page, simulated};

#[derive(Record)]
struct Repo {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Record)]
struct Issue {
    id: Option<i64>,
    title: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(Record)]
struct Comment {
    id: Option<i64>,
    text: Option<String>,
}

#[derive(Record)]
struct Event {
    id: Option<i64>,
    at: Option<UnixTime>,
}

#[derive(Record)]
struct Label {
    name: Option<String>,
}

#[derive(Record)]
struct Customer {
    id: Option<i64>,
    version: Option<i64>,
    created: Option<UnixTime>,
}

#[derive(Record)]
struct Change_ {
    id: Option<i64>,
    created: Option<UnixTime>,
    object: Option<Json>,
}

const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;
/// When the first run begins, in seconds since 1970.
const NOW: u64 = 1_704_067_200 + 40 * 86_400;

/// The data of an API.
#[derive(Clone, Default)]
struct Store {
    /// The issues of each repo, and the comments of each issue.
    repos: BTreeMap<i64, BTreeMap<i64, Vec<i64>>>,
    /// Each event and its time.
    events: BTreeMap<i64, i64>,
    labels: Vec<String>,
    customers: BTreeMap<i64, i64>,
    changes: Vec<(i64, i64)>,
    /// Paths that answer with a status, so many times.
    fails: BTreeMap<String, (u16, u32)>,
    asked: Vec<String>,
}

impl Store {
    fn new() -> Self {
        let mut store = Store::default();
        for repo in 1..=6 {
            let issues = store.repos.entry(repo).or_default();
            for issue in 1..=repo {
                let id = repo * 10 + issue;
                issues.insert(id, (1..=issue % 3).map(|n| id * 10 + n).collect());
            }
        }
        store.events = (0..60).map(|n| (n, START + n * DAY / 2)).collect();
        store.labels = ["bug", "idea", "bug"].map(str::to_owned).to_vec();
        store.customers = (1..=7).map(|id| (id, 1)).collect();
        store.changes = (1..=7).map(|id| (id, id)).collect();
        store
    }

    fn rows(&self, path: &str, request: &WireRequest) -> Option<Vec<Value>> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let number = |text: &str| text.parse::<i64>().unwrap_or_default();
        let bound = |name: &str, none: i64| match asked(request, name) {
            text if text.is_empty() => none,
            text => number(&text),
        };
        Some(match parts.as_slice() {
            ["repos"] => {
                let repo =
                    |id: &i64| json!({"id": id, "name": format!("repo {id}"), "stars": id * 2});
                self.repos.keys().map(repo).collect()
            }
            ["repos", repo, "issues"] => {
                let issues = self.repos.get(&number(repo))?;
                let issue = |id: &i64| {
                    // What no struct declares has another type from repo to repo.
                    let size = match number(repo) {
                        1 => json!("small"),
                        2 | 3 => json!(id),
                        4 => json!(*id as f64 + 0.5),
                        _ => json!(*id as f64),
                    };
                    let mut issue = json!({"id": id, "title": format!("issue {id}"), "tags": ["a", "b"], "size": size});
                    if id % 2 == 0 {
                        issue["watchers"] = json!([{"name": "x"}, {"name": "y", "since": 7}]);
                    }
                    issue
                };
                issues.keys().map(issue).collect()
            }
            ["issues", issue, "comments"] => {
                let issues = self.repos.values().find_map(|i| i.get(&number(issue)))?;
                issues
                    .iter()
                    .map(|id| json!({"id": id, "text": "…"}))
                    .collect()
            }
            ["events"] => {
                let (from, until) = (bound("from", i64::MIN), bound("until", i64::MAX));
                let events = self
                    .events
                    .iter()
                    .filter(|(_, at)| **at >= from && **at <= until);
                events.map(|(id, at)| json!({"id": id, "at": at})).collect()
            }
            ["labels"] => self
                .labels
                .iter()
                .map(|name| json!({"name": name}))
                .collect(),
            ["customers"] => {
                let customer = |(id, version): (&i64, &i64)| json!({"id": id, "version": version, "created": START + id});
                self.customers.iter().map(customer).collect()
            }
            ["changes"] => {
                let since = bound("since", i64::MIN);
                let changes = self.changes.iter().rev();
                let change = |(id, of): &(i64, i64)| {
                    let object =
                        json!({"id": of, "version": self.customers.get(of), "created": START + of});
                    json!({"id": id, "created": START + id, "object": object})
                };
                changes
                    .filter(|(id, _)| START + id >= since)
                    .map(change)
                    .collect()
            }
            _ => return None,
        })
    }

    fn answer(&mut self, request: &WireRequest) -> WireResponse {
        let path = request.url().path().to_owned();
        self.asked.push(path.clone());
        if let Some((status, times)) = self.fails.get_mut(&path)
            && *times > 0
        {
            *times -= 1;
            return WireResponse::new(*status).body("{}");
        }
        let Some(rows) = self.rows(&path, request) else {
            return WireResponse::new(404).body("{}");
        };
        let start: usize = asked(request, "page").parse().unwrap_or(0);
        let end = rows.len().min(start + 4);
        let rest = (end < rows.len()).then_some(end);
        page(json!({"data": rows[start.min(end)..end], "total": rows.len(), "next": rest}))
    }
}

/// An API and its clock.
struct Api {
    store: Arc<Mutex<Store>>,
    clock: VirtualClock,
    source: Source,
}

impl Api {
    fn new(store: Store) -> Self {
        let store = Arc::new(Mutex::new(store));
        let of = store.clone();
        let (world, clock) = simulated(NOW, move |request| Ok(of.lock().unwrap().answer(request)));
        let source = source().world(world);
        Api {
            store,
            clock,
            source,
        }
    }

    fn run<T>(&self, run: impl Future<Output = Result<T>>) -> Result<T> {
        self.clock.runtime()?.block_on(run)
    }

    fn sync(&self, into: &InMemory, options: &RunOptions) -> RunReport {
        let run = sync(&self.source, Box::new(into.clone()), options, Arc::new(()));
        self.run(run).unwrap()
    }

    fn begin(&self, into: &InMemory, options: &RunOptions, place: &str) -> Vec<PlannedSlice> {
        self.run(slices::begin(&self.source, into, options, place, 3))
            .unwrap()
    }

    fn next(&self, place: &str) -> Vec<PlannedSlice> {
        self.run(slices::next(&self.source, place)).unwrap()
    }

    fn extract(&self, place: &str, slice: &PlannedSlice) -> Result<Receipt> {
        // What another process gets is a line.
        let slice = PlannedSlice::parse(&slice.to_line())?;
        let stop = StopSignal::default();
        self.run(slices::extract(
            &self.source,
            place,
            &slice,
            stop,
            Arc::new(()),
        ))
    }

    fn commit(&self, into: &InMemory, place: &str) -> Result<Committed> {
        let into = Box::new(into.clone());
        let options = RunOptions::default();
        self.run(slices::commit(
            &self.source,
            place,
            into,
            &options,
            Arc::new(()),
        ))
    }

    /// Extracts all slices of a run, the last ones first.
    fn extract_all(&self, place: &str) -> usize {
        let mut count = 0;
        loop {
            let slices = self.next(place);
            if slices.is_empty() {
                return count;
            }
            for slice in slices.iter().rev() {
                self.extract(place, slice).unwrap();
                count += 1;
            }
        }
    }

    fn in_slices(&self, into: &InMemory, options: &RunOptions) -> RunReport {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run").display().to_string();
        self.begin(into, options, &place);
        self.extract_all(&place);
        committed(self.commit(into, &place))
    }
}

fn committed(done: Result<Committed>) -> RunReport {
    match done.unwrap() {
        Committed::Now(report) => *report,
        other => panic!("{other:?}"),
    }
}

fn list<T: Record>(name: &str, path: &str) -> Resource<T> {
    let paginator = Paginator::token("page", "next");
    T::list(name, path).records("data").paginate(paginator)
}

fn source() -> Source {
    let until = Cursor::created(Event::AT)
        .param("from")
        .until("until")
        .new_rows_only();
    Source::new("forge", "https://forge.example")
        .resource(
            list::<Repo>("repos", "/repos")
                .primary_key([Repo::ID])
                .deletes(Deletes::Hard),
        )
        .resource(
            list::<Issue>("issues", "/repos/{repo}/issues")
                .primary_key([Issue::ID])
                .deletes(Deletes::Hard)
                .child_of("repos", |repo: &Repo, request| {
                    request.path("repo", repo.id)
                }),
        )
        .resource(
            list::<Comment>("comments", "/issues/{issue}/comments")
                .primary_key([Comment::ID])
                .child_of("issues", |issue: &Issue, request| {
                    request.path("issue", issue.id)
                }),
        )
        .resource(
            list::<Event>("events", "/events")
                .primary_key([Event::ID])
                .incremental(until.windows("2024-01-01", Duration::from_secs(5 * 86_400))),
        )
        .resource(list::<Label>("labels", "/labels").write(Disposition::Replace))
        .resource(
            list::<Customer>("customers", "/customers")
                .primary_key([Customer::ID])
                .incremental(
                    Cursor::created(Customer::CREATED)
                        .param("since")
                        .new_rows_only(),
                ),
        )
        .resource(
            list::<Change_>("changes", "/changes")
                .primary_key([Change_::ID])
                .incremental(
                    Cursor::created(Change_::CREATED)
                        .param("since")
                        .new_rows_only(),
                )
                .changes("customers", |change: &Change_| {
                    Some(Change::put(change.object.as_ref()?))
                }),
        )
}

/// Returns what of a report does not depend on who has read what.
fn compared(report: &RunReport) -> Value {
    let mut json = report.to_json();
    json["elapsed_seconds"] = Value::Null;
    for resource in json["resources"].as_array_mut().unwrap() {
        // Requests that run ahead of a page depend on what runs at the same time.
        for key in ["waited_seconds", "requests"] {
            resource[key] = Value::Null;
        }
    }
    json
}

fn place(folder: &Path) -> String {
    folder.join("run").display().to_string()
}

#[test]
fn what_is_committed_is_what_sync_loads() {
    let (whole, parts) = (Api::new(Store::new()), Api::new(Store::new()));
    let (synced, sliced) = (InMemory::new(1_000_000), InMemory::new(1_000_000));
    let options = RunOptions::default();
    for round in 0..3 {
        let reports = (
            whole.sync(&synced, &options),
            parts.in_slices(&sliced, &options),
        );
        assert_eq!(compared(&reports.1), compared(&reports.0), "round {round}");
        assert!(reports.1.is_complete());
        for (name, rows) in synced.tables() {
            assert_eq!(sliced.table(&name), rows, "{name} in round {round}");
        }
        assert_eq!(sliced.tables().len(), synced.tables().len());
        assert_eq!(sliced.state(), synced.state(), "round {round}");
        assert_eq!(sliced.drift(), synced.drift());
        for api in [&whole, &parts] {
            an_hour_later(&api.clock);
            let mut store = api.store.lock().unwrap();
            match round {
                0 => {
                    store.repos.remove(&2);
                    store.repos.get_mut(&4).unwrap().remove(&41);
                    store.repos.get_mut(&5).unwrap().insert(99, vec![991]);
                    store
                        .repos
                        .insert(7, BTreeMap::from([(71, vec![711, 712])]));
                    store.events.insert(1_000, START + 38 * DAY);
                    store.labels = vec!["question".to_owned()];
                    store.customers.insert(3, 2);
                    store.changes.push((8, 3));
                }
                _ => {
                    store.events.insert(1_001, START + 40 * DAY);
                    store.repos.insert(8, BTreeMap::new());
                }
            }
        }
    }
    assert_eq!(synced.table("repos").len(), 7);
    assert!(synced.table("events").len() == 62);
    assert!(!synced.table("issues__watchers").is_empty());
}

#[test]
fn a_plan_has_stable_slices_and_children_follow_their_parents() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let first = api.begin(&into, &RunOptions::default(), &place);
    assert_eq!(api.next(&place), first, "the same slices again");
    assert!(
        api.store.lock().unwrap().asked.is_empty(),
        "a plan sends nothing"
    );
    let names: Vec<&str> = first.iter().map(|slice| slice.resource.as_str()).collect();
    assert!(!names.contains(&"issues"), "{names:?}");
    let windows = |slice: &&PlannedSlice| matches!(slice.extracts, Extracts::Window(_));
    // All windows but the current one, which is read when the others have been.
    assert_eq!(first.iter().filter(windows).count(), 8);
    let tied = first
        .iter()
        .find(|slice| slice.resource == "customers")
        .unwrap();
    let together = ["customers", "changes"].map(str::to_owned).to_vec();
    assert_eq!(tied.extracts, Extracts::Resources(together));
    let repos = first
        .iter()
        .find(|slice| slice.resource == "repos")
        .unwrap();
    let receipt = api.extract(&place, repos).unwrap();
    // The list was read twice, since its deletes need a proof.
    assert_eq!((receipt.rows, receipt.children["issues"]), (12, 6));
    assert_eq!(receipt.proof, "proved");
    let then = api.next(&place);
    let issues: Vec<_> = then
        .iter()
        .filter(|slice| slice.resource == "issues")
        .collect();
    assert_eq!(issues.len(), 2, "two groups of three");
    assert_eq!(issues[0].after, ["repos"]);
    assert_eq!(issues[0].cost, 3);
    assert!(!then.contains(repos));
}

#[test]
fn the_current_window_is_read_when_all_others_have_been() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let options = RunOptions::default().resources(["events"]);
    let windows = api.begin(&into, &options, &place);
    for window in windows.iter().skip(1) {
        api.extract(&place, window).unwrap();
    }
    assert_eq!(api.next(&place), windows[..1]);
    api.extract(&place, &windows[0]).unwrap();
    let last = api.next(&place);
    assert_eq!(last.len(), 1);
    api.extract(&place, &last[0]).unwrap();
    let report = committed(api.commit(&into, &place));
    assert_eq!(into.table("events").len(), 60);
    assert_eq!(report.resources[0].slices, 1);
}

#[test]
fn a_second_attempt_and_a_second_commit_change_nothing() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let slices = api.begin(&into, &RunOptions::default().resources(["repos"]), &place);
    let receipt = api.extract(&place, &slices[0]).unwrap();
    let asked = api.store.lock().unwrap().asked.len();
    assert_eq!(api.extract(&place, &slices[0]).unwrap(), receipt);
    assert_eq!(
        api.store.lock().unwrap().asked.len(),
        asked,
        "nothing is sent again"
    );
    let report = committed(api.commit(&into, &place));
    let before = (into.tables(), into.state());
    for _ in 0..2 {
        match api.commit(&into, &place).unwrap() {
            Committed::Before(load) => assert_eq!(load, report.load_id),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((into.tables(), into.state()), before);
    // The same is true after a later run.
    an_hour_later(&api.clock);
    api.sync(&into, &RunOptions::default());
    let before = (into.tables(), into.state());
    assert!(matches!(
        api.commit(&into, &place).unwrap(),
        Committed::Before(_)
    ));
    assert_eq!((into.tables(), into.state()), before);
}

#[test]
fn the_first_of_two_attempts_at_once_counts() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let slices = api.begin(&into, &RunOptions::default().resources(["repos"]), &place);
    let one = || {
        slices::extract(
            &api.source,
            &place,
            &slices[0],
            StopSignal::default(),
            Arc::new(()),
        )
    };
    let both = async { Ok(tokio::join!(one(), one())) };
    let (first, second) = api.run(both).unwrap();
    assert_eq!(first.unwrap(), second.unwrap());
    let attempts = std::fs::read_dir(folder.path().join("run/extracted").join(&slices[0].id));
    assert_eq!(
        attempts.unwrap().count(),
        1,
        "the files of the other are gone"
    );
    committed(api.commit(&into, &place));
    assert_eq!(into.table("repos").len(), 6);
}

#[test]
fn what_is_missing_is_named_and_nothing_is_committed() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let slices = api.begin(
        &into,
        &RunOptions::default().resources(["repos", "labels"]),
        &place,
    );
    api.store
        .lock()
        .unwrap()
        .fails
        .insert("/repos".into(), (418, 1));
    let error = api.extract(&place, &slices[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    api.extract(&place, &slices[1]).unwrap();
    let Committed::Missing(missing) = api.commit(&into, &place).unwrap() else {
        panic!("it was committed");
    };
    assert_eq!(missing, slices[..1]);
    assert!(into.tables().is_empty() && into.state().is_empty());
    // What a killed attempt has left is not read.
    let orphan = folder
        .path()
        .join("run/extracted")
        .join(&slices[0].id)
        .join("killed");
    std::fs::create_dir_all(&orphan).unwrap();
    std::fs::write(orphan.join("0.parquet"), "half").unwrap();
    api.extract(&place, &slices[0]).unwrap();
    committed(api.commit(&into, &place));
    assert_eq!(into.table("repos").len(), 6);
}

#[test]
fn a_commit_that_fails_leaves_nothing_and_can_be_done_again() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    api.begin(&into, &RunOptions::default(), &place);
    api.extract_all(&place);
    let error = api.commit(&into.failing_at(0), &place).unwrap_err();
    assert_eq!(error.message(), "the disk is full");
    assert!(into.tables().is_empty() && into.state().is_empty());
    committed(api.commit(&into, &place));
    assert_eq!(
        into.table("comments").len(),
        Store::new()
            .repos
            .values()
            .flat_map(|i| i.values())
            .flatten()
            .count()
    );
}

#[test]
fn another_connector_and_a_destination_that_has_moved_on_are_refused() {
    let api = Api::new(Store::new());
    let (into, folder) = (InMemory::new(1_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let slices = api.begin(&into, &RunOptions::default().resources(["labels"]), &place);
    #[derive(Record)]
    struct Wider {
        name: Option<String>,
        colour: Option<String>,
    }
    let other = Source::new("forge", "https://forge.example")
        .resource(list::<Wider>("labels", "/labels").write(Disposition::Replace));
    let extract = slices::extract(
        &other,
        &place,
        &slices[0],
        StopSignal::default(),
        Arc::new(()),
    );
    let refused = api.run(extract).unwrap_err();
    let options = RunOptions::default();
    let commit = slices::commit(
        &other,
        &place,
        Box::new(into.clone()),
        &options,
        Arc::new(()),
    );
    for error in [refused, api.run(commit).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(
            error
                .message()
                .contains("the tables of `labels` have other columns"),
            "{error}"
        );
    }
    api.extract_all(&place);
    an_hour_later(&api.clock);
    api.sync(&into, &RunOptions::default().resources(["labels"]));
    let error = api.commit(&into, &place).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert!(
        error.message().contains("another run has loaded"),
        "{error}"
    );
}

#[test]
fn a_key_of_two_parents_is_noticed_across_slices() {
    for (same, complete) in [(false, false), (true, true)] {
        let api = Api::new(Store::default());
        {
            let mut store = api.store.lock().unwrap();
            for repo in 1..=8 {
                // Two repos have an issue of the same id.
                let id = if repo == 8 && !same { 10 } else { repo * 10 };
                store.repos.insert(repo, BTreeMap::from([(id, Vec::new())]));
            }
        }
        let into = InMemory::new(1_000);
        let report = api.in_slices(&into, &RunOptions::default().resources(["issues"]));
        let issues = report
            .resources
            .iter()
            .find(|it| it.name == "issues")
            .unwrap();
        match &issues.outcome {
            Outcome::Complete => assert!(complete),
            Outcome::Failed(_, message) => {
                assert!(
                    !complete && message.contains("the key is not unique"),
                    "{message}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn options_that_bound_a_run_as_a_whole_are_refused() {
    let api = Api::new(Store::new());
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let into = InMemory::new(1);
    for options in [
        RunOptions::default().limit(3),
        RunOptions::default().max_time(Duration::from_secs(1)),
    ] {
        let begun = slices::begin(&api.source, &into, &options, &place, 1);
        assert_eq!(api.run(begun).unwrap_err().kind(), ErrorKind::Usage);
    }
    let options = RunOptions::default();
    api.begin(&into, &options, &place);
    let again = slices::begin(&api.source, &into, &options, &place, 1);
    let error = api.run(again).unwrap_err();
    assert!(error.message().contains("has a run already"), "{error}");
}

/// Returns the most memory that this process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

#[test]
#[ignore = "it takes a minute: `cargo long scale`"]
fn ten_thousand_slices_are_planned_and_committed_in_seconds() {
    let api = Api::new(Store::default());
    for repo in 1..=10_000 {
        let issues = BTreeMap::from([(repo * 10, Vec::new())]);
        api.store.lock().unwrap().repos.insert(repo, issues);
    }
    let (into, folder) = (InMemory::new(1_000_000), tempfile::tempdir().unwrap());
    let place = place(folder.path());
    let options = RunOptions::default().resources(["issues"]);
    let begun = slices::begin(&api.source, &into, &options, &place, 1);
    let first = api.run(begun).unwrap();
    api.extract(&place, &first[0]).unwrap();
    let start = std::time::Instant::now();
    let slices = api.next(&place);
    println!(
        "planned {} slices in {:?}, {} MiB",
        slices.len(),
        start.elapsed(),
        peak()
    );
    assert_eq!(slices.len(), 10_000);
    let start = std::time::Instant::now();
    for slice in &slices {
        api.extract(&place, slice).unwrap();
    }
    let before = peak();
    println!("extracted them in {:?}, {before} MiB", start.elapsed());
    let start = std::time::Instant::now();
    let report = committed(api.commit(&into, &place));
    let (took, after) = (start.elapsed(), peak());
    println!("committed them in {took:?}, {after} MiB");
    assert!(report.is_complete());
    assert_eq!(into.table("issues").len(), 10_000);
    assert!(took < Duration::from_secs(120), "{took:?}");
    assert!(after - before < 200, "{after} MiB after {before}");
}
