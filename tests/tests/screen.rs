//! What a person sees of a run in a terminal.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use etlgen_testkit::{Kind, assert_snapshot, skip};
use etlgen_tests::connector::Connector;
use etlgen_tests::mock::{MockApi, Scenario};
use etlgen_tests::terminal::{self, Seen, Terminal, settled};
use etlgen_tests::tree::Tree;

static FORGE: LazyLock<Connector> = LazyLock::new(Connector::forge);
static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

/// Loads from the forge in a terminal with these columns.
fn forge(columns: u16, variables: &[(&str, &str)], more: &[&str]) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let mock = MockApi::start(Scenario {
        drift: false,
        ..Scenario::default()
    });
    let url = mock.url();
    let sync = [
        "sync",
        "--destination",
        "sqlite:forge.db",
        "--base-url",
        &url,
    ];
    let command = FORGE.command(folder.path(), &[&sync, more].concat());
    Terminal::start(&command, columns, variables).end()
}

fn tree(folder: &Path, tree: &Tree) -> Terminal {
    let url = tree.url();
    let sync = [
        "sync",
        "--destination",
        "sqlite:tree.db",
        "--base-url",
        &url,
    ];
    Terminal::start(&TREE.command(folder, &sync), 80, &[])
}

/// Whether a line is left of what was drawn.
fn is_dead(line: &str) -> bool {
    line.contains(['━', '─']) || line.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c))
}

#[test]
fn the_report_fits_the_terminal_and_nothing_else_is_left() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    for columns in [80, 120] {
        let seen = forge(columns, &[], &[]);
        assert_eq!(seen.code, Some(0), "{}", seen.text);
        assert!(!seen.text.lines().any(is_dead), "{}", seen.text);
        let widest = seen.text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{}", seen.text);
        assert!(
            seen.raw.contains("\u{1b}[32mproved\u{1b}[0m"),
            "{}",
            seen.raw
        );
        // How the last line is wrapped depends on the speed.
        let (report, total) = seen.text.split_once("total: ").unwrap();
        assert!(total.starts_with("3 resources, 543 records ("), "{total}");
        assert_snapshot!(format!("forge_at_{columns}"), settled(report.trim_end()));
    }
}

#[test]
fn colours_go_with_no_color_and_the_rest_stays() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    let seen = forge(100, &[("NO_COLOR", "1")], &[]);
    for colour in ["\u{1b}[32m", "\u{1b}[1m", "\u{1b}[2m"] {
        assert!(!seen.raw.contains(colour), "{}", seen.raw);
    }
    assert!(seen.text.contains("total: "), "{}", seen.text);
}

#[test]
fn a_dumb_terminal_and_ci_get_plain_lines() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    for variables in [[("TERM", "dumb")], [("CI", "true")]] {
        let seen = forge(80, &variables, &[]);
        for name in ["repos", "issues", "commits"] {
            let line = format!("{name}: ");
            assert!(
                seen.text.lines().any(|it| it.starts_with(&line)),
                "{}",
                seen.text
            );
        }
        // Nothing moves the cursor.
        let moves = |end: char| {
            seen.raw.contains(&format!("\u{1b}[1{end}"))
                || seen.raw.contains(&format!("\u{1b}[2{end}"))
        };
        assert!(
            !moves('A') && !moves('K') && !seen.raw.contains("\u{1b}[?25"),
            "{:?}",
            seen.raw
        );
    }
}

#[test]
fn quiet_tells_warnings_and_totals_and_verbose_tells_commits() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    let quiet = forge(80, &[], &["-q"]);
    let (before, total) = quiet.text.split_once("total: ").unwrap();
    assert!(total.starts_with("3 resources, "), "{}", quiet.text);
    assert!(!before.contains("records"), "{}", quiet.text);
    let verbose = forge(80, &[], &["-v"]);
    for line in ["committed ", "issues: 360 records", "load "] {
        assert!(verbose.text.contains(line), "{line}: {}", verbose.text);
    }
}

#[test]
fn ctrl_c_is_heard_and_leaves_no_dead_line() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    let (folder, api) = (
        tempfile::tempdir().unwrap(),
        Tree::start(20, Duration::from_millis(50)).unwrap(),
    );
    let mut run = tree(folder.path(), &api);
    run.wait_for("notes");
    run.types("\u{3}");
    run.wait_for("stopping after the pages in progress");
    let seen = run.end();
    assert_eq!(seen.code, Some(130), "{}", seen.text);
    assert_eq!(
        seen.text.matches("stopping after").count(),
        1,
        "{}",
        seen.text
    );
    assert!(!seen.text.lines().any(is_dead), "{}", seen.text);
    assert!(
        seen.raw.contains("Ctrl-C again stops at once"),
        "{}",
        seen.raw
    );
    assert!(
        seen.text.contains("stopped; the next run continues"),
        "{}",
        seen.text
    );
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    let (folder, api) = (
        tempfile::tempdir().unwrap(),
        Tree::start(20, Duration::from_secs(2)).unwrap(),
    );
    let mut run = tree(folder.path(), &api);
    run.wait_for("resources, ");
    run.types("\u{3}");
    run.wait_for("stopping after the pages in progress");
    run.types("\u{3}");
    let seen = run.end();
    assert_eq!(seen.code, Some(130), "{}", seen.text);
    assert!(!seen.text.contains("total: "), "{}", seen.text);
}

#[test]
fn the_progress_says_how_many_resources_records_and_requests() {
    if !terminal::is_there() {
        return skip(Kind::Tool, "there is no `script`");
    }
    let (folder, api) = (
        tempfile::tempdir().unwrap(),
        Tree::start(3, Duration::from_millis(60)).unwrap(),
    );
    let seen = tree(folder.path(), &api).end();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    for part in ["of 7 resources, ", " records, ", " requests", "shops  "] {
        assert!(seen.raw.contains(part), "{part}: {}", seen.raw);
    }
}
