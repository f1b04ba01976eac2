//! Measures how rules generalise: each labelled API is scored without the rules that only its own labels support.

use std::collections::{BTreeMap, BTreeSet};

use etlgen_testkit::{Kind, shared, skip};

use super::json;
use crate::draft::Draft;
use crate::infer::infer;
use crate::infer::switches::{Rules, without};
use crate::overrides::Overrides;
use crate::plan::Options;
use crate::spec::api::Api;
use crate::spec::{Input, read};

#[path = "../../tests/score/rules.rs"]
#[allow(dead_code, reason = "the whole score uses the rest")]
mod score;

use score::{Count, Row, Tally, judge, percent};

/// An API and its labels.
struct Labelled<'a> {
    file: &'a str,
    api: Api,
    rows: Vec<&'a Row>,
    /// The misses with every rule.
    misses: BTreeSet<String>,
    /// The rules that its labelled endpoints use.
    used: Rules,
    /// The rules that any of its endpoints uses.
    fired: Rules,
}

impl<'a> Labelled<'a> {
    fn new(file: &'a str, rows: Vec<&'a Row>) -> Self {
        let name = match file.starts_with("kinds/") {
            true => shared::path("truth").join(file),
            false => shared::specs().join(file),
        };
        let input = Input::load(&name.display().to_string()).unwrap();
        let mut labelled = Labelled {
            file,
            api: read(&input).0.unwrap(),
            rows,
            misses: BTreeSet::new(),
            used: Rules::new(),
            fired: Rules::new(),
        };
        let (tally, fired) = labelled.tally(&Rules::new());
        labelled.fired = fired;
        labelled.misses = tally.misses.iter().map(|miss| cell(miss)).collect();
        let paths: BTreeSet<&str> = labelled.rows.iter().map(|row| row.cell("path")).collect();
        let mut own = labelled.api.clone();
        own.operations
            .retain(|operation| paths.contains(operation.path.as_str()));
        (_, labelled.used) = without(&Rules::new(), || infer(&own));
        labelled
    }

    fn tally(&self, off: &Rules) -> (Tally, Rules) {
        let (inspected, used) = without(off, || {
            let options = Options {
                everything: true,
                ..Options::default()
            };
            let (input, api) = (Input::default(), self.api.clone());
            json(&Draft::of(input, api, Vec::new(), (&Overrides::default(), &options)).unwrap())
        });
        let mut tally = Tally::default();
        judge(&self.rows, &inspected, &mut tally);
        (tally, used)
    }

    /// Returns whether a cell is right only because of a rule.
    fn needs(&self, rule: &str) -> bool {
        let off = Rules::from([rule.to_owned()]);
        let (tally, _) = self.tally(&off);
        let mut misses = tally.misses.iter().map(|miss| cell(miss));
        misses.any(|miss| !self.misses.contains(&miss))
    }
}

/// Returns a miss without the wrong value.
fn cell(miss: &str) -> String {
    let cell = miss.split_once(": said").map_or(miss, |(cell, _)| cell);
    cell.to_owned()
}

/// Returns the labelled APIs; empty if the labels are absent.
fn labelled(labels: &[Row]) -> Vec<Labelled<'_>> {
    let mut of_file: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in labels {
        of_file.entry(row.cell("spec_file")).or_default().push(row);
    }
    let mut apis: Vec<Labelled<'_>> = of_file
        .into_iter()
        .map(|(file, rows)| Labelled::new(file, rows))
        .collect();
    // Small APIs come first: the search ends at the second API that needs a rule.
    apis.sort_by_key(|labelled| labelled.api.operations.len());
    apis
}

/// Returns the labels of public APIs and those of documents made up for one kind of evidence each.
fn labels() -> Vec<Row> {
    let truth = shared::path("truth");
    let files = ["truth_visible.tsv", "truth_visible2.tsv", "truth_kinds.tsv"];
    let read = |file: &str| std::fs::read_to_string(truth.join(file));
    let texts: Result<Vec<String>, _> = files.into_iter().map(read).collect();
    match texts {
        Ok(texts) => texts.iter().flat_map(|text| score::rows(text)).collect(),
        Err(_) => {
            skip(Kind::Shared, &format!("{} is absent", truth.display()));
            Vec::new()
        }
    }
}

