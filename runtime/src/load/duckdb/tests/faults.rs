//! Other programs, kills, and answers that are lost.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::schema::Layout;

/// The files whose next commit has no answer.
static LOST: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

pub fn lose_next_answer(dir: &Path) {
    let file = dir.canonicalize().unwrap().join("data.db");
    LOST.lock().unwrap().insert(file);
}

/// Returns whether the answer to a statement is lost.
pub fn loses(sql: &str, file: Option<&Path>) -> bool {
    sql == "COMMIT" && file.is_some_and(|file| LOST.lock().unwrap().remove(file))
}

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

/// Holds a file open, as any program may.
#[test]
#[ignore = "a part of other tests"]
fn holds_a_file() {
    let _open = connect(&child::url(), Access::Write);
    println!("open");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_file_that_another_program_has_opened_names_it() {
    for kind in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let url = kind.url(dir.path());
        of_url(&url).open(&load("1")).unwrap();
        let mut holder = child::start(module_path!(), "holds_a_file", &url);
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("open")));
        let error = of_url(&url).open(&load("2")).unwrap_err().report();
        let looked = of_url(&url).look(&load("2")).unwrap_err().report();
        let pid = holder.id();
        holder.kill().unwrap();
        holder.wait().unwrap();
        for report in [error, looked] {
            let wanted = format!("another program has opened the file (process {pid})");
            assert!(report.contains(&wanted), "{report}");
            assert!(report.contains("data.db"), "{report}");
            assert!(report.contains("close it there"), "{report}");
        }
        of_url(&url).open(&load("3")).unwrap();
    }
}

/// The records of one commit: a new one, and another state of an earlier one.
fn step(ids: &[String], n: usize) -> Chunk {
    let lines = [n as i64, n as i64 + 1];
    let new: Rec<'_> = (&ids[n], n as i64, &lines);
    let old: Rec<'_> = (&ids[n / 2], -(n as i64), &lines[..1]);
    let more = ["one", "two", "three"][n % 3];
    let records = if new.0 == old.0 {
        vec![new]
    } else {
        vec![new, old]
    };
    chunk_of(Disposition::Merge, tables(&records, Some(more)))
}

fn ids() -> Vec<String> {
    (0..4000).map(|n| format!("r{n}")).collect()
}

/// Returns how many steps are committed.
fn reached(memory: &Memory) -> usize {
    let row = memory.state.first();
    row.map_or(0, |row| row.value.parse().unwrap())
}

/// Loads one step after the other, until it is killed.
#[test]
#[ignore = "a part of other tests"]
fn loads_until_it_is_killed() {
    let mut open = of_url(&child::url());
    let memory = open.open(&load("1")).unwrap();
    let ids = ids();
    for (number, n) in (1..).zip(reached(&memory)..ids.len()) {
        open.write(step(&ids, n)).unwrap();
        let row = StateRow::new("orders", "", (n + 1).to_string());
        let state = [StateChange::Put(row)];
        open.commit(&Commit::new(number, &state, &LoadStatus::Running))
            .unwrap();
        println!("{n}");
    }
}

#[test]
fn loads_that_are_killed_again_and_again_end_equal() {
    for kind in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let url = kind.url(dir.path());
        let mut next = 0;
        let mut random = 7_u64;
        for kill in 0..12_u64 {
            let mut run = child::start(module_path!(), "loads_until_it_is_killed", &url);
            let mut out = BufReader::new(run.stdout.take().unwrap()).lines();
            let mut steps = out
                .by_ref()
                .map_while(Result::ok)
                .filter_map(|line| line.parse::<usize>().ok());
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let time = (random >> 33) % 60;
            // The first ones die while they create the file.
            let before = match kill {
                0..4 => Duration::from_millis(40 + 30 * kill + time),
                _ => Duration::from_millis(time),
            };
            let mut answered = (kill >= 4)
                .then(|| steps.by_ref().take(1 + kill as usize % 3).last())
                .flatten();
            std::thread::sleep(before);
            run.kill().unwrap();
            answered = steps.last().or(answered);
            run.wait().unwrap();
            let mut open = of_url(&url);
            let memory = open.open(&load("9")).unwrap();
            let now = reached(&memory);
            assert!(
                now >= next.max(answered.map_or(0, |n| n + 1)),
                "a commit that was answered is gone"
            );
            next = now;
            let counts = open.row_counts().unwrap();
            let orders = counts.iter().find(|(table, _)| table == "orders");
            assert_eq!(orders.map_or(0, |(_, rows)| *rows), next as u64);
        }
        assert!(next >= 12, "{next}");
        let again = tempfile::tempdir().unwrap();
        let mut open = kind.destination(again.path());
        open.open(&load("1")).unwrap();
        let ids = ids();
        for n in 0..next {
            open.write(step(&ids, n)).unwrap();
        }
        open.commit(&Commit::new(1, &[], &LoadStatus::Running))
            .unwrap();
        drop(open);
        let rows = |dir: &Path| {
            let seen = tempfile::tempdir().unwrap();
            copy(dir, seen.path());
            let mut db = kind.client(&seen.path().join("data.db"));
            let orders = "SELECT _etl_id, n, one, two, three FROM orders ORDER BY 1";
            let lines = "SELECT _etl_id, _etl_root_id, v FROM orders__lines ORDER BY 1, 2, 3";
            [orders, lines].map(|sql| db.query(sql, &[]).unwrap())
        };
        assert_eq!(rows(dir.path()), rows(again.path()));
    }
}

