//! How well rules carry over: each labelled API is judged without the rules that only its own labels support.

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
    /// With every rule.
    misses: BTreeSet<String>,
    /// The rules that its labelled endpoints make use of.
    used: Rules,
    /// The rules that anything in it makes use of.
    fired: Rules,
}

impl<'a> Labelled<'a> {
    fn new(file: &'a str, rows: Vec<&'a Row>) -> Self {
        let name = shared::specs().join(file);
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

    /// Whether a cell is right thanks to a rule.
    fn needs(&self, rule: &str) -> bool {
        let off = Rules::from([rule.to_owned()]);
        let (tally, _) = self.tally(&off);
        let mut misses = tally.misses.iter().map(|miss| cell(miss));
        misses.any(|miss| !self.misses.contains(&miss))
    }
}

/// A miss without what was said instead.
fn cell(miss: &str) -> String {
    let cell = miss.split_once(": said").map_or(miss, |(cell, _)| cell);
    cell.to_owned()
}

/// The labelled APIs; none where the labels are not at hand.
fn labelled(labels: &[Row]) -> Vec<Labelled<'_>> {
    let mut of_file: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in labels {
        of_file.entry(row.cell("spec_file")).or_default().push(row);
    }
    let mut apis: Vec<Labelled<'_>> = of_file
        .into_iter()
        .map(|(file, rows)| Labelled::new(file, rows))
        .collect();
    // A rule is settled by the first two that need it: the small ones are quicker asked.
    apis.sort_by_key(|labelled| labelled.api.operations.len());
    apis
}

fn labels() -> Vec<Row> {
    let truth = shared::path("truth");
    match std::fs::read_to_string(truth.join("truth_visible.tsv")) {
        Ok(labels) => score::rows(&labels),
        Err(_) => {
            skip(Kind::Shared, &format!("there is no {}", truth.display()));
            Vec::new()
        }
    }
}

/// By rule, the APIs that it is evidence of.
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

/// The rules of which the labelled endpoints of one API only make use, with that API.
fn taught_by_one(apis: &[Labelled<'_>]) -> BTreeMap<String, usize> {
    users(apis, |api| &api.used)
        .into_iter()
        .filter_map(|(rule, users)| match users.as_slice() {
            [only] => Some((rule.to_owned(), *only)),
            _ => None,
        })
        .collect()
}

/// The rules without which one API only loses right cells: also those that others have better evidence beside.
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

/// The hard cells that are right, in the mean of the APIs, each judged without the rules that are its own.
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

/// What an API keeps without the rules that its labels alone could have taught. A rule is a word on a list, a sign in a
/// text, or a way to conclude.
#[test]
fn rules_carry_over_to_apis_that_did_not_teach_them() {
    let labels = labels();
    let apis = labelled(&labels);
    if !apis.is_empty() {
        let mean = left_out(&apis, &taught_by_one(&apis));
        assert!(mean >= 85.0, "{mean:.1} % of the hard cells");
    }
}

/// Harder: a rule is also taken away where other APIs use it but would get on without.
#[test]
#[ignore = "takes minutes: each rule is taken away from each API that uses it"]
fn rules_carry_over_to_apis_that_alone_need_them() {
    let labels = labels();
    let apis = labelled(&labels);
    if !apis.is_empty() {
        let mean = left_out(&apis, &needed_by_one(&apis));
        assert!(mean >= 78.0, "{mean:.1} % of the hard cells");
    }
}
