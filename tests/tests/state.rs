//! Tests the commands for the state: export, import, rewind, rollback.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use etlgen_tests::connector::Connector;
use etlgen_tests::tables::{self, Tables, assert_same};
use etlgen_tests::tree::Tree;
use etlgen_tests::workspace::stderr;

static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

const PLACES: [&str; 2] = ["sqlite:tree.db", "parquet:lake"];

fn read(folder: &Path, destination: &str) -> Tables {
    match destination {
        "sqlite:tree.db" => tables::sqlite(&folder.join("tree.db")),
        _ => tables::parquet(&folder.join("lake"), "tree"),
    }
}

/// A folder, the API, and a destination in the folder.
struct Place {
    folder: tempfile::TempDir,
    tree: Tree,
    destination: &'static str,
}

impl Place {
    fn new(destination: &'static str) -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
            tree: Tree::start(1, Duration::ZERO).unwrap(),
            destination,
        }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let to = ["--destination", self.destination];
        TREE.succeed(self.folder.path(), &[arguments, &to].concat())
    }

    /// Runs the connector; returns its requests.
    fn sync(&self, more: &[&str]) -> Vec<String> {
        self.tree.take_requests();
        let url = self.tree.url();
        self.run(&[&["sync", "--base-url", &url], more].concat());
        self.tree.take_requests()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let to = ["--destination", self.destination];
        let output = TREE.run(self.folder.path(), &[arguments, &to].concat());
        assert!(matches!(output.status.code(), Some(2 | 5)), "{output:?}");
        stderr(&output)
    }

    fn read(&self) -> Tables {
        read(self.folder.path(), self.destination)
    }
}

#[test]
fn an_exported_state_goes_on_elsewhere() {
    for destination in PLACES {
        let place = Place::new(destination);
        place.sync(&[]);
        let file = place.folder.path().join("state.json");
        let exported = place.run(&["state", "export"]);
        std::fs::write(&file, &exported).unwrap();
        let file = file.to_str().unwrap();
        place.run(&["state", "reset"]);
        assert_eq!(place.run(&["state", "show"]), "");
        place.run(&["state", "import", file]);
        assert_eq!(place.run(&["state", "export"]), exported);
        let requests = place.sync(&["--resources", "log"]);
        assert!(
            requests.iter().all(|r| r.contains("since=")),
            "{requests:?}"
        );

        let empty = Place::new(destination);
        empty.run(&["state", "import", file]);
        let requests = empty.sync(&["--resources", "log"]);
        assert!(
            requests.iter().all(|r| r.contains("since=")),
            "{requests:?}"
        );

        let before = place.run(&["state", "show"]);
        let foreign = exported.replace("\"source\": \"tree\"", "\"source\": \"bush\"");
        std::fs::write(file, foreign).unwrap();
        let error = place.refused(&["state", "import", file]);
        assert!(error.contains("state of `bush`"), "{error}");
        std::fs::write(file, exported.replace("\"etl\"", "\"dlt\"")).unwrap();
        let error = place.refused(&["state", "import", file]);
        assert!(error.contains("layout `dlt`"), "{error}");
        assert_eq!(place.run(&["state", "show"]), before);
    }
}

#[test]
fn a_cursor_set_back_is_read_from_there_and_nothing_comes_twice() {
    for destination in PLACES {
        let place = Place::new(destination);
        place.sync(&[]);
        let loaded = place.read();
        let told = place.run(&["state", "rewind", "orders", "--to", "2020-01-01"]);
        assert!(
            told.contains("3 cursors of orders back to 1577836800000"),
            "{told}"
        );
        let requests = place.sync(&[]);
        let orders: Vec<_> = requests.iter().filter(|r| r.contains("/orders?")).collect();
        let first = orders.iter().filter(|r| !r.contains("after="));
        assert!(first.clone().all(|r| r.contains("since=1577836799999")));
        assert_eq!(first.count(), 3);
        assert_same(&loaded, &place.read());
        let told = place.run(&["state", "rewind", "orders", "--to", "2090-01-01"]);
        assert!(told.contains("nothing changed"), "{told}");
        let error = place.refused(&["state", "rewind", "shops", "--to", "2020-01-01"]);
        assert!(error.contains("read in full each time"), "{error}");
        let error = place.refused(&["state", "rewind", "orders", "--to", "then"]);
        assert!(error.contains("`--to then`"), "{error}");
    }
}

/// Returns the id of the load in the report of a run.
fn load_id(report: &str) -> String {
    let (_, rest) = report.split_once("(load ").expect(report);
    rest.split(',').next().unwrap().to_owned()
}

#[test]
fn a_load_that_is_taken_back_is_loaded_again() {
    for destination in PLACES {
        let place = Place::new(destination);
        let url = place.tree.url();
        let sync = ["sync", "--base-url", &url];
        let first = load_id(&place.run(&sync));
        let (state, loaded) = (place.run(&["state", "show"]), place.read());
        for _ in 0..6 {
            place.tree.change(false);
        }
        let second = load_id(&place.run(&sync));
        let changed = place.read();
        let kept = |name: &str| {
            let same = |(id, row): &(&String, &String)| changed[name].get(*id) == Some(*row);
            loaded[name].iter().filter(same).count()
        };
        let notes = kept("notes");

        let error = place.refused(&["rollback", "7.5"]);
        assert!(
            error.contains("no load `7.5`") && error.contains(&second),
            "{error}"
        );
        let error = place.refused(&["rollback", &first]);
        assert!(
            error.contains(&second) && error.contains("--with-later"),
            "{error}"
        );
        let told = place.run(&["rollback", &second]);
        assert_eq!(place.run(&["state", "show"]), state);
        // Notes are read in full and merged: the second load had replaced only those that have changed.
        let gone = loaded["notes"].len() - notes;
        assert!(
            told.contains(&format!("notes: {gone} older records")),
            "{told}"
        );
        assert!(gone > 0 && notes > 0);
        assert_eq!(place.read()["notes"].len(), notes);
        // Orders are read by their cursor: unchanged ones still exist.
        assert!(!place.read()["orders"].is_empty());
        for (name, rows) in place.read() {
            let of_others = rows
                .values()
                .filter(|row| !loaded[&name].values().any(|r| r == *row));
            assert_eq!(of_others.count(), 0, "{name} has rows of the load");
        }
        let error = place.refused(&["rollback", &second]);
        assert!(error.contains("already rolled back"), "{error}");
        place.run(&sync);
        assert_same(&changed, &place.read());

        place.run(&["rollback", &first, "--with-later"]);
        assert!(place.read().values().all(|rows| rows.is_empty()));
        assert_eq!(place.run(&["state", "show"]), "");
        place.run(&sync);
        assert_same(&changed, &place.read());

        let full = load_id(&place.run(&[&sync[..], &["--full-refresh"]].concat()));
        let state = place.run(&["state", "show"]);
        let told = place.run(&["rollback", &full]);
        assert!(told.contains("notes: unchanged"), "{told}");
        assert_same(&changed, &place.read());
        assert_eq!(place.run(&["state", "show"]), state);
    }
}
