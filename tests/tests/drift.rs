//! Reads Stripe's own fixtures with a connector generated from Stripe's document: every leaf becomes a field or is
//! drift, and both are counted. It needs documents next to the repository and compiles a large crate, so only `cargo
//! long` runs it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use etlgen_testkit::shared::{specs, stripe_fixtures};
use etlgen_testkit::{Kind, skip};
use etlgen_tests::compile::cargo_in;
use etlgen_tests::tables::seconds;
use etlgen_tests::workspace::{binary, root, stderr, stdout};
use serde_json::Value;

/// Returns the structs of a crate, with their modules.
fn structs(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for module in ["resources", "types"] {
        for entry in std::fs::read_dir(folder.join("src").join(module)).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let names = text
                .lines()
                .filter_map(|line| line.strip_prefix("pub struct "));
            for name in names.filter_map(|line| line.split([' ', '{', '<']).next()) {
                found.insert(name.to_owned(), format!("{module}::{name}"));
            }
        }
    }
    found
}

/// Returns the possible names of an object's struct: `checkout.session` is a `Session` or a
/// `CheckoutSession`.
fn candidates(object: &str) -> Vec<String> {
    let pascal = |text: &str| -> String {
        let words = text.split(['.', '_']).filter_map(|word| {
            let mut letters = word.chars();
            Some(letters.next()?.to_ascii_uppercase().to_string() + letters.as_str())
        });
        words.collect()
    };
    let last = object.rsplit('.').next().unwrap_or(object);
    let mut names = vec![pascal(object), pascal(last)];
    names.dedup();
    names
}

fn leaves<'a>(value: &'a Value, path: &str, out: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Null => {}
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), out)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), out)),
        scalar => _ = out.insert(path.to_owned(), scalar),
    }
}

fn same(sent: &Value, kept: &Value) -> bool {
    match (sent, kept) {
        (Value::Number(sent), Value::String(time)) => sent.as_f64() == seconds(time),
        (Value::Number(sent), Value::Number(kept)) => {
            sent == kept || sent.as_f64() == kept.as_f64()
        }
        // The API sent a decimal as text.
        (Value::String(sent), Value::Number(kept)) => sent.parse().ok() == kept.as_f64(),
        _ => sent == kept,
    }
}

/// The result of reading an object with one struct.
struct Account<'a> {
    object: &'a str,
    name: &'a str,
    kept: Value,
    unknown: Vec<&'a str>,
    misfits: Vec<&'a str>,
}

impl<'a> Account<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = &line[line.find("ACCOUNT\t")?..];
        let mut parts = line.split('\t').skip(1);
        let (object, name, json) = (parts.next()?, parts.next()?, parts.next()?);
        let drift: Vec<&str> = parts.collect();
        let of = |kind| {
            drift
                .iter()
                .filter_map(|keys| keys.strip_prefix(kind))
                .collect()
        };
        Some(Account {
            object,
            name,
            kept: serde_json::from_str(json).expect("a record is JSON"),
            unknown: of("? "),
            misfits: of("! "),
        })
    }
}

#[test]
#[ignore = "compiles a connector for all of Stripe: `cargo long` runs it"]
fn every_leaf_of_the_fixtures_is_a_field_or_drift() {
    let (spec, fixtures) = (specs().join("Deployed/stripe.yaml"), stripe_fixtures());
    let (true, Ok(fixtures)) = (spec.exists(), std::fs::read_to_string(fixtures)) else {
        return skip(
            Kind::Shared,
            "Stripe's document and fixtures are not next to the repository",
        );
    };
    check(&spec, &serde_json::from_str(&fixtures).unwrap());
}

