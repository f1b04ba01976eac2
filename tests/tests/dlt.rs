//! Loads the same JSON with dlt and with `--layout dlt`: every cell is the same, ids included, except for the
//! differences listed in `dlt/rules.rs`. It needs Python and a network once; the environment is kept in the target
//! folder.

#[path = "dlt/compare.rs"]
mod compare;
#[path = "dlt/documents.rs"]
mod documents;
#[path = "dlt/ours.rs"]
mod ours;
#[path = "dlt/rules.rs"]
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use etlgen_testkit::shared::stripe_fixtures;
use etlgen_testkit::{Kind, skip};
use serde_json::{Value, json};

use self::compare::{Dataset, Difference};
use self::documents::Case;
use self::rules::RULES;

const REQUIREMENTS: [&str; 2] = ["dlt[duckdb,parquet]==1.31.*", "duckdb==1.*"];

/// The number of random documents.
const RANDOM: usize = 2_000;

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(output),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Returns a Python with dlt, which is installed once.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dlt-peer");
    let python = match cfg!(windows) {
        true => folder.join("Scripts/python.exe"),
        false => folder.join("bin/python"),
    };
    let (ready, wanted) = (folder.join("ready"), REQUIREMENTS.join("\n"));
    if std::fs::read_to_string(&ready).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    run(Command::new(system)
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--retries", "1"])
        .args(REQUIREMENTS))?;
    std::fs::write(ready, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// Returns the records of a group, each with a key.
fn bodies(cases: &[Case]) -> Vec<(String, String)> {
    let mut number = 0;
    let mut body = |case: &Case| {
        let docs = case.docs.iter().map(|doc| {
            number += 1;
            let rest = doc.trim_start_matches('{');
            let comma = if rest == "}" { "" } else { "," };
            format!("{{\"case_no\":{number}{comma}{rest}")
        });
        let docs = docs.collect::<Vec<_>>().join(",");
        (case.name.clone(), format!("[{docs}]"))
    };
    cases.iter().map(&mut body).collect()
}

/// Runs dlt; returns its tables for the groups, and its verdict on our schemas.
fn ask(
    python: &Path,
    groups: &BTreeMap<String, Vec<Case>>,
    schemas: &[String],
    dir: &Path,
) -> Value {
    let groups = groups.iter().map(|(name, cases)| {
        let resources = bodies(cases).into_iter();
        let resources = resources.map(|(name, docs)| json!({"name": name, "docs": docs}));
        let load = name != "random";
        json!({"name": name, "load": load, "resources": resources.collect::<Vec<_>>()})
    });
    let asked =
        json!({"longest": ours::LONGEST, "groups": groups.collect::<Vec<_>>(), "schemas": schemas});
    let (input, output) = (dir.join("asked.json"), dir.join("answer.json"));
    std::fs::write(&input, asked.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dlt/peer.py");
    let mut command = Command::new(python);
    if let Err(error) = run(command.arg(script).arg(input).arg(&output)) {
        panic!("{error}");
    }
    serde_json::from_str(&std::fs::read_to_string(output).unwrap()).unwrap()
}

#[test]
fn what_dlt_writes_is_what_we_write() {
    let python = match python() {
        Ok(python) => python,
        Err(error) => return skip(Kind::Python, &format!("no Python with dlt: {error}")),
    };
    let mut groups = BTreeMap::new();
    groups.insert("samples".to_owned(), documents::samples());
    groups.insert("random".to_owned(), documents::random(RANDOM));
    match std::fs::read_to_string(stripe_fixtures()) {
        Ok(text) => _ = groups.insert("fixtures".to_owned(), documents::fixtures(&text)),
        Err(_) => skip(
            Kind::Shared,
            "Stripe's fixtures are not next to the repository",
        ),
    }
    let loadable: Vec<String> = groups.keys().cloned().collect();
    for case in documents::unloadable() {
        groups.insert(case.name.clone(), vec![case]);
    }
    let dir = tempfile::tempdir().unwrap();
    let ours: BTreeMap<&str, Dataset> = groups
        .iter()
        .map(|(name, cases)| {
            let file = dir.path().join(format!("{name}.db"));
            (name.as_str(), ours::load(&file, bodies(cases)))
        })
        .collect();
    let schemas: Vec<String> = ours.values().flat_map(|set| set.schemas.clone()).collect();
    assert!(schemas.len() >= groups.len());
    let answer = ask(&python, &groups, &schemas, dir.path());
    for wrong in answer["schemas"].as_array().unwrap() {
        assert!(wrong.is_null(), "dlt cannot read our schema: {wrong}");
    }
    let mut counts = vec![0; RULES.len()];
    let mut unknown = Vec::new();
    for name in loadable.into_iter().rev() {
        let answer = &answer["groups"][&name];
        assert!(answer["error"].is_null(), "{name}: {}", answer["error"]);
        let dlt = Dataset::parse(&answer["tables"]);
        let (cells, differences) = compare::differences(&dlt, &ours[name.as_str()]);
        println!("{name}: {cells} cells, {} differences", differences.len());
        for difference in &differences {
            match RULES
                .iter()
                .position(|rule| (rule.fits)(difference, &differences))
            {
                Some(rule) => counts[rule] += 1,
                None => unknown.push(format!("{name}: {difference}")),
            }
        }
    }
    for (rule, count) in RULES.iter().zip(&counts) {
        println!("{count:6} {}: {}", rule.name, rule.why);
    }
    assert!(
        unknown.is_empty(),
        "{} differences that are on no list:\n{}",
        unknown.len(),
        unknown[..unknown.len().min(60)].join("\n")
    );
    let idle: Vec<&str> = RULES
        .iter()
        .zip(&counts)
        .filter(|(_, count)| **count == 0)
        .map(|(rule, _)| rule.name)
        .collect();
    assert!(idle.is_empty(), "these fit nothing: {idle:?}");
    for case in documents::unloadable() {
        let error = &answer["groups"][&case.name]["error"];
        println!("{}: {error}", case.name);
        assert!(!error.is_null(), "dlt loads {} now", case.name);
        let rows = &ours[case.name.as_str()].tables[&case.name].rows;
        assert_eq!(rows.len(), case.docs.len(), "{}", case.name);
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {}: dlt {:?}, here {:?}",
            self.row, self.table, self.dlt, self.ours
        )
    }
}
