//! Scores the inference against hand-labelled APIs, if the labels are present.

#[path = "score/rules.rs"]
mod rules;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use etlgen_testkit::{Kind, shared, skip};
use rules::{Row, Tally, judge};

#[test]
fn labelled_apis_are_read_right() {
    let truth = shared::path("truth");
    let Ok(labels) = std::fs::read_to_string(truth.join("truth_visible.tsv")) else {
        return skip(Kind::Shared, &format!("{} is absent", truth.display()));
    };
    let specs = shared::specs();
    let rows = rules::rows(&labels);
    let mut of_spec: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        of_spec.entry(row.cell("spec_file")).or_default().push(row);
    }
    let proofs = std::fs::read_to_string(truth.join("truth_visible_auth.tsv")).unwrap();
    let proofs = rules::rows(&proofs);

    let mut tally = Tally::default();
    let mut proven = 0;
    for (spec, rows) in of_spec {
        let inspected = inspected(&specs.join(spec));
        judge(&rows, &inspected, &mut tally);
        let proof = proofs.iter().find(|row| row.cell("spec_file") == spec);
        match proof {
            Some(row) if rules::auth_is_right(row, &inspected) => proven += 1,
            _ => println!("auth of {spec} is wrong: {}", inspected["api"]),
        }
    }
    let [all, hard, stated] = [tally.all, tally.hard, tally.stated].map(rules::percent);
    println!("{all:.1} % of all cells, {hard:.1} % of the hard ones, {stated:.1} % of the stated");
    println!("auth: {proven} of {}", proofs.len());
    let misses = tally.misses.join("\n");
    assert!(all >= 97.0, "{all:.1} % of all cells\n{misses}");
    assert!(hard >= 95.0, "{hard:.1} % of the hard cells\n{misses}");
    assert!(
        stated >= 97.0,
        "{stated:.1} % of the stated cells\n{misses}"
    );
    assert!(proven >= 11, "auth: {proven} of {}", proofs.len());
}

/// Scores labels in one file: all cells, the hard ones and the stated ones, in percent.
fn scored(labels: &str, specs: &Path) -> [f64; 3] {
    let rows = rules::rows(labels);
    let mut of_spec: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        of_spec.entry(row.cell("spec_file")).or_default().push(row);
    }
    let mut tally = Tally::default();
    for (spec, rows) in of_spec {
        judge(&rows, &inspected(&specs.join(spec)), &mut tally);
    }
    println!("{}", tally.misses.join("\n"));
    [tally.all, tally.hard, tally.stated].map(rules::percent)
}

#[test]
fn other_labels_and_kinds_of_evidence_are_read_right() {
    let truth = shared::path("truth");
    let labels = |file: &str| std::fs::read_to_string(truth.join(file));
    let (Ok(others), Ok(kinds)) = (labels("truth_visible2.tsv"), labels("truth_kinds.tsv")) else {
        return skip(Kind::Shared, &format!("{} is absent", truth.display()));
    };
    let found = scored(&others, &shared::specs());
    let least = [97.5, 95.5, 98.5];
    let holds = found
        .iter()
        .zip(least)
        .all(|(found, least)| *found >= least);
    assert!(holds, "all, hard, stated: {found:?} of {least:?}");
    assert_eq!(scored(&kinds, &truth), [100.0; 3]);
}

#[test]
fn the_commonest_lists_come_first() {
    let spec = shared::specs().join("Deployed/stripe.yaml");
    if !spec.exists() {
        return skip(Kind::Shared, &format!("{} is absent", spec.display()));
    }
    let table = inspect(&spec, &["--top", "20"]);
    let shown: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let wanted = [
        "customers",
        "charges",
        "invoices",
        "subscriptions",
        "products",
        "prices",
        "payment_intents",
        "refunds",
        "events",
        "payouts",
        "balance_transactions",
        "coupons",
        "plans",
        "disputes",
    ];
    for name in wanted {
        assert!(shown.contains(&name), "no {name} in\n{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 160));
}

/// Returns the output of `etlgen inspect --format json`.
fn inspected(path: &Path) -> Value {
    serde_json::from_str(&inspect(path, &["--format", "json"])).unwrap()
}

fn inspect(path: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_etlgen"))
        .args(["inspect", "--spec"])
        .arg(path)
        .args(arguments)
        .env("COLUMNS", "160")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
    String::from_utf8(output.stdout).unwrap()
}
