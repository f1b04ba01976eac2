//! Changes and kills, at any moment, three levels of children and people whose changes a feed
//! reports: the tables equal those of an undisturbed run, and committed pages are not requested
//! again.

#[path = "kill_tree/places.rs"]
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use etlgen_testkit::switches::{KILLS, SEED};
use etlgen_tests::connector::Connector;
use etlgen_tests::tables::{Tables, assert_same};
use etlgen_tests::tree::Tree;
use etlgen_tests::workspace::{stderr, stdout};
use serde_json::Value;

use places::Place;

static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

fn command(place: Place, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = TREE.command(folder, arguments);
    place.admit(&mut command);
    command
}

fn succeed(place: Place, folder: &Path, arguments: &[&str]) {
    let output = command(place, folder, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

fn told(output: &Output) -> String {
    format!("{}{}", stdout(output), stderr(output))
}

/// The position of a slice in the last commit.
#[derive(Debug, Clone, PartialEq)]
enum Stood {
    /// The open pass has read it to its end.
    Read,
    /// The next page is the one after that record.
    After(String),
}

/// Returns the position of each list with an open pass in the last commit, by the path of its
/// requests.
fn stood(place: Place, folder: &Path, destination: &str) -> BTreeMap<String, Stood> {
    let show = ["state", "show", "--destination", destination];
    let shown = command(place, folder, &show).output().unwrap();
    if told(&shown).contains("does not exist") {
        return BTreeMap::new();
    }
    assert_eq!(shown.status.code(), Some(0), "{}", told(&shown));
    let shown = stdout(&shown);
    let rows: Vec<Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let open: BTreeMap<String, String> = rows
        .iter()
        .filter(|row| row["slice"] == "")
        .filter_map(|row| {
            let pass = row["state"]["pass"]["id"].as_str()?;
            Some((text(&row["resource"]), pass.to_owned()))
        })
        .collect();
    let mut stood = BTreeMap::new();
    for row in &rows {
        let (resource, state) = (text(&row["resource"]), &row["state"]);
        let parent = match row["slice"].as_str() {
            Some("") => None,
            slice => serde_json::from_str(slice.unwrap()).ok(),
        };
        let Some(parent): Option<Value> = parent else {
            continue;
        };
        let id = parent["path"].as_object().unwrap().values().next().unwrap();
        let above = ["regions", "shops", "orders", "notes"];
        let level = above.iter().position(|name| *name == resource).unwrap();
        let path = format!("/{}/{}/{resource}", above[level - 1], text(id));
        let pass = open.get(&resource);
        if pass.is_some_and(|pass| state["done"] == **pass) && state["pass"].is_null() {
            stood.insert(path, Stood::Read);
        } else if let Some(after) = state["pass"]["position"]["next"]["value"].as_str()
            && pass.is_some_and(|pass| state["pass"]["id"] == **pass)
        {
            stood.insert(path, Stood::After(after.to_owned()));
        }
    }
    stood
}

/// Fails if a committed page was requested again. A list whose rows happen to be sorted by the time of their last change is
/// asked for its first page once more, after its last one.
fn nothing_again(requests: &[String], stood: &BTreeMap<String, Stood>) {
    let mut first = BTreeMap::new();
    let (mut seen, mut fronts) = (BTreeSet::new(), BTreeSet::new());
    for request in requests {
        let (path, query) = request.split_once('?').unwrap_or((request, ""));
        // The last request of a list is then the second one for its first page.
        let of_list = |other: &&String| other.split('?').next() == Some(path);
        let mut list = requests.iter().filter(of_list);
        let looks_back = !query.contains("after=")
            && list.clone().any(|other| other.contains("after="))
            && list.next_back() == Some(request);
        assert!(
            seen.insert(request) || looks_back && fronts.insert(path),
            "asked twice in a run: {request} of {requests:#?} {stood:?}"
        );
        first.entry(path).or_insert(query);
    }
    for (path, stood) in stood {
        match (stood, first.get(path.as_str())) {
            (_, None) => {}
            (Stood::Read, Some(query)) => panic!("{path}?{query} was read to its end before"),
            (Stood::After(after), Some(query)) => assert!(
                query
                    .split('&')
                    .any(|pair| pair == format!("after={after}")),
                "{path} stood after {after}, and was asked for with {query}"
            ),
        }
    }
}

/// Kills runs into a place, and, now and then, a vacuum of it. `share`: one kill in so many of the usual number.
fn besiege(place: Place, deletes: &'static str, share: u64) {
    if !place.is_there() {
        return;
    }
    let destination = &*place.url();
    let tree = Tree::start(3, Duration::from_millis(2)).unwrap();
    let url = tree.url();
    let into = |destination| {
        let mut sync = vec!["sync", "--base-url", &url, "--checkpoint-rows", "15"];
        sync.extend(["--deletes", deletes, "--destination", destination]);
        sync
    };
    let sync = into(destination);
    let vacuum = [
        "tables",
        "vacuum",
        "--wait",
        "0s",
        "--destination",
        destination,
    ];
    let (timed, first) = (tempfile::tempdir().unwrap(), place.url());
    LazyLock::force(&TREE);
    let start = Instant::now();
    succeed(place, timed.path(), &into(&first));
    let span = start.elapsed();

    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let mut seed = SEED.number().unwrap_or(u64::from(now) + 1);
    println!("{}={seed}", SEED.name);
    let usual: u64 = KILLS.number().unwrap_or(20);
    let wanted = usual.div_ceil(share);
    let (mut kills, mut ended, mut went_on) = (0, 0, 0);
    while kills < wanted {
        let stood = stood(place, folder.path(), destination);
        tree.take_requests();
        let mut killed = |arguments: &[&str], span: Duration| {
            let mut run = command(place, folder.path(), arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            std::thread::sleep(span.mul_f64((seed >> 11) as f64 / (1u64 << 53) as f64));
            let _ = run.kill();
            let output = run.wait_with_output().unwrap();
            place.after_kill(destination);
            output
        };
        // A vacuum takes about a tenth of a run.
        if kills % 3 == 1 && !stood.is_empty() {
            let output = killed(&vacuum, span / 10);
            let code = output.status.code();
            assert!(matches!(code, None | Some(0)), "{}", told(&output));
        }
        let output = killed(&sync, span);
        let code = output.status.code();
        assert!(
            matches!(code, None | Some(0)),
            "{code:?}: {}",
            told(&output)
        );
        nothing_again(&tree.take_requests(), &stood);
        went_on += usize::from(!stood.is_empty());
        kills += u64::from(code.is_none());
        ended += usize::from(code.is_some());
        // Data also changes between a kill and the run that continues.
        if code.is_some() || kills % 3 == 0 {
            tree.change(deletes != "keep");
        }
    }
    println!("{kills} kills within {span:?} each, {went_on} runs went on, {ended} ended before");
    // Of a few kills, most may come before the first commit.
    let enough = match wanted < 20 {
        true => 1,
        false => wanted / 4 + 1,
    };
    assert!(went_on >= enough as usize, "most runs began anew");
    // The first run completes the open passes, the second loads the data that was added in the
    // meantime.
    succeed(place, folder.path(), &sync);
    succeed(place, folder.path(), &vacuum);
    succeed(place, folder.path(), &sync);
    let (whole, other) = (tempfile::tempdir().unwrap(), place.url());
    succeed(place, whole.path(), &into(&other));
    let expected = standing(place.read(whole.path(), &other));
    for (level, name) in etlgen_tests::tree::LEVELS.iter().enumerate() {
        assert_eq!(expected[*name].len(), tree.count(level), "{name}");
    }
    assert_eq!(expected["people"].len(), tree.people());
    let loaded = place.read(folder.path(), destination);
    let marked = |name: &&str| loaded[*name].values().any(|row| is_marked(row));
    let levels = etlgen_tests::tree::LEVELS.iter().filter(|n| marked(n));
    assert_eq!(levels.count() > 2, deletes == "soft");
    assert_same(&expected, &standing(loaded));
}

fn is_marked(row: &str) -> bool {
    let mut lines = row.lines();
    lines.any(|line| line.starts_with("_etl_deleted_at = ") && !line.ends_with(" = null"))
}

/// Returns the rows that the API still has; the log is read by its cursor and does not see
/// deletions.
fn standing(mut tables: Tables) -> Tables {
    for name in etlgen_tests::tree::LEVELS.into_iter().chain(["people"]) {
        let rows = tables.get_mut(name).unwrap();
        rows.retain(|_, row| !is_marked(row));
        let ids: BTreeSet<String> = rows.keys().cloned().collect();
        let below = tables.get_mut(&format!("{name}__tags")).into_iter();
        below.for_each(|tags| tags.retain(|_, row| ids.iter().any(|id| row.contains(id))));
    }
    tables.retain(|name, _| !name.starts_with("log"));
    tables
}

#[test]
fn kills_of_three_levels_of_children_into_sqlite() {
    besiege(Place::Sqlite, "keep", 1);
}

#[test]
fn kills_of_three_levels_of_children_into_parquet() {
    besiege(Place::Parquet, "keep", 1);
}

#[test]
fn kills_while_records_go_for_good_in_sqlite() {
    besiege(Place::Sqlite, "hard", 1);
}

#[test]
fn kills_while_records_go_for_good_in_parquet() {
    besiege(Place::Parquet, "hard", 1);
}

#[test]
fn kills_while_records_are_marked_in_sqlite() {
    besiege(Place::Sqlite, "soft", 1);
}

#[test]
fn kills_while_records_are_marked_in_parquet() {
    besiege(Place::Parquet, "soft", 1);
}

#[test]
fn kills_while_records_go_for_good_in_postgres() {
    besiege(Place::Postgres, "hard", 4);
}

#[test]
fn kills_while_records_go_for_good_in_duckdb() {
    besiege(Place::DuckDb, "hard", 4);
}

#[test]
fn kills_while_records_go_for_good_in_a_bucket() {
    besiege(Place::Bucket, "hard", 4);
}