#[test]
fn a_run_that_was_overtaken_commits_nothing() {
    for kind in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let commit = Commit::new(1, &[], &LoadStatus::Complete);
        let mut slow = kind.destination(dir.path());
        slow.open(&load("0")).unwrap();
        slow.commit(&commit).unwrap();
        slow.open(&load("1")).unwrap();
        slow.write(merge(&[("a", 1, &[])])).unwrap();
        // As a second run does in a database of MotherDuck, which nothing locks.
        let open = slow.open.as_mut().unwrap();
        let mut other = open.store.session.again().unwrap();
        let (mut fast, _) = Store::open(other.again().unwrap(), &load("2")).unwrap();
        fast.commit(&commit).unwrap();
        let error = slow.commit(&commit).unwrap_err().report();
        assert!(error.contains("another run has loaded"), "{error}");
        if kind == Kind::Lake {
            // Any two commits into one catalogue that meet exclude each other; of a file, only one run is open.
            continue;
        }
        // Another source does not overtake this one, and may load at the same time.
        let source = LoadInfo::new("3", "other", Layout::Etl);
        let (mut source, _) = Store::open(other.again().unwrap(), &source).unwrap();
        source.commit(&commit).unwrap();
        fast.write(&merge(&[("a", 1, &[])])).unwrap();
        source.commit(&commit).unwrap();
        let complete = LoadStatus::Complete;
        fast.commit(&Commit::new(2, &[], &complete)).unwrap();
        let found = "SELECT load_id, commit_number, rows FROM _etl_loads ORDER BY 1";
        let found = other.query(found, &[]).unwrap();
        let row = |id: &str, number, rows| [Value::from(id), Value::Int(number), Value::Int(rows)];
        assert_eq!(found, [row("0", 1, 0), row("2", 2, 1), row("3", 1, 0)]);
    }
}

#[test]
fn a_file_that_is_removed_or_replaced_gets_no_commit() {
    for kind in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let (path, aside) = (dir.path().join("data.db"), dir.path().join("aside.db"));
        for replaces in [false, true] {
            let mut open = kind.destination(dir.path());
            open.open(&load("1")).unwrap();
            open.write(merge(&[("a", 1, &[])])).unwrap();
            fs::rename(&path, &aside).unwrap();
            if replaces {
                fs::copy(&aside, &path).unwrap();
            }
            let commit = Commit::new(1, &[], &LoadStatus::Running);
            let error = open.commit(&commit).unwrap_err().report();
            let what = if replaces {
                "was replaced"
            } else {
                "was removed"
            };
            assert!(error.contains(what) && error.contains("data.db"), "{error}");
            drop(open);
            let _ = fs::remove_file(&path);
        }
    }
}

#[test]
fn errors_say_what_to_do_and_show_no_token() {
    for kind in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name).display().to_string();
        let options = kind.options().unwrap();
        fs::write(dir.path().join("text.db"), "text ".repeat(1000)).unwrap();
        for (rest, wanted) in [
            (file("text.db"), "not a DuckDB database"),
            (file("no/such/folder/a.db"), "check that the folder exists"),
            (file(""), "is not a file"),
            (file("a.db?memory_limit=lots"), "memory"),
        ] {
            let separator = if rest.contains('?') { '&' } else { '?' };
            let url = format!("{}:{rest}{separator}{options}", kind.scheme());
            let error = of_url(&url).open(&load("1")).unwrap_err().report();
            assert!(error.contains(wanted), "{error}");
            assert!(error.contains(&*dir.path().to_string_lossy()), "{error}");
        }
        if kind == Kind::Lake {
            continue;
        }
        let url = format!("md:shop?motherduck_token=s3cret&{options}");
        let mut cloud = DuckDb::new(&url);
        assert!(
            cloud.describe().contains("motherduck_token=***"),
            "{}",
            cloud.describe()
        );
        let error = cloud.open(&load("1")).unwrap_err().report();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
