//! How well rules carry over: each labelled API is judged without the rules that only its own labels support.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::rules::switches::{Rules, without};
use super::infer;
use crate::inspect;
use crate::spec::api::Api;
use crate::spec::{Input, read};

#[path = "../../../tests/score/rules.rs"]
#[allow(dead_code, reason = "the whole score uses the rest")]
mod score;

use score::{Count, Row, Tally, judge, percent};

/// Written apart from the sources, as the score's data is.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

/// An API and its labels.
struct Labelled<'a> {
    file: &'a str,
    api: Api,
    rows: Vec<&'a Row>,
    /// With every rule.
    misses: BTreeSet<String>,
    /// The rules that it makes use of.
    used: Rules,
}

impl Labelled<'_> {
    fn tally(&self, off: &Rules) -> (Tally, Rules) {
        let (inspected, used) = without(off, || inspect::json(&self.api, &infer(&self.api)));
        let mut tally = Tally::default();
        judge(&self.rows, &inspected, &mut tally);
        (tally, used)
    }

    /// Whether a cell is right thanks to a rule.
    fn needs(&self, rule: &str) -> bool {
        let off = Rules::from([rule.to_owned()]);
        let (tally, _) = self.tally(&off);
        let misses = tally.misses.iter().map(|miss| cell(miss));
        misses.into_iter().any(|miss| !self.misses.contains(&miss))
    }
}

/// A miss without what was said instead.
fn cell(miss: &str) -> String {
    let cell = miss.split_once(": said").map_or(miss, |(cell, _)| cell);
    cell.to_owned()
}

/// The API that alone supports each rule: no other one makes use of it, or gets a cell right thanks to it.
fn supporters(apis: &[Labelled<'_>]) -> BTreeMap<String, usize> {
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, api) in apis.iter().enumerate() {
        for rule in &api.used {
            users.entry(rule).or_default().push(index);
        }
    }
    let rules: Vec<(&str, Vec<usize>)> = users.into_iter().collect();
    let halves = rules.chunks(rules.len().div_ceil(2).max(1));
    let supporter = |users: &[usize], rule: &str| {
        let mut needing = users.iter().filter(|index| {
            users.len() == 1 || apis.get(**index).is_some_and(|api| api.needs(rule))
        });
        match (needing.next(), needing.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = halves
            .map(|half| {
                scope.spawn(move || {
                    let found = half.iter().filter_map(|(rule, users)| {
                        Some(((*rule).to_owned(), supporter(users, rule)?))
                    });
                    found.collect::<Vec<_>>()
                })
            })
            .collect();
        let found = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        found.collect()
    })
}

#[test]
fn rules_carry_over_to_apis_that_did_not_teach_them() {
    let truth = PathBuf::from(SHARED).join("truth");
    let Ok(labels) = std::fs::read_to_string(truth.join("truth_visible.tsv")) else {
        println!("skipped: there is no {}", truth.display());
        return;
    };
    let rows = score::rows(&labels);
    let mut of_file: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        of_file.entry(row.cell("spec_file")).or_default().push(row);
    }
    let mut apis: Vec<Labelled<'_>> = of_file
        .into_iter()
        .map(|(file, rows)| {
            let name = PathBuf::from(SHARED).join("specs").join(file);
            let input = Input::load(&name.display().to_string()).unwrap();
            let api = read(&input).0.unwrap();
            let mut labelled = Labelled {
                file,
                api,
                rows,
                misses: BTreeSet::new(),
                used: Rules::new(),
            };
            let (tally, used) = labelled.tally(&Rules::new());
            labelled.misses = tally.misses.iter().map(|miss| cell(miss)).collect();
            labelled.used = used;
            labelled
        })
        .collect();
    // A rule is settled by the first two that need it: the small ones are quicker asked.
    apis.sort_by_key(|labelled| labelled.api.operations.len());
    let supporters = supporters(&apis);

    let mut total: Count = (0, 0);
    let mut sum = 0.0;
    for (index, labelled) in apis.iter().enumerate() {
        let off: Rules = supporters
            .iter()
            .filter(|(_, supporter)| **supporter == index)
            .map(|(rule, _)| rule.clone())
            .collect();
        let (whole, _) = labelled.tally(&Rules::new());
        let (left, _) = labelled.tally(&off);
        println!(
            "{:32} hard cells {:5.1} %, left out {:5.1} %, {} rules off: {}",
            labelled.file,
            percent(whole.hard),
            percent(left.hard),
            off.len(),
            off.iter().cloned().collect::<Vec<_>>().join(", "),
        );
        for miss in left
            .misses
            .iter()
            .filter(|miss| !labelled.misses.contains(&cell(miss)))
        {
            println!("    {miss}");
        }
        sum += percent(left.hard);
        total = (total.0 + left.hard.0, total.1 + left.hard.1);
    }
    let mean = sum / apis.len() as f64;
    println!(
        "left out: {mean:.1} % of the hard cells in the mean of the APIs, {:.1} % of all their hard cells",
        percent(total)
    );
    assert!(mean >= 85.0, "{mean:.1} % of the hard cells");
}
