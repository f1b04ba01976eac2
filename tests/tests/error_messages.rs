//! Checks that a full disk, a read-only folder, a locked database and a second run each give a
//! clear error and damage nothing.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
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

fn sync<'a>(url: &'a str, destination: &'a str) -> [&'a str; 7] {
    [
        "sync",
        "--base-url",
        url,
        "--checkpoint-rows",
        "15",
        "--destination",
        destination,
    ]
}

fn said(output: &Output, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("hint: "), "{text}");
    words
        .iter()
        .for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

#[test]
fn a_file_that_cannot_grow_ends_the_run_and_the_next_goes_on() {
    for destination in PLACES {
        let tree = Tree::start(20, Duration::ZERO).unwrap();
        let url = tree.url();
        let arguments = sync(&url, destination);
        let (folder, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        TREE.succeed(whole.path(), &arguments);
        let expected = read(whole.path(), destination);
        // The limit is in blocks of 512 bytes. Its signal would end the process before it can print anything.
        let mut failed = 0;
        for blocks in ["40", "150", "300", "600"] {
            let program = TREE.command(folder.path(), &[]);
            let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
            let output = Command::new("sh")
                .args(["-c", &limited, "sh"])
                .arg(program.get_program())
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .unwrap();
            if output.status.code() != Some(0) {
                said(
                    &output,
                    &["tree.db", "lake"][usize::from(destination != PLACES[0])..][..1],
                );
                failed += 1;
            }
        }
        assert!(failed > 0, "no limit was small enough for {destination}");
        TREE.succeed(folder.path(), &arguments);
        TREE.succeed(folder.path(), &arguments);
        assert_same(&expected, &read(folder.path(), destination));
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let tree = Tree::start(1, Duration::ZERO).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "not a folder").unwrap();
    for destination in [
        "sqlite:/proc/tree.db",
        "sqlite:nowhere/tree.db",
        "parquet:/proc/lake",
        "parquet:file",
    ] {
        let output = TREE.run(folder.path(), &sync(&tree.url(), destination));
        let (_, place) = destination.split_once(':').unwrap();
        said(&output, &[place, "cannot write"]);
    }
    let output = TREE.run(folder.path(), &sync(&tree.url(), "sqlite:file"));
    said(&output, &["file", "not a"]);
    let text = std::fs::read_to_string(folder.path().join("file")).unwrap();
    assert_eq!(text, "not a folder");
    assert!(tree.take_requests().is_empty(), "nothing was asked for");
}

#[test]
fn a_database_that_another_program_has_locked_is_left_alone() {
    let tree = Tree::start(1, Duration::ZERO).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = tree.url();
    let arguments = sync(&url, PLACES[0]);
    TREE.succeed(folder.path(), &arguments);
    let before = read(folder.path(), PLACES[0]);
    let other = rusqlite::Connection::open(folder.path().join("tree.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let output = TREE.run(folder.path(), &arguments);
    said(&output, &["tree.db", "locked", "close it and run again"]);
    other.execute_batch("ROLLBACK").unwrap();
    assert_same(&before, &read(folder.path(), PLACES[0]));
    TREE.succeed(folder.path(), &arguments);
    assert_same(&before, &read(folder.path(), PLACES[0]));
}

#[test]
fn a_second_run_is_kept_out_and_the_first_ends() {
    for destination in PLACES {
        let tree = Tree::start(1, Duration::from_millis(60)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = tree.url();
        let arguments = sync(&url, destination);
        TREE.succeed(folder.path(), &arguments);
        tree.take_requests();
        let mut first = TREE.command(folder.path(), &arguments);
        let first = first.stdout(Stdio::null()).stderr(Stdio::piped());
        let first = first.spawn().unwrap();
        while tree.take_requests().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = TREE.run(folder.path(), &arguments);
        said(&output, &["another run is loading"]);
        let output = TREE.run(
            folder.path(),
            &["state", "reset", "--destination", destination],
        );
        said(&output, &["another run is loading"]);
        let output = first.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(read(folder.path(), destination)["regions"].len(), 1);
    }
}

#[test]
fn a_signal_ends_the_run_after_its_pages_and_the_next_goes_on() {
    for (signal, destination) in ["-TERM", "-INT"].into_iter().zip(PLACES) {
        let tree = Tree::start(2, Duration::from_millis(30)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = tree.url();
        let arguments = sync(&url, destination);
        let run = TREE
            .command(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asked = Vec::new();
        while asked.len() < 12 {
            std::thread::sleep(Duration::from_millis(5));
            asked.extend(tree.take_requests());
        }
        let process = run.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
        let output = run.wait_with_output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(130), "{report}");
        assert!(
            report.contains("stopped; the next run continues"),
            "{report}"
        );
        assert!(stderr(&output).contains("stopping after the pages in progress"));
        tree.take_requests();
        TREE.succeed(folder.path(), &arguments);
        let again = tree.take_requests();
        let first = "/regions?log=1".to_owned();
        assert!(
            !again.contains(&first) || !asked.contains(&first),
            "read before"
        );
        TREE.succeed(folder.path(), &arguments);
        let loaded = read(folder.path(), destination);
        for (level, name) in etlgen_tests::tree::LEVELS.iter().enumerate() {
            assert_eq!(loaded[*name].len(), tree.count(level), "{name}");
        }
    }
}
