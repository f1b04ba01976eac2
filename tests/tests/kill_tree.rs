//! Changes and kills, at any moment, three levels of children and people whose changes a feed
//! reports: the tables equal those of an undisturbed run, and committed pages are not requested
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use etlgen_testkit::switches::{KILLS, SEED};
use etlgen_tests::connector::Connector;
use etlgen_tests::tables::{self, Tables, assert_same};
use etlgen_tests::tree::Tree;
use etlgen_tests::workspace::{stderr, stdout};
use serde_json::Value;

static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    TREE.succeed(folder, arguments)
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
fn stood(folder: &Path, destination: &str) -> BTreeMap<String, Stood> {
    let shown = TREE.run(folder, &["state", "show", "--destination", destination]);
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

fn besiege(destination: &'static str, deletes: &'static str) {
    let tree = Tree::start(3, Duration::from_millis(2)).unwrap();
    let url = tree.url();
    let sync = [
        "sync",
        "--destination",
        destination,
        "--base-url",
        &url,
        "--checkpoint-rows",
        "15",
        "--deletes",
        deletes,
    ];
    let timed = tempfile::tempdir().unwrap();
    LazyLock::force(&TREE);
    let start = Instant::now();
    succeed(timed.path(), &sync);
    let span = start.elapsed();

    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let mut seed = SEED.number().unwrap_or(u64::from(now) + 1);
    println!("{}={seed}", SEED.name);
    let wanted = KILLS.number().unwrap_or(20);
    let (mut kills, mut ended, mut went_on) = (0, 0, 0);
    while kills < wanted {
        let stood = stood(folder.path(), destination);
        tree.take_requests();
        let mut run = TREE
            .command(folder.path(), &sync)
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
    assert!(went_on * 4 > wanted as usize, "most runs began anew");
    // The first run completes the open passes, the second loads the data that was added in the
    // meantime.
    succeed(folder.path(), &sync);
    succeed(folder.path(), &sync);
    let whole = tempfile::tempdir().unwrap();
    succeed(whole.path(), &sync);
    let expected = standing(read(whole.path(), destination));
    for (level, name) in etlgen_tests::tree::LEVELS.iter().enumerate() {
        assert_eq!(expected[*name].len(), tree.count(level), "{name}");
    }
    assert_eq!(expected["people"].len(), tree.people());
    let loaded = read(folder.path(), destination);
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

fn read(folder: &Path, destination: &str) -> Tables {
    match destination {
        "sqlite:tree.db" => tables::sqlite(&folder.join("tree.db")),
        _ => tables::parquet(&folder.join("lake"), "tree"),
    }
}

#[test]
fn kills_of_three_levels_of_children_into_sqlite() {
    besiege("sqlite:tree.db", "keep");
}

#[test]
fn kills_of_three_levels_of_children_into_parquet() {
    besiege("parquet:lake", "keep");
}

#[test]
fn kills_while_records_go_for_good_in_sqlite() {
    besiege("sqlite:tree.db", "hard");
}

#[test]
fn kills_while_records_go_for_good_in_parquet() {
    besiege("parquet:lake", "hard");
}

#[test]
fn kills_while_records_are_marked_in_sqlite() {
    besiege("sqlite:tree.db", "soft");
}

#[test]
fn kills_while_records_are_marked_in_parquet() {
    besiege("parquet:lake", "soft");
}