/// Returns the APIs that use each rule.
fn users<'a>(
    apis: &'a [Labelled<'_>],
    rules: impl Fn(&'a Labelled<'_>) -> &'a Rules,
) -> BTreeMap<&'a str, Vec<usize>> {
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, api) in apis.iter().enumerate() {
        for rule in rules(api) {
            users.entry(rule).or_default().push(index);
        }
    }
    users
}

/// Returns the rules that the labelled endpoints of only one API use, with that API.
fn taught_by_one(apis: &[Labelled<'_>]) -> BTreeMap<String, usize> {
    users(apis, |api| &api.used)
        .into_iter()
        .filter_map(|(rule, users)| match users.as_slice() {
            [only] => Some((rule.to_owned(), *only)),
            _ => None,
        })
        .collect()
}

/// Returns the rules without which only one API loses right cells, even if other APIs use them next
/// to better evidence.
fn needed_by_one(apis: &[Labelled<'_>]) -> BTreeMap<String, usize> {
    let rules: Vec<(&str, Vec<usize>)> = users(apis, |api| &api.fired).into_iter().collect();
    let halves = rules.chunks(rules.len().div_ceil(2).max(1));
    let needer = |users: &[usize], rule: &str| {
        let needs = |index: &&usize| {
            users.len() == 1 || apis.get(**index).is_some_and(|api| api.needs(rule))
        };
        let mut needing = users.iter().filter(needs);
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
                        Some(((*rule).to_owned(), needer(users, rule)?))
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

/// Returns the share of right hard cells, averaged over the APIs, each scored without its own
/// rules.
fn left_out(apis: &[Labelled<'_>], own: &BTreeMap<String, usize>) -> f64 {
    let mut total: Count = (0, 0);
    let mut sum = 0.0;
    for (index, labelled) in apis.iter().enumerate() {
        let off: Rules = own
            .iter()
            .filter(|(_, owner)| **owner == index)
            .map(|(rule, _)| rule.clone())
            .collect();
        let (whole, _) = labelled.tally(&Rules::new());
        let (left, _) = labelled.tally(&off);
        println!(
            "{:32} {:5.1} % of the hard cells, left out {:5.1} %, without {}",
            labelled.file,
            percent(whole.hard),
            percent(left.hard),
            off.iter().cloned().collect::<Vec<_>>().join(", "),
        );
        let lost = left.misses.iter();
        for miss in lost.filter(|miss| !labelled.misses.contains(&cell(miss))) {
            println!("    {miss}");
        }
        sum += percent(left.hard);
        total = (total.0 + left.hard.0, total.1 + left.hard.1);
    }
    let mean = sum / apis.len().max(1) as f64;
    println!(
        "left out: {mean:.1} % of the hard cells in the mean of the APIs, {:.1} % of all",
        percent(total)
    );
    mean
}

/// Scores each API without the rules that only its own labels could have taught. A rule is a word
/// in a list, a sign in a text, or a condition.
#[test]
fn rules_carry_over_to_apis_that_did_not_teach_them() {
    let labels = labels();
    let apis = labelled(&labels);
    if !apis.is_empty() {
        let mean = left_out(&apis, &taught_by_one(&apis));
        assert!(mean >= 90.0, "{mean:.1} % of the hard cells");
    }
}

/// Scores more strictly: a rule is also disabled if other APIs use it but do not need it.
#[test]
#[ignore = "takes minutes: each rule is disabled for each API that uses it"]
fn rules_carry_over_to_apis_that_alone_need_them() {
    let labels = labels();
    let apis = labelled(&labels);
    if !apis.is_empty() {
        let mean = left_out(&apis, &needed_by_one(&apis));
        assert!(mean >= 78.0, "{mean:.1} % of the hard cells");
    }
}