fn check(spec: &Path, fixtures: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("stripe-connector");
    let etlgen = binary("etlgen");
    let mut new = Command::new(&etlgen);
    new.args(["new", "--name", "stripe", "--spec"]).arg(spec);
    let output = new.arg("--out").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let (structs, objects) = (structs(&out), fixtures["resources"].as_object().unwrap());
    let (mut reads, mut nameless) = (String::new(), Vec::new());
    for (number, (object, value)) in objects.iter().enumerate() {
        let file = folder.path().join(format!("{number}.json"));
        std::fs::write(&file, value.to_string()).unwrap();
        let names = candidates(object).into_iter();
        // A `climate.product` is not a `Product`, which is another object.
        let others = object
            .rsplit_once('.')
            .filter(|(_, last)| objects.contains_key(*last));
        let names = names.take(if others.is_some() { 1 } else { 2 });
        let meant: Vec<&String> = names.filter_map(|name| structs.get(&name)).collect();
        if meant.is_empty() {
            nameless.push(object.as_str());
        }
        for name in meant {
            let _ = writeln!(
                reads,
                "read::<stripe_connector::{name}>({object:?}, {file:?});"
            );
        }
    }
    let program = include_str!("drift/account.rs").replace("    READ;\n", &reads);
    std::fs::write(out.join("tests/account.rs"), program).unwrap();
    std::fs::copy(root().join("Cargo.lock"), out.join("Cargo.lock")).unwrap();
    let mut test = cargo_in(&out);
    test.args(["test", "--quiet", "--test", "account", "--", "--nocapture"]);
    let output = test.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    // This keeps, of the possible structs of an object, the one that declares most of its keys.
    let mut best: BTreeMap<&str, Account<'_>> = BTreeMap::new();
    for account in said.lines().filter_map(Account::parse) {
        let better = best
            .get(account.object)
            .is_none_or(|known| known.unknown.len() > account.unknown.len());
        if better {
            best.insert(account.object, account);
        }
    }
    assert_eq!(best.len() + nameless.len(), objects.len());
    let (mut read, mut drifted, mut lost) = (0, 0, Vec::new());
    let mut unknown: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut misfits: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (object, account) in &best {
        let (mut sent, mut kept) = (BTreeMap::new(), BTreeMap::new());
        leaves(&objects[*object], "", &mut sent);
        leaves(&account.kept, "", &mut kept);
        let drift: Vec<String> = account
            .unknown
            .iter()
            .chain(&account.misfits)
            .map(|keys| format!("/{}", keys.replace('.', "/")))
            .collect();
        for (path, value) in &sent {
            match kept.remove(path) {
                Some(kept) if same(value, kept) => {}
                kept => lost.push(format!(
                    "{object} ({}) {path}: {value} became {kept:?}",
                    account.name
                )),
            }
            let below = |at: &String| {
                path == at
                    || path
                        .strip_prefix(at.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            };
            match drift.iter().any(below) {
                true => drifted += 1,
                false => read += 1,
            }
        }
        lost.extend(
            kept.keys()
                .map(|path| format!("{object} {path} came from nowhere")),
        );
        let plain = |keys: &str| {
            keys.split('.')
                .filter(|key| key.parse::<usize>().is_err())
                .collect::<Vec<_>>()
                .join(".")
        };
        account
            .unknown
            .iter()
            .for_each(|keys| *unknown.entry((account.name, plain(keys))).or_default() += 1);
        account
            .misfits
            .iter()
            .for_each(|keys| *misfits.entry((account.name, plain(keys))).or_default() += 1);
    }
    let count = |these: &BTreeMap<(&str, String), usize>| these.values().sum::<usize>();
    println!(
        "{} objects, {} of them with a struct; without: {}",
        objects.len(),
        best.len(),
        nameless.join(", ")
    );
    println!("{read} leaves are fields, {drifted} are drift");
    println!(
        "{} unknown keys at {} places:",
        count(&unknown),
        unknown.len()
    );
    unknown
        .iter()
        .for_each(|((name, keys), times)| println!("  {name}: {keys} ({times})"));
    println!(
        "{} values that do not fit at {} places:",
        count(&misfits),
        misfits.len()
    );
    misfits
        .iter()
        .for_each(|((name, keys), times)| println!("  {name}: {keys} ({times})"));
    assert!(
        lost.is_empty(),
        "{} leaves are lost:\n{}",
        lost.len(),
        lost.join("\n")
    );
}
