//! The three tiers of tests: `cargo quick`, `cargo full` and `cargo long`.
//!
//! Each tier runs all its steps, even after a failed one, and ends with a line that counts the
//! tests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use etlgen_testkit::skip::Kind;
use etlgen_testkit::switches::{self, Switch};

const USAGE: &str = "usage: tiers quick|full|long [STEP…]

quick   the unit and integration tests of the libraries; under 3 minutes when they are built
full    what must be green before a change lands: format, lints, features, all tests, docs
long    full-size kills, merges, real documents and soak; hours

STEP    only the steps of these names; `features` stands for all `features: …`";

/// A command of cargo.
struct Step {
    name: String,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Step {
    fn new(name: impl Into<String>, arguments: &str) -> Step {
        Step {
            name: name.into(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            variables: Vec::new(),
        }
    }

    fn with(mut self, switch: &Switch, value: &str) -> Step {
        self.variables.push((switch.name, value.to_owned()));
        self
    }
}

fn quick() -> Vec<Step> {
    let packages = "-p etlgen -p etlgen-runtime -p etlgen-derive -p etlgen-model -p etlgen-templates -p etlgen-testkit";
    vec![
        Step::new("format", "fmt --all --check"),
        Step::new(
            "tests",
            &format!("test {packages} --lib --bins --tests --no-fail-fast"),
        ),
    ]
}

fn full(root: &Path) -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", "fmt --all --check"),
        Step::new(
            "lints",
            "clippy --workspace --all-targets --all-features -- -D warnings",
        ),
    ];
    steps.extend(features(root));
    // Without all features, no destination would be tested but the default ones.
    steps.push(Step::new(
        "tests",
        "test --workspace --all-features --no-fail-fast",
    ));
    let mut docs = Step::new("docs", "doc --workspace --all-features --no-deps");
    docs.variables
        .push(("RUSTDOCFLAGS", "-D warnings".to_owned()));
    steps.push(docs);
    steps
}

/// Returns the steps that check the runtime with each of its features alone, and with none.
fn features(root: &Path) -> Vec<Step> {
    let manifest = root.join("runtime/Cargo.toml");
    let manifest = std::fs::read_to_string(&manifest)
        .unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    // Code that a feature alone leaves unused is allowed: the step only checks that it compiles.
    let alone = "check --package etlgen-runtime --no-default-features";
    let mut steps = vec![Step::new("features: none", alone)];
    for name in feature_names(&manifest) {
        let command = format!("{alone} --features {name}");
        steps.push(Step::new(format!("features: {name}"), &command));
    }
    steps
}

/// Returns the names of the features in a manifest.
fn feature_names(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().skip_while(|line| *line != "[features]");
    let lines = lines.skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = "));
    names
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('#') && *name != "default")
        .collect()
}

fn long() -> Vec<Step> {
    let test = |name: &str| format!("test -p etlgen-tests --no-fail-fast --test {name}");
    vec![
        Step::new("kills", &test("kill_tree")).with(&switches::KILLS, "200"),
        Step::new("seeds", "test -p etlgen-simulation").with(&switches::SEEDS, "100000"),
        Step::new("merges", &test("merge_trials")).with(&switches::MERGES, "200"),
        Step::new("corpus", &test("corpus")).with(&switches::CORPUS, "compile"),
        Step::new("drift", &format!("{} -- --ignored", test("drift"))),
        Step::new("hosts", &format!("{} -- --ignored", test("hosts"))),
        Step::new("soak", &format!("{} --release", test("soak"))).with(&switches::SOAK, "1000000"),
        Step::new("documents", "test -p etlgen --release --lib -- --ignored"),
    ]
}

/// The counts of a tier's tests.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Tally {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = result.split(['.', ';']).filter_map(|part| {
            let (count, what) = part.trim().split_once(' ')?;
            Some((count.parse::<usize>().ok()?, what))
        });
        for (count, what) in counts {
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// Runs a step, shows its output and counts its tests; returns false if it failed.
fn run(step: &Step, root: &Path, skipped: &Path, tally: &mut Tally) -> bool {
    println!("\n== {}: cargo {}", step.name, step.arguments.join(" "));
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    // Build scripts of other packages would see the variables of this package as changes.
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy();
        if own.starts_with("CARGO_PKG_") || own.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    let started = Instant::now();
    let child = command
        .args(&step.arguments)
        .current_dir(root)
        .envs(step.variables.iter().map(|(name, value)| (name, value)))
        .env(switches::SKIPPED.name, skipped)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("cargo does not start: {error}");
            return false;
        }
    };
    let output = child.stdout.take().expect("it is piped");
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.add(&line);
    }
    let ended = child.wait().is_ok_and(|status| status.success());
    println!("== {}: {}", step.name, took(started.elapsed()));
    ended
}

fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// Returns the lines of the tests that were skipped, once each.
fn read_skipped(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Counts skipped tests by their kind: `2 shared, 1 python`.
fn by_kind(lines: &[String]) -> String {
    let mut counts = BTreeMap::new();
    for kind in Kind::ALL {
        let mark = format!("SKIPPED [{}]", kind.name());
        let count = lines.iter().filter(|line| line.starts_with(&mark)).count();
        if count > 0 {
            counts.insert(kind.name(), count);
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    counts.join(", ")
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap_or(root);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (tier, only) = arguments
        .split_first()
        .map_or(("", &[][..]), |(tier, only)| (tier.as_str(), only));
    let mut steps = match tier {
        "quick" => quick(),
        "full" => full(&root),
        "long" => long(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if !only.is_empty() {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        let known = |wish: &String| names.iter().any(|name| is_meant(wish, name));
        if let Some(unknown) = only.iter().find(|wish| !known(wish)) {
            eprintln!(
                "`{unknown}` is not a step of `{tier}`: {}",
                names.join(", ")
            );
            return ExitCode::from(2);
        }
        steps.retain(|step| only.iter().any(|wish| is_meant(wish, &step.name)));
    }
    report(tier, &steps, &root)
}

/// Returns whether an argument names a step or its group.
fn is_meant(wish: &str, name: &str) -> bool {
    name == wish || name.split_once(':').is_some_and(|(group, _)| group == wish)
}

/// Runs the steps and prints the result.
fn report(tier: &str, steps: &[Step], root: &Path) -> ExitCode {
    let started = Instant::now();
    let skipped: PathBuf =
        std::env::temp_dir().join(format!("etlgen-skipped-{}", std::process::id()));
    let mut tally = Tally::default();
    let mut broken = Vec::new();
    for step in steps {
        let failed = tally.failed;
        if !run(step, root, &skipped, &mut tally) {
            broken.push(step.name.as_str());
            // A step without a failed test counts as one: a lint, a build.
            tally.failed += usize::from(tally.failed == failed);
        }
    }
    let lines = read_skipped(&skipped);
    let _ = std::fs::remove_file(&skipped);
    println!("\n== cargo {tier}: {}", took(started.elapsed()));
    lines.iter().for_each(|line| println!("{line}"));
    if !lines.is_empty() {
        println!("skipped by kind: {}", by_kind(&lines));
    }
    if tally.ignored > 0 {
        println!("{} ignored (they run only by their names)", tally.ignored);
    }
    if !broken.is_empty() {
        println!("failed: {}", broken.join(", "));
    }
    // A skipped test passes for cargo.
    let passed = tally.passed.saturating_sub(lines.len());
    println!(
        "{passed} passed, {} failed, {} skipped",
        tally.failed,
        lines.len()
    );
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_cargo_test_add_up() {
        let mut tally = Tally::default();
        tally.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s");
        tally.add("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.51s");
        tally.add("test this_is_not_a_result ... ok");
        let expected = Tally {
            passed: 7,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn every_feature_of_the_runtime_has_a_step() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"a\"]\n# The first.\na = []\nb = [\"dep:b\"]\n\n[dependencies]\nc = { version = \"1\" }\n";
        assert_eq!(feature_names(manifest), ["a", "b"]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let names: Vec<String> = features(&root).into_iter().map(|step| step.name).collect();
        assert!(names.contains(&"features: sqlite".to_owned()), "{names:?}");
    }

    #[test]
    fn skipped_tests_are_counted_by_kind() {
        let lines = [
            "SKIPPED [shared] a: x",
            "SKIPPED [python] b: y",
            "SKIPPED [shared] c: z",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(by_kind(&lines), "1 python, 2 shared");
    }
}
